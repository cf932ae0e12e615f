package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gec/bench"
)

// Soak is a long run at one rate, during which the catalogue changes every second.
type Soak struct {
	// Latency of all calls, and P99 of each window.
	Latency Histogram
	P99     []time.Duration
	// Resident is the memory of the service after each window.
	Resident []Resident
	// Changes are how long the changes took, in turn one that adds bundles and one that removes them.
	Changes []time.Duration
	Window  time.Duration
}

// soakWindow is the time between two looks at the service.
const soakWindow = 10 * time.Second

// Soak asks for quotes over HTTP at a rate, open loop, for that long, while every second a list of bundles is
// added or taken away again. It ends by itself. Progress is told of every window. Errors: the first call or
// change that failed.
func (p *Pair) Soak(ctx context.Context, connections int, perSecond float64, bundlesEach int, duration time.Duration, progress func(*Soak)) (*Soak, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &Soak{Window: min(soakWindow, duration)}
	changes, err := addAndRemove(bundlesEach)
	if err != nil {
		return nil, err
	}
	stop, changed := make(chan struct{}), make(chan error, 1)
	go func() {
		err := p.changeEverySecond(ctx, changes, stop, s)
		if err != nil {
			cancel(fmt.Errorf("a change of the catalogue: %w", err))
		}
		changed <- err
	}()
	for end := time.Now().Add(duration); time.Now().Before(end) && err == nil; {
		var run *Run
		if run, err = p.HTTP(p.Service).Steady(ctx, connections, perSecond, 0, s.Window); err != nil {
			break
		}
		s.Latency.Merge(&run.Latency)
		s.P99 = append(s.P99, run.Latency.Quantile(0.99))
		var resident Resident
		resident, err = p.Service.Resident()
		s.Resident = append(s.Resident, resident)
		progress(s)
	}
	close(stop)
	return s, errors.Join(err, <-changed)
}

// Rest returns the p99 of so many windows of quotes at a rate, while nothing changes.
func (p *Pair) Rest(ctx context.Context, connections int, perSecond float64, windows int) (p99 []time.Duration, err error) {
	for range windows {
		run, err := p.HTTP(p.Service).Steady(ctx, connections, perSecond, 0, soakWindow)
		if err != nil {
			return nil, err
		}
		p99 = append(p99, run.Latency.Quantile(0.99))
	}
	return p99, nil
}

// changeEverySecond sends the requests in turn, one a second.
func (p *Pair) changeEverySecond(ctx context.Context, requests [][]byte, stop chan struct{}, s *Soak) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 0; ; i++ {
		started := time.Now()
		if _, err := p.HTTP(p.Service).Ask(ctx, requests[i%len(requests)]); err != nil {
			return err
		}
		s.Changes = append(s.Changes, time.Since(started))
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// addAndRemove makes a request that adds bundles and one that takes them away.
func addAndRemove(count int) ([][]byte, error) {
	lists, err := uploadLists(count, 1)
	if err != nil {
		return nil, err
	}
	type member struct {
		ID string `json:"id"`
	}
	var ids []member
	for _, b := range bench.Upload(count, uploadsBeyond, time.Now()).Bundles {
		ids = append(ids, member{b.ID})
	}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(ids); err != nil {
		return nil, err
	}
	return [][]byte{lists[0], HTTPRequest("/configuration/bundles/delete", body.Bytes())}, nil
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
