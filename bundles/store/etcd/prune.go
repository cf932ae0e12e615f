package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"gec/bundles"
)

const (
	// pruningTTL is after how many seconds another node may prune when the one that did so died.
	pruningTTL = 10
	// revokeTimeout is how long a node that stops tries to give that right back.
	revokeTimeout = time.Second
	// worthShare is the part of the base in etcd that the changes since must make up before it is written anew.
	worthShare = 4
	// recordBytes is about what a record takes in etcd beside the rows.
	recordBytes = 256
	// prunedAtOnce is how many revisions one request removes.
	prunedAtOnce = 1_000
	// roomPercent is how much of its quota etcd may use once the base is written.
	roomPercent = 90
)

// The named points of a pruning, that tests end it at.
const (
	stepBaseChunk = "chunk of the base written"
	stepBase      = "before the base is current"
	stepBased     = "base is current"
	stepPruned    = "revisions removed"
)

// RoomError is returned when etcd has no room for the base state, without which nothing may be removed.
type RoomError struct{ Need, Used, Quota int64 }

func (e *RoomError) Error() string {
	return fmt.Sprintf("etcd uses %d of %d bytes and has no room for the base state of up to %d: raise --quota-backend-bytes of its members, "+
		"old revisions stay until then", e.Used, e.Quota, e.Need)
}

// Prune removes from etcd the revisions that became current before an instant, but neither the one that was
// current then nor those after it. Before that it writes the catalogue as it was at that revision as the base, from
// which a node goes on that needs what was removed. It does nothing while another node is at it, and where too
// little would go. Idempotency keys stay. Nodes keep their history in their folders. Errors: ErrUnavailable,
// *DivergedError, *RoomError, those of the copy.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	copied, ok := s.Store.(bundles.Rebaser)
	if !ok {
		return nil
	}
	session, err := concurrency.NewSession(s.client, concurrency.WithTTL(pruningTTL), concurrency.WithContext(ctx))
	if err != nil {
		return s.unavailable(err)
	}
	defer func() {
		// Also once ctx has ended: a node that stops does not keep others from pruning for as long as its lease lives.
		session.Orphan()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
		defer cancel()
		_, _ = s.client.Revoke(limited, session.Lease()) // what cannot be given back ends by itself
	}()
	lock := concurrency.NewMutex(session, s.o.Prefix+"pruning")
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	switch err := lock.TryLock(limited); {
	case errors.Is(err, concurrency.ErrLocked):
		return nil
	case err != nil:
		return s.unavailable(err)
	}
	p := pruning{s: s, copied: copied, owner: lock.IsOwner()}
	return p.run(ctx, before)
}

// pruning is one pruning; owner holds while nobody else may prune.
type pruning struct {
	s      *Store
	copied bundles.Rebaser
	owner  clientv3.Cmp
	now    anchor
}

func (p *pruning) run(ctx context.Context, before time.Time) (err error) {
	// The base is made of the copy: that is one that etcd has confirmed.
	if err := p.s.CatchUp(ctx); err != nil {
		return err
	}
	if p.now, err = p.s.fetchAnchor(ctx); err != nil {
		return err
	}
	oldest, err := p.oldest(ctx)
	if err != nil {
		return err
	}
	target, err := p.s.RecordAt(ctx, before)
	if err != nil && !errors.Is(err, bundles.ErrNotFound) {
		return err
	}
	through := max(target.Revision, p.now.Record.Revision)
	// Where another release removed revisions without leaving a base, one is needed whatever it costs.
	torn := oldest > max(p.now.Record.Revision, 1)
	if torn {
		through = max(through, oldest)
	}
	if through > max(p.now.Record.Revision, 1) {
		goes, err := p.bytes(ctx, oldest, through)
		if err != nil {
			return err
		}
		if torn || goes >= p.now.bytes/worthShare {
			if err := p.writeBase(ctx, through, p.now.bytes+goes); err != nil {
				return err
			}
		}
	}
	return p.remove(ctx, oldest)
}

// oldest returns the oldest revision of which etcd has the record, 0 for an empty catalogue.
func (p *pruning) oldest(ctx context.Context) (int64, error) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := p.s.client.Get(limited, p.s.recordKey(0), clientv3.WithRange(p.s.recordKey(1<<62)), clientv3.WithLimit(1))
	if err != nil {
		return 0, p.s.unavailable(err)
	}
	if len(answer.Kvs) == 0 {
		return 0, nil
	}
	e, err := decodeEntry(answer.Kvs[0].Value)
	return e.Revision, err
}

