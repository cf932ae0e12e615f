package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"gec/bundles"
)

const magic = "gec backup 1\n"

// The kinds of frames.
const (
	kindBegin  = 'B'
	kindRecord = 'R'
	kindRow    = 'r'
	kindEnd    = 'E'
)

// contentBytesMax bounds a frame: the largest document, its id and a little.
const contentBytesMax = bundles.DocumentBytesMax + bundles.IDBytesMax + 64

// frameHead is the kind and the length.
const frameHead = 5

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writer writes frames.
type writer struct {
	out *bufio.Writer
	// room is reused for the content of a frame.
	room []byte
}

func (w *writer) frame(kind byte, content []byte) error {
	var head [frameHead]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(content)))
	sum := crc32.Update(crc32.Update(0, castagnoli, head[:]), castagnoli, content)
	for _, part := range [][]byte{head[:], content, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := w.out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// link writes a frame that names a revision and its hash.
func (w *writer) link(kind byte, r bundles.Record) error {
	w.room = append(binary.BigEndian.AppendUint64(w.room[:0], uint64(r.Revision)), r.SHA256[:]...)
	return w.frame(kind, w.room)
}

func (w *writer) record(r bundles.Record) error {
	b := binary.BigEndian.AppendUint64(w.room[:0], uint64(r.Revision))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.At.Nanosecond()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Rows))
	b = append(b, r.SHA256[:]...)
	for _, text := range []string{r.Caller, r.OnBehalfOf, r.Operation, r.IdempotencyKey} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	w.room = b
	return w.frame(kindRecord, b)
}

func (w *writer) row(r bundles.Row) error {
	b := append(w.room[:0], byte(r.Kind), 0)
	if r.Deleted {
		b[1] = 1
	}
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(r.ID))), r.ID...)
	w.room = append(b, r.Document...)
	return w.frame(kindRow, w.room)
}

// reader reads frames.
type reader struct {
	in *bufio.Reader
	// offset is where the next frame begins, in bytes.
	offset int64
	room   []byte
}

func (r *reader) damaged(reason string) error { return &DamagedError{Offset: r.offset, Reason: reason} }

// magic reads the first line.
func (r *reader) magic() error {
	line := make([]byte, len(magic))
	if _, err := io.ReadFull(r.in, line); err != nil || string(line) != magic {
		return r.damaged("it does not begin as a backup of gec does")
	}
	r.offset = int64(len(magic))
	return nil
}

// next reads a frame; its content is valid until the next call.
func (r *reader) next() (kind byte, content []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, r.cut(err)
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length > contentBytesMax {
		return 0, nil, r.damaged(fmt.Sprintf("a frame claims %d bytes", length))
	}
	if r.room, err = readGrowing(r.in, r.room[:0], int(length)+4); err != nil {
		return 0, nil, r.cut(err)
	}
	content = r.room[:length]
	sum := crc32.Update(crc32.Update(0, castagnoli, head[:]), castagnoli, content)
	if sum != binary.BigEndian.Uint32(r.room[length:]) {
		return 0, nil, r.damaged("the checksum of a frame is wrong")
	}
	r.offset += frameHead + int64(length) + 4
	return head[0], content, nil
}

// readGrowing reads n bytes and takes memory as they come, so that a false length costs none.
func readGrowing(in io.Reader, room []byte, n int) ([]byte, error) {
	for len(room) < n {
		part := min(n-len(room), max(64<<10, len(room)))
		room = slices.Grow(room, part)
		got, err := io.ReadFull(in, room[len(room):len(room)+part])
		room = room[:len(room)+got]
		if err != nil {
			return room, err
		}
	}
	return room, nil
}

// cut tells the end of the stream from a failure to read it.
func (r *reader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.damaged("it was cut: its end is missing")
	}
	return fmt.Errorf("read backup: %w", err)
}

// fields takes what a frame is made of off its content; the first lack of bytes sticks.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if f.short || n > len(f.rest) {
		f.short = true
		return make([]byte, min(n, 64))
	}
	part := f.rest[:n]
	f.rest = f.rest[n:]
	return part
}

func (f *fields) uint64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }
func (f *fields) uint32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) text() string {
	n := int(f.uint32())
	if n > len(f.rest) {
		f.short = true
		return ""
	}
	return string(f.take(n))
}

// whole reports whether the content was used to its last byte, and no further.
func (f *fields) whole() bool { return !f.short && len(f.rest) == 0 }

func decodeLink(content []byte) (r bundles.Record, ok bool) {
	f := fields{rest: content}
	r.Revision = int64(f.uint64())
	copy(r.SHA256[:], f.take(len(r.SHA256)))
	return r, f.whole()
}

func decodeRecord(content []byte) (r bundles.Record, ok bool) {
	f := fields{rest: content}
	r.Revision = int64(f.uint64())
	seconds := int64(f.uint64())
	r.At = time.Unix(seconds, int64(f.uint32())).UTC()
	r.Rows = int(f.uint64())
	copy(r.SHA256[:], f.take(len(r.SHA256)))
	for _, into := range []*string{&r.Caller, &r.OnBehalfOf, &r.Operation, &r.IdempotencyKey} {
		*into = f.text()
	}
	return r, f.whole()
}

func decodeRow(content []byte) (r bundles.Row, ok bool) {
	f := fields{rest: content}
	r.Kind = bundles.Kind(f.take(1)[0])
	deleted := f.take(1)[0]
	r.Deleted = deleted == 1
	r.ID = f.text()
	r.Document = slices.Clone(f.rest)
	return r, !f.short && deleted <= 1
}
