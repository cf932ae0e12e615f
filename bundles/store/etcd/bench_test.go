package etcd

import (
	"bytes"
	"flag"
	"fmt"
	"testing"
	"time"

	"gec/bundles"
)

// benchRows is how many rows a node that has nothing fetches in BenchmarkCatchUp.
var benchRows = flag.Int("rows", 100_000, "rows of BenchmarkCatchUp")

// BenchmarkCatchUp measures what a node with an empty folder takes to fetch, check and write the whole history.
func BenchmarkCatchUp(b *testing.B) {
	const perChange, documentBytes = 10_000, 400
	endpoint, prefix := server(b), newPrefix()
	writer := open(b, endpoint, prefix)
	started := time.Now()
	for base := range *benchRows / perChange {
		c := bundles.Commit{Base: int64(base), Record: bundles.Record{At: started, Caller: "c"}}
		for i := range perChange {
			c.Rows = append(c.Rows, bundles.Row{
				Kind: bundles.KindBundle, ID: fmt.Sprintf("bundle-%03d-%05d", base, i), Document: bytes.Repeat([]byte{byte(i)}, documentBytes),
			})
		}
		if _, err := writer.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	written := time.Since(started)
	space, err := writer.Space(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	want, err := writer.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		late := open(b, endpoint, prefix)
		started := time.Now()
		if err := late.CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(*benchRows)/time.Since(started).Seconds(), "fetched-rows/s")
		if got, err := late.Head(b.Context()); err != nil || got != want {
			b.Fatalf("the head is %+v, %v, want %+v", got, err, want)
		}
	}
	b.ReportMetric(float64(*benchRows)/written.Seconds(), "written-rows/s")
	b.ReportMetric(float64(space.Used)/float64(*benchRows), "etcd-B/row")
}
