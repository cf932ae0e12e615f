// Package storetest is the contract of [bundles.Store] as tests: every implementation passes RunAll.
// It checks what callers of any store rely on and nothing of how a store does it; what a crash leaves
// is tested beside each implementation.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
)

// RunAll runs the contract. open returns a new, empty store, which the test closes.
func RunAll(t *testing.T, open func(t *testing.T) bundles.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s bundles.Store)
	}{
		{"EmptyStore", testEmptyStore},
		{"A8ReadsAtEveryRevision", testReadsAtEveryRevision},
		{"A8VersionsAreTheHistory", testVersions},
		{"A8ChangesListWhatRevisionsWrote", testChanges},
		{"A8RecordSaysWhoAndWhen", testRecord},
		{"A8RecordAtInstant", testRecordAt},
		{"A8ClockGoesBack", testClockGoesBack},
		{"ScanOrderAndPrefix", testScanOrder},
		{"ScanOfManyVersions", testScanManyVersions},
		{"KindsAreApart", testKindsAreApart},
		{"YieldErrorStops", testYieldErrorStops},
		{"YieldMayCallTheStore", testYieldMayCallTheStore},
		{"IDsThatCannotBeStored", testInvalidRows},
		{"IDsOfEveryByte", testStrangeIDs},
		{"DocumentsOfEverySize", testDocuments},
		{"RevisionsThatAreNotThere", testUnknownRevisions},
		{"A4StaleBaseIsAConflict", testConflict},
		{"A6IdempotencyKeyOnce", testDuplicateKey},
		{"A6LargeCommitIsWhole", testLargeCommit},
		{"P6ReadersSeeWholeRevisions", testWholeRevisions},
		{"OneWinnerOfEachBase", testOneWinner},
		{"HashChain", testHashChain},
		{"CancelledContext", testCancelled},
		{"ClosedStore", testClosed},
		{"Model", testModel},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test.run(t, s)
		})
	}
}

// start is the instant of the first change of every test.
var start = time.Date(2026, 11, 21, 9, 0, 0, 123456789, time.UTC)

func put(kind bundles.Kind, id, document string) bundles.Row {
	return bundles.Row{Kind: kind, ID: id, Document: []byte(document)}
}

func gone(kind bundles.Kind, id string) bundles.Row {
	return bundles.Row{Kind: kind, ID: id, Deleted: true}
}

// commit makes the rows the next revision, one minute after the one before.
func commit(t *testing.T, s bundles.Store, rows ...bundles.Row) bundles.Record {
	t.Helper()
	head := mustHead(t, s)
	r, err := s.Commit(t.Context(), bundles.Commit{
		Base:   head.Revision,
		Record: bundles.Record{At: start.Add(time.Duration(head.Revision) * time.Minute), Caller: "test", Operation: "put"},
		Rows:   rows,
	})
	if err != nil {
		t.Fatalf("Commit on revision %d: %v", head.Revision, err)
	}
	return r
}

func mustHead(t *testing.T, s bundles.Store) bundles.Record {
	t.Helper()
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatalf("Head: %v", err)
	}
	return head
}

// list returns "id=document" of every thing that a scan yields.
func list(t *testing.T, s bundles.Store, at int64, kind bundles.Kind, prefix string) []string {
	t.Helper()
	things := []string{}
	err := s.Scan(t.Context(), at, kind, prefix, func(r bundles.Row) error {
		if r.Kind != kind || r.Deleted || r.Revision > at || r.Revision < 1 {
			t.Errorf("Scan at %d yields %+v", at, r)
		}
		things = append(things, r.ID+"="+string(r.Document))
		return nil
	})
	if err != nil {
		t.Fatalf("Scan at %d of %c %q: %v", at, kind, prefix, err)
	}
	return things
}

