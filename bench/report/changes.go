package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gec/bench"
	"gec/bench/service"
)

// memory tells what the service holds after the loads that it has seen.
func (w *wire) memory(pair *service.Pair, bundles int) error {
	resident, err := pair.Service.Resident()
	w.report.goal(goal{
		What: fmt.Sprintf("resident memory, %d bundles, after all loads", bundles), Goal: "≤ 250 MB",
		Measured: resident.String(), Met: verdict(resident.Bytes <= 250<<20),
	})
	return err
}

// restarts is how often the start of the service is measured.
const restarts = 3

// starts are the times from start to ready, and the processor time of each.
type starts struct{ times, cpu []time.Duration }

// startGoal is a row about them. A start is judged by its best time: a machine that others use makes it longer, never
// shorter.
func (w *wire) startGoal(what string, limit time.Duration, s starts) {
	best := slices.Min(s.times)
	w.report.goal(goal{
		What: what, Goal: "≤ " + limit.String(), Met: verdict(best <= limit),
		Measured: fmt.Sprintf("%s, median %s; %s of CPU", duration(best), duration(service.Median(s.times)), duration(service.Median(s.cpu))),
	})
}

// restart starts the service a few times on a folder and looks at it when it is ready.
func (w *wire) restart(folder string, look func(*service.Process) error) (s starts, err error) {
	for range restarts {
		process, err := w.node.Start(w.ctx, folder)
		if err != nil {
			return s, err
		}
		cpu, err := process.ProcessorTime()
		s.times, s.cpu = append(s.times, process.ReadyAfter), append(s.cpu, cpu)
		if err := errors.Join(err, look(process), process.Stop()); err != nil {
			return s, err
		}
	}
	return s, nil
}

// start measures the time to ready and the memory of a service that has just begun.
func (w *wire) start(folder string, bundles int) error {
	var resident service.Resident
	times, err := w.restart(folder, func(p *service.Process) (err error) {
		resident, err = p.Resident()
		return err
	})
	if err != nil {
		return err
	}
	w.startGoal(fmt.Sprintf("start to ready, %d bundles", bundles), time.Second, times)
	w.report.detail(goal{What: fmt.Sprintf("resident memory, %d bundles, just started", bundles), Measured: resident.String()})
	return nil
}

// manyECsAsked is how long the ECs of manySubscriptions are paid.
const manyECsAsked = time.Second

// manySubscriptions measures start and memory with a million subscriptions of 5 000 ECs, some of which are paid.
func (w *wire) manySubscriptions() error {
	const ecs, each = 5_000, 200
	o := bench.List(51_300)
	o.ECs, o.SubscriptionsPerEC = ecs, each
	folder, err := w.fill(o)
	if err != nil {
		return err
	}
	var exam [][]byte
	for i := range 400 {
		p := bench.Generate(bench.List(1)).Payments(1, bench.Mix{Seed: uint64(i), Card: true, Notices: 3, ECs: []string{bench.TaxCode(i), bench.TaxCode(i + 1)}})[0]
		exam = append(exam, service.HTTPRequest("/fees/multi?orderBy=fee", bench.BodyV2(&p)))
	}
	// A node that has just loaded so much collects what that left while it is asked: it shall not turn calls away.
	before := w.node
	w.node.Arguments = append([]string{patient}, before.Arguments...)
	defer func() { w.node = before }()
	var most service.Resident
	times, err := w.restart(folder, func(p *service.Process) error {
		target := service.Target{Address: p.HTTP, Requests: exam, Headers: w.node.Headers}
		if _, err := target.Peak(w.ctx, 16, 0, manyECsAsked); err != nil {
			return err
		}
		resident, err := p.Resident()
		if resident.Bytes > most.Bytes {
			most = resident
		}
		return err
	})
	if err != nil {
		return err
	}
	w.startGoal("start to ready, 51300 bundles, 1 000 000 subscriptions", 5*time.Second, times)
	w.report.goal(goal{
		What: "resident memory with these, 400 ECs being paid", Goal: "≤ 600 MB", Measured: most.String(), Met: verdict(most.Bytes <= 600<<20),
	})
	return nil
}

// uploadPaces are those of quotes during uploads: turns of one second, and so an upload a second in those that have one.
var uploadPaces = service.Paces{Peak: paces.Peak, WarmUp: paces.WarmUp, Turn: time.Second}

// uploads measures quotes while the catalogue changes.
func (w *wire) uploads(pair *service.Pair, bundles int) error {
	const each = 500
	say("quotes during uploads at %d bundles …", bundles)
	u, err := pair.MeasureUploads(w.ctx, 64, max(w.s.latencyRounds/2, 1), each, uploadPaces) // a round takes four times as long
	if err != nil {
		return err
	}
	perSecond := service.Median(u.Rates)
	ratio := service.MeanRatio(u.Busy.P99, u.Rest.P99)
	w.report.goal(goal{
		What: fmt.Sprintf("p99 while %d bundles are uploaded every second", each), Goal: "≤ 1.5 × at rest",
		Measured: fmt.Sprintf("p50 %s, p99 %s at %.0f /s", duration(service.Median(u.Busy.P50)), duration(service.Median(u.Busy.P99)), perSecond),
		Floor:    fmt.Sprintf("at rest p50 %s, p99 %s", duration(service.Median(u.Rest.P50)), duration(service.Median(u.Rest.P99))),
		Ratio:    ratio, Met: verdict(ratio <= 1.5),
	})
	w.report.detail(goal{What: fmt.Sprintf("each of these uploads, over HTTP, beside %.0f quotes a second", perSecond),
		Measured: fmt.Sprintf("median %s, longest %s", duration(service.Median(u.Times)), duration(slices.Max(u.Times)))})
	return nil
}

// changes measures changes of the catalogue, fsynced.
func (w *wire) changes(folder string, bundles int) error {
	const tries, uploaded = 15, 10_000
	say("changes of %d bundles …", bundles)
	c, err := service.MeasureChanges(w.ctx, folder, tries, uploaded)
	if err != nil {
		return err
	}
	one := service.Median(c.One)
	w.report.goal(goal{
		What: fmt.Sprintf("one changed bundle of %d, fsynced and quoted", bundles), Goal: "≤ 20 ms",
		Measured: fmt.Sprintf("median %s, longest %s", duration(one), duration(slices.Max(c.One))), Met: verdict(one <= 20*time.Millisecond),
	})
	w.report.goal(goal{
		What: fmt.Sprintf("upload of %d bundles to %d, read, checked, fsynced", uploaded, bundles), Goal: "≤ 2 s",
		Measured: duration(c.Upload), Met: verdict(c.Upload <= 2*time.Second),
	})
	return nil
}
