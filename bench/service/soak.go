package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Soak is a long run at half of the peak, during which the catalogue changes every second.
type Soak struct {
	// Latency of all calls but those of windows at rest.
	Latency Histogram
	Groups  []SoakGroup
	// Resident is the memory of the service after each group.
	Resident []Resident
	// Changes are how long the changes took, in turn one that adds bundles and one that removes them.
	Changes []time.Duration
}

// SoakGroup is a window at rest and as many windows with changes before it as after it. What is compared lies within
// one group: a machine that others use is not the same a minute later.
type SoakGroup struct {
	// Rate is what was asked for, in calls per second.
	Rate float64
	// Busy are the p99 of the windows with changes, Rest is that of the one without.
	Busy []time.Duration
	Rest time.Duration
}

// SoakWindow is the time over which p99 is looked at. busyWindows of them, an even number, make a group with one at
// rest, soakPeak is how long the peak of a group is measured.
const (
	SoakWindow  = 2 * time.Second
	busyWindows = 4
	soakPeak    = 300 * time.Millisecond
)

// Soak asks for quotes over HTTP, open loop, for that long while every second a list of bundles is added or taken
// away again, and in windows at rest between. Each group asks at half of the peak of that moment. It ends by itself.
// Progress is told of every group. Errors: the first call or change that failed.
func (p *Pair) Soak(ctx context.Context, connections, bundlesEach int, duration time.Duration, progress func(*Soak)) (*Soak, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &Soak{}
	target := p.HTTP(p.Service)
	changes, err := newChanges(target, bundlesEach)
	if err != nil {
		return nil, err
	}
	changes.rest(true)
	release, err := target.holdBoth(ctx, connections)
	if err != nil {
		return nil, err
	}
	defer release()
	stop, changed := make(chan struct{}), make(chan error, 1)
	go func() {
		err := changes.everySecond(ctx, stop)
		if err != nil {
			cancel(fmt.Errorf("a change of the catalogue: %w", err))
		}
		changed <- err
	}()
	for err == nil && s.Busy() < duration {
		if err = s.group(ctx, target, connections, changes); err != nil {
			break
		}
		resident, unknown := p.Service.Resident()
		s.Resident, err = append(s.Resident, resident), unknown
		progress(s)
	}
	close(stop)
	err = errors.Join(err, <-changed)
	s.Changes = changes.times
	return s, err
}

// group is one of a soak.
func (s *Soak) group(ctx context.Context, target *Target, connections int, changes *changes) (err error) {
	var g SoakGroup
	if g.Rate, err = target.halfPeak(ctx, connections, soakPeak); err != nil {
		return err
	}
	for n := range busyWindows + 1 {
		resting := n == busyWindows/2
		changes.rest(resting)
		run, err := target.Steady(ctx, connections, g.Rate, 0, SoakWindow)
		if err != nil {
			return err
		}
		if p99 := run.Latency.Quantile(0.99); resting {
			g.Rest = p99
		} else {
			g.Busy = append(g.Busy, p99)
			s.Latency.Merge(&run.Latency)
		}
	}
	changes.rest(true)
	s.Groups = append(s.Groups, g)
	return nil
}

// Busy returns how long the catalogue has been changing.
func (s *Soak) Busy() time.Duration { return time.Duration(len(s.Groups)) * busyWindows * SoakWindow }

// Rates returns what the groups were asked, in calls per second.
func (s *Soak) Rates() (rates []float64) {
	for _, g := range s.Groups {
		rates = append(rates, g.Rate)
	}
	return rates
}

// Compared returns the p99 of the windows with changes, and of each the one at rest that it is compared with.
func (s *Soak) Compared() (busy, rest []time.Duration) {
	for _, g := range s.Groups {
		busy = append(busy, g.Busy...)
		rest = append(rest, slices.Repeat([]time.Duration{g.Rest}, len(g.Busy))...)
	}
	return busy, rest
}

// changes are one that adds bundles and one that removes them, sent to a target in turn.
type changes struct {
	target   *Target
	requests [][]byte
	// times are how long they took.
	times []time.Duration

	// mu is held while a change is under way.
	mu      sync.Mutex
	resting bool
}

// newChanges makes changes of so many bundles.
func newChanges(target *Target, bundlesEach int) (*changes, error) {
	requests, err := addAndRemove(bundlesEach)
	return &changes{target: target, requests: requests}, err
}

// rest says whether changes are to rest, and returns once the last one is over.
func (c *changes) rest(resting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = resting
}

// everySecond sends one a second, but while they rest, until it is stopped.
func (c *changes) everySecond(ctx context.Context, stop chan struct{}) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := c.send(ctx); err != nil {
			return err
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

// send sends the next one, unless they rest, and returns once it is over.
func (c *changes) send(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting {
		return nil
	}
	started := time.Now()
	_, err := c.target.Ask(ctx, c.requests[len(c.times)%len(c.requests)])
	c.times = append(c.times, time.Since(started))
	return err
}

// Thirds returns the mean memory in the middle and in the last third of the run, when caches are full: looks at a heap
// between two collections differ by more than it grows by. Memory is the service's own, without the mapped files,
// which are as many as the store has. 0 for a run of fewer than three groups.
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
