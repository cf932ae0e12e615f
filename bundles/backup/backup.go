package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"gec/bundles"
)

// bufferBytes is the size of the buffer between a stream and its frames.
const bufferBytes = 1 << 20

// DamagedError is returned for a backup that is not as it was written.
type DamagedError struct {
	// Offset is the byte at which the frame begins that is damaged, counted from 0.
	Offset int64
	Reason string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the backup is damaged at byte %d: %s", e.Offset, e.Reason)
}

// GapError is returned when a backup does not go on where the store ends.
type GapError struct {
	// Have is the revision of the store, After the one that the backup goes on from.
	Have, After int64
	// Diverged says that both have that revision, with another history.
	Diverged bool
}

func (e *GapError) Error() string {
	if e.Diverged {
		return fmt.Sprintf("the backup goes on from another history: its revision %d is not the one that is here", e.After)
	}
	return fmt.Sprintf("the backup goes on from revision %d, and here the last one is %d: restore those between first", e.After, e.Have)
}

// Summary says what a backup holds: the revisions after After up to and with Through.
type Summary struct {
	After, Through int64
	// Rows is the number of rows, Bytes that of the stream.
	Rows, Bytes int64
	// SHA256 is the hash of the record of Through, which stands for the whole history up to it.
	SHA256 [32]byte
}

// Write writes the revisions after the given one up to the head, as it is when the call begins; 0 writes all.
// Changes go on meanwhile. Errors: bundles.ErrNotFound for a revision that is not there, *bundles.GapError before
// anything is written, those of the store and those of out.
func Write(ctx context.Context, store bundles.Store, after int64, out io.Writer) (Summary, error) {
	head, err := store.Head(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("back up: %w", err)
	}
	if g, ok := store.(bundles.Gapped); ok {
		if err := g.Gap(after); err != nil {
			return Summary{}, fmt.Errorf("back up: %w", err)
		}
	}
	before, err := recordOf(ctx, store, after)
	if err != nil {
		return Summary{}, fmt.Errorf("back up after revision %d: %w", after, err)
	}
	counted := &counter{to: out}
	w := &writer{out: bufio.NewWriterSize(counted, bufferBytes)}
	s := Summary{After: after, Through: head.Revision, SHA256: head.SHA256}
	if s.Rows, err = writeAll(ctx, store, before, head, w); err != nil {
		return Summary{}, fmt.Errorf("back up: %w", err)
	}
	s.Bytes = counted.n
	return s, nil
}

// recordOf returns the record of a revision, the zero Record for the empty catalogue.
func recordOf(ctx context.Context, store bundles.Store, revision int64) (bundles.Record, error) {
	if revision == 0 {
		return bundles.Record{}, nil
	}
	return store.Record(ctx, revision)
}

func writeAll(ctx context.Context, store bundles.Store, before, head bundles.Record, w *writer) (rows int64, err error) {
	if _, err := w.out.WriteString(magic); err != nil {
		return 0, err
	}
	if err := w.link(kindBegin, before); err != nil {
		return 0, err
	}
	reached := before.Revision
	// reach writes the records up to a revision: those before it wrote no row.
	reach := func(revision int64) error {
		for reached < revision {
			record, err := store.Record(ctx, reached+1)
			if err == nil {
				err = w.record(record)
			}
			if err != nil {
				return err
			}
			reached++
		}
		return nil
	}
	if head.Revision > before.Revision {
		err = store.Changes(ctx, before.Revision, head.Revision, func(r bundles.Row) error {
			rows++
			return errors.Join(reach(r.Revision), w.row(r))
		})
	}
	if err == nil {
		err = reach(head.Revision)
	}
	if err == nil {
		err = w.link(kindEnd, head)
	}
	if err == nil {
		err = w.out.Flush()
	}
	return rows, err
}

// counter counts what is written.
type counter struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// Restore commits the revisions of a backup to a store that ends where the backup begins. Each revision is
// held against the hash that the backup has for it; the first that differs ends the call with a DamagedError,
// and the store then holds the revisions before it. Errors: *DamagedError, *GapError, those of the store.
func Restore(ctx context.Context, store bundles.Store, in io.Reader) (Summary, error) {
	return read(in, func(begin bundles.Record) error {
		head, err := store.Head(ctx)
		switch {
		case err != nil:
			return err
		case head.Revision != begin.Revision:
			return &GapError{Have: head.Revision, After: begin.Revision}
		case head.SHA256 != begin.SHA256:
			return &GapError{Have: head.Revision, After: begin.Revision, Diverged: true}
		}
		return nil
	}, func(record bundles.Record, rows []bundles.Row) error {
		stored, err := store.Commit(ctx, bundles.Commit{Base: record.Revision - 1, Record: record, Rows: rows})
		if err == nil && stored.SHA256 != record.SHA256 {
			err = errHash // unreachable after read's own check, unless the store changes what it is given
		}
		return err
	})
}

// Check reads a backup to its end and holds every revision against the hash chain, without a store.
// Errors: *DamagedError, those of in.
func Check(ctx context.Context, in io.Reader) (Summary, error) {
	return read(in, func(bundles.Record) error { return ctx.Err() },
		func(bundles.Record, []bundles.Row) error { return ctx.Err() })
}

var errHash = errors.New("the store computes another hash for it")

// read calls begin with what the backup goes on from, and each with every revision whose hash is right.
func read(in io.Reader, begin func(bundles.Record) error, each func(bundles.Record, []bundles.Row) error) (Summary, error) {
	r := &revisions{reader: reader{in: bufio.NewReaderSize(in, bufferBytes)}, each: each}
	if err := r.begin(begin); err != nil {
		return Summary{}, err
	}
	for {
		kind, content, err := r.reader.next()
		if err != nil {
			return r.summary, err
		}
		if kind == kindEnd {
			return r.summary, r.end(content)
		}
		if err := r.frame(kind, content); err != nil {
			return r.summary, err
		}
	}
}
