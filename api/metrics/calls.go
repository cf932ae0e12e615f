// Package metrics counts what the services do and shows it to Prometheus. Counting a call takes no lock and no
// memory; everything else happens when somebody asks for the numbers.
//
// It refuses labels that callers choose: operations, transports and PSPs of the catalogue are all there is.
//
// Where to start: [New], then [Metrics.Observe] for calls and [Metrics.Register] for what others count.
package metrics

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// The bounds of the buckets of latency: 8 µs times 2^n and 12 µs times 2^n, up to 8.4 s; the last bucket has
// what took longer.
const (
	bucketFirstMicros = 8
	octaves           = 20
	buckets           = 2*octaves + 2
)

// bucketOf returns the bucket of a duration: the first whose bound is not below it.
func bucketOf(took time.Duration) int {
	if took <= bucketFirstMicros*time.Microsecond {
		return 0
	}
	// One nanosecond less, so that a bound belongs to the bucket that it ends.
	eighths := uint64(took-1) / (bucketFirstMicros * 1000)
	octave := bits.Len64(eighths) - 1
	at := 2*octave + 1
	if uint64(took-1) >= (bucketFirstMicros*1000*3/2)<<octave {
		at++
	}
	return min(at, buckets-1)
}

// boundOf returns the upper bound of a bucket in seconds, for all but the last.
func boundOf(bucket int) float64 {
	micros := bucketFirstMicros << (bucket / 2)
	if bucket%2 == 1 {
		micros += micros / 2
	}
	return float64(micros) / 1e6
}

// shards is the number of copies of the counters of an operation, a power of two: processors that count at
// once rarely meet.
const shards = 4

// counters are those of one operation, of one shard.
type counters struct {
	latency     [buckets]atomic.Uint64
	nanoseconds atomic.Uint64
	// statuses are the answers by the first digit of their HTTP status.
	statuses [6]atomic.Uint64
	rows     atomic.Uint64
	_        [64]byte // nothing else in its last cache line
}

// quotes are the counters of all quotes, of one shard.
type quotes struct {
	count, visited, candidates atomic.Uint64
	_                          [64]byte // nothing else in its cache line
}

// operation is what is counted of one operation over one transport.
type operation struct {
	transport, name string
	shards          [shards]counters
}

func (o *operation) observe(status, rows int, took time.Duration) {
	c := &o.shards[rand.Uint32()%shards]
	c.latency[bucketOf(took)].Add(1)
	c.nanoseconds.Add(uint64(max(took, 0)))
	c.statuses[min(max(status/100, 0), len(c.statuses)-1)].Add(1)
	if rows > 0 {
		c.rows.Add(uint64(rows))
	}
}
