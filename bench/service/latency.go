package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"gec/bench"
	"gec/bundles/format"
)

// Latencies are quantiles of the latency, turn by turn.
type Latencies struct{ P50, P99, Longest []time.Duration }

func (l *Latencies) add(h *Histogram) {
	l.P50, l.P99, l.Longest = append(l.P50, h.Quantile(0.50)), append(l.P99, h.Quantile(0.99)), append(l.Longest, h.Longest())
}

// Paces are the times of one round of latencies: of the peak of which half is asked for, and of each turn.
type Paces struct {
	Peak, WarmUp, Turn time.Duration
}

// halfPeak is what a round of latencies asks for: half of what the service answers at most (closed loop), in calls per
// second. Each round measures it anew, for a machine that others use is not the same from one minute to the next, and
// what is half of its peak now is nearly all of it then.
func (t *Target) halfPeak(ctx context.Context, connections int, peak time.Duration) (float64, error) {
	run, err := t.Peak(ctx, connections, 0, peak)
	if err != nil {
		return 0, err
	}
	return run.PerSecond() / 2, nil
}

// MeasureLatency measures the service and its floor in turn at half of the service's peak, open loop. It returns the
// rates of the rounds, too, in calls per second.
func (p *Pair) MeasureLatency(ctx context.Context, kind func(*Process) *Target, connections, rounds int, paces Paces) (ofService, ofFloor *Latencies, rates []float64, err error) {
	ofService, ofFloor = &Latencies{}, &Latencies{}
	service := kind(p.Service)
	release, err := service.hold(ctx, connections)
	if err != nil {
		return nil, nil, nil, err
	}
	defer release()
	turn := 0
	err = p.turnsOn(ctx, kind, (*Target).holdEvents, connections, rounds, func(of *Process, target *Target) error {
		if turn++; turn%2 == 1 {
			rate, err := service.halfPeak(ctx, connections, paces.Peak)
			if err != nil {
				return err
			}
			rates = append(rates, rate)
		}
		run, err := target.Steady(ctx, connections, rates[len(rates)-1], paces.WarmUp, paces.Turn)
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
	return ofService, ofFloor, rates, err
}

// Uploads says how quotes fare while the catalogue changes.
type Uploads struct {
	// Rest and Busy are the latencies of turns without and with an upload at their beginning.
	Rest, Busy Latencies
	// Rates are those of the rounds, in calls per second.
	Rates []float64
	// Times are how long the uploads took, in turn one that adds so many bundles and one that removes them.
	Times   []time.Duration
	Bundles int
}

// MeasureUploads measures quotes over HTTP at half of the peak, in turns with and without an upload. Uploads come by
// the test endpoint.
func (p *Pair) MeasureUploads(ctx context.Context, connections, rounds, bundlesEach int, paces Paces) (*Uploads, error) {
	u := &Uploads{Bundles: bundlesEach}
	target := p.HTTP(p.Service)
	changes, err := newChanges(target, bundlesEach)
	if err != nil {
		return nil, err
	}
	release, err := target.holdBoth(ctx, connections)
	if err != nil {
		return nil, err
	}
	defer release()
	for round := range rounds {
		rate, err := target.halfPeak(ctx, connections, paces.Peak)
		if err != nil {
			return nil, err
		}
		u.Rates = append(u.Rates, rate)
		for turn := range 2 {
			busy := (turn+round)%2 == 1
			uploaded := make(chan error, 1)
			go func() {
				if busy {
					uploaded <- changes.send(ctx)
				}
				close(uploaded)
			}()
			run, err := target.Steady(ctx, connections, rate, paces.WarmUp, paces.Turn)
			if err = errors.Join(err, <-uploaded); err != nil {
				return nil, err
			}
			if busy {
				u.Busy.add(&run.Latency)
			} else {
				u.Rest.add(&run.Latency)
			}
		}
	}
	u.Times = changes.times
	return u, nil
}

// uploadsBeyond is a number of bundles that no measured catalogue has: uploaded bundles are none of theirs.
const uploadsBeyond = 200_000

// addAndRemove makes a request that adds so many new bundles and one that takes them away.
func addAndRemove(count int) ([][]byte, error) {
	all := bench.Upload(count, uploadsBeyond, time.Now())
	all.Settings = &bench.Generate(bench.List(1)).Settings
	var file bytes.Buffer
	if err := format.Write(format.Snapshot, &file, all, format.WriteOptions{}); err != nil {
		return nil, err
	}
	var snapshot struct{ Bundles json.RawMessage }
	if err := json.Unmarshal(file.Bytes(), &snapshot); err != nil {
		return nil, err
	}
	type member struct {
		ID string `json:"id"`
	}
	var ids []member
	for i := range all.Bundles {
		ids = append(ids, member{all.Bundles[i].ID})
	}
	body, err := json.Marshal(ids)
	return [][]byte{HTTPRequest("/configuration/bundles/add", snapshot.Bundles), HTTPRequest("/configuration/bundles/delete", body)}, err
}