// bytes returns about how many bytes the revisions take that would go.
func (p *pruning) bytes(ctx context.Context, oldest, through int64) (total int64, err error) {
	for from := oldest; from < through; from += recordsMax {
		entries, err := p.s.fetchEntries(ctx, from, min(from+recordsMax, through)-1)
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			total += e.bytes + recordBytes
		}
	}
	return total, nil
}

// writeBase writes the base at a revision and makes it the one that there is. It takes up to need bytes.
func (p *pruning) writeBase(ctx context.Context, revision, need int64) error {
	if err := p.clear(ctx); err != nil {
		return err
	}
	if err := p.room(ctx, need); err != nil {
		return err
	}
	r, err := p.s.Record(ctx, revision)
	if err != nil {
		return err
	}
	a := anchor{attempt: newAttempt()}
	to := chunker{emit: func(chunk string) error {
		key := fmt.Sprintf("%s%08x", p.s.baseChunksOf(revision, a.attempt), a.chunks)
		if err := p.put(ctx, clientv3.OpPut(key, chunk)); err != nil {
			return err
		}
		a.chunks++
		return p.s.o.step(stepBaseChunk)
	}}
	digest := bundles.NewBaseDigest(r)
	var head []byte
	err = p.copied.State(ctx, revision, func(r bundles.Row) error {
		digest.Add(r)
		head = appendBaseRow(head[:0], r)
		return errors.Join(to.add(head), to.add(r.Document))
	})
	if err == nil {
		err = to.flush()
	}
	if err == nil {
		err = p.s.o.step(stepBase)
	}
	if err != nil {
		return err
	}
	a.Base, a.bytes = digest.Base(r), to.bytes
	if err := p.put(ctx, clientv3.OpPut(p.s.baseKey(), a.encode())); err != nil {
		return err
	}
	p.now = a
	p.s.o.Logger.Info("wrote the base state to etcd", "revision", revision, "rows", a.Rows, "bytes", a.bytes)
	return p.s.o.step(stepBased)
}

// put puts a key while this node is the one that prunes.
func (p *pruning) put(ctx context.Context, op clientv3.Op) error {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := p.s.client.Txn(limited).If(p.owner).Then(op).Commit()
	if err != nil {
		return p.s.unavailable(err)
	}
	if !answer.Succeeded {
		return fmt.Errorf("%w: etcd: another node prunes now", bundles.ErrUnavailable)
	}
	return nil
}

// room refuses to write a base that would fill etcd up.
func (p *pruning) room(ctx context.Context, need int64) error {
	space, err := p.s.Space(ctx)
	if err != nil {
		return err
	}
	if space.InUse+need > space.Quota/100*roomPercent {
		return &RoomError{Need: need, Used: space.InUse, Quota: space.Quota}
	}
	return nil
}

// clear removes the chunks of bases that are not the one that there is: of those before it, and of prunings that
// were cut short.
func (p *pruning) clear(ctx context.Context) error {
	all := p.s.baseChunks()
	end := clientv3.GetPrefixRangeEnd(all)
	if p.now.Record.Revision == 0 {
		return p.put(ctx, clientv3.OpDelete(all, clientv3.WithRange(end)))
	}
	kept := p.s.baseChunksOf(p.now.Record.Revision, p.now.attempt)
	err := p.put(ctx, clientv3.OpDelete(all, clientv3.WithRange(kept)))
	if err == nil {
		err = p.put(ctx, clientv3.OpDelete(clientv3.GetPrefixRangeEnd(kept), clientv3.WithRange(end)))
	}
	return err
}

// remove removes the revisions before the base, and what is left of other bases.
func (p *pruning) remove(ctx context.Context, oldest int64) error {
	if p.now.Record.Revision == 0 {
		return nil
	}
	if err := p.clear(ctx); err != nil {
		return err
	}
	for from := oldest; from > 0 && from < p.now.Record.Revision; from += prunedAtOnce {
		through := min(from+prunedAtOnce, p.now.Record.Revision)
		// Rows first: a record without them would be met by a node that catches up.
		limited, cancel := context.WithTimeout(ctx, 5*requestTimeout)
		_, err := p.s.client.Txn(limited).If(p.owner).Then(
			clientv3.OpDelete(p.s.recordKey(0), clientv3.WithRange(p.s.recordKey(through))),
			clientv3.OpDelete(p.s.rowsOf(0), clientv3.WithRange(p.s.rowsOf(through))),
		).Commit()
		cancel()
		if err != nil {
			return p.s.unavailable(err)
		}
		if err := p.s.o.step(stepPruned); err != nil {
			return err
		}
	}
	return nil
}
