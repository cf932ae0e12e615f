package service

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width grows with the duration, so that every quantile is known
// to within one part in 128, whatever its size. The zero Histogram is empty. It is not for concurrent use.
type Histogram struct {
	counts  [buckets]int64
	total   int64
	longest time.Duration
}

const (
	bucketBits = 7 // 128 buckets for each power of two
	buckets    = (64 - bucketBits) << bucketBits
)

// Add counts one duration; below 0 counts as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.total++
	h.longest = max(h.longest, d)
}

// Merge counts all that another one has.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.longest = max(h.longest, other.longest)
}

// Count returns the number of durations.
func (h *Histogram) Count() int64 { return h.total }

// Longest returns the longest duration.
func (h *Histogram) Longest() time.Duration { return h.longest }

// Quantile returns the duration that the given part of all, 0 to 1, do not exceed; 0 when empty.
func (h *Histogram) Quantile(part float64) time.Duration {
	wanted := int64(part*float64(h.total) + 0.5)
	seen := int64(0)
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= wanted {
			return min(time.Duration(upperOf(i)), h.longest)
		}
	}
	return h.longest
}

// bucketOf returns the bucket of a number: below 2^bucketBits its own, above one for each value of its first
// bucketBits+1 bits.
func bucketOf(n uint64) int {
	if n < 1<<bucketBits {
		return int(n)
	}
	shift := bits.Len64(n) - bucketBits - 1
	return shift<<bucketBits + int(n>>shift)
}

// upperOf returns the largest number of a bucket.
func upperOf(bucket int) uint64 {
	if bucket < 2<<bucketBits {
		return uint64(bucket)
	}
	shift := bucket>>bucketBits - 1
	return (uint64(bucket)-uint64(shift)<<bucketBits+1)<<shift - 1
}
