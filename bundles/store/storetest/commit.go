package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gec/bundles"
)

func testRecord(t *testing.T, s bundles.Store) {
	want := bundles.Record{
		At: start, Caller: "chiave di prova", OnBehalfOf: "ABI03069", Operation: "import snapshot", IdempotencyKey: "k\x00\xff",
	}
	r, err := s.Commit(t.Context(), bundles.Commit{Record: want, Rows: []bundles.Row{put('b', "a", "1"), put('b', "b", "1")}})
	if err != nil {
		t.Fatal(err)
	}
	want.Revision, want.Rows, want.SHA256 = 1, 2, r.SHA256
	equal(t, "Commit", want, r)
	equal(t, "Head", want, mustHead(t, s))
	got, err := s.Record(t.Context(), 1)
	isError(t, "Record", err, nil)
	equal(t, "Record", want, got)
	got, err = s.RecordByKey(t.Context(), want.IdempotencyKey)
	isError(t, "RecordByKey", err, nil)
	equal(t, "RecordByKey", want, got)
	if r.SHA256 == [32]byte{} {
		t.Error("the record has no hash")
	}
}

func testRecordAt(t *testing.T, s bundles.Store) {
	for range 9 {
		commit(t, s)
	}
	check := func(at time.Time, want int64) {
		t.Helper()
		r, err := s.RecordAt(t.Context(), at)
		if err != nil || r.Revision != want {
			t.Errorf("RecordAt(%v): revision %d, %v, want %d", at, r.Revision, err, want)
		}
	}
	check(start.Add(-time.Nanosecond), 0)
	for revision := int64(1); revision <= 9; revision++ {
		at := start.Add(time.Duration(revision-1) * time.Minute)
		check(at, revision)
		check(at.In(time.FixedZone("", 3600)), revision)
		check(at.Add(time.Minute-time.Nanosecond), revision)
	}
	check(start.AddDate(100, 0, 0), 9)
	check(time.Time{}, 0)
}

