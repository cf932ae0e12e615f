package badger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// set writes a value as it is, below all checks; nil removes the key.
func set(t *testing.T, s *Store, key, value []byte) {
	t.Helper()
	if err := s.db.Update(func(txn *badgerdb.Txn) error {
		if value == nil {
			return txn.Delete(key)
		}
		return txn.Set(key, value)
	}); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedHead damages the third of three revisions in every way that the checks tell apart: Open
// names it, or goes back to the second one when it is told to.
func TestDamagedHead(t *testing.T) {
	sealed := func(key, content []byte) []byte { return seal(key, 0, content) }
	head := []byte(headKey)
	row, other := rowKey('b', "id-000001", 3), rowKey('b', "id-000001", 2)
	for name, damage := range map[string]func(t *testing.T, s *Store){
		"record truncated": func(t *testing.T, s *Store) {
			set(t, s, recordKey(3), sealed(recordKey(3), bundles.EncodeRecord(*s.head.Load())[:50]))
		},
		"record bit flipped": func(t *testing.T, s *Store) {
			set(t, s, recordKey(3), append(sealed(recordKey(3), bundles.EncodeRecord(*s.head.Load())), 1))
		},
		"record of another": func(t *testing.T, s *Store) {
			set(t, s, recordKey(3), sealed(recordKey(3), bundles.EncodeRecord(record(2))))
		},
		"record longer": func(t *testing.T, s *Store) {
			set(t, s, recordKey(3), sealed(recordKey(3), append(bundles.EncodeRecord(*s.head.Load()), 0)))
		},
		"record missing": func(t *testing.T, s *Store) { set(t, s, recordKey(3), nil) },
		"record changed": func(t *testing.T, s *Store) {
			r := *s.head.Load()
			r.Caller = "someone else"
			set(t, s, recordKey(3), sealed(recordKey(3), bundles.EncodeRecord(r)))
		},
		"row missing":         func(t *testing.T, s *Store) { set(t, s, row, nil) },
		"row changed":         func(t *testing.T, s *Store) { set(t, s, row, sealed(row, []byte("forged"))) },
		"row bit flipped":     func(t *testing.T, s *Store) { set(t, s, row, []byte("0123456789")) },
		"row empty":           func(t *testing.T, s *Store) { set(t, s, row, []byte{}) },
		"index entry missing": func(t *testing.T, s *Store) { set(t, s, changeKey(3, 'b', "id-000001"), nil) },
		"index entry added":   func(t *testing.T, s *Store) { set(t, s, changeKey(3, 'b', "zzz"), []byte{}) },
		"head missing":        func(t *testing.T, s *Store) { set(t, s, head, nil) },
		"head truncated":      func(t *testing.T, s *Store) { set(t, s, head, sealed(head, []byte("x"))) },
		"head unreadable":     func(t *testing.T, s *Store) { set(t, s, head, []byte("x")) },
		"head of another":     func(t *testing.T, s *Store) { set(t, s, head, sealed(head, encodeHead(record(3)))) },
		"head goes back": func(t *testing.T, s *Store) {
			r, _ := s.Record(t.Context(), 2)
			set(t, s, head, sealed(head, encodeHead(r)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, Options{})
			for i := 1; i <= 3; i++ {
				mustCommit(t, s, put(3, fmt.Sprintf("of %d", i)))
			}
			damage(t, s)
			mustClose(t, s)
			_, err := open(dir, Options{})
			var damaged *DamagedError
			if !errors.As(err, &damaged) || strings.HasPrefix(name, "head") != (damaged.Part == "head") && name != "head of another" {
				t.Fatalf("Open: %v", err)
			}
			// The head names its revision where that can still be read.
			if damaged.Revision != 3 && name != "head of another" {
				t.Errorf("Open names revision %d: %v", damaged.Revision, err)
			}
			want := "3 × of 2"
			if strings.HasPrefix(name, "head") {
				want = "3 × of 3" // its rows and its record are whole
			}
			checkLastGood(t, dir, want)
		})
	}
	// A row below the head shows when the whole history is checked.
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	for range 3 {
		mustCommit(t, s, put(3, "x"))
	}
	set(t, s, other, nil)
	mustClose(t, s)
	s = mustOpen(t, dir, Options{VerifyRows: 1})
	var damaged *DamagedError
	if _, err := s.Verify(t.Context()); !errors.As(err, &damaged) || damaged.Revision != 2 {
		t.Errorf("Verify: %v", err)
	}
	mustClose(t, s)
}

// checkLastGood opens a damaged folder at its last good revision and brings it back to work.
func checkLastGood(t *testing.T, dir, want string) {
	t.Helper()
	s := mustOpen(t, dir, Options{LastGood: true})
	if got := content(t, s); got != want {
		t.Errorf("content is %s, want %s", got, want)
	}
	damage := s.Degraded()
	if damage == nil {
		t.Fatal("the store does not say that it is degraded")
	}
	base := s.head.Load().Revision
	if _, err := s.Commit(t.Context(), bundles.Commit{Base: base, Record: bundles.Record{Caller: "c"}}); !errors.Is(err, error(damage)) {
		t.Errorf("Commit while degraded: %v", err)
	}
	if err := s.Writable(); !errors.Is(err, error(damage)) {
		t.Errorf("Writable while degraded: %v", err)
	}
	if err := s.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Degraded() != nil || s.Writable() != nil {
		t.Error("the store is degraded after Discard")
	}
	r := mustCommit(t, s, put(2, "after")) // with the idempotency key of the revision given up
	if r.Revision != base+1 {
		t.Errorf("the next revision is %d, want %d", r.Revision, base+1)
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{VerifyRows: -1})
	if got := s.head.Load().Revision; got != base+1 {
		t.Errorf("head is %d, want %d", got, base+1)
	}
	mustClose(t, s)
}

// TestNothingGood discards a history of which nothing is left.
func TestNothingGood(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, put(3, "x"))
	set(t, s, recordKey(1), nil)
	mustClose(t, s)
	checkLastGood(t, dir, "0 × ")
}

