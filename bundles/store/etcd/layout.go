package etcd

import (
	"encoding/binary"
	"errors"
	"fmt"

	"gec/bundles"
)

// chunkBytesMax is the size of the largest chunk: with its key well below 1 MiB a request (etcd refuses 1.5).
const chunkBytesMax = 768 << 10

// attemptBytes is the length of the name of an attempt.
const attemptBytes = 16

func (s *Store) headKey() string { return s.o.Prefix + "head" }
func (s *Store) recordKey(revision int64) string {
	return fmt.Sprintf("%srecords/%016x", s.o.Prefix, revision)
}
func (s *Store) keyKey(key string) string { return s.o.Prefix + "keys/" + key }

// rowsOf is the beginning of the keys of the chunks of a revision; rowsBefore the first key after all chunks of
// the revisions before it.
func (s *Store) rowsOf(revision int64) string {
	return fmt.Sprintf("%srows/%016x/", s.o.Prefix, revision)
}
func (s *Store) rowsBefore(revision int64) string {
	return fmt.Sprintf("%srows/%016x", s.o.Prefix, revision)
}

func (s *Store) baseKey() string { return s.o.Prefix + "base" }

// baseChunks is the beginning of the keys of the chunks of all bases; baseChunksOf that of one.
func (s *Store) baseChunks() string { return s.o.Prefix + "bases/" }
func (s *Store) baseChunksOf(revision int64, attempt string) string {
	return fmt.Sprintf("%s%016x/%s/", s.baseChunks(), revision, attempt)
}

func (s *Store) chunkKey(revision int64, attempt string, number int) string {
	return fmt.Sprintf("%s%s/%08x", s.rowsOf(revision), attempt, number)
}

// head is what the head key says.
type head struct {
	revision int64
	sha256   [32]byte
}

func (h head) encode() string {
	return string(append(binary.BigEndian.AppendUint64(nil, uint64(h.revision)), h.sha256[:]...))
}

func decodeHead(b []byte) (h head, err error) {
	if len(b) != 8+len(h.sha256) {
		return h, fmt.Errorf("the head in etcd has %d bytes", len(b))
	}
	h.revision = int64(binary.BigEndian.Uint64(b))
	copy(h.sha256[:], b[8:])
	return h, nil
}

// entry is a record with where its rows are.
type entry struct {
	bundles.Record
	attempt string
	chunks  int
	bytes   int64
}

func (e entry) encode() string {
	b := append([]byte(nil), e.attempt...)
	b = binary.BigEndian.AppendUint32(b, uint32(e.chunks))
	b = binary.BigEndian.AppendUint64(b, uint64(e.bytes))
	return string(append(b, bundles.EncodeRecord(e.Record)...))
}

func decodeEntry(b []byte) (e entry, err error) {
	if len(b) < attemptBytes+12 {
		return e, errors.New("a record in etcd is too short")
	}
	e.attempt, b = string(b[:attemptBytes]), b[attemptBytes:]
	e.chunks, e.bytes = int(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	if e.Record, err = bundles.DecodeRecord(b[12:]); err != nil {
		return e, fmt.Errorf("a record in etcd: %w", err)
	}
	return e, nil
}

// chunker cuts a stream into chunks and hands each out as it is full.
type chunker struct {
	emit  func(chunk string) error
	chunk []byte
	bytes int64
}

func (c *chunker) add(part []byte) error {
	c.bytes += int64(len(part))
	for len(part) > 0 {
		n := min(len(part), chunkBytesMax-len(c.chunk))
		c.chunk, part = append(c.chunk, part[:n]...), part[n:]
		if len(c.chunk) == chunkBytesMax {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush hands out what is left.
func (c *chunker) flush() error {
	if len(c.chunk) == 0 {
		return nil
	}
	chunk := string(c.chunk)
	c.chunk = c.chunk[:0]
	return c.emit(chunk)
}

// encodeRows writes rows, in the order given, as chunks: of each row the kind, whether it is deleted, and the id
// and the document after their lengths. A row may lie across chunks.
func encodeRows(rows []bundles.Row) (chunks []string, bytes int64) {
	c := chunker{emit: func(chunk string) error {
		chunks = append(chunks, chunk)
		return nil
	}}
	var head []byte
	for _, r := range rows {
		head = append(head[:0], byte(r.Kind), 0)
		if r.Deleted {
			head[1] = 1
		}
		head = append(binary.AppendUvarint(head, uint64(len(r.ID))), r.ID...)
		_ = c.add(binary.AppendUvarint(head, uint64(len(r.Document)))) // its emit never fails
		_ = c.add(r.Document)
	}
	_ = c.flush()
	return chunks, c.bytes
}

// decodeRows reads what encodeRows wrote, the chunks one after the other. Documents are parts of b.
func decodeRows(b []byte, revision int64, count int) ([]bundles.Row, error) {
	bad := fmt.Errorf("the rows of revision %d in etcd are damaged", revision)
	text := func() ([]byte, bool) {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return nil, false
		}
		part := b[n : n+int(length)]
		b = b[n+int(length):]
		return part, true
	}
	var rows []bundles.Row
	for len(b) > 0 {
		if len(b) < 2 || b[1] > 1 {
			return nil, bad
		}
		row := bundles.Row{Kind: bundles.Kind(b[0]), Revision: revision, Deleted: b[1] == 1}
		b = b[2:]
		id, ok := text()
		if !ok {
			return nil, bad
		}
		if row.Document, ok = text(); !ok {
			return nil, bad
		}
		row.ID = string(id)
		rows = append(rows, row)
	}
	if len(rows) != count {
		return nil, bad
	}
	return rows, nil
}
