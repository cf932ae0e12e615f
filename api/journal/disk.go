package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// file is what the writer needs of a segment; *os.File is one.
type file interface {
	Write([]byte) (int, error)
	Truncate(size int64) error
	Seek(offset int64, whence int) (int64, error)
	Sync() error
	Close() error
}

// suffix ends the names of segments, which begin with the number of their first frame, so that they sort.
const suffix = ".gde"

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// create makes a new segment. It is there for good once the folder is synced, too.
func create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// syncFolder makes the names in a folder last.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// segments returns the names of the segments of a folder, oldest first.
func segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// The file that says how far the journal had reached the disk, and the one that is locked while it is written.
const (
	headName = "head"
	lockName = "lock"
)

// headForm is the one line of the head file: how many frames were on disk, and the digest of the last. All
// lines are equally long, so that one takes the place of another in one write.
const headForm = "gec journal head %020d %x\n"

// writeHead says how far the journal is on disk.
func writeHead(dir string, c chain, sync bool) error {
	f, err := os.OpenFile(filepath.Join(dir, headName), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, headForm, c.number, c.digest), 0)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readHead returns what the head file says; known is false where there is none that can be read.
func readHead(dir string) (c chain, known bool) {
	text, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		return c, false
	}
	var digest []byte
	if n, err := fmt.Sscanf(string(text), headForm, &c.number, &digest); n != 2 || err != nil || len(digest) != digestBytes {
		return chain{}, false
	}
	copy(c.digest[:], digest)
	return c, true
}
