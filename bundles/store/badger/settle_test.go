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
