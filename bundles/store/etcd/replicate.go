package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/bundles"
)

// The sizes of what a node that catches up fetches in one answer.
const (
	recordsMax    = 128
	fetchBytesMax = 4 << 20
	fetchChunks   = 6
)

// errWatchClosed says that the client closed a watch without a word.
var errWatchClosed = errors.New("it was closed")

// tokenEnded reports whether a watch was ended for a token that is too old: it is renewed with the next request, and
// nobody was away. Of an error in a watch there is only the text.
func tokenEnded(err error) bool {
	return strings.Contains(err.Error(), rpctypes.ErrInvalidAuthToken.Error())
}

// Run keeps the copy up with etcd until ctx ends, and calls changed after each step, in one goroutine: this one.
// It goes on by itself after every failure.
func (s *Store) Run(ctx context.Context, changed func(context.Context) error) {
	s.status.follow()
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, time.Second) {
		started := time.Now()
		err := s.follow(ctx, changed)
		if ctx.Err() != nil {
			return
		}
		if !tokenEnded(err) {
			_ = s.failed(err)
		}
		if time.Since(started) > time.Minute {
			wait = 50 * time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// CatchUp brings the copy to the head of etcd. Errors: ErrUnavailable, *DivergedError, *BehindError, those of the
// copy.
func (s *Store) CatchUp(ctx context.Context) error {
	h, err := s.fetchHead(ctx)
	if err == nil {
		err = s.meet(ctx, h)
	}
	if err == nil {
		s.status.confirmed()
	}
	return err
}

// meet brings the copy to a head of etcd, and refuses a copy that states another history.
func (s *Store) meet(ctx context.Context, h seen) error {
	if err := s.catchUp(ctx, h.revision); err != nil {
		return err
	}
	mine, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	if mine.Revision > h.revision {
		// A change of this node may have come after h was read; a head that is read anew is not older.
		if last := s.shared.Load(); last == nil || last.modified <= h.modified {
			return &DivergedError{Revision: mine.Revision, Reason: fmt.Sprintf("etcd ends at revision %d", h.revision)}
		}
		return nil
	}
	if mine.SHA256 != h.sha256 {
		return &DivergedError{Revision: mine.Revision, Reason: "the hashes of the records differ"}
	}
	return nil
}

// follow catches up, then does so at every change of the head, and at every heartbeat, until something fails.
func (s *Store) follow(ctx context.Context, changed func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h, err := s.fetchHead(ctx)
	if err != nil {
		return err
	}
	// The watch begins at the head that was read, whatever happens before the rows are here.
	watch := s.client.Watch(clientv3.WithRequireLeader(ctx), s.headKey(), clientv3.WithRev(h.modified+1), clientv3.WithProgressNotify())
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		if err := s.step(ctx, h, changed); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case answer, ok := <-watch:
			if err := answer.Err(); err != nil || !ok {
				// Also after a compaction: the head is read anew.
				return fmt.Errorf("%w: etcd: the watch ended: %w", bundles.ErrUnavailable, cmp.Or(err, context.Cause(ctx), errWatchClosed))
			}
			if n := len(answer.Events); n > 0 {
				event := answer.Events[n-1]
				h = seen{modified: event.Kv.ModRevision}
				if h.head, err = decodeHead(event.Kv.Value); err != nil {
					return err
				}
				s.observe(h)
			}
		case <-beat.C:
			if h, err = s.fetchHead(ctx); err != nil {
				return err
			}
		}
	}
}

// step brings the copy to a head and tells who waits for it.
func (s *Store) step(ctx context.Context, h seen, changed func(context.Context) error) error {
	if err := s.meet(ctx, h); err != nil {
		return err
	}
	if err := changed(ctx); err != nil {
		return err
	}
	if s.status.confirmed() {
		s.o.Logger.Info("this node's copy is that of the shared catalogue", "revision", h.revision)
	}
	return nil
}

