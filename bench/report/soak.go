package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"gec/bench"
	"gec/bench/service"
)

// The soak asks on as many connections as the peaks. soakBundles change every second, of as many as the largest
// measured catalogue has.
const (
	soakConnections = 64
	soakBundles     = 500
	// growthMax is how many times its memory in the middle third of a run the service may take in the last.
	growthMax = 1.05
	// growthAfter is the length of a run whose growth says anything.
	growthAfter = 5 * time.Minute
)

// soak measures a long run at half of the peak, prints it and writes it. Errors: a goal that was missed, too.
func soak(ctx context.Context, s settings, r *report) (err error) {
	w, end, err := newWire(ctx, s, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	o := bench.List(100 * bench.ListBundles)
	folder, exam, err := w.filled(o)
	if err != nil {
		return err
	}
	half, err := w.halfOfPeak(folder, exam)
	if err != nil {
		return err
	}
	pair, err := service.StartPair(ctx, w.node, folder, w.scratch, exam)
	if err != nil {
		return err
	}
	err = w.soak(pair, half)
	if err = errors.Join(err, pair.Stop(), r.print(os.Stdout)); err != nil || s.results == "" {
		return err
	}
	return errors.Join(r.write(s.results), r.missed())
}

// halfOfPeak returns half of the calls a second that a node answers which turns none away. The soak itself has the
// bound that a node has.
func (w *wire) halfOfPeak(folder string, exam *bench.Exam) (half float64, err error) {
	node := w.node
	node.Arguments = append([]string{patient}, node.Arguments...)
	pair, err := service.StartPair(w.ctx, node, folder, w.scratch, exam)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pair.Stop()) }()
	peaks, err := pair.MeasurePeaks(w.ctx, pair.HTTP, soakConnections, peakRounds, warmUp, w.s.load)
	if err != nil {
		return 0, err
	}
	return service.Median(peaks.Service.PerSecond) / 2, err
}

func (w *wire) soak(pair *service.Pair, half float64) error {
	say("%.0f calls a second for %s …", half, w.s.soak)
	run, err := pair.Soak(w.ctx, soakConnections, half, soakBundles, w.s.soak, func(s *service.Soak) {
		say("%8s  p99 %s, %d windows at rest, %s", time.Duration(len(s.P99))*s.Window, duration(s.P99[len(s.P99)-1]), len(s.Rest), s.Resident[len(s.Resident)-1])
	})
	if err != nil {
		return err
	}
	w.report.goal(goal{
		What: fmt.Sprintf("calls answered in %s, %d bundles changing every second", w.s.soak, soakBundles), Goal: "0 errors",
		Measured: fmt.Sprintf("%d, 0 errors", run.Latency.Count()), Met: verdict(true), // the first error ends the run
	})
	compared := goal{
		What: fmt.Sprintf("p99 at %.0f /s", half), Goal: "≤ 1.5 × at rest",
		Measured: fmt.Sprintf("median of %s windows %s, whole run p50 %s p99 %s, longest %s", run.Window, duration(service.Median(run.P99)),
			duration(run.Latency.Quantile(0.5)), duration(run.Latency.Quantile(0.99)), duration(run.Latency.Longest())),
	}
	if len(run.Rest) > 0 { // in a run of a minute at least
		compared.Ratio = service.MeanRatio(run.Busy, run.Rest)
		compared.Floor, compared.Met = fmt.Sprintf("in %d windows at rest %s", len(run.Rest), duration(service.Median(run.Rest))), verdict(compared.Ratio <= 1.5)
	}
	w.report.goal(compared)
	last := run.Resident[len(run.Resident)-1]
	middleThird, lastThird := run.Thirds()
	growth := float64(lastThird) / float64(max(middleThird, 1))
	memory := goal{
		What: "memory of its own, last third of the run", Goal: fmt.Sprintf("≤ %.2f × the middle third", growthMax),
		Measured: fmt.Sprintf("%d MB on average, at the end %s", lastThird>>20, last),
		Floor:    fmt.Sprintf("the middle third %d MB", middleThird>>20), Ratio: growth,
	}
	if w.s.soak >= growthAfter {
		memory.Met = verdict(growth <= growthMax)
	}
	w.report.goal(memory)
	w.report.detail(goal{What: fmt.Sprintf("each change of %d bundles", soakBundles),
		Measured: fmt.Sprintf("%d changes, median %s, longest %s", len(run.Changes), duration(service.Median(run.Changes)), duration(slices.Max(run.Changes)))})
	return nil
}

// missed returns an error that names the goals that were missed.
func (r *report) missed() error {
	var all []error
	for _, g := range r.Goals {
		if g.Met == verdict(false) {
			all = append(all, fmt.Errorf("missed: %s: %s", g.What, g.Measured))
		}
	}
	return errors.Join(all...)
}
