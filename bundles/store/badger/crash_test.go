package badger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gec/bundles"
)

// A large commit has chunks of chunkRowsMax rows, the last of which is written with the flip.
const (
	largeRows   = 3*chunkRowsMax + 17
	largeChunks = 3
)

// TestCrashAtEveryPoint copies the folder at each named point of a large commit, as a kill would leave
// it, and opens the copies: each has the old revision or the new one, whole, and no row besides.
func TestCrashAtEveryPoint(t *testing.T) {
	type corpse struct {
		point string
		dir   string
	}
	var corpses []corpse
	dir := t.TempDir()
	copying := false
	s := mustOpen(t, dir, Options{step: func(point string) {
		if copying {
			corpses = append(corpses, corpse{point, copyFolder(t, dir)})
		}
	}})
	mustCommit(t, s, put(10, "old"))
	copying = true
	mustCommit(t, s, put(largeRows, "new"))
	mustClose(t, s)

	var points []string
	for _, c := range corpses {
		points = append(points, c.point)
		t.Run(c.point, func(t *testing.T) {
			want, head := "10 × old", int64(1)
			if c.point == stepAfterFlip {
				want, head = "24017 × new", 2
			}
			checkSurvivor(t, c.dir, want, head)
		})
	}
	want := []string{stepChunk, stepChunk, stepChunk, stepBeforeFlip, stepAfterFlip}
	if !slices.Equal(points, want) {
		t.Errorf("points %q, want %q", points, want)
	}
}

// checkSurvivor opens a folder after a crash and goes on working with it.
func checkSurvivor(t *testing.T, dir, want string, head int64) {
	t.Helper()
	s := mustOpen(t, dir, Options{})
	if got := s.head.Load().Revision; got != head {
		t.Errorf("head is %d, want %d", got, head)
	}
	if got := content(t, s); got != want {
		t.Errorf("content is %s, want %s", got, want)
	}
	rows, err := s.Verify(t.Context())
	if err != nil {
		t.Error(err)
	}
	if got := keys(t, s, "rc"); got != 2*rows {
		t.Errorf("%d keys for %d rows: orphans were left", got, rows)
	}
	// The number of the lost revision is used again: nothing of the lost one may show.
	r := mustCommit(t, s, put(5, "next"))
	if err := s.Changes(t.Context(), head, r.Revision, func(row bundles.Row) error {
		if string(row.Document) != "next" {
			t.Errorf("revision %d has a row of %q", r.Revision, row.Document)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{VerifyRows: -1})
	mustClose(t, s)
}

// TestCrashDuringSweep kills the sweep that follows a crash.
func TestCrashDuringSweep(t *testing.T) {
	dir := t.TempDir()
	var crashed string
	s := mustOpen(t, dir, Options{step: func(point string) {
		if point == stepBeforeFlip {
			crashed = copyFolder(t, dir)
		}
	}})
	mustCommit(t, s, put(largeRows, "new"))
	mustClose(t, s)

	var corpses []string
	s = mustOpen(t, crashed, Options{step: func(point string) {
		if point == stepSweep {
			corpses = append(corpses, copyFolder(t, crashed))
		}
	}})
	mustClose(t, s)
	if len(corpses) != largeChunks {
		t.Errorf("the sweep took %d steps, want %d", len(corpses), largeChunks)
	}
	for _, dir := range corpses {
		checkSurvivor(t, dir, "0 × ", 0)
	}
}

// TestFailedCommitIsSwept ends commits on the way, by the context and by the lack of space.
func TestFailedCommitIsSwept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	chunks, free, full := 0, uint64(1<<40), false
	s := mustOpen(t, t.TempDir(), Options{
		FreeBytes: func(string) (uint64, error) { return free, nil },
		step: func(point string) {
			if chunks++; point == stepChunk && chunks == 2 {
				if full {
					free = watermarkBytesMin - 1
				} else {
					cancel()
				}
			}
		},
	})
	defer mustClose(t, s)
	commit := func() error {
		_, err := s.Commit(ctx, bundles.Commit{Record: record(1), Rows: put(largeRows, "lost")})
		return err
	}
	if err := commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after two chunks: %v", err)
	}
	if got := keys(t, s, "rchk"); got != 0 {
		t.Errorf("%d keys were left by a cancelled commit", got)
	}
	ctx, chunks, full = t.Context(), 0, true
	if err := commit(); !errors.Is(err, bundles.ErrStorageFull) {
		t.Errorf("disk full after two chunks: %v", err)
	}
	if got := keys(t, s, "rchk"); got != 0 {
		t.Errorf("%d keys were left by a commit that found the disk full", got)
	}
	if err := s.Writable(); !errors.Is(err, bundles.ErrStorageFull) {
		t.Errorf("Writable: %v", err)
	}
	free = 1 << 40
	if err := s.Writable(); err != nil {
		t.Errorf("Writable with space again: %v", err)
	}
	mustCommit(t, s, put(3, "kept"))
	if got := content(t, s); got != "3 × kept" {
		t.Errorf("content is %s", got)
	}
}

// TestWatermark refuses a change that would not leave the watermark free.
func TestWatermark(t *testing.T) {
	free := uint64(0)
	s := mustOpen(t, t.TempDir(), Options{WatermarkBytes: 100 << 20, FreeBytes: func(string) (uint64, error) { return free, nil }})
	defer mustClose(t, s)
	rows := []bundles.Row{{Kind: 'b', ID: "a", Document: make([]byte, 10<<20)}}
	for mib, want := range map[uint64]error{99: bundles.ErrStorageFull, 129: bundles.ErrStorageFull, 131: nil} {
		free = mib << 20
		_, err := s.Commit(t.Context(), bundles.Commit{Base: s.head.Load().Revision, Record: bundles.Record{Caller: "c"}, Rows: rows})
		if !errors.Is(err, want) {
			t.Errorf("%d MiB free: %v, want %v", mib, err, want)
		}
	}
	if got, err := freeBytes(t.TempDir()); err != nil || got == 0 {
		t.Errorf("free space of this machine: %d, %v", got, err)
	}
}

// TestEmptyLogFiles plants what a kill between create and truncate leaves (Badger issue 2207).
func TestEmptyLogFiles(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, put(100, "kept"))
	corpse := copyFolder(t, dir) // with a log that is still to be replayed
	mustClose(t, s)
	for _, dir := range []string{dir, corpse} {
		for _, name := range []string{"00000.mem", "00007.mem", "00099.mem", "000000.vlog", "000099.vlog"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s = mustOpen(t, dir, Options{})
		if got := content(t, s); got != "100 × kept" {
			t.Errorf("content is %s", got)
		}
		mustCommit(t, s, put(100, "more"))
		mustClose(t, s)
		s = mustOpen(t, dir, Options{})
		if got := content(t, s); got != "100 × more" {
			t.Errorf("content is %s", got)
		}
		mustClose(t, s)
	}
}