// TestTornFiles flips bits and cuts files at random places. Whatever was damaged, the store opens with
// one of its revisions, whole, or refuses; it never serves anything else, nor panics. GEC_TEST_TEARS
// sets how often.
func TestTornFiles(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	states := map[string]bool{"0 × ": true}
	for i := 1; i <= 4; i++ {
		mustCommit(t, s, put(1000*i, fmt.Sprintf("of %d %s", i, strings.Repeat("x", 100))))
		states[content(t, s)] = true
	}
	mustClose(t, s) // into tables
	s = mustOpen(t, dir, Options{})
	for i := 5; i <= 7; i++ {
		rows := put(1000*i, fmt.Sprintf("of %d", i))
		rows = append(rows, bundles.Row{Kind: 's', ID: "large", Document: []byte(strings.Repeat("x", 2<<20))})
		mustCommit(t, s, rows)
		states[content(t, s)] = true
	}
	corpse := copyFolder(t, dir) // tables, and a log to be replayed
	mustClose(t, s)

	rounds := 20
	if raceDetector {
		rounds = 5
	}
	if n, err := strconv.Atoi(os.Getenv("GEC_TEST_TEARS")); err == nil {
		rounds = n
	}
	random := rand.New(rand.NewPCG(7, 7))
	opened := 0
	for range rounds {
		torn := copyFolder(t, corpse)
		what := tear(t, torn, random)
		s, err := open(torn, Options{})
		if err != nil {
			continue
		}
		opened++
		if got := content(t, s); !states[got] {
			t.Errorf("%s: the store serves %.40s", what, got)
		}
		err = s.Scan(t.Context(), s.head.Load().Revision, 's', "", func(r bundles.Row) error {
			if len(r.Document) != 2<<20 {
				t.Errorf("%s: the large document has %d bytes", what, len(r.Document))
			}
			return nil
		})
		var damaged *DamagedError
		if err != nil && !errors.As(err, &damaged) {
			t.Errorf("%s: %v", what, err)
		}
		mustClose(t, s)
		os.RemoveAll(torn)
	}
	t.Logf("%d of %d opened", opened, rounds)
}

// tear damages one file of a folder, where it has content.
func tear(t *testing.T, dir string, random *rand.Rand) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for {
		file := filepath.Join(dir, files[random.IntN(len(files))].Name())
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := len(data)
		for used > 0 && data[used-1] == 0 {
			used--
		}
		if used == 0 || strings.HasSuffix(file, "LOCK") {
			continue
		}
		at := random.IntN(used)
		if random.IntN(4) == 0 {
			at = max(0, used-1-random.IntN(24)) // footers
		}
		name := fmt.Sprintf("%s at %d of %d", filepath.Base(file), at, used)
		if random.IntN(3) == 0 {
			if err := os.Truncate(file, int64(at)); err != nil {
				t.Fatal(err)
			}
			return name + " cut"
		}
		out, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := out.WriteAt([]byte{data[at] ^ 1<<random.IntN(8)}, int64(at)); err != nil {
			t.Fatal(err)
		}
		return name + " flipped"
	}
}

