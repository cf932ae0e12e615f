package metrics

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gec/api/failing"
	"gec/api/observe"
	"gec/engine"
)

// TestBuckets holds that a duration is in the first bucket whose bound is not below it.
func TestBuckets(t *testing.T) {
	for b := range buckets - 1 {
		bound := time.Duration(boundOf(b) * 1e9)
		for d, want := range map[time.Duration]int{bound: b, bound + time.Microsecond: b + 1} {
			if got := bucketOf(d); got != want {
				t.Errorf("bucketOf(%v) = %d, want %d", d, got, want)
			}
		}
	}
	for d, want := range map[time.Duration]int{-1: 0, 0: 0, time.Hour: buckets - 1} {
		if got := bucketOf(d); got != want {
			t.Errorf("bucketOf(%v) = %d, want %d", d, got, want)
		}
	}
}

// TestShown counts from many goroutines and reads what Prometheus would.
func TestShown(t *testing.T) {
	failed := &failing.Bundles{}
	m := New(failed)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 100 {
				m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: "getFees", Status: 200, Rows: 10, Took: 20 * time.Microsecond})
				m.Observe(context.Background(), observe.Call{Transport: observe.GRPC, Operation: "Quote", Status: 503, Took: time.Minute})
				m.Quoted(engine.Effort{Visited: 20, Candidates: 15})
			}
		})
	}
	clients.Wait()
	for range 2 {
		failed.Note([]engine.Failure{{Bundle: &engine.Bundle{ID: "b", PSP: "p"}}}, time.Now())
	}
	if err := m.Gauge("gec_test", "A test.", func() float64 { return 7 }); err != nil {
		t.Error(err)
	}
	if err := m.Gauge("gec_test", "A test.", func() float64 { return 7 }); err == nil {
		t.Error("a name was taken twice")
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`gec_call_seconds_bucket{operation="getFees",transport="http",le="1.6e-05"} 0`,
		`gec_call_seconds_bucket{operation="getFees",transport="http",le="2.4e-05"} 800`,
		`gec_call_seconds_count{operation="Quote",transport="grpc"} 800`,
		`gec_calls_total{operation="Quote",status="5xx",transport="grpc"} 800`,
		`gec_rows_total{operation="getFees",transport="http"} 8000`,
		`gec_rejected_rules_total{bundle="b",psp="p"} 2`,
		"gec_quotes_total 800", "gec_quote_index_hits_total 16000", "gec_quote_candidates_total 12000", "gec_test 7", "go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in:\n%s", want, w.Body)
		}
	}
}

// TestNamesAreBounded holds that names beyond the bound share one.
func TestNamesAreBounded(t *testing.T) {
	m := New(&failing.Bundles{})
	for i := range operationsMax + 10 {
		m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: strings.Repeat("x", i), Status: 200, Rows: 0, Took: 0})
	}
	if n := len(*m.operations.Load()); n > operationsMax+1 {
		t.Errorf("%d operations are kept", n)
	}
}

// TestObserveAllocatesNothing holds the price of counting a call.
func TestObserveAllocatesNothing(t *testing.T) {
	m := New(&failing.Bundles{})
	m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: "getFees", Status: 200, Rows: 10, Took: time.Millisecond})
	if n := testing.AllocsPerRun(1000, func() {
		m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: "getFees", Status: 200, Rows: 10, Took: time.Millisecond})
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := New(&failing.Bundles{})
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: "getFeesMulti", Status: 200, Rows: 10, Took: 37 * time.Microsecond})
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	m := New(&failing.Bundles{})
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Observe(context.Background(), observe.Call{Transport: observe.HTTP, Operation: "getFeesMulti", Status: 200, Rows: 10, Took: 37 * time.Microsecond})
		}
	})
}