func testClockGoesBack(t *testing.T, s bundles.Store) {
	commitAt := func(base int64, at time.Time) bundles.Record {
		t.Helper()
		r, err := s.Commit(t.Context(), bundles.Commit{Base: base, Record: bundles.Record{At: at, Caller: "c"}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := commitAt(0, start)
	second := commitAt(1, start.Add(-time.Hour))
	third := commitAt(2, start)
	equal(t, "At of the first", start, first.At)
	equal(t, "At after the clock went back", start, second.At)
	equal(t, "At of the third", start, third.At)
	r, err := s.RecordAt(t.Context(), start)
	if err != nil || r.Revision != 3 {
		t.Errorf("RecordAt: revision %d, %v, want the last of one instant", r.Revision, err)
	}
}

func testInvalidRows(t *testing.T, s bundles.Store) {
	long := strings.Repeat("x", bundles.IDBytesMax)
	for name, c := range map[string]bundles.Commit{
		"NUL":                   {Rows: []bundles.Row{put('b', "a\x00b", "1")}},
		"too long":              {Rows: []bundles.Row{put('b', long+"x", "1")}},
		"twice":                 {Rows: []bundles.Row{put('b', "a", "1"), put('b', "b", "1"), put('b', "a", "1")}},
		"put and deleted":       {Rows: []bundles.Row{put('b', "a", "1"), gone('b', "a")}},
		"deleted with document": {Rows: []bundles.Row{{Kind: 'b', ID: "a", Deleted: true, Document: []byte("x")}}},
		"no kind":               {Rows: []bundles.Row{put(0, "a", "1")}},
		"key too long":          {Record: bundles.Record{IdempotencyKey: long + "x"}},
		"before a conflict":     {Base: 7, Rows: []bundles.Row{put('b', "\x00", "1")}},
	} {
		c.Record.Caller = "c"
		_, err := s.Commit(t.Context(), c)
		isError(t, name, err, bundles.ErrInvalidRow)
	}
	equal(t, "head", int64(0), mustHead(t, s).Revision)
	commit(t, s, put('b', long, "long"))
	equal(t, "Scan", []string{long + "=long"}, list(t, s, 1, 'b', ""))
}

func testStrangeIDs(t *testing.T, s bundles.Store) {
	var rows []bundles.Row
	for b := 1; b <= 0xff; b++ {
		rows = append(rows, put('b', string([]byte{byte(b)}), fmt.Sprint(b)), put('b', string([]byte{byte(b), 0xff, 1}), fmt.Sprint(b)))
	}
	commit(t, s, rows...)
	got := list(t, s, 1, 'b', "")
	equal(t, "number of rows", len(rows), len(got))
	for i, row := range rows { // they were made in order
		if got[i] != row.ID+"="+string(row.Document) {
			t.Fatalf("row %d is %q, want %q", i, got[i], row.ID)
		}
	}
}

func testDocuments(t *testing.T, s bundles.Store) {
	var rows []bundles.Row
	for i, size := range []int{0, 1, 100, 4095, 64 << 10, 1<<20 - 5, 1<<20 - 4, 1 << 20, 3 << 20, 9 << 20} {
		rows = append(rows, bundles.Row{Kind: 'b', ID: fmt.Sprintf("%02d", i), Document: bytes.Repeat([]byte{byte('a' + i)}, size)})
	}
	commit(t, s, rows...)
	i := 0
	err := s.Scan(t.Context(), 1, 'b', "", func(r bundles.Row) error {
		if r.ID != rows[i].ID || !bytes.Equal(r.Document, rows[i].Document) {
			t.Errorf("document %s of %d bytes comes back with %d", rows[i].ID, len(rows[i].Document), len(r.Document))
		}
		got, err := s.Get(t.Context(), 1, 'b', r.ID)
		if err != nil || !bytes.Equal(got.Document, rows[i].Document) {
			t.Errorf("Get %s: %v", r.ID, err)
		}
		i++
		return nil
	})
	isError(t, "Scan", err, nil)
	equal(t, "rows", len(rows), i)
}

func testConflict(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"))
	commit(t, s, put('b', "a", "2"))
	for _, base := range []int64{-1, 0, 1, 3} {
		_, err := s.Commit(t.Context(), bundles.Commit{Base: base, Record: bundles.Record{At: start, Caller: "c"}, Rows: []bundles.Row{put('b', "a", "late")}})
		isError(t, fmt.Sprintf("base %d", base), err, bundles.ErrConflict)
	}
	equal(t, "head", int64(2), mustHead(t, s).Revision)
	equal(t, "Scan", []string{"a=2"}, list(t, s, 2, 'b', ""))
	commit(t, s, put('b', "a", "3"))
	equal(t, "Scan", []string{"a=3"}, list(t, s, 3, 'b', ""))
}

func testDuplicateKey(t *testing.T, s bundles.Store) {
	c := bundles.Commit{Record: bundles.Record{At: start, Caller: "c", IdempotencyKey: "upload-1"}, Rows: []bundles.Row{put('b', "a", "1")}}
	if _, err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, err := s.Commit(t.Context(), c) // its base is stale too: that it was done matters more
	isError(t, "same key, stale base", err, bundles.ErrDuplicateKey)
	c.Base = 1
	_, err = s.Commit(t.Context(), c)
	isError(t, "same key, right base", err, bundles.ErrDuplicateKey)
	c.Record.IdempotencyKey = "upload-"
	if _, err := s.Commit(t.Context(), c); err != nil {
		t.Errorf("a key that is a prefix of another: %v", err)
	}
	commit(t, s)
	commit(t, s) // no key is no duplicate of no key
	equal(t, "head", int64(4), mustHead(t, s).Revision)
	_, err = s.RecordByKey(t.Context(), "")
	isError(t, "RecordByKey of the empty key", err, bundles.ErrNotFound)
}

func testLargeCommit(t *testing.T, s bundles.Store) {
	const count = 30_000
	document := strings.Repeat("x", 400)
	rows := make([]bundles.Row, count)
	for i := range rows {
		rows[i] = put('b', fmt.Sprintf("bundle-%06d", (i*7919)%count), document)
	}
	r := commit(t, s, rows...)
	equal(t, "Rows", count, r.Rows)
	ids := listIDs(t, s, 1, 'b', "")
	equal(t, "number of ids", count, len(ids))
	for i, id := range ids {
		if id != fmt.Sprintf("bundle-%06d", i) {
			t.Fatalf("id %d is %s", i, id)
		}
	}
	changes := 0
	err := s.Changes(t.Context(), 0, 1, func(r bundles.Row) error {
		changes++
		if string(r.Document) != document {
			return fmt.Errorf("%s has another document", r.ID)
		}
		return nil
	})
	isError(t, "Changes", err, nil)
	equal(t, "changes", count, changes)
	for i := range rows {
		rows[i] = gone('b', rows[i].ID)
	}
	commit(t, s, rows...)
	equal(t, "after deleting all", []string{}, listIDs(t, s, 2, 'b', ""))
	equal(t, "before", count, len(listIDs(t, s, 1, 'b', "")))
}

// testWholeRevisions reads while commits are under way: every reader sees all rows of one revision.
func testWholeRevisions(t *testing.T, s bundles.Store) {
	const things, revisions, readers = 500, 30, 4
	var all sync.WaitGroup
	done := make(chan struct{})
	for range readers {
		all.Go(func() {
			for last := int64(0); ; {
				select {
				case <-done:
					return
				default:
				}
				head, err := s.Head(context.Background())
				if err != nil || head.Revision < last {
					t.Errorf("Head: revision %d after %d, %v", head.Revision, last, err)
					return
				}
				last = head.Revision
				want, count := fmt.Sprint(last), 0
				err = s.Scan(context.Background(), last, 'b', "", func(r bundles.Row) error {
					if count++; string(r.Document) != want {
						return fmt.Errorf("%s is of revision %s", r.ID, r.Document)
					}
					return nil
				})
				if err != nil || last > 0 && count != things {
					t.Errorf("Scan at %d: %d rows, %v", last, count, err)
					return
				}
			}
		})
	}
	for revision := 1; revision <= revisions; revision++ {
		rows := make([]bundles.Row, things)
		for i := range rows {
			rows[i] = put('b', fmt.Sprintf("%04d", i), fmt.Sprint(revision))
		}
		commit(t, s, rows...)
	}
	close(done)
	all.Wait()
}

// testOneWinner lets clients race for every base.
func testOneWinner(t *testing.T, s bundles.Store) {
	const rounds, clients = 20, 8
	for base := int64(0); base < rounds; base++ {
		var all sync.WaitGroup
		results := make(chan error, clients)
		for client := range clients {
			all.Go(func() {
				_, err := s.Commit(context.Background(), bundles.Commit{
					Base: base, Record: bundles.Record{At: start, Caller: fmt.Sprint(client)},
					Rows: []bundles.Row{put('b', fmt.Sprintf("of-%d", client), fmt.Sprint(base))},
				})
				results <- err
			})
		}
		all.Wait()
		won := 0
		for range clients {
			if err := <-results; err == nil {
				won++
			} else if !errors.Is(err, bundles.ErrConflict) {
				t.Fatalf("a loser's error: %v", err)
			}
		}
		if won != 1 {
			t.Fatalf("base %d has %d winners", base, won)
		}
		r, err := s.Record(t.Context(), base+1)
		if err != nil {
			t.Fatal(err)
		}
		row, err := s.Get(t.Context(), base+1, 'b', "of-"+r.Caller)
		if err != nil || string(row.Document) != fmt.Sprint(base) {
			t.Fatalf("the winner's row: %q, %v", row.Document, err)
		}
	}
}

// testHashChain computes every record's hash again from what the store hands out.
func testHashChain(t *testing.T, s bundles.Store) {
	commit(t, s, put('s', "z", "1"), put('b', "a", "1"))
	commit(t, s, gone('b', "a"))
	commit(t, s)
	before := [32]byte{}
	for revision := int64(1); revision <= 3; revision++ {
		r, err := s.Record(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		digest := bundles.NewDigest(before, r)
		if err := s.Changes(t.Context(), revision-1, revision, func(row bundles.Row) error {
			digest.Add(row)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("SHA256 of %d", revision), digest.Sum(), r.SHA256)
		before = r.SHA256
	}
}

func testCancelled(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Commit(ctx, bundles.Commit{Base: 1, Record: bundles.Record{At: start, Caller: "c"}, Rows: []bundles.Row{put('b', "b", "1")}})
	isError(t, "Commit", err, context.Canceled)
	isError(t, "Scan", s.Scan(ctx, 1, 'b', "", func(bundles.Row) error { return nil }), context.Canceled)
	commit(t, s, put('b', "c", "2"))
	equal(t, "Scan", []string{"a=1", "c=2"}, list(t, s, 2, 'b', ""))
}

func testClosed(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, head := s.Head(ctx)
	_, get := s.Get(ctx, 1, 'b', "a")
	_, versions := s.Versions(ctx, 'b', "a")
	_, record := s.Record(ctx, 1)
	_, recordAt := s.RecordAt(ctx, start)
	_, recordByKey := s.RecordByKey(ctx, "k")
	_, commit := s.Commit(ctx, bundles.Commit{Base: 1, Record: bundles.Record{Caller: "c"}})
	for name, err := range map[string]error{
		"Head": head, "Get": get, "Versions": versions, "Record": record, "RecordAt": recordAt, "RecordByKey": recordByKey, "Commit": commit,
		"Scan":    s.Scan(ctx, 1, 'b', "", func(bundles.Row) error { return nil }),
		"ScanIDs": s.ScanIDs(ctx, 1, 'b', "", func(string) error { return nil }),
		"Changes": s.Changes(ctx, 0, 1, func(bundles.Row) error { return nil }),
	} {
		if err == nil {
			t.Errorf("%s on a closed store returns no error", name)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
