package bundles

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// workAtOnce is how long a change is worked on before it rests: while it does, quotes that wait for a processor get one.
// Tenths of a millisecond are what a quote may wait without being late. It rests as long as it worked, and restsWhenBusy
// times as long where others were waiting for the processor, for longer than soon: what has come meanwhile on a busy
// machine takes longer to answer than it took to come.
const (
	workAtOnce    = 300 * time.Microsecond
	restsWhenBusy = 4
	soon          = 10 * time.Microsecond
)

// pace makes who works on a change rest now and then. Whoever has the machine for himself, when a catalogue is
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
	now := time.Now()
	worked := time.Duration(now.UnixNano() - p.since.Load())
	if worked < workAtOnce {
		return
	}
	runtime.Gosched()
	if worked < 10*workAtOnce { // else other work has begun since, or this was kept waiting itself
		if time.Since(now) > soon {
			worked *= restsWhenBusy
		}
		time.Sleep(worked)
	}
	p.since.Store(time.Now().UnixNano())
}

// Rest is for those who work on a change before the catalogue gets it, such as the reader of its document: called every
// few microseconds, it now and then waits a little, so that quotes go first.
func (c *Catalogue) Rest() { c.pace.rest() }

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