func listIDs(t *testing.T, s bundles.Store, at int64, kind bundles.Kind, prefix string) []string {
	t.Helper()
	ids := []string{}
	err := s.ScanIDs(t.Context(), at, kind, prefix, func(id string) error {
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		t.Fatalf("ScanIDs at %d of %c %q: %v", at, kind, prefix, err)
	}
	return ids
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func isError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func testEmptyStore(t *testing.T, s bundles.Store) {
	equal(t, "Head", bundles.Record{}, mustHead(t, s))
	equal(t, "Scan", []string{}, list(t, s, 0, bundles.KindBundle, ""))
	equal(t, "ScanIDs", []string{}, listIDs(t, s, 0, bundles.KindBundle, ""))
	_, err := s.Get(t.Context(), 0, bundles.KindBundle, "a")
	isError(t, "Get", err, bundles.ErrNotFound)
	_, err = s.Record(t.Context(), 0)
	isError(t, "Record(0)", err, bundles.ErrNotFound)
	at, err := s.RecordAt(t.Context(), start)
	equal(t, "RecordAt", bundles.Record{}, at)
	isError(t, "RecordAt", err, nil)
	_, err = s.RecordByKey(t.Context(), "k")
	isError(t, "RecordByKey", err, bundles.ErrNotFound)
	versions, err := s.Versions(t.Context(), bundles.KindBundle, "a")
	if len(versions) != 0 || err != nil {
		t.Errorf("Versions: %v, %v", versions, err)
	}
	if err := s.Changes(t.Context(), 0, 0, func(bundles.Row) error { return errors.New("a row") }); err != nil {
		t.Errorf("Changes: %v", err)
	}
}

func testReadsAtEveryRevision(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "a1"), put('b', "b", "b1"))
	commit(t, s, put('b', "a", "a2"))
	commit(t, s, gone('b', "b"), put('b', "c", "c3"))
	commit(t, s, put('b', "b", "b4"), gone('b', "never"))
	commit(t, s) // a revision without rows
	want := [][]string{
		0: {},
		1: {"a=a1", "b=b1"},
		2: {"a=a2", "b=b1"},
		3: {"a=a2", "c=c3"},
		4: {"a=a2", "b=b4", "c=c3"},
		5: {"a=a2", "b=b4", "c=c3"},
	}
	for at, things := range want {
		equal(t, fmt.Sprintf("Scan at %d", at), things, list(t, s, int64(at), 'b', ""))
		ids := []string{}
		for _, thing := range things {
			id, document, _ := bytes.Cut([]byte(thing), []byte("="))
			ids = append(ids, string(id))
			row, err := s.Get(t.Context(), int64(at), 'b', string(id))
			if err != nil || !bytes.Equal(row.Document, document) || row.ID != string(id) || row.Deleted {
				t.Errorf("Get %s at %d: %+v, %v", id, at, row, err)
			}
		}
		equal(t, fmt.Sprintf("ScanIDs at %d", at), ids, listIDs(t, s, int64(at), 'b', ""))
	}
	_, err := s.Get(t.Context(), 3, 'b', "b")
	isError(t, "Get of a deleted one", err, bundles.ErrNotFound)
	_, err = s.Get(t.Context(), 2, 'b', "c")
	isError(t, "Get before its time", err, bundles.ErrNotFound)
}

func testVersions(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "a1"), put('b', "ab", "other"))
	commit(t, s, put('b', "x", "x2"))
	commit(t, s, gone('b', "a"))
	commit(t, s, put('b', "a", "a4"), put('s', "a", "other kind"))
	got, err := s.Versions(t.Context(), 'b', "a")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Versions", []bundles.Row{
		{Kind: 'b', ID: "a", Revision: 1, Document: []byte("a1")},
		{Kind: 'b', ID: "a", Revision: 3, Deleted: true, Document: []byte{}},
		{Kind: 'b', ID: "a", Revision: 4, Document: []byte("a4")},
	}, emptyNotNil(got))
}

// emptyNotNil makes rows comparable: a store may return an empty document either way.
func emptyNotNil(rows []bundles.Row) []bundles.Row {
	for i := range rows {
		if rows[i].Document == nil {
			rows[i].Document = []byte{}
		}
	}
	return rows
}

func testChanges(t *testing.T, s bundles.Store) {
	commit(t, s, put('s', "z", "1"), put('b', "b", "1"), put('b', "a", "1"))
	commit(t, s, gone('b', "b"), put('b', "c", "2"))
	commit(t, s, put('b', "a", "3"))
	changes := func(after, through int64) []string {
		t.Helper()
		lines := []string{}
		if err := s.Changes(t.Context(), after, through, func(r bundles.Row) error {
			lines = append(lines, fmt.Sprintf("%d%c%s=%s %v", r.Revision, r.Kind, r.ID, r.Document, r.Deleted))
			return nil
		}); err != nil {
			t.Fatalf("Changes(%d, %d): %v", after, through, err)
		}
		return lines
	}
	first := []string{"1ba=1 false", "1bb=1 false", "1sz=1 false"}
	second := []string{"2bb= true", "2bc=2 false"}
	third := []string{"3ba=3 false"}
	equal(t, "Changes(0, 1)", first, changes(0, 1))
	equal(t, "Changes(1, 3)", append(second, third...), changes(1, 3))
	equal(t, "Changes(0, 3)", append(append(first, second...), third...), changes(0, 3))
	equal(t, "Changes(3, 3)", []string{}, changes(3, 3))
	equal(t, "Changes(2, 1)", []string{}, changes(2, 1))
}

