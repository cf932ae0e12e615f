package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gec/bench"
	"gec/bench/service"
)

const (
	// examSize is the number of different requests.
	examSize = 64
	// How often a load is measured, in turn with its floor: peaks at 64 connections, which are judged, and at 16,
	// batches.
	peakRounds, fewRounds, batchRounds = 20, 6, 300

	warmUp = 50 * time.Millisecond
)

// paces are those of latencies. Ratios of one round to the next differ by a factor of two, whatever the length of a
// turn, so that many short ones tell more than few long ones.
var paces = service.Paces{Peak: 100 * time.Millisecond, WarmUp: 20 * time.Millisecond, Turn: 200 * time.Millisecond}

// wire measures the running service.
type wire struct {
	ctx     context.Context
	s       settings
	report  *report
	node    service.Node
	scratch string
}

// newWire builds the service where no binary is given. The function that it returns removes what is left.
func newWire(ctx context.Context, s settings, r *report) (w *wire, end func() error, err error) {
	w = &wire{ctx: ctx, s: s, report: r, node: s.node}
	if w.scratch, err = os.MkdirTemp("", "gec-bench-"); err != nil {
		return nil, nil, err
	}
	end = func() error { return os.RemoveAll(w.scratch) }
	if w.node.Binary == "" {
		w.node.Binary = filepath.Join(w.scratch, "gec")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", w.node.Binary, "./cmd/gec")
		if output, err := build.CombinedOutput(); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("build ./cmd/gec (run this from the root of the module): %w: %s", err, output), end())
		}
	}
	return w, end, nil
}

