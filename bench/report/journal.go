package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gec/api/journal"
	"gec/bench"
	"gec/bench/service"
)

// journalRate is the rate, in calls a second, at which no record may be missing.
const journalRate = 2_000

// patient keeps the service from turning calls away where the machine is busy: all of them are to be counted.
const patient = "--overload-wait=10s"

// journal measures what the event journal costs: the service with it against the service without, in turn; and
// holds that at a steady rate every call is in it.
func (w *wire) journal(exam *bench.Exam) (err error) {
	pair := &service.Pair{Headers: w.node.Headers}
	for _, body := range exam.Bodies {
		pair.HTTPRequests = append(pair.HTTPRequests, service.HTTPRequest(exam.Path, body))
	}
	with, without := filepath.Join(w.scratch, "journal-on"), filepath.Join(w.scratch, "journal-off")
	for _, folder := range []string{with, without} {
		if err := service.StartFill(w.ctx, folder, bench.List(0)); err != nil {
			return err
		}
	}
	if pair.Service, err = w.node.Start(w.ctx, with, "--journal-policy=block", patient); err != nil {
		return err
	}
	if pair.Floor, err = w.node.Start(w.ctx, without, "--journal=false", patient); err != nil {
		return errors.Join(err, pair.Stop())
	}
	say("HTTP v2 with and without the journal …")
	p, err := pair.MeasurePeaks(w.ctx, pair.HTTP, 64, peakRounds, warmUp, w.s.load)
	if err = errors.Join(err, pair.Stop()); err != nil {
		return err
	}
	w.report.goal(goal{
		What: "HTTP v2 with the journal against without, 64 connections", Goal: "≥ 0.95",
		Measured: fmt.Sprintf("%.0f /s, %s of CPU each, the writer's with it", service.Median(p.Service.PerSecond), duration(p.Service.CPU())),
		Floor:    fmt.Sprintf("without %.0f /s, %s", service.Median(p.Floor.PerSecond), duration(p.Floor.CPU())),
		Ratio:    p.Ratio(), RatioByCPU: p.CPURatio(), Met: verdict(p.CPURatio() >= 0.95),
		Why: fmt.Sprintf("judged by the processor time of client and server, of which the journal takes %s a call", duration(p.Service.CPU()-p.Floor.CPU())),
	})
	return w.journaled(with, pair)
}

// journaled asks at a steady rate, stops the service, and counts what its journal has.
func (w *wire) journaled(folder string, pair *service.Pair) error {
	dir := filepath.Join(folder, "journal")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	process, err := w.node.Start(w.ctx, folder, "--journal-policy=block", patient)
	if err != nil {
		return err
	}
	run, err := steady(w.ctx, pair.HTTP(process), max(w.s.load, 2*time.Second))
	if err = errors.Join(err, process.Stop()); err != nil {
		return err
	}
	report, err := journal.Verify(dir, journal.VerifyOptions{})
	if err != nil {
		return err
	}
	missing := int64(run.Calls) - int64(report.Calls)
	w.report.goal(goal{
		What: fmt.Sprintf("calls that the journal lacks at %d /s, policy block", journalRate), Goal: "0",
		Measured: fmt.Sprintf("%d of %d; whole: %t", missing, run.Calls, report.Whole()),
		Met:      verdict(missing == 0 && report.Whole()),
	})
	return nil
}

func steady(ctx context.Context, t *service.Target, measured time.Duration) (*service.Run, error) {
	return t.Steady(ctx, 16, journalRate, 0, measured)
}
