package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/backup"
	"gec/bundles/store/badger"
)

func open(t *testing.T) *badger.Store {
	t.Helper()
	s, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// grow commits revisions of a few kinds: many rows, none, deletions, every text of a record.
func grow(t *testing.T, s *badger.Store, revisions int) {
	t.Helper()
	for range revisions {
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := head.Revision + 1
		c := bundles.Commit{Base: head.Revision, Record: bundles.Record{
			At: time.Unix(1_700_000_000+n, 123_456_789), Caller: "c", OnBehalfOf: "psp", Operation: "op", IdempotencyKey: fmt.Sprint("key ", n),
		}}
		for i := range n % 4 * 3 {
			r := bundles.Row{Kind: bundles.KindBundle, ID: fmt.Sprint("b", i), Document: bytes.Repeat([]byte{byte(n)}, int(i))}
			if n%8 == 7 && i == 1 {
				r.Deleted, r.Document = true, nil
			}
			c.Rows = append(c.Rows, r)
		}
		if _, err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// history is everything that a store holds.
func history(t *testing.T, s *badger.Store) (records []bundles.Record, rows []bundles.Row) {
	t.Helper()
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for revision := int64(1); revision <= head.Revision; revision++ {
		r, err := s.Record(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if err := s.Changes(t.Context(), 0, head.Revision, func(r bundles.Row) error {
		r.Document = bytes.Clone(r.Document)
		rows = append(rows, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return records, rows
}

func write(t *testing.T, s *badger.Store, after int64) []byte {
	t.Helper()
	var out bytes.Buffer
	summary, err := backup.Write(t.Context(), s, after, &out)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := backup.Check(t.Context(), bytes.NewReader(out.Bytes()))
	if diff := cmp.Diff(summary, checked); err != nil || diff != "" {
		t.Fatalf("Check differs from Write: %v\n%s", err, diff)
	}
	return out.Bytes()
}

// TestRestoreIsEqual restores a full and an incremental backup: all records, hashes and rows are the same.
func TestRestoreIsEqual(t *testing.T) {
	from, to := open(t), open(t)
	grow(t, from, 9)
	full := write(t, from, 0)
	grow(t, from, 8)
	for _, stream := range [][]byte{full, write(t, from, 9), write(t, from, 17)} {
		if _, err := backup.Restore(t.Context(), to, bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
	}
	wantRecords, wantRows := history(t, from)
	gotRecords, gotRows := history(t, to)
	if diff := cmp.Diff(wantRecords, gotRecords); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wantRows, gotRows); diff != "" {
		t.Error(diff)
	}
	if again := write(t, to, 0); !bytes.Equal(again, write(t, from, 0)) {
		t.Error("a backup of what was restored has other bytes")
	}
}

// TestGap refuses a backup that does not go on where the store ends.
func TestGap(t *testing.T) {
	from := open(t)
	grow(t, from, 5)
	late := write(t, from, 3)
	var gap *backup.GapError
	if _, err := backup.Restore(t.Context(), open(t), bytes.NewReader(late)); !errors.As(err, &gap) || gap.Have != 0 || gap.After != 3 {
		t.Errorf("into an empty store: %v", err)
	}
	other := open(t)
	if _, err := other.Commit(t.Context(), bundles.Commit{Record: bundles.Record{Caller: "other"}}); err != nil {
		t.Fatal(err)
	}
	grow(t, other, 2)
	if _, err := backup.Restore(t.Context(), other, bytes.NewReader(late)); !errors.As(err, &gap) || !gap.Diverged {
		t.Errorf("onto another history: %v", err)
	}
	if _, err := backup.Write(t.Context(), from, 6, new(bytes.Buffer)); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("after a revision that is not there: %v", err)
	}
}

// TestDamage cuts a backup at every byte, and flips a bit of every byte: each is refused, and says where.
func TestDamage(t *testing.T) {
	from := open(t)
	grow(t, from, 5)
	whole := write(t, from, 0)
	refused := func(name string, stream []byte) {
		t.Helper()
		var damaged *backup.DamagedError
		if _, err := backup.Check(t.Context(), bytes.NewReader(stream)); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := range whole {
		refused(fmt.Sprint("cut at ", at), whole[:at])
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << rand.N(8)
		refused(fmt.Sprint("flipped at ", at), flipped)
	}
	refused("something after the end", append(bytes.Clone(whole), 0))
	refused("twice", append(bytes.Clone(whole), whole...))
	refused("a frame that claims gigabytes", append(bytes.Clone(whole[:13]), 'B', 0xff, 0xff, 0xff, 0xff))
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("gec backup 1\n"))
	f.Add([]byte("gec backup 1\nB\x00\x00\x00\x28"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		if _, err := backup.Check(t.Context(), bytes.NewReader(stream)); err == nil && len(stream) < 13 {
			t.Error("nothing at all passes")
		}
	})
}
