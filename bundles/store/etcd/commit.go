package etcd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/bundles"
)

// errMoved says that the head in etcd is another than the one a request was made on.
var errMoved = errors.New("the head moved")

// Commit stores the change in etcd and in the node's own copy. It is refused or stored within 3 s for each
// megabyte of it. Errors: ErrInvalidRow, ErrDuplicateKey, ErrConflict, once the copy has what was first;
// ErrStorageFull, ErrUnavailable, ErrOutcomeUnknown, *DivergedError.
func (s *Store) Commit(ctx context.Context, c bundles.Commit) (bundles.Record, error) {
	rows, err := c.Checked()
	if err != nil {
		return bundles.Record{}, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	before, err := s.Store.Head(ctx)
	if err != nil {
		return bundles.Record{}, err
	}
	if key := c.Record.IdempotencyKey; key != "" {
		if _, err := s.RecordByKey(ctx, key); err == nil {
			return bundles.Record{}, bundles.ErrDuplicateKey
		} else if !errors.Is(err, bundles.ErrNotFound) {
			return bundles.Record{}, err
		}
	}
	if c.Base != before.Revision {
		return bundles.Record{}, bundles.ErrConflict
	}
	if err := s.status.refusal(); err != nil {
		return bundles.Record{}, err
	}
	e := entry{Record: bundles.NextRecord(before, c.Record, rows), attempt: newAttempt()}
	if err := s.store(ctx, before, e, rows); err != nil {
		return bundles.Record{}, fmt.Errorf("commit: %w", err)
	}
	if err := s.apply(context.WithoutCancel(ctx), e.Record, rows); err != nil {
		return bundles.Record{}, fmt.Errorf("revision %d is stored and shared, but not in this node's folder: %w", e.Revision, errors.Join(bundles.ErrOutcomeUnknown, err))
	}
	return e.Record, nil
}

func newAttempt() string {
	name := make([]byte, attemptBytes/2)
	rand.Read(name) // it never fails
	return hex.EncodeToString(name)
}

// movesMax is how often a change is sent again because the head was rewritten with the same value.
const movesMax = 10

// store puts a revision into etcd.
func (s *Store) store(ctx context.Context, before bundles.Record, e entry, rows []bundles.Row) error {
	chunks, bytes := encodeRows(rows)
	e.chunks, e.bytes = len(chunks), bytes
	for range movesMax {
		base, err := s.base(ctx, before)
		if err != nil {
			return err
		}
		err = s.attempt(ctx, base, e, chunks)
		if !errors.Is(err, errMoved) {
			if err != nil && len(chunks) > 1 && !errors.Is(err, bundles.ErrOutcomeUnknown) {
				s.discard(ctx, e)
			}
			return err
		}
	}
	s.discard(ctx, e)
	return bundles.ErrConflict
}

// base returns the head to make a change on. Errors: ErrConflict, once the copy has reached the head.
func (s *Store) base(ctx context.Context, before bundles.Record) (seen, error) {
	known := s.shared.Load()
	if known == nil || known.revision != before.Revision {
		h, err := s.fetchHead(ctx)
		if err != nil {
			return seen{}, err
		}
		known = &h
	}
	switch {
	case known.revision > before.Revision:
		return seen{}, s.late(ctx, known.revision)
	case known.revision < before.Revision:
		return seen{}, &DivergedError{Revision: before.Revision, Reason: fmt.Sprintf("etcd ends at revision %d", known.revision)}
	case known.sha256 != before.SHA256:
		return seen{}, &DivergedError{Revision: before.Revision, Reason: "the hashes of the records differ"}
	}
	return *known, nil
}

// late brings the copy to a revision that somebody else made, so that whoever was late finds it there.
func (s *Store) late(ctx context.Context, revision int64) error {
	if err := s.catchUp(ctx, revision); err != nil {
		return err
	}
	return bundles.ErrConflict
}

// attempt sends the chunks and then the rest. Errors: errMoved where the head was rewritten.
func (s *Store) attempt(ctx context.Context, base seen, e entry, chunks []string) error {
	last := max(len(chunks)-1, 0)
	for number, chunk := range chunks[:last] {
		if err := s.put(ctx, base, s.chunkKey(e.Revision, e.attempt, number), chunk); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	then := []clientv3.Op{
		clientv3.OpPut(s.headKey(), head{e.Revision, e.SHA256}.encode()),
		clientv3.OpPut(s.recordKey(e.Revision), e.encode()),
		// What others, who died, left under this revision.
		clientv3.OpDelete(s.rowsOf(e.Revision), clientv3.WithRange(s.rowsOf(e.Revision)+e.attempt)),
		clientv3.OpDelete(s.rowsOf(e.Revision)+e.attempt+"0", clientv3.WithRange(s.rowsBefore(e.Revision)+"0")),
	}
	conditions := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.headKey()), "=", base.modified)}
	otherwise := []clientv3.Op{clientv3.OpGet(s.headKey())}
	if len(chunks) > 0 {
		then = append(then, clientv3.OpPut(s.chunkKey(e.Revision, e.attempt, last), chunks[last]))
	}
	if key := e.IdempotencyKey; key != "" {
		then = append(then, clientv3.OpPut(s.keyKey(key), head{e.Revision, e.SHA256}.encode()))
		conditions = append(conditions, clientv3.Compare(clientv3.CreateRevision(s.keyKey(key)), "=", 0))
		otherwise = append(otherwise, clientv3.OpGet(s.keyKey(key)))
	}
	// The caller's going away must not leave it open what became of the change.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	answer, err := s.client.Txn(limited).If(conditions...).Then(then...).Else(otherwise...).Commit()
	if refused(err) {
		return s.unavailable(err)
	}
	if err != nil {
		_ = s.failed(s.unavailable(err)) // what became of the change is what the caller is told
		return s.settle(context.WithoutCancel(ctx), base, e, err)
	}
	if answer.Succeeded {
		s.observe(seen{head{e.Revision, e.SHA256}, answer.Header.Revision})
		return nil
	}
	if len(otherwise) == 2 && len(answer.Responses[1].GetResponseRange().Kvs) > 0 {
		made, err := decodeHead(answer.Responses[1].GetResponseRange().Kvs[0].Value)
		if err == nil {
			err = s.catchUp(ctx, made.revision)
		}
		return errors.Join(bundles.ErrDuplicateKey, err)
	}
	return s.moved(ctx, base, answer)
}

