//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"

	"gec/bundles"
	"gec/bundles/store/badger"
)

// healGoal is how long after healing a change may take until it is quoted on every node.
const healGoal = 5 * time.Second

// change is one change as its client saw it: times are since the start of the storm.
type change struct {
	name           string
	client         int
	called, ended  int64
	revision       int64
	acked, refused bool
}

// witness is what clients saw.
type witness struct {
	started time.Time
	mu      sync.Mutex
	changes []change
	faults  []error
	quotes  atomic.Int64
}

func (w *witness) now() int64 { return int64(time.Since(w.started)) }

func (w *witness) fault(format string, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Errorf(format, values...))
}

// storm runs random schedules of faults while clients write and quote, heals after each, and at the end holds
// what the clients saw against what the nodes have.
func storm(ctx context.Context, l *lab, schedules int, seed uint64, say func(string)) error {
	random := rand.New(rand.NewPCG(seed, 0))
	say(fmt.Sprintf("seed %d, %d schedules", seed, schedules))
	w := &witness{started: time.Now()}
	working, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for client := range 2 * size {
		clients.Go(func() { w.write(working, l, client) })
	}
	for n := range size {
		clients.Go(func() { w.quote(working, l, n) })
	}
	var worst time.Duration
	err := func() error {
		for s := range schedules {
			name, heal := schedule(l, random)
			pause(ctx, time.Duration(300+random.IntN(900))*time.Millisecond)
			if err := heal(ctx); err != nil {
				return fmt.Errorf("schedule %d (%s): %w", s, name, err)
			}
			healed := time.Now()
			if err := l.together(ctx, healGoal, s%size, fmt.Sprintf("H%d", s)); err != nil {
				return fmt.Errorf("schedule %d (%s): %w", s, name, err)
			}
			took := time.Since(healed)
			worst = max(worst, took)
			say(fmt.Sprintf("schedule %3d: %s; together again after %s", s, name, took.Round(time.Millisecond)))
		}
		return nil
	}()
	stop()
	clients.Wait()
	if err == nil {
		err = l.equal(ctx, 5*time.Second)
	}
	if err != nil {
		return err
	}
	return w.judge(l, worst, say)
}

// write makes one change after the other, each on a node at random.
func (w *witness) write(ctx context.Context, l *lab, client int) {
	random := rand.New(rand.NewPCG(uint64(client), 1))
	for i := 0; ctx.Err() == nil; i++ {
		c := change{name: fmt.Sprintf("S%d-%d", client, i), client: client, called: w.now()}
		revision, err := l.add(context.WithoutCancel(ctx), random.IntN(size), c.name)
		c.ended, c.revision, c.acked, c.refused = w.now(), revision, err == nil, errors.Is(err, errRefused)
		w.mu.Lock()
		w.changes = append(w.changes, c)
		w.mu.Unlock()
		pause(ctx, time.Duration(20+random.IntN(30))*time.Millisecond)
	}
}

// quote asks one node after the other, beginning at its own, as whoever spreads the load does: that all fail is a
// fault, and so is a revision that goes back on one node.
func (w *witness) quote(ctx context.Context, l *lab, first int) {
	var last [size]int64
	for ctx.Err() == nil {
		var failures []error
		for i := range size {
			n := (first + i) % size
			revision, err := l.quote(ctx, n, 0, 2*time.Second)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			if revision < last[n] {
				w.fault("node %d quotes on revision %d after %d", n, revision, last[n])
			}
			last[n] = revision
			break
		}
		if len(failures) == size && ctx.Err() == nil {
			w.fault("a quote failed on every node: %w", errors.Join(failures...))
		}
		w.quotes.Add(1)
		pause(ctx, 10*time.Millisecond)
	}
}

// schedule throws one fault and returns its name and how it is healed.
func schedule(l *lab, random *rand.Rand) (string, func(context.Context) error) {
	n, m := random.IntN(size), random.IntN(size)
	restart := func(p *process) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := p.start(); err != nil || p != l.nodes[n] {
				return err
			}
			return l.awaitNode(ctx, n)
		}
	}
	network := func(name string, links []*proxy, fault func(*proxy)) (string, func(context.Context) error) {
		for _, link := range links {
			fault(link)
		}
		return name, func(context.Context) error {
			for _, link := range links {
				link.heal()
			}
			return nil
		}
	}
	blackhole := func(p *proxy) { p.blackhole.Store(true) }
	slow := func(p *proxy) { p.delay.Store(int64(random.IntN(200)) * int64(time.Millisecond)) }
	resume := func(p *process) func(context.Context) error {
		return func(context.Context) error { p.signal(syscall.SIGCONT); return nil }
	}
	switch random.IntN(9) {
	case 0:
		l.nodes[n].end(syscall.SIGKILL)
		return fmt.Sprintf("node %d killed", n), restart(l.nodes[n])
	case 1:
		l.nodes[n].end(syscall.SIGTERM)
		return fmt.Sprintf("node %d restarted", n), restart(l.nodes[n])
	case 2:
		l.members[m].end(syscall.SIGKILL)
		return fmt.Sprintf("member %d killed", m), restart(l.members[m])
	case 3:
		l.members[m].signal(syscall.SIGSTOP)
		return fmt.Sprintf("member %d stalled", m), resume(l.members[m])
	case 4:
		l.nodes[n].signal(syscall.SIGSTOP)
		return fmt.Sprintf("node %d stalled", n), resume(l.nodes[n])
	case 5:
		return network(fmt.Sprintf("node %d cut off", n), l.links[n][:], blackhole)
	case 6:
		return network(fmt.Sprintf("member %d unheard by its peers", m), []*proxy{l.peers[m]}, blackhole)
	case 7:
		return network(fmt.Sprintf("node %d slow", n), l.links[n][:], slow)
	}
	return network(fmt.Sprintf("connections of node %d to member %d dropped", n, m), []*proxy{l.links[n][m]}, (*proxy).drop)
}

