package service

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Soak is a long run at one rate, during which the catalogue changes every second.
type Soak struct {
	// Latency of all calls but those of windows at rest, and P99 of each of their windows.
	Latency Histogram
	P99     []time.Duration
	// Rest is the p99 of the windows without changes, of which one follows every windowsPerRest others: a machine that
	// others use is not the same at the end as it was at the beginning. Busy is the median of those others.
	Rest, Busy []time.Duration
	// Resident is the memory of the service after each window.
	Resident []Resident
	// Changes are how long the changes took, in turn one that adds bundles and one that removes them.
	Changes []time.Duration
	Window  time.Duration
}

// soakWindow is the time between two looks at the service; after windowsPerRest of them comes one at rest.
const (
	soakWindow     = 10 * time.Second
	windowsPerRest = 5
)

// Soak asks for quotes over HTTP at a rate, open loop, for that long, while every second a list of bundles is
// added or taken away again, and in windows at rest between. It ends by itself. Progress is told of every window. Errors:
// the first call or change that failed.
func (p *Pair) Soak(ctx context.Context, connections int, perSecond float64, bundlesEach int, duration time.Duration, progress func(*Soak)) (*Soak, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &Soak{Window: min(soakWindow, duration)}
	changes, err := addAndRemove(bundlesEach)
	if err != nil {
		return nil, err
	}
	var resting atomic.Bool
	stop, changed := make(chan struct{}), make(chan error, 1)
	go func() {
		err := p.changeEverySecond(ctx, changes, &resting, stop, s)
		if err != nil {
			cancel(fmt.Errorf("a change of the catalogue: %w", err))
		}
		changed <- err
	}()
	windows := int(duration / s.Window)
	for n := 0; len(s.P99) < windows && err == nil; n++ {
		resting.Store(n%(windowsPerRest+1) == windowsPerRest)
		err = p.window(ctx, connections, perSecond, resting.Load(), s)
		if err == nil {
			progress(s)
		}
	}
	close(stop)
	return s, errors.Join(err, <-changed)
}

// window is one of a soak.
func (p *Pair) window(ctx context.Context, connections int, perSecond float64, resting bool, s *Soak) error {
	run, err := p.HTTP(p.Service).Steady(ctx, connections, perSecond, 0, s.Window)
	if err != nil {
		return err
	}
	if p99 := run.Latency.Quantile(0.99); resting {
		s.Rest, s.Busy = append(s.Rest, p99), append(s.Busy, Median(s.P99[len(s.P99)-windowsPerRest:]))
	} else {
		s.Latency.Merge(&run.Latency)
		s.P99 = append(s.P99, p99)
	}
	resident, err := p.Service.Resident()
	s.Resident = append(s.Resident, resident)
	return err
}

// changeEverySecond sends the requests in turn, one a second, but while it rests.
func (p *Pair) changeEverySecond(ctx context.Context, requests [][]byte, resting *atomic.Bool, stop chan struct{}, s *Soak) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if !resting.Load() {
			started := time.Now()
			if _, err := p.HTTP(p.Service).Ask(ctx, requests[len(s.Changes)%len(requests)]); err != nil {
				return err
			}
			s.Changes = append(s.Changes, time.Since(started))
		}
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Thirds returns the mean memory in the middle and in the last third of the run, when caches are full: looks at a heap
// between two collections differ by more than it grows by. Memory is the service's own, without the mapped files,
// which are as many as the store has. 0 for a run of fewer than three windows.
func (s *Soak) Thirds() (middle, last int64) {
	third := len(s.Resident) / 3
	if third == 0 {
		return 0, 0
	}
	for i := range third {
		middle += s.Resident[third+i].Own()
		last += s.Resident[len(s.Resident)-third+i].Own()
	}
	return middle / int64(third), last / int64(third)
}
