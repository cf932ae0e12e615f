package badger

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
)

// grow commits changes at random: rows of several kinds, new, changed and gone, with and without keys.
func grow(t testing.TB, s *Store, random *rand.Rand, revisions int) {
	t.Helper()
	for range revisions {
		base := s.head.Load().Revision
		c := bundles.Commit{Base: base, Record: record(base + 1)}
		if random.IntN(2) == 0 {
			c.Record.IdempotencyKey = ""
		}
		for _, i := range random.Perm(12)[:random.IntN(6)] {
			row := bundles.Row{Kind: []bundles.Kind{bundles.KindBundle, bundles.KindKey, bundles.KindIndex}[i%3], ID: fmt.Sprint("id", i)}
			if row.Deleted = random.IntN(3) == 0; !row.Deleted {
				row.Document = fmt.Append(nil, base, i)
			}
			c.Rows = append(c.Rows, row)
		}
		if _, err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// replay commits the revisions of one store up to the given one to another.
func replay(t testing.TB, from, to *Store, through int64) {
	t.Helper()
	for base := to.head.Load().Revision; base < through; base++ {
		r, err := from.Record(t.Context(), base+1)
		if err != nil {
			t.Fatal(err)
		}
		c := bundles.Commit{Base: base, Record: r}
		if err := from.Changes(t.Context(), base, base+1, func(r bundles.Row) error {
			r.Document = bytes.Clone(r.Document)
			c.Rows = append(c.Rows, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := to.Commit(t.Context(), c); err != nil || got != r {
			t.Fatalf("revision %d is stored as %+v, %v, want %+v", base+1, got, err, r)
		}
	}
}

// stateOf returns the rows of the base at a revision, and the base.
func stateOf(t testing.TB, s *Store, at int64) (rows []bundles.Row, b bundles.Base) {
	t.Helper()
	b, err := bundles.BaseAt(t.Context(), s, at)
	if err == nil {
		err = s.State(t.Context(), at, func(r bundles.Row) error {
			r.Document = bytes.Clone(r.Document)
			rows = append(rows, r)
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows, b
}

// each returns what hands out the rows, as Rebase wants it.
func each(rows []bundles.Row) func(func(bundles.Row) error) error {
	return func(yield func(bundles.Row) error) error {
		for _, r := range rows {
			if err := yield(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestRebase takes a base onto an empty folder and onto folders with the beginning of the history: from the base
// on they are as the folder that has all of it, and take a second base later.
func TestRebase(t *testing.T) {
	const last = 24
	for have := range int64(5) {
		t.Run(fmt.Sprint("from ", have), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(have), 7))
			whole, dir := mustOpen(t, t.TempDir(), Options{NoSync: true}), t.TempDir()
			defer mustClose(t, whole)
			grow(t, whole, random, last)
			s := mustOpen(t, dir, Options{NoSync: true})
			replay(t, whole, s, have)
			for _, at := range []int64{9, 18} {
				rows, b := stateOf(t, whole, at)
				if err := s.Rebase(t.Context(), b, each(rows)); err != nil {
					t.Fatal(err)
				}
				replay(t, whole, s, at+3)
			}
			check := func() {
				t.Helper()
				for at := range int64(22) {
					sameState(t, whole, s, at, at > have && at < 9 || at > 12 && at < 18)
				}
				if _, err := s.Verify(t.Context()); err != nil {
					t.Error(err)
				}
			}
			check()
			mustClose(t, s)
			s = mustOpen(t, dir, Options{VerifyRows: -1})
			defer mustClose(t, s)
			check()
			replay(t, whole, s, last)
		})
	}
}

// sameState compares a folder with the one that has all, at a revision that is in a gap or not.
func sameState(t *testing.T, whole, s *Store, at int64, gap bool) {
	t.Helper()
	instant := time.Unix(1_800_000_000+at, 0)
	got, err := s.RecordAt(t.Context(), instant)
	if gap {
		if _, err := s.Get(t.Context(), at, bundles.KindBundle, "id0"); !errors.Is(err, bundles.ErrNotFound) {
			t.Errorf("reading at revision %d, in the gap: %v", at, err)
		}
		if err := s.Scan(t.Context(), at, bundles.KindBundle, "", nil); !errors.Is(err, bundles.ErrNotFound) {
			t.Errorf("scanning at revision %d, in the gap: %v", at, err)
		}
		if !errors.Is(err, bundles.ErrNotFound) {
			t.Errorf("what was current at revision %d, in the gap: %+v, %v", at, got, err)
		}
		return
	}
	// At the last record before a gap it is unknown whether another followed in the same instant.
	if want, wantErr := whole.RecordAt(t.Context(), instant); wantErr != nil || (got != want || err != nil) && !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("what was current at revision %d: %+v, %v, want %+v", at, got, err, want)
	}
	if at == 0 {
		return
	}
	wantRows, want := stateOf(t, whole, at)
	gotRows, have := stateOf(t, s, at)
	if diff := cmp.Diff(wantRows, gotRows); diff != "" || have != want {
		t.Errorf("the state at revision %d differs: %+v, want %+v\n%s", at, have, want, diff)
	}
	for _, r := range wantRows { // who changed it last, and every key, is known
		w, _ := whole.Record(t.Context(), r.Revision)
		if g, err := s.Record(t.Context(), r.Revision); err != nil || g != w {
			t.Errorf("record %d is %+v, %v, want %+v", r.Revision, g, err, w)
		}
		if w.IdempotencyKey != "" {
			if g, err := s.RecordByKey(t.Context(), w.IdempotencyKey); err != nil || g != w {
				t.Errorf("by its key, record %d is %+v, %v", r.Revision, g, err)
			}
		}
	}
}

// TestRebaseRefuses refuses bases that are not as they were made, or of another history, and is as before.
func TestRebaseRefuses(t *testing.T) {
	whole := mustOpen(t, t.TempDir(), Options{NoSync: true})
	defer mustClose(t, whole)
	grow(t, whole, rand.New(rand.NewPCG(1, 1)), 20)
	rows, b := stateOf(t, whole, 20)
	other := mustOpen(t, t.TempDir(), Options{NoSync: true})
	defer mustClose(t, other)
	mustCommit(t, other, put(3, "of another catalogue"))
	bend := func(change func([]bundles.Row) []bundles.Row) []bundles.Row { return change(slices.Clone(rows)) }
	for name, c := range map[string]struct {
		onto     *Store
		rows     []bundles.Row
		diverged bool
	}{
		"a row is missing":    {onto: mustOpen(t, t.TempDir(), Options{}), rows: rows[1:]},
		"a record is missing": {onto: mustOpen(t, t.TempDir(), Options{}), rows: rows[:len(rows)-1]},
		"a document differs":  {onto: mustOpen(t, t.TempDir(), Options{}), rows: bend(func(r []bundles.Row) []bundles.Row { r[0].Document = []byte("x"); return r })},
		"a revision differs":  {onto: mustOpen(t, t.TempDir(), Options{}), rows: bend(func(r []bundles.Row) []bundles.Row { r[0].Revision++; return r })},
		"a later revision":    {onto: mustOpen(t, t.TempDir(), Options{}), rows: bend(func(r []bundles.Row) []bundles.Row { r[0].Revision = 21; return r })},
		"two are exchanged":   {onto: mustOpen(t, t.TempDir(), Options{}), rows: bend(func(r []bundles.Row) []bundles.Row { r[0], r[1] = r[1], r[0]; return r })},
		"another catalogue":   {onto: other, rows: rows, diverged: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.onto != other {
				defer mustClose(t, c.onto)
			}
			before := *c.onto.head.Load()
			var refused *bundles.BaseError
			if err := c.onto.Rebase(t.Context(), b, each(c.rows)); !errors.As(err, &refused) || refused.Diverged != c.diverged {
				t.Errorf("got %v, want a BaseError, diverged %v", err, c.diverged)
			}
			if got := *c.onto.head.Load(); got != before {
				t.Errorf("the head is %+v, it was %+v", got, before)
			}
			if n := keys(t, c.onto, "rco"); n != 2*before.Rows {
				t.Errorf("%d keys of %d rows are left", n, before.Rows)
			}
			mustCommit(t, c.onto, put(4, "goes on"))
		})
	}
	if err := whole.Rebase(t.Context(), b, each(rows)); !errors.Is(err, bundles.ErrConflict) {
		t.Errorf("a base at the head: %v", err)
	}
}

// TestCrashDuringRebase copies the folder at each named point of taking a base, as a kill would leave it.
func TestCrashDuringRebase(t *testing.T) {
	whole := mustOpen(t, t.TempDir(), Options{NoSync: true})
	defer mustClose(t, whole)
	mustCommit(t, whole, put(10, "old"))
	mustCommit(t, whole, put(largeRows, "gone"))
	mustCommit(t, whole, put(largeRows, "new"))
	rows, b := stateOf(t, whole, 3)

	dir, copying := t.TempDir(), false
	corpses := map[string][]string{}
	s := mustOpen(t, dir, Options{step: func(point string) {
		if copying {
			corpses[point] = append(corpses[point], copyFolder(t, dir))
		}
	}})
	replay(t, whole, s, 1)
	copying = true
	if err := s.Rebase(t.Context(), b, each(rows)); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if len(corpses[stepChunk]) != largeChunks+1 || len(corpses[stepBeforeFlip]) != 1 || len(corpses[stepAfterFlip]) != 1 {
		t.Errorf("it passed %d chunks, %d times before and %d times after the flip", len(corpses[stepChunk]), len(corpses[stepBeforeFlip]), len(corpses[stepAfterFlip]))
	}
	for point, dirs := range corpses {
		for _, dir := range dirs {
			s := mustOpen(t, dir, Options{VerifyRows: -1})
			if point == stepAfterFlip {
				if got := content(t, s); got != "24017 × new" {
					t.Errorf("%s: %s", point, got)
				}
			} else {
				if got, left := content(t, s), keys(t, s, "rcob"); got != "10 × old" || left != 20 {
					t.Errorf("%s: %s, %d keys", point, got, left)
				}
				if err := s.Rebase(t.Context(), b, each(rows)); err != nil {
					t.Errorf("%s: once more: %v", point, err)
				}
			}
			if _, got := stateOf(t, s, 3); got != b {
				t.Errorf("%s: the base is %+v, want %+v", point, got, b)
			}
			mustClose(t, s)
		}
	}
}

// TestDamagedBase flips a byte of a row of a base: the folder falls back to what was before and takes it again.
func TestDamagedBase(t *testing.T) {
	whole, dir := mustOpen(t, t.TempDir(), Options{NoSync: true}), t.TempDir()
	defer mustClose(t, whole)
	grow(t, whole, rand.New(rand.NewPCG(3, 3)), 20)
	rows, b := stateOf(t, whole, 18)
	s := mustOpen(t, dir, Options{})
	replay(t, whole, s, 2)
	if err := s.Rebase(t.Context(), b, each(rows)); err != nil {
		t.Fatal(err)
	}
	last := rows[slices.IndexFunc(rows, func(r bundles.Row) bool { return r.Revision > 2 })]
	key := rowKey(last.Kind, last.ID, last.Revision)
	set(t, s, key, seal(key, 0, []byte("damaged")))
	mustClose(t, s)
	var damage *DamagedError
	if _, err := open(dir, Options{}); !errors.As(err, &damage) || damage.Revision != 18 {
		t.Errorf("opened with %v, want a DamagedError of revision 18", err)
	}
	s = mustOpen(t, dir, Options{LastGood: true})
	if got := s.head.Load().Revision; got != 2 || s.Degraded() == nil {
		t.Errorf("it serves revision %d, degraded %v", got, s.Degraded())
	}
	if err := s.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Rebase(t.Context(), b, each(rows)); err != nil {
		t.Fatal(err)
	}
	replay(t, whole, s, 20)
	mustClose(t, s)
	mustClose(t, mustOpen(t, dir, Options{VerifyRows: -1}))
}