// moved says what to do after a refusal whose first response is the head: errMoved to send it again.
func (s *Store) moved(ctx context.Context, base seen, answer *clientv3.TxnResponse) error {
	now := seen{}
	if kvs := answer.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		var err error
		if now.head, err = decodeHead(kvs[0].Value); err != nil {
			return err
		}
		now.modified = kvs[0].ModRevision
	}
	s.observe(now)
	if now.revision == base.revision {
		return errMoved
	}
	return s.late(ctx, now.revision)
}

// put puts one key while the head is the base.
func (s *Store) put(ctx context.Context, base seen, key, value string) error {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := s.client.Txn(limited).
		If(clientv3.Compare(clientv3.ModRevision(s.headKey()), "=", base.modified)).
		Then(clientv3.OpPut(key, value)).Else(clientv3.OpGet(s.headKey())).Commit()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case refused(err):
		return s.unavailable(err)
	case err != nil:
		return s.failed(s.unavailable(err))
	case !answer.Succeeded:
		return s.moved(ctx, base, answer)
	}
	return nil
}

// settle finds out what became of a request that got no answer, and returns nil when the revision is there (see
// the package comment).
func (s *Store) settle(ctx context.Context, base seen, e entry, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for ctx.Err() == nil {
		answer, err := s.client.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(s.headKey()), "=", base.modified)).
			Then(clientv3.OpPut(s.headKey(), base.encode())).
			Else(clientv3.OpGet(s.headKey()), clientv3.OpGet(s.recordKey(e.Revision))).Commit()
		if err != nil {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		if answer.Succeeded {
			s.observe(seen{base.head, answer.Header.Revision})
			return s.unavailable(cause)
		}
		if kvs := answer.Responses[1].GetResponseRange().Kvs; len(kvs) == 1 {
			if made, err := decodeEntry(kvs[0].Value); err == nil && made.attempt == e.attempt {
				return nil
			}
		}
		err = s.moved(context.WithoutCancel(ctx), base, answer)
		if errors.Is(err, errMoved) {
			return s.unavailable(cause) // rewritten: what was sent can no longer succeed
		}
		return err
	}
	return fmt.Errorf("%w: etcd: %w", bundles.ErrOutcomeUnknown, cause)
}

// discard removes the chunks of an attempt that failed. Where that fails too, the next commit removes them.
func (s *Store) discard(ctx context.Context, e entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if _, err := s.client.Delete(ctx, s.rowsOf(e.Revision)+e.attempt+"/", clientv3.WithPrefix()); err != nil {
		s.o.Logger.Warn("chunks of a change that failed stay in etcd until the next change", "revision", e.Revision, "error", err)
	}
}
