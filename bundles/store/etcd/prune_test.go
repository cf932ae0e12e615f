package etcd

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/bundles"
	"gec/bundles/backup"
	"gec/bundles/store/badger"
)

// grow commits changes of some things, each changed often and now and then gone.
func grow(t *testing.T, s *Store, revisions int64) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, uint64(revisions)))
	for range revisions {
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := change(head.Revision, fmt.Sprint("thing-", random.IntN(9)), fmt.Sprint("of ", head.Revision))
		c.Record.IdempotencyKey = fmt.Sprint("key-", head.Revision)
		if random.IntN(4) == 0 {
			c.Rows[0].Deleted, c.Rows[0].Document = true, nil
		}
		mustCommit(t, s, c)
	}
}

// prune removes what came before a revision.
func prune(t *testing.T, s *Store, revision int64) {
	t.Helper()
	r, err := s.Record(t.Context(), revision)
	if err == nil {
		err = s.Prune(t.Context(), r.At)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keys returns the number of keys in etcd under a part of the prefix.
func keys(t *testing.T, s *Store, part string) int64 {
	t.Helper()
	answer, err := s.client.Get(t.Context(), s.o.Prefix+part, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Count
}

// sameCatalogue compares a store with another at the head.
func sameCatalogue(t *testing.T, want, got *Store) {
	t.Helper()
	head, err := want.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := reached(t, got, head.Revision); r != head {
		t.Fatalf("it ends at %+v, want %+v", r, head)
	}
	w, err := bundles.BaseAt(t.Context(), want.Store.(bundles.Rebaser), head.Revision)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := bundles.BaseAt(t.Context(), got.Store.(bundles.Rebaser), head.Revision); err != nil || g != w {
		t.Errorf("its state is %+v, %v, want %+v", g, err, w)
	}
	if _, err := got.Store.(*badger.Store).Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// fresh opens a store that nobody keeps up.
func fresh(t *testing.T, endpoint, prefix string) *Store {
	t.Helper()
	copied, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(copied, Options{Endpoints: []string{endpoint}, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestPruned prunes twice, while one node is away: an empty folder, one that ends before the base and one that
// has all of it come to the same catalogue; the one that has all keeps its history.
func TestPruned(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	s, away := open(t, endpoint, prefix), fresh(t, endpoint, prefix)
	grow(t, s, 10)
	reached(t, away, 10)
	grow(t, s, 30)
	for _, at := range []int64{25, 38} {
		prune(t, s, at)
		if records, rows := keys(t, s, "records/"), keys(t, s, "rows/"); records != 40-at+1 || rows != records {
			t.Errorf("pruned at %d: %d records and %d chunks are left", at, records, rows)
		}
		if n := keys(t, s, "bases/"); n != 1 {
			t.Errorf("pruned at %d: %d chunks of bases", at, n)
		}
		sameCatalogue(t, s, fresh(t, endpoint, prefix))
	}
	sameCatalogue(t, s, away)
	late := open(t, endpoint, prefix)
	sameCatalogue(t, s, late)
	if _, err := s.Record(t.Context(), 1); err != nil {
		t.Errorf("the node that made it all has no history left: %v", err)
	}
	if _, err := away.Record(t.Context(), 9); err != nil {
		t.Errorf("the node that was away has lost what it had: %v", err)
	}
	if err := late.Scan(t.Context(), 12, bundles.KindBundle, "", nil); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("a revision before the base is read: %v", err)
	}
	// Both write on, and a key of before the base is still one.
	grow(t, late, 3)
	repeated := change(43, "thing-1", "again")
	repeated.Record.IdempotencyKey = "key-3"
	if _, err := late.Commit(t.Context(), repeated); !errors.Is(err, bundles.ErrDuplicateKey) {
		t.Errorf("a change that was made before the base: %v", err)
	}
	if r, err := late.RecordByKey(t.Context(), "key-3"); err != nil || r.Revision != 4 {
		t.Errorf("by its key: %+v, %v", r, err)
	}
	sameCatalogue(t, late, s)
	prune(t, late, 43) // a node that began at a base writes the next one
	sameCatalogue(t, s, fresh(t, endpoint, prefix))
}

// TestFolderWithAGap holds that a folder that began at a base is neither uploaded nor backed up as if it were whole,
// and that what comes after the base can be.
func TestFolderWithAGap(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	s := open(t, endpoint, prefix)
	grow(t, s, 10)
	prune(t, s, 8)
	late := fresh(t, endpoint, prefix)
	sameCatalogue(t, s, late)
	elsewhere, err := Open(late.Store, Options{Endpoints: []string{endpoint}, Prefix: newPrefix()})
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.client.Close()
	var gap *bundles.GapError
	err = elsewhere.Upload(t.Context(), func(revision int64) { t.Errorf("revision %d was uploaded", revision) })
	if !errors.As(err, &gap) || gap.After != 0 || gap.At != 8 || keys(t, elsewhere, "") != 0 {
		t.Errorf("upload: %v, %d keys", err, keys(t, elsewhere, ""))
	}
	var out bytes.Buffer
	if _, err := backup.Write(t.Context(), late.Store, 7, &out); !errors.As(err, &gap) || !errors.Is(err, bundles.ErrNotFound) || out.Len() > 0 {
		t.Errorf("backup: %v, %d bytes", err, out.Len())
	}
	summary, err := backup.Write(t.Context(), late.Store, 8, &out)
	if err != nil || summary.Through != 10 {
		t.Errorf("backup of what comes after: %+v, %v", summary, err)
	}
	whole := fresh(t, endpoint, newPrefix())
	if err := replay(t, s, whole, 8); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), whole.Store, &out); err != nil {
		t.Fatal(err)
	}
	if err := whole.Upload(t.Context(), func(int64) {}); err != nil {
		t.Error(err)
	}
	sameCatalogue(t, s, whole)
}

// replay brings a store to a revision of another.
func replay(t *testing.T, from, to *Store, through int64) error {
	t.Helper()
	for revision := int64(1); revision <= through; revision++ {
		r, err := from.Record(t.Context(), revision)
		if err != nil {
			return err
		}
		c := bundles.Commit{Base: revision - 1, Record: r}
		err = from.Changes(t.Context(), revision-1, revision, func(row bundles.Row) error {
			row.Document = bytes.Clone(row.Document)
			c.Rows = append(c.Rows, row)
			return nil
		})
		if err == nil {
			_, err = to.Store.Commit(t.Context(), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestPruningCutShort ends a pruning at each of its named points: nodes can join after it, and the next goes on.
func TestPruningCutShort(t *testing.T) {
	endpoint := server(t)
	for _, point := range []string{stepBaseChunk, stepBase, stepBased, stepPruned} {
		t.Run(point, func(t *testing.T) {
			prefix := newPrefix()
			s := open(t, endpoint, prefix)
			grow(t, s, 20)
			prune(t, s, 5)
			mustCommit(t, s, change(20, "large", strings.Repeat("x", 2<<20)))
			mustCommit(t, s, change(21, "last", "y"))
			died := errors.New("died")
			s.o.step = func(at string) error {
				if at == point {
					return died
				}
				return nil
			}
			r, err := s.Record(t.Context(), 21)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Prune(t.Context(), r.At); !errors.Is(err, died) {
				t.Fatalf("it ended with %v", err)
			}
			sameCatalogue(t, s, fresh(t, endpoint, prefix))
			s.o.step = func(string) error { return nil }
			prune(t, s, 21)
			if records, chunks := keys(t, s, "records/"), keys(t, s, "bases/"); records != 2 || chunks != 3 {
				t.Errorf("%d records and %d chunks of bases are left, want 2 and 3", records, chunks)
			}
			sameCatalogue(t, s, fresh(t, endpoint, prefix))
		})
	}
}

// TestPruningByMany lets all nodes prune at once while others write and join.
func TestPruningByMany(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	nodes := []*Store{open(t, endpoint, prefix), open(t, endpoint, prefix), open(t, endpoint, prefix)}
	grow(t, nodes[0], 10)
	var all sync.WaitGroup
	for _, s := range nodes[1:] {
		all.Go(func() {
			for range 8 {
				if err := s.Prune(t.Context(), time.Now()); err != nil && !errors.Is(err, bundles.ErrUnavailable) {
					t.Error(err)
				}
			}
		})
	}
	grow(t, nodes[0], 40)
	all.Wait()
	for _, s := range append(nodes[1:], fresh(t, endpoint, prefix)) {
		sameCatalogue(t, nodes[0], s)
	}
}

// TestPrunedByAnotherRelease finds revisions removed without a base: an empty folder says so, and the next pruning
// by a node that has all of it writes the base.
func TestPrunedByAnotherRelease(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	s := open(t, endpoint, prefix)
	grow(t, s, 10)
	if _, err := s.client.Delete(t.Context(), s.recordKey(0), clientv3.WithRange(s.recordKey(7))); err != nil {
		t.Fatal(err)
	}
	var behind *BehindError
	if err := fresh(t, endpoint, prefix).CatchUp(t.Context()); !errors.As(err, &behind) || behind.Oldest != 7 {
		t.Errorf("an empty folder: %v, want a BehindError from revision 7", err)
	}
	if err := s.Prune(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	sameCatalogue(t, s, fresh(t, endpoint, prefix))
}

// TestDamagedBaseInEtcd changes a byte of a chunk: nothing of it is taken.
func TestDamagedBaseInEtcd(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	s := open(t, endpoint, prefix)
	grow(t, s, 20)
	prune(t, s, 20)
	a, err := s.fetchAnchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := s.baseChunksOf(20, a.attempt) + "00000000"
	answer, err := s.client.Get(t.Context(), key)
	if err != nil || len(answer.Kvs) != 1 {
		t.Fatalf("%v, %v", answer, err)
	}
	value := answer.Kvs[0].Value
	value[len(value)/3] ^= 1
	if _, err := s.client.Put(t.Context(), key, string(value)); err != nil {
		t.Fatal(err)
	}
	late := fresh(t, endpoint, prefix)
	if err := late.CatchUp(t.Context()); err == nil {
		t.Error("a damaged base is taken")
	}
	if head, err := late.Head(t.Context()); err != nil || head.Revision != 0 {
		t.Errorf("the folder is at %+v, %v", head, err)
	}
}

// TestNoRoomForABase leaves all as it is where the base would fill etcd up.
func TestNoRoomForABase(t *testing.T) {
	endpoint, prefix := server(t, "--quota-backend-bytes", "4000000"), newPrefix()
	s := open(t, endpoint, prefix)
	mustCommit(t, s, change(0, "large", strings.Repeat("x", 2<<20)))
	grow(t, s, 5)
	r, err := s.Record(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	for space := (Space{}); space.InUse < 2<<20; { // it is told a moment later
		if space, err = s.Space(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var room *RoomError
	if err := s.Prune(t.Context(), r.At); !errors.As(err, &room) {
		t.Errorf("pruning: %v, want a RoomError", err)
	}
	if n := keys(t, s, "records/"); n != 6 {
		t.Errorf("%d records are left of 6", n)
	}
}
