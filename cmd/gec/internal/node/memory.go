package node

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap may grow to heapBytes, and by headroomBytes at least, before it is collected again. The runtime's own rule, a
// share of what is alive, collects a node of few bundles many times a second, and lets one of many grow to twice its size.
const (
	heapBytes     = 156 << 20
	headroomBytes = 56 << 20
	// gcPercentMin bounds the work of collecting a large heap, gcPercentMax a rule made before there was one.
	gcPercentMin, gcPercentMax = 30, 1000
)

// keepHeadroom holds the heap to its headroom now and while the catalogue grows and shrinks. What starting
// took is given back first. The function that it returns ends that. Where the operator has set GOGC, it stays.
func keepHeadroom(ctx context.Context) (end func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	percent := 0
	keep := func() {
		if wanted := gcPercent(liveBytes()); wanted != percent {
			debug.SetGCPercent(wanted)
			percent = wanted
		}
	}
	return background(ctx, func(ctx context.Context) {
		debug.FreeOSMemory()
		keep()
		// Often, as until then the heap may grow by a share that was made for another: with what 2 000 connections
		// hold, by as much again.
		every(ctx, time.Second, keep)
	})
}

// gcPercent returns the growth of a heap, in percent of what is alive, that is its headroom.
func gcPercent(live uint64) int {
	if live == 0 {
		return gcPercentMax
	}
	headroom := uint64(headroomBytes)
	if live+headroom < heapBytes {
		headroom = heapBytes - live
	}
	return int(min(max(100*headroom/live, gcPercentMin), gcPercentMax))
}

// liveBytes returns what the last collection found alive.
func liveBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
