package backup

import (
	"fmt"
	"io"

	"gec/bundles"
)

// revisions gathers the frames of one revision after the other.
type revisions struct {
	reader  reader
	each    func(bundles.Record, []bundles.Row) error
	summary Summary
	// before is the record of the last whole revision, record that of the one whose rows are being read,
	// where open.
	before, record bundles.Record
	open           bool
	rows           []bundles.Row
}

func (r *revisions) begin(begin func(bundles.Record) error) error {
	if err := r.reader.magic(); err != nil {
		return err
	}
	kind, content, err := r.reader.next()
	if err != nil {
		return err
	}
	before, ok := decodeLink(content)
	if kind != kindBegin || !ok || before.Revision < 0 {
		return r.reader.damaged("it does not say from which revision it goes on")
	}
	r.before = before
	r.summary = Summary{After: before.Revision, Through: before.Revision, SHA256: before.SHA256}
	return begin(before)
}

func (r *revisions) frame(kind byte, content []byte) error {
	switch kind {
	case kindRecord:
		if err := r.finish(); err != nil {
			return err
		}
		record, ok := decodeRecord(content)
		if !ok || record.Revision != r.before.Revision+1 {
			return r.reader.damaged(fmt.Sprintf("revision %d is not followed by the next one", r.before.Revision))
		}
		r.record, r.open = record, true
	case kindRow:
		row, ok := decodeRow(content)
		if !ok || !r.open {
			return r.reader.damaged("a row cannot be read")
		}
		row.Revision = r.record.Revision
		r.rows = append(r.rows, row)
	default:
		return r.reader.damaged(fmt.Sprintf("there is no kind of frame %q", kind))
	}
	return nil
}

// finish holds the revision that was read against its hash and hands it on.
func (r *revisions) finish() error {
	if !r.open {
		return nil
	}
	digest := bundles.NewDigest(r.before.SHA256, r.record)
	for _, row := range r.rows {
		digest.Add(row)
	}
	if len(r.rows) != r.record.Rows || digest.Sum() != r.record.SHA256 {
		return r.reader.damaged(fmt.Sprintf("revision %d is not what was written: its hash does not match", r.record.Revision))
	}
	if err := r.each(r.record, r.rows); err != nil {
		return fmt.Errorf("revision %d: %w", r.record.Revision, err)
	}
	r.summary.Through, r.summary.SHA256 = r.record.Revision, r.record.SHA256
	r.summary.Rows += int64(len(r.rows))
	r.before, r.open, r.rows = r.record, false, nil
	return nil
}

// end finishes the last revision and holds the whole against what the end says.
func (r *revisions) end(content []byte) error {
	if err := r.finish(); err != nil {
		return err
	}
	last, ok := decodeLink(content)
	if !ok || last.Revision != r.summary.Through || last.SHA256 != r.summary.SHA256 {
		return r.reader.damaged("its end does not match what came before")
	}
	if _, err := r.reader.in.ReadByte(); err != io.EOF {
		return r.reader.damaged("something follows its end")
	}
	r.summary.Bytes = r.reader.offset
	return nil
}
