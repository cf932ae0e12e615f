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
	pair, err := service.StartPair(ctx, w.node, folder, w.scratch, exam)
	if err != nil {
		return err
	}
	err = w.soak(pair)
	if err = errors.Join(err, pair.Stop(), r.print(os.Stdout)); err != nil || s.results == "" {
		return err
	}
	return errors.Join(r.write(s.results), r.missed())
}

func (w *wire) soak(pair *service.Pair) error {
	run, err := pair.Soak(w.ctx, soakConnections, soakBundles, w.s.soak, func(s *service.Soak) {
		g := &s.Groups[len(s.Groups)-1]
		say("%8s  %.0f calls a second, p99 %s, at rest %s, %s", s.Busy(), g.Rate,
			duration(service.Median(g.Busy)), duration(g.Rest), s.Resident[len(s.Resident)-1])
	})
	if err != nil {
		return err
	}
	w.report.goal(goal{
		What: fmt.Sprintf("calls answered in %s, %d bundles changing every second", w.s.soak, soakBundles), Goal: "0 errors",
		Measured: fmt.Sprintf("%d, 0 errors", run.Latency.Count()), Met: verdict(true), // the first error ends the run
	})
	busy, rest := run.Compared()
	ratio := service.MeanRatio(busy, rest)
	w.report.goal(goal{
		What: fmt.Sprintf("p99 at half of the peak, %.0f /s in the median", service.Median(run.Rates())), Goal: "≤ 1.5 × at rest",
		Measured: fmt.Sprintf("median of %s windows %s, whole run p50 %s p99 %s, longest %s", service.SoakWindow, duration(service.Median(busy)),
			duration(run.Latency.Quantile(0.5)), duration(run.Latency.Quantile(0.99)), duration(run.Latency.Longest())),
		Floor: fmt.Sprintf("in %d windows at rest %s", len(run.Groups), duration(service.Median(rest))),
		Ratio: ratio, Met: verdict(ratio <= 1.5),
	})
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
