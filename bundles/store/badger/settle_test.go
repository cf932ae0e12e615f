package badger

import (
	"errors"
	"sync"
	"testing"
)

// TestSettleKeepsEverything holds that a store which was settled, while others read it, has what it had and
// takes commits.
func TestSettleKeepsEverything(t *testing.T) {
	noLeaks(t)
	s := mustOpen(t, t.TempDir(), Options{NoSync: true})
	mustCommit(t, s, put(50, "before"))
	before := content(t, s)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 20 {
				if got := content(t, s); got != before {
					t.Errorf("reads %s", got)
				}
			}
		})
	}
	for range 3 {
		if err := s.Settle(); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
	mustCommit(t, s, put(50, "after"))
	if content(t, s) == before {
		t.Error("a commit after settling is not there")
	}
	mustClose(t, s)
	if err := s.Settle(); !errors.Is(err, ErrClosed) {
		t.Errorf("settling a closed store: %v", err)
	}
}

// TestLoadingMergesNothing holds that a folder opens which was closed, or lost its process, while it was loaded, more
// often than Badger bears tables that nobody merges; and that it is whole once settled.
func TestLoadingMergesNothing(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	var before string
	for range 20 {
		s := mustOpen(t, dir, Options{NoSync: true, Loading: true})
		if before != "" && content(t, s) != before {
			t.Fatal("what was committed before is not there")
		}
		mustCommit(t, s, put(50, "loading"))
		before = content(t, s)
		mustClose(t, s)
	}
	s := mustOpen(t, dir, Options{NoSync: true, Loading: true})
	if tables := len(s.db.Tables()); tables < 20 {
		t.Errorf("%d tables are left: they were merged while the folder was loaded", tables)
	}
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
	if content(t, s) != before {
		t.Error("settled, it is another")
	}
	mustCommit(t, s, put(50, "after"))
	mustClose(t, s)
}
