package condition

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestE4EqualSourcesShareOneProgram holds that rules that many bundles have are compiled once.
func TestE4EqualSourcesShareOneProgram(t *testing.T) {
	cache := NewCache(10)
	first, err := cache.Program("amount > 5")
	if err != nil {
		t.Fatal(err)
	}
	second, _ := cache.Program("amount " + "> 5")
	third, _ := cache.Handle("amount > 5").Program()
	if first != second || first != third {
		t.Error("equal sources have different programs")
	}
	if other, _ := cache.Program("amount > 6"); other == first {
		t.Error("different sources share a program")
	}
	if diff := cmp.Diff(Stats{Hits: 2, Misses: 2, Size: 2}, cache.Stats()); diff != "" {
		t.Error(diff)
	}
}

// TestE1CacheKeepsTheLanguagesApart holds that a canonical program never passes for an authored one.
func TestE1CacheKeepsTheLanguagesApart(t *testing.T) {
	cache := NewCache(10)
	if _, err := cache.Canonical("amex"); err != nil {
		t.Fatal(err)
	}
	var refusal *Error
	if _, err := cache.Program("amex"); !errors.As(err, &refusal) {
		t.Errorf("amex as an authored condition: %v, want an *Error", err)
	}
	if _, err := cache.Handle("amex").Program(); !errors.As(err, &refusal) {
		t.Errorf("amex through a handle: %v, want an *Error", err)
	}
}

// TestE4CacheIsBounded holds that it forgets the programs that were not used for longest.
func TestE4CacheIsBounded(t *testing.T) {
	cache := NewCache(2)
	for _, source := range []string{"amount > 1", "amount > 2", "amount > 1", "amount > 3", "amount > 1", "amount > 2"} {
		if _, err := cache.Program(source); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(Stats{Hits: 2, Misses: 4, Size: 2}, cache.Stats()); diff != "" {
		t.Error(diff)
	}
	if stats := NewCache(-1).Stats(); stats != (Stats{}) {
		t.Errorf("new cache: %+v", stats)
	}
}

// TestE4HandleOutlivesItsProgram drops a program from the cache, lets the garbage collector take
// it, and asks again.
func TestE4HandleOutlivesItsProgram(t *testing.T) {
	cache := NewCache(1)
	handle := cache.Handle("amount > 5")
	if handle.Source() != "amount > 5" {
		t.Errorf("Source() = %q", handle.Source())
	}
	if size := cache.Stats().Size; size != 0 {
		t.Errorf("%d programs before the first use, want none", size)
	}
	program, err := handle.Program()
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if again, _ := handle.Program(); again != program {
		t.Error("a second program while the first is in the cache")
	}
	if hits := cache.Stats().Hits; hits != 0 {
		t.Errorf("the handle asked the cache %d times, want never while its program lives", hits)
	}
	runtime.KeepAlive(program)
	program = nil

	if _, err := cache.Canonical("amount > 6"); err != nil { // takes the only place
		t.Fatal(err)
	}
	misses := cache.Stats().Misses
	for range 3 {
		runtime.GC()
	}
	program, err = handle.Program()
	if err != nil || program.Source() != "amount > 5" {
		t.Fatalf("after eviction: %v, %v", program, err)
	}
	if got := cache.Stats().Misses; got != misses+1 {
		t.Errorf("%d compilations after eviction, want 1: the program was kept alive by something else", got-misses)
	}
	evaluator := NewEvaluator()
	evaluator.Reset(&Facts{AmountCents: 6})
	if holds, err := evaluator.Holds(program, false, false); !holds || err != nil {
		t.Errorf("recompiled program: %v, %v", holds, err)
	}
}

// TestE5HandleRemembersItsRefusal holds that a source that no longer compiles costs each quote
// nothing but the error.
func TestE5HandleRemembersItsRefusal(t *testing.T) {
	cache := NewCache(1)
	handle := cache.Handle("amount > ")
	_, first := handle.Program()
	_, second := handle.Program()
	var refusal *Error
	if !errors.As(first, &refusal) || first != second {
		t.Errorf("errors %v and %v, want one *Error", first, second)
	}
	if misses := cache.Stats().Misses; misses != 1 {
		t.Errorf("%d compilations, want 1", misses)
	}
	if allocations := testing.AllocsPerRun(100, func() { handle.Program() }); allocations != 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}

// TestE4CacheConcurrently uses few places from many goroutines, with the collector running; the
// race detector looks on.
func TestE4CacheConcurrently(t *testing.T) {
	cache := NewCache(4)
	handles := make([]*Handle, 16)
	for i := range handles {
		handles[i] = cache.Handle(fmt.Sprintf("amount == %d", i))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			evaluator := NewEvaluator()
			for n := range 400 {
				i := (n*7 + worker) % len(handles)
				program, err := handles[i].Program()
				if err != nil {
					t.Error(err)
					return
				}
				evaluator.Reset(&Facts{AmountCents: int64(i)})
				if holds, err := evaluator.Holds(program, false, false); !holds || err != nil {
					t.Errorf("%s for %d: %v, %v", program.Source(), i, holds, err)
				}
				if n%100 == 0 {
					runtime.GC()
				}
			}
		})
	}
	group.Wait()
	if size := cache.Stats().Size; size > 4 {
		t.Errorf("%d programs held, want at most 4", size)
	}
}
