package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gec/bundles"
)

func change(base int64, name, document string) bundles.Commit {
	return bundles.Commit{
		Base:   base,
		Record: bundles.Record{At: time.Date(2026, 1, 1, 0, 0, int(base), 0, time.UTC), Caller: "c"},
		Rows:   []bundles.Row{{Kind: bundles.KindBundle, ID: name, Document: []byte(document)}},
	}
}

func mustCommit(t *testing.T, s *Store, c bundles.Commit) bundles.Record {
	t.Helper()
	r, err := s.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChangesReachEveryNode(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	one, two := open(t, endpoint, prefix), open(t, endpoint, prefix)
	const document = 3 << 20
	mustCommit(t, one, change(0, "a", strings.Repeat("x", document)))
	reached(t, two, 1)
	last := mustCommit(t, two, change(1, "b", "2"))
	if got := reached(t, one, 2); got != last {
		t.Errorf("the record of the other node is %+v, want %+v", got, last)
	}
	late := open(t, endpoint, prefix) // has everything to fetch
	if got := reached(t, late, 2); got != last {
		t.Errorf("the record of a node that comes later is %+v, want %+v", got, last)
	}
	row, err := late.Get(t.Context(), 2, bundles.KindBundle, "a")
	if err != nil || len(row.Document) != document {
		t.Errorf("a large document comes with %d bytes, %v", len(row.Document), err)
	}
}

// TestWritersOnManyNodes lets nodes race: every acknowledged change is in the one history, once.
func TestWritersOnManyNodes(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	nodes := []*Store{open(t, endpoint, prefix), open(t, endpoint, prefix), open(t, endpoint, prefix)}
	const changes = 30
	var all sync.WaitGroup
	for n, s := range nodes {
		all.Go(func() {
			for i := range changes {
				for {
					head, err := s.Head(context.Background())
					if err == nil {
						_, err = s.Commit(context.Background(), change(head.Revision, fmt.Sprintf("%d-%d", n, i), "x"))
					}
					if err == nil {
						break
					}
					if !errors.Is(err, bundles.ErrConflict) {
						t.Errorf("node %d: %v", n, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	want := reached(t, nodes[0], int64(changes*len(nodes)))
	for n, s := range nodes {
		if got := reached(t, s, want.Revision); got.SHA256 != want.SHA256 || got.Revision != int64(changes*len(nodes)) {
			t.Errorf("node %d ends at %+v, want %+v", n, got, want)
		}
	}
}

func TestOtherHistoryIsRefused(t *testing.T) {
	endpoint := server(t)
	one, two := open(t, endpoint, newPrefix()), open(t, endpoint, newPrefix())
	mustCommit(t, one, change(0, "a", "1"))
	mustCommit(t, two, change(0, "a", "another"))
	stranger, err := Open(two.Store, Options{Endpoints: []string{endpoint}, Prefix: one.o.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.client.Close()
	var diverged *DivergedError
	if err := stranger.CatchUp(t.Context()); !errors.As(err, &diverged) {
		t.Errorf("catching up on another history: %v", err)
	}
}

// TestRefusedAtOnce holds that changes are refused without a try while etcd is away, also on a node that did not
// reach it since its start; but only where Run will find out that it is back.
func TestRefusedAtOnce(t *testing.T) {
	var s status
	s.failed(bundles.ErrUnavailable)
	if err := s.refusal(); err != nil {
		t.Errorf("nobody would find out that all is well, and changes are refused: %v", err)
	}
	s.follow()
	if err := s.refusal(); !errors.Is(err, bundles.ErrUnavailable) {
		t.Errorf("a change is tried before etcd was ever reached: %v", err)
	}
	s.confirmed()
	if err := s.refusal(); err != nil {
		t.Error(err)
	}
}