// together returns once a change that one node takes is quoted on all.
func (l *lab) together(ctx context.Context, limit time.Duration, n int, name string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for try := 0; ; try++ {
		revision, err := l.add(ctx, n, fmt.Sprintf("%s-%d", name, try))
		if err == nil {
			return l.everywhere(ctx, revision)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("node %d takes no change %s after healing: %w", n, limit, err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// equal returns once every node is connected and at one revision; nobody may be writing.
func (l *lab) equal(ctx context.Context, limit time.Duration) error {
	return l.until(ctx, limit, func(all [size]health) bool {
		for _, h := range all {
			if h.Connected != "true" || h.Revision != all[0].Revision {
				return false
			}
		}
		return true
	})
}

func (l *lab) until(ctx context.Context, limit time.Duration, is func([size]health) bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last string
	for ctx.Err() == nil {
		var all [size]health
		var failed error
		for n := range size {
			var err error
			all[n], err = l.health(ctx, n)
			failed = errors.Join(failed, err)
		}
		if failed == nil && is(all) {
			return nil
		}
		if ctx.Err() == nil {
			last = fmt.Sprintf("%+v %v", all, failed)
		}
		pause(ctx, 20*time.Millisecond)
	}
	return fmt.Errorf("the nodes are not together after %s: %s", limit, last)
}

// judge stops the nodes and compares their folders with one another and with what the clients saw.
func (w *witness) judge(l *lab, worst time.Duration, say func(string)) error {
	for _, node := range l.nodes {
		node.end(syscall.SIGTERM)
	}
	var first history
	for n := range size {
		h, err := readHistory(l.folder(n))
		if err != nil {
			return fmt.Errorf("node %d: %w", n, err)
		}
		if n == 0 {
			first = h
		} else if h.head != first.head {
			w.fault("node %d ends at %+v, node 0 at %+v", n, h.head, first.head)
		}
	}
	acked, unknown := 0, 0
	var operations []porcupine.Operation
	for _, c := range w.changes {
		stored := first.revisions[strings.ToLower(c.name)]
		switch {
		case c.acked:
			acked++
			if stored == 0 {
				w.fault("the acknowledged change %s is lost", c.name)
			}
		case c.refused:
			if stored != 0 {
				w.fault("the change %s was refused and is in revision %d", c.name, stored)
			}
			continue
		default:
			unknown++
			if stored == 0 {
				continue
			}
			c.revision, c.ended = stored, w.now()
		}
		operations = append(operations, porcupine.Operation{ClientId: c.client, Input: c.name, Call: c.called, Output: c.revision, Return: c.ended})
	}
	// Every change becomes current after the one before it: a counter that only grows. An acknowledgement tells a
	// revision that is at or after its own change, as of when it was answered.
	for i := range operations {
		name, told := operations[i].Input.(string), operations[i].Output.(int64)
		stored := first.revisions[strings.ToLower(name)]
		if told < stored {
			w.fault("the change %s is in revision %d and was told to be in %d", name, stored, told)
		}
		operations[i].Output = stored
	}
	if result := porcupine.CheckOperationsTimeout(counter(), operations, time.Minute); result != porcupine.Ok {
		w.fault("the history is not linearizable: %v", result)
	}
	say(fmt.Sprintf("%d changes acknowledged, %d without an answer, %d refused, %d quotes, revision %d; together again after %s at worst",
		acked, unknown, len(w.changes)-acked-unknown, w.quotes.Load(), first.head.Revision, worst.Round(time.Millisecond)))
	return errors.Join(w.faults...)
}

// counter is the model: each change has a revision of its own, later than all before it.
func counter() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return int64(0) },
		Step: func(state, _, output any) (bool, any) {
			revision := output.(int64)
			return revision > state.(int64), revision
		},
	}
}

// history is what a folder has: its last record, and by touchpoint the revision that brought it.
type history struct {
	head      bundles.Record
	revisions map[string]int64
}

func readHistory(dir string) (h history, err error) {
	store, err := badger.Open(dir, badger.Options{VerifyRows: -1, WatermarkBytes: 1 << 20})
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	h.revisions = map[string]int64{}
	if h.head, err = store.Head(context.Background()); err != nil {
		return h, err
	}
	err = store.Changes(context.Background(), 0, h.head.Revision, func(r bundles.Row) error {
		if r.Kind == bundles.KindTouchpoint && h.revisions[strings.ToLower(r.ID)] == 0 {
			h.revisions[strings.ToLower(r.ID)] = r.Revision
		}
		return nil
	})
	return h, err
}
