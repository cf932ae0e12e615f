package service

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramKnowsEveryQuantileWithinOnePart(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	var h Histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(1) << chance.IntN(40)
		d += time.Duration(chance.Int64N(int64(d)))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, part := range []float64{0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(part*float64(len(all))+0.5)-1]
		if got := h.Quantile(part); got < exact || float64(got) > float64(exact)*(1+1.0/128)+1 {
			t.Errorf("quantile %g is %d instead of %d", part, got, exact)
		}
	}
	if h.Count() != 20_000 || h.Longest() != all[len(all)-1] {
		t.Errorf("%d durations up to %d", h.Count(), h.Longest())
	}
}

func TestBucketsCoverEveryNumber(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 129, 255, 256, 257, 511, 512, 1 << 20, 1<<20 + 12345, 1<<62 + 99, 1<<63 - 1} {
		if b := bucketOf(n); b < 0 || b >= buckets || upperOf(b) < n || b > 0 && upperOf(b-1) >= n {
			t.Errorf("%d falls in bucket %d, up to %d", n, b, upperOf(b))
		}
	}
}
