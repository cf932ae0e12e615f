package metrics

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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
	m := New()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 100 {
				m.Observe(HTTP, "getFees", 200, 10, 20*time.Microsecond)
				m.Observe(GRPC, "Quote", 503, 0, time.Minute)
			}
		})
	}
	clients.Wait()
	bundle := &engine.Bundle{ID: "b", PSP: "p"}
	if !m.Failed([]engine.Failure{{Bundle: bundle}}) || m.Failed([]engine.Failure{{Bundle: bundle}}) {
		t.Error("a failure is new once")
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
		"gec_test 7", "go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in:\n%s", want, w.Body)
		}
	}
}

// TestNamesAreBounded holds that names beyond the bound share one.
func TestNamesAreBounded(t *testing.T) {
	m := New()
	for i := range operationsMax + 10 {
		m.Observe(HTTP, strings.Repeat("x", i), 200, 0, 0)
	}
	if n := len(*m.operations.Load()); n > operationsMax+1 {
		t.Errorf("%d operations are kept", n)
	}
}

// TestObserveAllocatesNothing holds the price of counting a call.
func TestObserveAllocatesNothing(t *testing.T) {
	m := New()
	m.Observe(HTTP, "getFees", 200, 10, time.Millisecond)
	if n := testing.AllocsPerRun(1000, func() { m.Observe(HTTP, "getFees", 200, 10, time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := New()
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(HTTP, "getFeesMulti", 200, 10, 37*time.Microsecond)
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	m := New()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Observe(HTTP, "getFeesMulti", 200, 10, 37*time.Microsecond)
		}
	})
}