// TestDamagedTable damages a table so that Badger alone would leave it out, or end the process.
func TestDamagedTable(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, put(5000, "x"))
	mustClose(t, s)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables: %v, %v", tables, err)
	}
	whole, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(tables[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := open(dir, Options{LastGood: true})
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.Part != filepath.Base(tables[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flip := func(at int) []byte {
		data := append([]byte{}, whole...)
		data[at] ^= 0x40
		return data
	}
	check("first block", flip(10))
	check("index", flip(len(whole)-200))
	for at := len(whole) - 24; at < len(whole); at++ {
		check(fmt.Sprintf("footer at %d", at), flip(at))
	}
	check("cut", whole[:len(whole)/2])
	check("empty", nil)
	if err := os.Remove(tables[0]); err != nil {
		t.Fatal(err)
	}
	_, err = open(dir, Options{})
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(tables[0], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	mustClose(t, s)
}

// TestDamageBelowTheHead damages the second of four revisions: the last good one is the first, as the state of those
// after has the damage too.
func TestDamageBelowTheHead(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, put(3, "of 1"))
	mustCommit(t, s, []bundles.Row{{Kind: 'b', ID: "once", Document: []byte("of 2")}})
	mustCommit(t, s, put(2, "of 3"))
	mustCommit(t, s, put(1, "of 4"))
	set(t, s, rowKey('b', "once", 2), nil)
	mustClose(t, s)
	s = mustOpen(t, dir, Options{LastGood: true})
	if got := content(t, s); got != "3 × of 1" || s.Degraded() == nil {
		t.Errorf("content is %s, degraded %v", got, s.Degraded())
	}
	mustClose(t, s)
}

// TestManifestCut cuts the list of tables at every length: the folder opens with all of its history, or is refused.
func TestManifestCut(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		s := mustOpen(t, dir, Options{})
		mustCommit(t, s, put(100, fmt.Sprint("of ", i)))
		mustClose(t, s) // into a table
	}
	info, err := os.Stat(filepath.Join(dir, badgerdb.ManifestFilename))
	if err != nil {
		t.Fatal(err)
	}
	for length := range info.Size() {
		cut := copyFolder(t, dir)
		if err := os.Truncate(filepath.Join(cut, badgerdb.ManifestFilename), length); err != nil {
			t.Fatal(err)
		}
		s, err := open(cut, Options{VerifyRows: 1})
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", length, err)
		}
		if got := content(t, s); got != "100 × of 2" && got != "100 × of 1" && got != "100 × of 0" {
			t.Errorf("cut at %d: it serves %s", length, got)
		}
		mustClose(t, s)
	}
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	key := []byte(formatKey)
	set(t, s, key, seal(key, 0, binary.BigEndian.AppendUint32(nil, formatWithBases+1)))
	mustClose(t, s)
	_, err := open(dir, Options{})
	var format *FormatError
	if !errors.As(err, &format) || format.Found != formatWithBases+1 || !strings.Contains(err.Error(), "newer gec") {
		t.Errorf("a later format: %v", err)
	}

	dir = t.TempDir()
	db, err := badgerdb.Open(badgerdb.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(txn *badgerdb.Txn) error { return txn.Set([]byte("user:1"), []byte("x")) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = open(dir, Options{})
	if !errors.As(err, &format) || format.Found != 0 {
		t.Errorf("someone else's database: %v", err)
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	_, err := open(dir, Options{})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v", err)
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	mustClose(t, s)
}

// TestUncertain checks that after a failure of the disk nothing is written under the same revision.
func TestUncertain(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	defer mustClose(t, s)
	mustCommit(t, s, put(1, "x"))
	if err := s.fail(errors.New("msync: input/output error")); !errors.Is(err, ErrUncertain) {
		t.Errorf("fail: %v", err)
	}
	_, err := s.Commit(t.Context(), bundles.Commit{Base: 1, Record: bundles.Record{Caller: "c"}})
	if !errors.Is(err, ErrUncertain) || !errors.Is(s.Writable(), ErrUncertain) {
		t.Errorf("Commit after a failure: %v", err)
	}
	if got := content(t, s); got != "1 × x" {
		t.Errorf("content is %s", got)
	}
}

func TestCollect(t *testing.T) {
	noLeaks(t)
	s := mustOpen(t, t.TempDir(), Options{NoSync: true})
	for i := range 5 {
		mustCommit(t, s, []bundles.Row{{Kind: 'c', Document: make([]byte, 2<<20+i)}})
	}
	if err := s.Collect(t.Context()); err != nil {
		t.Error(err)
	}
	versions, err := s.Versions(t.Context(), 'c', "")
	if err != nil || len(versions) != 5 || len(versions[4].Document) != 2<<20+4 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
	if s.Size() < 0 {
		t.Error("negative size")
	}
	mustClose(t, s)
	if err := s.Collect(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Collect on a closed store: %v", err)
	}
}
