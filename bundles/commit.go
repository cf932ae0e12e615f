package bundles

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Checked returns the rows in the order in which they are stored. Errors: ErrInvalidRow.
func (c Commit) Checked() ([]Row, error) {
	rows := slices.Clone(c.Rows)
	slices.SortFunc(rows, CompareRows)
	refuse := func(r Row, reason string) ([]Row, error) {
		return nil, fmt.Errorf("%w: %s: %s", ErrInvalidRow, fmt.Sprintf("row %c %q", r.Kind, r.ID), reason)
	}
	for i, r := range rows {
		switch {
		case strings.IndexByte(r.ID, 0) >= 0:
			return refuse(r, "its id has a NUL")
		case len(r.ID) > IDBytesMax:
			return refuse(r, fmt.Sprintf("its id has %d bytes, at most %d can be stored", len(r.ID), IDBytesMax))
		case r.Kind == 0:
			return refuse(r, "it has no kind")
		case r.Deleted && len(r.Document) > 0:
			return refuse(r, "it is deleted and has a document")
		case len(r.Document) > DocumentBytesMax:
			return refuse(r, fmt.Sprintf("its document has %d bytes, at most %d can be stored", len(r.Document), DocumentBytesMax))
		case i > 0 && CompareRows(rows[i-1], r) == 0:
			return refuse(r, "it is there twice")
		}
	}
	if len(c.Record.IdempotencyKey) > IDBytesMax {
		return nil, fmt.Errorf("%w: idempotency key has %d bytes, at most %d can be stored",
			ErrInvalidRow, len(c.Record.IdempotencyKey), IDBytesMax)
	}
	return rows, nil
}

// NextRecord returns the record of the revision after head, as a store keeps it: with Revision, Rows and SHA256
// filled in and At never before that of head. The rows are in the order of [Commit.Checked].
func NextRecord(head, r Record, rows []Row) Record {
	r.Revision, r.Rows, r.SHA256 = head.Revision+1, len(rows), [32]byte{}
	r.At = r.At.Round(0).UTC() // without a reading of the monotonic clock
	if r.At.Before(head.At) {
		r.At = head.At
	}
	digest := NewDigest(head.SHA256, r)
	for _, row := range rows {
		digest.Add(row)
	}
	r.SHA256 = digest.Sum()
	return r
}

// EncodeRecord writes a record as stores keep it: integers of 8 bytes, texts after their length.
func EncodeRecord(r Record) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.Revision))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.Nanosecond()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Rows))
	b = append(b, r.SHA256[:]...)
	for _, text := range []string{r.Caller, r.OnBehalfOf, r.Operation, r.IdempotencyKey} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// DecodeRecord reads what EncodeRecord wrote. Its error says what is wrong with the bytes.
func DecodeRecord(b []byte) (r Record, err error) {
	if len(b) < 4*8+len(r.SHA256) {
		return r, errors.New("it is too short")
	}
	r.Revision = int64(binary.BigEndian.Uint64(b))
	r.At = time.Unix(int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:]))).UTC()
	r.Rows = int(binary.BigEndian.Uint64(b[24:]))
	b = b[32+copy(r.SHA256[:], b[32:]):]
	for _, into := range []*string{&r.Caller, &r.OnBehalfOf, &r.Operation, &r.IdempotencyKey} {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return r, errors.New("a text runs past its end")
		}
		*into, b = string(b[n:n+int(length)]), b[n+int(length):]
	}
	if len(b) != 0 {
		return r, fmt.Errorf("%d bytes follow its end", len(b))
	}
	return r, nil
}