// measureService measures the running service and its floors, and fills in its goals.
func measureService(ctx context.Context, s settings, r *report) (err error) {
	w, end, err := newWire(ctx, s, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, bundles := range []int{bench.ListBundles, 100 * bench.ListBundles} {
		if err := w.catalogue(bundles); err != nil {
			return fmt.Errorf("at %d bundles: %w", bundles, err)
		}
	}
	if s.long && s.measures("subscriptions") {
		if err := w.manySubscriptions(); err != nil {
			return fmt.Errorf("with a million subscriptions: %w", err)
		}
	}
	return nil
}

// fill makes a data folder.
func (w *wire) fill(o bench.Options) (string, error) {
	folder := filepath.Join(w.scratch, fmt.Sprintf("data-%d-%d", o.Bundles, o.ECs))
	say("filling a data folder with %d bundles …", o.Bundles)
	return folder, service.StartFill(w.ctx, folder, o)
}

// filled makes a data folder and the payments to ask it about.
func (w *wire) filled(o bench.Options) (folder string, exam *bench.Exam, err error) {
	if folder, err = w.fill(o); err == nil {
		exam, err = bench.NewExam(o, bench.Mix{Card: true}, examSize)
	}
	return folder, exam, err
}

// catalogue measures the service on a catalogue of that many bundles.
func (w *wire) catalogue(bundles int) (err error) {
	o := bench.List(bundles)
	folder, exam, err := w.filled(o)
	if err != nil {
		return err
	}
	large := bundles > bench.ListBundles
	if !large && w.s.measures("journal") {
		if err := w.journal(exam); err != nil {
			return err
		}
	}
	if large && w.s.measures("start") {
		if err := w.start(folder, bundles); err != nil {
			return err
		}
	}
	// Peaks ask for more than there is, so nothing is turned away here: a call refused costs less than one answered.
	// The soak, which asks for what there is, has the bound that a node has.
	node := w.node
	node.Arguments = append([]string{patient}, node.Arguments...)
	pair, err := service.StartPair(w.ctx, node, folder, w.scratch, exam)
	if err != nil {
		return err
	}
	err = w.loads(pair, bundles)
	if err == nil && large && w.s.measures("memory") {
		err = w.memory(pair, bundles)
	}
	if err == nil && large && w.s.measures("uploads") {
		err = w.uploads(pair, bundles)
	}
	if err = errors.Join(err, pair.Stop()); err != nil || !large || !w.s.measures("changes") {
		return err
	}
	return w.changes(folder, bundles)
}

// loads measures peaks and latencies over both contracts, and batches.
func (w *wire) loads(pair *service.Pair, bundles int) error {
	for _, contract := range []struct {
		part, name string
		kind       func(*service.Process) *service.Target
		least      float64
	}{
		{"http", "HTTP v2", pair.HTTP, map[bool]float64{true: 0.90, false: 0.85}[bundles == bench.ListBundles]},
		{"grpc", "gRPC Quote", pair.GRPC, 0.85},
	} {
		if !w.s.measures(contract.part) {
			continue
		}
		if err := w.peaks(pair, bundles, contract.name, contract.kind, contract.least); err != nil {
			return err
		}
		if !w.s.measures("latency") {
			continue
		}
		if err := w.latency(pair, bundles, contract.name, contract.kind); err != nil {
			return err
		}
	}
	if !w.s.measures("batch") {
		return nil
	}
	return w.batch(pair, bundles)
}

// peaks measures how many calls are answered at most.
func (w *wire) peaks(pair *service.Pair, bundles int, name string, kind func(*service.Process) *service.Target, least float64) error {
	for _, load := range [][2]int{{16, fewRounds}, {64, peakRounds}} {
		connections, rounds := load[0], load[1]
		say("%s at %d bundles, %d connections …", name, bundles, connections)
		p, err := pair.MeasurePeaks(w.ctx, kind, connections, rounds, warmUp, w.s.load)
		if err != nil {
			return err
		}
		g := goal{
			What:     fmt.Sprintf("%s, %d bundles, %d connections", name, bundles, connections),
			Measured: fmt.Sprintf("%.0f /s, %s of CPU each", service.Median(p.Service.PerSecond), duration(p.Service.CPU())),
			Floor:    fmt.Sprintf("ready bytes %.0f /s, %s", service.Median(p.Floor.PerSecond), duration(p.Floor.CPU())),
			Ratio:    p.Ratio(), RatioByCPU: p.CPURatio(),
		}
		if connections == 64 {
			g.Goal, g.Met, g.Why = fmt.Sprintf("≥ %.2f × floor", least), verdict(p.Ratio() >= least), peakMissed(p, least)
			w.report.goal(g)
		} else {
			w.report.detail(g)
		}
	}
	return nil
}

// peakMissed says why a peak may be below its goal.
func peakMissed(p *service.Peaks, least float64) string {
	if p.CPURatio() >= least {
		return fmt.Sprintf("by the processor time of server and client it is %.2f: others used the machine", p.CPURatio())
	}
	return fmt.Sprintf("a call takes %s of the server where one of ready bytes takes %s", duration(p.Service.CPU()), duration(p.Floor.CPU()))
}

// latency measures how long answers take at half of the peak.
func (w *wire) latency(pair *service.Pair, bundles int, name string, kind func(*service.Process) *service.Target) error {
	say("%s at %d bundles, latency at half of the peak …", name, bundles)
	ours, floor, rates, err := pair.MeasureLatency(w.ctx, kind, 64, w.s.latencyRounds, paces)
	if err != nil {
		return err
	}
	ratio := service.MeanRatio(ours.P99, floor.P99)
	w.report.goal(goal{
		What:     fmt.Sprintf("%s p99, %d bundles, open loop at half of the peak", name, bundles),
		Goal:     "≤ 2 × floor",
		Measured: fmt.Sprintf("p50 %s, p99 %s at %.0f /s", duration(service.Median(ours.P50)), duration(service.Median(ours.P99)), service.Median(rates)),
		Floor:    fmt.Sprintf("p50 %s, p99 %s", duration(service.Median(floor.P50)), duration(service.Median(floor.P99))),
		Ratio:    ratio, Met: verdict(ratio <= 2),
	})
	return nil
}

// batch measures a stream of quotes.
func (w *wire) batch(pair *service.Pair, bundles int) error {
	const quotes = 1_000
	limit := 5 * time.Microsecond
	say("batches at %d bundles …", bundles)
	ours, floor, err := pair.MeasureBatches(w.ctx, quotes, batchRounds)
	if err != nil {
		return err
	}
	echo := service.Median(floor)
	each := service.Median(ours)
	why := fmt.Sprintf("the echo of ready bytes takes %s of it, the quotes and their records %s", duration(echo), duration(each-echo))
	if echo > limit {
		why = fmt.Sprintf("the echo of ready bytes alone takes %s here, client and server on the same processors: no answer can be faster than that", duration(echo))
	}
	w.report.goal(goal{
		Why:  why,
		What: fmt.Sprintf("batch of %d quotes on one stream, per quote, %d bundles", quotes, bundles), Goal: "≤ " + limit.String(),
		Measured: duration(each), Floor: "echo " + duration(echo),
		Ratio: service.PairedRatio(ours, floor), Met: verdict(each <= limit),
	})
	return nil
}
