package etcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/bundles"
)

// anchor states the base in etcd: the catalogue as it was at the oldest revision that is kept, from which a node
// goes on whose folder ends before it.
type anchor struct {
	bundles.Base
	attempt string
	chunks  int
	bytes   int64
	// modified is the etcd revision at which it was written, 0 where there is none.
	modified int64
}

func (a anchor) encode() string {
	b := append([]byte(nil), a.attempt...)
	b = binary.BigEndian.AppendUint32(b, uint32(a.chunks))
	b = binary.BigEndian.AppendUint64(b, uint64(a.bytes))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Rows))
	b = append(b, a.SHA256[:]...)
	return string(append(b, bundles.EncodeRecord(a.Record)...))
}

func decodeAnchor(b []byte) (a anchor, err error) {
	if len(b) < attemptBytes+4+8+8+32 {
		return a, errors.New("the base in etcd is too short")
	}
	a.attempt, b = string(b[:attemptBytes]), b[attemptBytes:]
	a.chunks, a.bytes = int(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	a.Rows = int(binary.BigEndian.Uint64(b[12:]))
	b = b[20+copy(a.SHA256[:], b[20:]):]
	if a.Record, err = bundles.DecodeRecord(b); err != nil {
		return a, fmt.Errorf("the base in etcd: its record: %w", err)
	}
	return a, nil
}

// fetchAnchor asks etcd for the base, the zero anchor where there is none.
func (s *Store) fetchAnchor(ctx context.Context) (a anchor, err error) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := s.client.Get(limited, s.baseKey())
	if err != nil {
		return a, s.unavailable(err)
	}
	if len(answer.Kvs) == 1 {
		a, err = decodeAnchor(answer.Kvs[0].Value)
		a.modified = answer.Kvs[0].ModRevision
	}
	return a, err
}

// rebase takes the base in etcd for a copy that ends before what etcd still has. Errors: the given one where
// there is no base that helps; *DivergedError.
func (s *Store) rebase(ctx context.Context, behind *BehindError) error {
	copied, ok := s.Store.(bundles.Rebaser)
	if !ok {
		return behind
	}
	a, err := s.fetchAnchor(ctx)
	if err != nil {
		return err
	}
	if a.Record.Revision <= behind.Have {
		return behind
	}
	s.o.Logger.Info("the copy ends before what etcd has: it goes on from the base state",
		"have", behind.Have, "base", a.Record.Revision, "rows", a.Rows, "bytes", a.bytes)
	s.applying.Lock()
	defer s.applying.Unlock()
	err = copied.Rebase(ctx, a.Base, func(yield func(bundles.Row) error) error { return s.fetchBase(ctx, a, yield) })
	var refused *bundles.BaseError
	switch {
	case errors.As(err, &refused) && refused.Diverged:
		return &DivergedError{Revision: a.Record.Revision, Reason: refused.Reason}
	case errors.Is(err, bundles.ErrConflict):
		return nil // somebody was faster
	}
	return err
}

// fetchBase fetches the rows of a base.
func (s *Store) fetchBase(ctx context.Context, a anchor, yield func(bundles.Row) error) error {
	var (
		from = s.baseChunksOf(a.Record.Revision, a.attempt)
		end  = clientv3.GetPrefixRangeEnd(from)
		rest []byte
		got  int
	)
	for got < a.chunks {
		limited, cancel := context.WithTimeout(ctx, 5*requestTimeout)
		answer, err := s.client.Get(limited, from, clientv3.WithRange(end), clientv3.WithLimit(fetchChunks))
		cancel()
		if err != nil {
			return s.unavailable(err)
		}
		if len(answer.Kvs) == 0 {
			// A later base took its place meanwhile: whoever called asks again.
			return fmt.Errorf("%w: etcd: the base at revision %d has %d of %d chunks", bundles.ErrUnavailable, a.Record.Revision, got, a.chunks)
		}
		for _, kv := range answer.Kvs {
			if rest, err = takeBaseRows(append(rest, kv.Value...), yield); err != nil {
				return err
			}
			got++
			from = string(kv.Key) + "\x00"
		}
	}
	if len(rest) > 0 {
		return &bundles.BaseError{Revision: a.Record.Revision, Reason: "its last row is cut"}
	}
	return nil
}

// appendBaseRow writes what comes before the document of a row of a base: its kind, and id, revision and the
// length of the document.
func appendBaseRow(b []byte, r bundles.Row) []byte {
	b = binary.AppendUvarint(append(b, byte(r.Kind)), uint64(len(r.ID)))
	b = binary.AppendUvarint(append(b, r.ID...), uint64(r.Revision))
	return binary.AppendUvarint(b, uint64(len(r.Document)))
}

// takeBaseRows reads the rows that are whole and returns what is left.
func takeBaseRows(b []byte, yield func(bundles.Row) error) (rest []byte, err error) {
	for {
		r, n := decodeBaseRow(b)
		if n == 0 {
			return append([]byte(nil), b...), nil
		}
		if err := yield(r); err != nil {
			return nil, err
		}
		b = b[n:]
	}
}

// decodeBaseRow reads the first row and returns its length, 0 where it is not whole.
func decodeBaseRow(b []byte) (r bundles.Row, length int) {
	at := 1
	number := func() (v uint64, ok bool) {
		if at > len(b) {
			return 0, false
		}
		v, n := binary.Uvarint(b[at:])
		at += max(n, 0)
		return v, n > 0
	}
	text := func() (part []byte, ok bool) {
		n, ok := number()
		if !ok || n > uint64(len(b)-at) {
			return nil, false
		}
		at += int(n)
		return b[at-int(n) : at], true
	}
	id, ok := text()
	if !ok {
		return r, 0
	}
	revision, ok := number()
	if !ok {
		return r, 0
	}
	if r.Document, ok = text(); !ok {
		return r, 0
	}
	r.Kind, r.ID, r.Revision = bundles.Kind(b[0]), string(id), int64(revision)
	return r, at
}
