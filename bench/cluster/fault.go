//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"
)

// faultsMax is how many faults a schedule has at once, at most.
const faultsMax = 3

// fault is one thing that goes wrong, and how it is put right.
type fault struct {
	name string
	// on is what it befalls: two faults of one schedule befall different things.
	on string
	// down is the node that cannot answer meanwhile; -1 where every node can.
	down        int
	strike      func()
	heal        func(context.Context) error
	after, last time.Duration
}

// plan draws the faults of one schedule: one to three, on different things, which begin one after the other and end
// in an order of their own, so that they overlap. At least one node can answer all the time.
func plan(l *lab, random *rand.Rand) []fault {
	count := 1 + random.IntN(faultsMax)
	longer := 1
	if random.IntN(6) == 0 {
		longer = 4 // than connections are kept alive without a word
	}
	var faults []fault
	on, down := map[string]bool{}, map[int]bool{}
	for len(faults) < count {
		f := draw(l, random)
		if on[f.on] || f.down >= 0 && len(down) == size-1 && !down[f.down] {
			continue
		}
		on[f.on] = true
		if f.down >= 0 {
			down[f.down] = true
		}
		f.after = time.Duration(random.IntN(400)) * time.Millisecond
		f.last = time.Duration(longer*(300+random.IntN(900))) * time.Millisecond
		faults = append(faults, f)
	}
	return faults
}

// outageEach is how many schedules have one outage of etcd among them, outageLast how long that lasts: longer than
// those who wait a little more before each try would take to come back in time.
const (
	outageEach = 50
	outageLast = 30 * time.Second
)

// outage is that every member is killed for long.
func outage(l *lab) []fault {
	var faults []fault
	for m := range size {
		faults = append(faults, fault{name: fmt.Sprintf("member %d killed for %s", m, outageLast), down: -1, last: outageLast,
			strike: func() { l.members[m].end(syscall.SIGKILL) },
			heal:   func(context.Context) error { return l.members[m].start() }})
	}
	return faults
}

// draw returns one of the ten kinds of faults, on a node or member at random.
func draw(l *lab, random *rand.Rand) fault {
	n, m := random.IntN(size), random.IntN(size)
	node, member := fmt.Sprintf("node %d", n), fmt.Sprintf("member %d", m)
	delay := time.Duration(50+random.IntN(451)) * time.Millisecond
	restart := func(context.Context) error { return l.members[m].start() }
	restartNode := func(ctx context.Context) error {
		return errors.Join(l.nodes[n].start(), l.awaitNode(ctx, n))
	}
	network := func(name, on string, links []*proxy, strike func(*proxy)) fault {
		return fault{name: name, on: on, down: -1,
			strike: func() { each(links, strike) },
			heal:   func(context.Context) error { each(links, (*proxy).heal); return nil }}
	}
	stalled := func(p *process, f fault) fault {
		f.strike = func() { p.signal(syscall.SIGSTOP) }
		f.heal = func(context.Context) error { p.signal(syscall.SIGCONT); return nil }
		return f
	}
	blackhole := func(p *proxy) { p.blackhole.Store(true) }
	links := l.links[n][:]
	switch random.IntN(10) {
	case 0:
		return fault{name: node + " killed", on: node, down: n, strike: func() { l.nodes[n].end(syscall.SIGKILL) }, heal: restartNode}
	case 1:
		return fault{name: node + " restarted", on: node, down: n, strike: func() { l.nodes[n].end(syscall.SIGTERM) }, heal: restartNode}
	case 2:
		return fault{name: member + " killed", on: member, down: -1, strike: func() { l.members[m].end(syscall.SIGKILL) }, heal: restart}
	case 3:
		return stalled(l.members[m], fault{name: member + " stalled", on: member, down: -1})
	case 4:
		return stalled(l.nodes[n], fault{name: node + " stalled", on: node, down: n})
	case 5:
		return network(node+" cut off", "links of "+node, links, blackhole)
	case 6:
		return network(member+" unheard by its peers", "peers of "+member, []*proxy{l.peers[m]}, blackhole)
	case 7:
		return network(fmt.Sprintf("%s slow by %s", node, delay), "links of "+node, links, func(p *proxy) { p.delay.Store(int64(delay)) })
	case 8:
		return network(fmt.Sprintf("%s slow by %s, its connections dropped again and again", node, delay), "links of "+node, links,
			func(p *proxy) { p.delay.Store(int64(delay)); p.flaky.Store(true) })
	}
	return network(fmt.Sprintf("connections of %s to %s dropped", node, member), "links of "+node, []*proxy{l.links[n][m]}, (*proxy).drop)
}

func each(links []*proxy, do func(*proxy)) {
	for _, link := range links {
		do(link)
	}
}

// run lets the faults happen, and returns once all are healed, and every node that was down is ready.
func (w *witness) run(ctx context.Context, faults []fault) error {
	ended := make(chan error, len(faults))
	for _, f := range faults {
		pause(ctx, f.after)
		if f.down >= 0 {
			w.nodes[f.down].down()
		}
		f.strike()
		go func() {
			pause(ctx, f.last)
			err := f.heal(ctx)
			if f.down >= 0 {
				w.nodes[f.down].up()
			}
			ended <- err
		}()
	}
	var errs []error
	for range faults {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

func names(faults []fault) string {
	all := make([]string, len(faults))
	for i, f := range faults {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}