// catchUp fetches the revisions that the copy lacks, up to the given one.
func (s *Store) catchUp(ctx context.Context, through int64) error {
	for {
		have, err := s.Store.Head(ctx)
		if err != nil {
			return err
		}
		if have.Revision >= through {
			return nil
		}
		entries, err := s.fetchEntries(ctx, have.Revision+1, min(through, have.Revision+recordsMax))
		var behind *BehindError
		if errors.As(err, &behind) {
			if err := s.rebase(ctx, behind); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for len(entries) > 0 {
			count, bytes := 1, entries[0].bytes
			for count < len(entries) && bytes+entries[count].bytes <= fetchBytesMax {
				bytes += entries[count].bytes
				count++
			}
			if err := s.fetchRows(ctx, entries[:count], bytes); err != nil {
				return err
			}
			entries = entries[count:]
		}
	}
}

// fetchEntries returns the records from..through. Errors: *BehindError where the first is no longer there.
func (s *Store) fetchEntries(ctx context.Context, from, through int64) ([]entry, error) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := s.client.Get(limited, s.recordKey(from), clientv3.WithRange(s.recordKey(through+1)))
	if err != nil {
		return nil, s.unavailable(err)
	}
	entries := make([]entry, len(answer.Kvs))
	for i, kv := range answer.Kvs {
		if entries[i], err = decodeEntry(kv.Value); err != nil {
			return nil, err
		}
		if entries[i].Revision != from+int64(i) {
			return nil, &BehindError{Have: from - 1, Oldest: entries[0].Revision}
		}
	}
	if len(entries) == 0 {
		return nil, &BehindError{Have: from - 1, Oldest: through + 1}
	}
	return entries, nil
}

// fetchRows fetches the rows of the records, which follow one another, and writes them to the copy. Large
// revisions come in several answers.
func (s *Store) fetchRows(ctx context.Context, entries []entry, bytes int64) error {
	var (
		limit   = int64(fetchChunks)
		from    = s.rowsOf(entries[0].Revision)
		end     = s.rowsOf(entries[len(entries)-1].Revision + 1)
		rows    []byte
		chunks  int
		current = 0
	)
	if bytes <= fetchBytesMax {
		limit = 0
	}
	finish := func() error { // the current record has all its chunks
		e := entries[current]
		decoded, err := decodeRows(rows, e.Revision, e.Rows)
		if err != nil {
			return err
		}
		rows, chunks, current = nil, 0, current+1
		return s.apply(ctx, e.Record, decoded)
	}
	for current < len(entries) {
		limited, cancel := context.WithTimeout(ctx, 5*requestTimeout)
		answer, err := s.client.Get(limited, from, clientv3.WithRange(end), clientv3.WithLimit(limit))
		cancel()
		if err != nil {
			return s.unavailable(err)
		}
		for _, kv := range answer.Kvs {
			for current < len(entries) && chunks == entries[current].chunks {
				if err := finish(); err != nil {
					return err
				}
			}
			if current == len(entries) || string(kv.Key) != s.chunkKey(entries[current].Revision, entries[current].attempt, chunks) {
				return fmt.Errorf("a chunk of rows in etcd is out of place: %q", kv.Key)
			}
			rows, chunks = append(rows, kv.Value...), chunks+1
			from = string(kv.Key) + "\x00"
		}
		for current < len(entries) && chunks == entries[current].chunks {
			if err := finish(); err != nil {
				return err
			}
		}
		if !answer.More && current < len(entries) {
			return fmt.Errorf("rows of revision %d are missing in etcd", entries[current].Revision)
		}
	}
	return nil
}

// apply writes a revision of etcd to the copy, unless it is there. Errors: *DivergedError where the hash of the
// record does not follow from the copy's last one and the rows.
func (s *Store) apply(ctx context.Context, r bundles.Record, rows []bundles.Row) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	have, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	if have.Revision >= r.Revision {
		there, err := s.Record(ctx, r.Revision)
		if err == nil && there.SHA256 != r.SHA256 {
			err = &DivergedError{Revision: r.Revision, Reason: "the hashes of the records differ"}
		}
		return err
	}
	if next := bundles.NextRecord(have, r, rows); next != r {
		return &DivergedError{Revision: r.Revision, Reason: "its hash does not follow from the folder's last record"}
	}
	_, err = s.Store.Commit(ctx, bundles.Commit{Base: have.Revision, Record: r, Rows: rows})
	return err
}
