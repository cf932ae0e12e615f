package bundles

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// workAtOnce is how long the preparation of a snapshot works before it rests as long: while it does, quotes that
// wait for a processor get one. Tenths of a millisecond are what a quote may wait without being late.
const workAtOnce = 300 * time.Microsecond

// pace makes who prepares a snapshot rest now and then. Whoever has the machine for himself, when a catalogue is
// opened, takes no rest. It is safe for concurrent use.
type pace struct {
	// serving says that somebody may want a quote meanwhile.
	serving atomic.Bool
	// since is when the work since the last rest began, in nanoseconds since the epoch.
	since atomic.Int64
}

// rest returns at once where little was done since the last rest.
func (p *pace) rest() {
	if !p.serving.Load() {
		return
	}
	worked := time.Duration(time.Now().UnixNano() - p.since.Load())
	switch {
	case worked < workAtOnce:
		return
	case worked < 10*workAtOnce:
		time.Sleep(worked)
	default: // other work has begun since, or this was kept waiting itself
		runtime.Gosched()
	}
	p.since.Store(time.Now().UnixNano())
}

// together runs tasks at once, as many of them as there are processors.
func together(tasks ...func()) {
	if len(tasks) == 1 {
		tasks[0]()
		return
	}
	var group sync.WaitGroup
	next := atomic.Int64{}
	for range min(runtime.GOMAXPROCS(0), len(tasks)) {
		group.Go(func() {
			for n := next.Add(1) - 1; int(n) < len(tasks); n = next.Add(1) - 1 {
				tasks[n]()
			}
		})
	}
	group.Wait()
}
