package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"gec/bundles"
	"gec/bundles/format"
	"gec/cmd/gec/internal/node"
	"gec/engine"
)

// stdinFile is the name of a file that stands for standard input.
const stdinFile = "-"

// reading reads the files of one import. Each is read and checked on top of the catalogue and of the files
// before it, so that every fault is reported with its line.
type reading struct {
	ctx        context.Context
	catalogue  *bundles.Catalogue
	format     format.Name
	lenient    bool
	closeHoles bool
	stdin      io.Reader
	past       bool
	// settings are those in force, then those of the files.
	settings  *engine.Settings
	documents merged
	// texts are the contents of the files by their displayed names.
	texts map[string][]byte
	// warnings are the lines to show; warned tells which there are.
	warnings []string
	warned   map[warned]bool
}

// warned is a warning whatever its place in the text.
type warned struct{ file, path, reason string }

// read reads every file, so that the faults of all of them are known at once.
func (r *reading) read(files []string) error {
	var faulty failures
	for _, file := range files {
		name := displayed(file)
		document, warnings, err := r.readFile(file)
		for _, w := range warnings {
			r.warn(name, w)
		}
		r.documents.add(name, document)
		if document.Settings != nil {
			r.settings = document.Settings
		}
		var faults bundles.Faults
		switch {
		case errors.As(err, &faults):
			faulty = append(faulty, &fileFaults{name, faults})
		case err != nil:
			faulty = append(faulty, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(faulty) > 0 {
		return faulty
	}
	return nil
}

func (r *reading) readFile(file string) (bundles.Document, []bundles.Fault, error) {
	text, err := r.text(file)
	if err != nil {
		return bundles.Document{}, nil, err
	}
	if r.texts == nil {
		r.texts = map[string][]byte{}
	}
	r.texts[displayed(file)] = text
	return format.Parse(r.format, text, format.ReadOptions{
		Settings: r.settings, CloseHoles: r.closeHoles, Today: today(), Past: r.past, Check: r.check,
	})
}

// text returns the content of a file, or of so much of it that its reader sees that it is too long.
func (r *reading) text(file string) ([]byte, error) {
	from := r.stdin
	if file != stdinFile {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() { // room for all of it at once
			text := bytes.NewBuffer(make([]byte, 0, min(info.Size(), format.BytesMax)+bytes.MinRead))
			_, err := text.ReadFrom(io.LimitReader(from, format.BytesMax+1))
			return text.Bytes(), err
		}
	}
	return io.ReadAll(io.LimitReader(from, format.BytesMax+1))
}

// placed sorts what the import of all files found by file, with the lines where it is.
func (r *reading) placed(found []bundles.Fault) []*fileFaults {
	files := r.documents.perFile(found)
	for _, f := range files {
		format.Locate(r.format, r.texts[f.file], f.faults)
	}
	return files
}

// check is the check of the import itself, which does it again for all files together.
func (r *reading) check(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
	judged := today()
	if d.Export != nil {
		judged = 0 // what was authored once is taken with its dates
	}
	return bundles.CheckDocument(d, r.settings, judged, r.lenient, r.stored)
}

// today is the civil date by which documents are checked.
func today() engine.Date { return engine.LocalAt(time.Now()).Date }

// stored returns a bundle of the files before, or of the catalogue.
func (r *reading) stored(id string) (*bundles.Bundle, bool) {
	if b, ok := r.documents.bundle(id); ok {
		return b, true
	}
	b, err := r.catalogue.VisibleBundle(r.ctx, node.Owner(), id, 0)
	return &b, err == nil // what cannot be read is reported by the import
}

// warn notes a warning once.
func (r *reading) warn(file string, w bundles.Fault) {
	key := warned{file, w.Path, w.Reason}
	if r.warned[key] {
		return
	}
	if r.warned == nil {
		r.warned = map[warned]bool{}
	}
	r.warned[key] = true
	r.warnings = append(r.warnings, faultLine(file, w))
}

func displayed(file string) string {
	if file == stdinFile {
		return "stdin"
	}
	return file
}
