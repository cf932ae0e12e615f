package bench

import (
	"testing"
)

// TestAllWaysGiveTheSameAnswers is what makes the numbers comparable.
func TestAllWaysGiveTheSameAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("asks thousands of payments on three sizes")
	}
	if err := NewLab().CheckAnswers(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCases measures every case by itself, for profiles and for benchstat. The ratios of the goals are
// measured by the report, which takes cases in turn.
func BenchmarkCases(b *testing.B) {
	lab := NewLab()
	for _, c := range Cases() {
		b.Run(c.Name, func(b *testing.B) {
			operation, err := c.Prepare(lab)
			if err != nil {
				b.Fatal(err)
			}
			for i := range 2 * mixSize {
				if err := operation(i); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := operation(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
