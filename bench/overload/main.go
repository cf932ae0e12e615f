// Command overload asks more of a node than it can answer, and shows what becomes of the calls that it takes: how
// many it turns away and how, the latency of those that it answers beside that at half of its capacity and at its
// capacity, and when it turns nobody away again afterwards.
//
// The node is the real binary on one processor and the callers are on another, so that neither waits for the
// other: where the machine has fewer than two, or no taskset, the numbers are of both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"gec/bench"
	"gec/bench/service"
)

// question takes the node half a millisecond and is answered in half a kilobyte, so that callers on one processor can
// ask five times as much as it can answer, and are not kept from it by reading. A quote takes both about as long.
const question = "GET /gec/v1/psps/PAOLITMM/lint HTTP/1.1\r\nHost: localhost\r\n\r\n"

// settings are the flags.
type settings struct {
	binary      string
	bundles     int
	factor      float64
	load        time.Duration
	connections int
	quotes      bool
	arguments   []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	flag.StringVar(&s.binary, "gec", "bin/gec", "the gec `binary`")
	flag.IntVar(&s.bundles, "bundles", 51_300, "`number` of bundles of the catalogue")
	flag.Float64Var(&s.factor, "factor", 5, "how many `times` its capacity is asked of the node")
	flag.DurationVar(&s.load, "load", 10*time.Second, "`time` of the overload")
	flag.IntVar(&s.connections, "connections", 2048, "`number` of callers, each on a connection of its own")
	flag.BoolVar(&s.quotes, "quotes", false, "ask for quotes, of which callers on one processor cannot bring as many times the capacity")
	flag.Func("serve", "a further `argument` of gec serve; may be repeated", func(argument string) error {
		s.arguments = append(s.arguments, argument)
		return nil
	})
	var err error
	if service.IsFill(os.Args[1:]) {
		err = service.Fill(ctx, os.Args[1:])
	} else {
		flag.Parse()
		err = run(ctx, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/overload:", err)
		stop()
		os.Exit(1) //nolint:gocritic // what it started is ended by run
	}
}

// pinned puts the callers on the last processor and returns a binary that runs the node on the first.
func pinned(ctx context.Context, binary, scratch string) (string, error) {
	binary, err := filepath.Abs(binary)
	if err != nil || runtime.NumCPU() < 2 {
		return binary, err
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		fmt.Println("there is no taskset: node and callers share all processors")
		return binary, nil
	}
	last := fmt.Sprint(runtime.NumCPU() - 1)
	if out, err := exec.CommandContext(ctx, taskset, "-a", "-p", "-c", last, fmt.Sprint(os.Getpid())).CombinedOutput(); err != nil {
		return "", fmt.Errorf("taskset: %w: %s", err, out)
	}
	runtime.GOMAXPROCS(1)
	path := filepath.Join(scratch, "gec-on-one")
	script := fmt.Sprintf("#!/bin/sh\nexec %s -c 0 '%s' \"$@\"\n", taskset, binary)
	return path, os.WriteFile(path, []byte(script), 0o700) //nolint:gosec // it is to be run
}

func run(ctx context.Context, s settings) (err error) {
	scratch, err := os.MkdirTemp("", "gec-overload-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	node := service.Node{Arguments: append([]string{"--authoring-without-keys"}, s.arguments...)}
	if node.Binary, err = pinned(ctx, s.binary, scratch); err != nil {
		return err
	}
	o := bench.List(s.bundles)
	folder := filepath.Join(scratch, "data")
	if err := service.StartFill(ctx, folder, o); err != nil {
		return err
	}
	p, err := node.Start(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	request := []byte(question)
	if s.quotes {
		card := bench.Generate(o).Payments(1, bench.Mix{Card: true, Notices: 1})
		request = service.HTTPRequest("/fees/multi?orderBy=fee", bench.BodyV2(&card[0]))
	}
	return s.overload(ctx, &crowd{address: p.HTTP, request: request})
}

// overload finds the capacity of the node, and goes beyond it and back.
func (s *settings) overload(ctx context.Context, c *crowd) error {
	show := func(what string, r *result) {
		fmt.Printf("%-34s answered %8.0f /s  p50 %8v  p99 %8v  longest %8v   turned away %8.0f /s, after p50 %v   %d failed\n", what,
			r.perSecond(r.accepted.Count()), round(r.accepted.Quantile(0.5)), round(r.accepted.Quantile(0.99)), round(r.accepted.Longest()),
			r.perSecond(r.refused.Count()), round(r.refused.Quantile(0.5)), r.failed)
	}
	if err := c.dialAll(ctx, s.connections); err != nil {
		return err
	}
	defer c.hangUp()
	if _, err := c.closed(ctx, 16, s.load/4); err != nil { // warming up
		return err
	}
	peak, err := c.closed(ctx, 16, s.load/2)
	if err != nil {
		return err
	}
	show("16 callers, one after the other", peak)
	capacity := peak.perSecond(peak.accepted.Count())
	half, err := c.open(ctx, s.connections, capacity/2, s.load/2)
	if err != nil {
		return err
	}
	show("half of that", half)
	nine, err := c.open(ctx, s.connections, capacity*0.9, s.load/2)
	if err != nil {
		return err
	}
	show("nine tenths", nine)
	over, err := c.open(ctx, s.connections, capacity*s.factor, s.load)
	if err != nil {
		return err
	}
	show(fmt.Sprintf("%g times", s.factor), over)
	ended := time.Now()
	for time.Since(ended) < 30*time.Second {
		after, err := c.open(ctx, s.connections, capacity/2, 500*time.Millisecond)
		if err != nil {
			return err
		}
		if after.refused.Count() == 0 && after.failed == 0 {
			show("half again", after)
			fmt.Printf("nobody is turned away %v after the end\n", round(time.Since(ended)-500*time.Millisecond))
			break
		}
	}
	fmt.Printf("p99 of answered calls: %.1f times that at half of the capacity, %.1f times that at nine tenths; %.0f %% of the capacity is answered\n",
		float64(over.accepted.Quantile(0.99))/float64(half.accepted.Quantile(0.99)),
		float64(over.accepted.Quantile(0.99))/float64(nine.accepted.Quantile(0.99)), 100*over.perSecond(over.accepted.Count())/capacity)
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
