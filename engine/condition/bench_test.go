package condition

import (
	"strings"
	"testing"
	"time"
)

func benchmarkHolds(b *testing.B, source string, want bool) {
	program := mustCompile(b, source)
	payment := largePayment()
	evaluator := NewEvaluator()
	evaluator.Reset(payment)
	b.ReportAllocs()
	for b.Loop() {
		if holds, err := evaluator.Holds(program, true, true); holds != want || err != nil {
			b.Fatalf("%v, %v, want %v", holds, err, want)
		}
	}
}

// BenchmarkTypical is the everyday condition of four clauses; about 300 ns are wanted.
func BenchmarkTypical(b *testing.B) {
	benchmarkHolds(b, `amount > 5000 && touchpoint not in ["CHECKOUT", "CHECKOUT_CART", "IO"] && not holiday() && time("08:00", "20:00")`, true)
}

// BenchmarkComparison is the smallest condition.
func BenchmarkComparison(b *testing.B) { benchmarkHolds(b, "amount > 5000", true) }

// BenchmarkWorstAccepted are the dearest conditions there are; 50 µs is the bound (goal 18).
func BenchmarkWorstAccepted(b *testing.B) {
	for name, source := range costly() {
		b.Run(name, func(b *testing.B) { benchmarkHolds(b, source, true) })
	}
}

// BenchmarkReset is what a new payment costs before its first program.
func BenchmarkReset(b *testing.B) {
	evaluator, payment := NewEvaluator(), largePayment()
	b.ReportAllocs()
	for b.Loop() {
		evaluator.Reset(payment)
	}
}

// BenchmarkCompile is what a miss costs, with the trial runs of authoring and without.
func BenchmarkCompile(b *testing.B) {
	for name, compile := range map[string]func(string) (*Program, error){"authored": Compile, "canonical": CompileCanonical} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := compile(typical); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefused is what hostile sources cost; 20 ms and 4 MiB are the bounds (E3). The corpus
// reports the slowest of its sources as ns/slowest.
func BenchmarkRefused(b *testing.B) {
	for name, source := range map[string]string{
		"million brackets":  strings.Repeat("(", 1e6),
		"2 MB of é":         strings.Repeat("é", 1e6),
		"2 KiB of brackets": strings.Repeat("(", SourceBytesMax),
		"too many nodes":    "onUs" + strings.Repeat("&&onUs", 340),
		"long list":         "day in[" + strings.Repeat("1,", 1000) + "1]",
		"long word":         strings.Repeat("a", SourceBytesMax),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(source); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
	b.Run("corpus", func(b *testing.B) {
		var slowest time.Duration
		samples := readTable(b, refusedTable)
		for b.Loop() {
			slowest = 0
			for _, sample := range samples {
				start := b.Elapsed()
				if _, err := Compile(sample.source); err == nil {
					b.Fatal("accepted")
				}
				slowest = max(slowest, b.Elapsed()-start)
			}
		}
		b.ReportMetric(float64(slowest.Nanoseconds()), "ns/slowest")
	})
}

// BenchmarkHandle is what a row pays for its program while it is held.
func BenchmarkHandle(b *testing.B) {
	cache := NewCache(1)
	handle := cache.Handle(typical)
	b.ReportAllocs()
	for b.Loop() {
		if program, err := handle.Program(); program == nil || err != nil {
			b.Fatal(err)
		}
	}
}
