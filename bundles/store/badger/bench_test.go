package badger

import (
	"fmt"
	"strings"
	"testing"

	"gec/bundles"
)

// bundleDocument is as large as the stored form of a bundle of the published fee list.
var bundleDocument = []byte(`{"id":"0123456789abcdef","idPsp":"BPPIITRRXXX","text":"` + strings.Repeat("commissione ", 45) + `"}`)

// fill commits count rows of a kind in one revision.
func fill(b *testing.B, s *Store, kind bundles.Kind, count int, id func(i int) string, document []byte) {
	b.Helper()
	rows := make([]bundles.Row, count)
	for i := range rows {
		rows[i] = bundles.Row{Kind: kind, ID: id(i), Document: document}
	}
	mustCommit2(b, s, rows)
}

func mustCommit2(b *testing.B, s *Store, rows []bundles.Row) {
	b.Helper()
	if _, err := s.Commit(b.Context(), bundles.Commit{
		Base: s.head.Load().Revision, Record: bundles.Record{Caller: "bench"}, Rows: rows,
	}); err != nil {
		b.Fatal(err)
	}
}

func bundleID(i int) string { return fmt.Sprintf("bundle-%032d", i) }

// subscriptionID spreads a million subscriptions over 20 000 ECs.
func subscriptionID(i int) string {
	return fmt.Sprintf("%011d/bundle-%032d/%032d", i/50, i%50, i)
}

func BenchmarkCommit(b *testing.B) {
	for _, count := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			s := mustOpen(b, b.TempDir(), Options{})
			b.Cleanup(func() { mustClose(b, s) })
			rows := make([]bundles.Row, count)
			for i := range rows {
				rows[i] = bundles.Row{Kind: bundles.KindBundle, ID: bundleID(i), Document: bundleDocument}
			}
			for b.Loop() {
				mustCommit2(b, s, rows)
			}
		})
	}
}

func BenchmarkScan51300(b *testing.B) {
	dir := b.TempDir()
	s := mustOpen(b, dir, Options{})
	fill(b, s, bundles.KindBundle, 51_300, bundleID, bundleDocument)
	mustClose(b, s)
	s = mustOpen(b, dir, Options{})
	b.Cleanup(func() { mustClose(b, s) })
	b.ReportAllocs()
	for b.Loop() {
		count := 0
		if err := s.Scan(b.Context(), 1, bundles.KindBundle, "", func(r bundles.Row) error {
			count += len(r.Document) / len(bundleDocument)
			return nil
		}); err != nil || count != 51_300 {
			b.Fatal(count, err)
		}
	}
}

func BenchmarkScanIDs1000000(b *testing.B) {
	dir := b.TempDir()
	s := mustOpen(b, dir, Options{NoSync: true})
	document := []byte(strings.Repeat("s", 250))
	fill(b, s, bundles.KindSubscription, 1_000_000, subscriptionID, document)
	mustClose(b, s)
	s = mustOpen(b, dir, Options{})
	b.Cleanup(func() { mustClose(b, s) })
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			count := 0
			if err := s.ScanIDs(b.Context(), 1, bundles.KindSubscription, "", func(string) error { count++; return nil }); err != nil || count != 1_000_000 {
				b.Fatal(count, err)
			}
		}
	})
	b.Run("one EC", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			count := 0
			if err := s.Scan(b.Context(), 1, bundles.KindSubscription, fmt.Sprintf("%011d/", i*7919%20_000), func(bundles.Row) error {
				count++
				return nil
			}); err != nil || count != 50 {
				b.Fatal(count, err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			mustClose(b, s)
			s = mustOpen(b, dir, Options{})
		}
	})
}

func BenchmarkOpen51300(b *testing.B) {
	dir := b.TempDir()
	s := mustOpen(b, dir, Options{})
	fill(b, s, bundles.KindBundle, 51_300, bundleID, bundleDocument)
	mustClose(b, s)
	for b.Loop() {
		s := mustOpen(b, dir, Options{})
		b.StopTimer()
		mustClose(b, s)
		b.StartTimer()
	}
}

func BenchmarkGet(b *testing.B) {
	s := mustOpen(b, b.TempDir(), Options{})
	b.Cleanup(func() { mustClose(b, s) })
	fill(b, s, bundles.KindBundle, 51_300, bundleID, bundleDocument)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if row, err := s.Get(b.Context(), 1, bundles.KindBundle, bundleID(i*7919%51_300)); err != nil || len(row.Document) != len(bundleDocument) {
			b.Fatal(err)
		}
	}
}