func testScanOrder(t *testing.T, s bundles.Store) {
	ids := []string{"", "a", "a/", "a/1", "a/10", "a/2", "a0", "ab", "b", "\x01", "\xff", "\xff\xff", "à"}
	var rows []bundles.Row
	for _, id := range ids {
		rows = append(rows, put('s', id, "v"))
	}
	commit(t, s, rows...)
	commit(t, s, put('s', "a", "w"), gone('s', "a/10"))
	equal(t, "all, at 1", []string{"", "\x01", "a", "a/", "a/1", "a/10", "a/2", "a0", "ab", "b", "à", "\xff", "\xff\xff"}, listIDs(t, s, 1, 's', ""))
	equal(t, "all, at 2", []string{"", "\x01", "a", "a/", "a/1", "a/2", "a0", "ab", "b", "à", "\xff", "\xff\xff"}, listIDs(t, s, 2, 's', ""))
	equal(t, "a", []string{"a=w", "a/=v", "a/1=v", "a/2=v", "a0=v", "ab=v"}, list(t, s, 2, 's', "a"))
	equal(t, "a/", []string{"a/=v", "a/1=v", "a/10=v", "a/2=v"}, list(t, s, 1, 's', "a/"))
	equal(t, "a/1", []string{"a/1", "a/10"}, listIDs(t, s, 1, 's', "a/1"))
	equal(t, "\\xff", []string{"\xff", "\xff\xff"}, listIDs(t, s, 1, 's', "\xff"))
	equal(t, "none", []string{}, list(t, s, 2, 's', "c"))
	// An id that is a prefix of another one is told apart from it.
	row, err := s.Get(t.Context(), 1, 's', "a")
	if err != nil || row.ID != "a" {
		t.Errorf("Get a: %+v, %v", row, err)
	}
	versions, err := s.Versions(t.Context(), 's', "a")
	if err != nil || len(versions) != 2 {
		t.Errorf("Versions of a: %+v, %v", versions, err)
	}
}

func testScanManyVersions(t *testing.T, s bundles.Store) {
	const revisions = 60
	for i := 1; i <= revisions; i++ {
		rows := []bundles.Row{put('b', "hot", fmt.Sprint(i))}
		if i%20 == 1 {
			rows = append(rows, put('b', fmt.Sprintf("cold%02d", i), fmt.Sprint(i)))
		}
		if i%10 == 5 {
			rows[0] = gone('b', "hot")
		}
		commit(t, s, rows...)
	}
	for at := int64(1); at <= revisions; at++ {
		want := []string{}
		for i := int64(1); i <= at; i += 20 {
			want = append(want, fmt.Sprintf("cold%02d=%d", i, i))
		}
		if at%10 != 5 {
			want = append(want, fmt.Sprintf("hot=%d", at))
		}
		equal(t, fmt.Sprintf("Scan at %d", at), want, list(t, s, at, 'b', ""))
	}
}

func testKindsAreApart(t *testing.T, s bundles.Store) {
	kinds := []bundles.Kind{bundles.KindSettings, bundles.KindIssuer, bundles.KindBundle, bundles.KindSubscription}
	var rows []bundles.Row
	for _, kind := range kinds {
		rows = append(rows, put(kind, "", "empty "+string(kind)), put(kind, "x", "x "+string(kind)))
	}
	commit(t, s, rows...)
	for _, kind := range kinds {
		equal(t, "Scan", []string{"=empty " + string(kind), "x=x " + string(kind)}, list(t, s, 1, kind, ""))
	}
}

func testYieldErrorStops(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"), put('b', "b", "1"), put('b', "c", "1"))
	stop := errors.New("enough")
	calls := 0
	count := func() error {
		if calls++; calls%2 == 0 {
			return stop
		}
		return nil
	}
	isError(t, "Scan", s.Scan(t.Context(), 1, 'b', "", func(bundles.Row) error { return count() }), stop)
	isError(t, "ScanIDs", s.ScanIDs(t.Context(), 1, 'b', "", func(string) error { return count() }), stop)
	isError(t, "Changes", s.Changes(t.Context(), 0, 1, func(bundles.Row) error { return count() }), stop)
	equal(t, "calls", 6, calls)
}

func testYieldMayCallTheStore(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"), put('b', "b", "1"))
	seen := 0
	err := s.Scan(t.Context(), 1, 'b', "", func(r bundles.Row) error {
		seen++
		row, err := s.Get(t.Context(), 1, 'b', r.ID)
		if err != nil || !bytes.Equal(row.Document, r.Document) {
			t.Errorf("Get %s within Scan: %v", r.ID, err)
		}
		commit(t, s, put('b', fmt.Sprintf("new%d", seen), "2")) // after the revision of the scan
		return nil
	})
	isError(t, "Scan", err, nil)
	equal(t, "rows seen", 2, seen)
	equal(t, "head", int64(3), mustHead(t, s).Revision)
}

func testUnknownRevisions(t *testing.T, s bundles.Store) {
	commit(t, s, put('b', "a", "1"))
	for _, revision := range []int64{-1, 2, 1 << 62, -1 << 63} {
		_, err := s.Get(t.Context(), revision, 'b', "a")
		isError(t, "Get", err, bundles.ErrNotFound)
		isError(t, "Scan", s.Scan(t.Context(), revision, 'b', "", func(bundles.Row) error { return nil }), bundles.ErrNotFound)
		isError(t, "ScanIDs", s.ScanIDs(t.Context(), revision, 'b', "", func(string) error { return nil }), bundles.ErrNotFound)
		isError(t, "Changes after", s.Changes(t.Context(), revision, 1, func(bundles.Row) error { return nil }), bundles.ErrNotFound)
		isError(t, "Changes through", s.Changes(t.Context(), 0, revision, func(bundles.Row) error { return nil }), bundles.ErrNotFound)
		_, err = s.Record(t.Context(), revision)
		isError(t, "Record", err, bundles.ErrNotFound)
	}
}
