package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"gec/bench"
	"gec/bundles"
	"gec/bundles/format"
)

// Latencies are quantiles of the latency at one rate, round by round.
type Latencies struct{ P50, P99, Longest []time.Duration }

func (l *Latencies) add(h *Histogram) {
	l.P50, l.P99, l.Longest = append(l.P50, h.Quantile(0.50)), append(l.P99, h.Quantile(0.99)), append(l.Longest, h.Longest())
}

// MeasureLatency measures the service and its floor in turn at one rate, in calls per second (open loop).
func (p *Pair) MeasureLatency(ctx context.Context, kind func(*Process) *Target, connections int, perSecond float64, rounds int, warmUp, measured time.Duration) (ofService, ofFloor *Latencies, err error) {
	ofService, ofFloor = &Latencies{}, &Latencies{}
	err = p.turnsOn(ctx, kind, connections, rounds, func(of *Process, target *Target) error {
		run, err := target.Steady(ctx, connections, perSecond, warmUp, measured)
		if err != nil {
			return err
		}
		if of == p.Floor {
			ofFloor.add(&run.Latency)
		} else {
			ofService.add(&run.Latency)
		}
		return nil
	})
	return ofService, ofFloor, err
}

// Uploads says how quotes fare while the catalogue changes.
type Uploads struct {
	// Rest and Busy are the latencies without and with an upload a second.
	Rest, Busy Latencies
	// Times are how long the uploads took, each of so many new bundles.
	Times   []time.Duration
	Bundles int
}

// MeasureUploads measures quotes over HTTP at one rate, in turn at rest and while a list of new bundles is
// uploaded every second by the test endpoint. What is uploaded stays.
func (p *Pair) MeasureUploads(ctx context.Context, connections int, perSecond float64, rounds, bundlesEach int, warmUp, measured time.Duration) (*Uploads, error) {
	u := &Uploads{Bundles: bundlesEach}
	lists, err := uploadLists(bundlesEach, rounds*(int((warmUp+measured)/time.Second)+1))
	if err != nil {
		return nil, err
	}
	for range rounds {
		run, err := p.HTTP(p.Service).Steady(ctx, connections, perSecond, warmUp, measured)
		if err != nil {
			return nil, err
		}
		u.Rest.add(&run.Latency)
		stop := make(chan struct{})
		uploaded := make(chan error, 1)
		go func() { uploaded <- p.uploadEverySecond(ctx, &lists, stop, u) }()
		run, err = p.HTTP(p.Service).Steady(ctx, connections, perSecond, warmUp, measured)
		close(stop)
		if err = errors.Join(err, <-uploaded); err != nil {
			return nil, err
		}
		u.Busy.add(&run.Latency)
	}
	return u, nil
}

func (p *Pair) uploadEverySecond(ctx context.Context, lists *[][]byte, stop chan struct{}, u *Uploads) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for len(*lists) > 0 {
		started := time.Now()
		if _, err := p.HTTP(p.Service).Ask(ctx, (*lists)[0]); err != nil {
			return err
		}
		u.Times = append(u.Times, time.Since(started))
		*lists = (*lists)[1:]
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
	}
	return nil
}

// uploadsBeyond is a number of bundles that no measured catalogue has: uploaded bundles are none of theirs.
const uploadsBeyond = 200_000

// uploadLists makes requests that each add so many new bundles.
func uploadLists(bundlesEach, count int) (requests [][]byte, err error) {
	all := bench.Upload(bundlesEach*count, uploadsBeyond, time.Now())
	for n := range count {
		part := bundles.Document{Settings: &bench.Generate(bench.List(1)).Settings, Bundles: all.Bundles[n*bundlesEach : (n+1)*bundlesEach]}
		var file bytes.Buffer
		if err := format.Write(format.Snapshot, &file, part, format.WriteOptions{}); err != nil {
			return nil, err
		}
		var snapshot struct{ Bundles json.RawMessage }
		if err := json.Unmarshal(file.Bytes(), &snapshot); err != nil {
			return nil, err
		}
		requests = append(requests, HTTPRequest("/configuration/bundles/add", snapshot.Bundles))
	}
	return requests, nil
}
