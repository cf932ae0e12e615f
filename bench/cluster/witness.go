//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// writesTried is how many changes a second are begun, whatever became of those before; underWayMax how many are
	// waited for on one node at the most, as whoever spreads the load would: what a node could not answer for seconds
	// would else wait in a queue before it for seconds more.
	writesTried = 70
	underWayMax = 16
	// touchpointEach is how often a change is a touchpoint; the others are bundles.
	touchpointEach = 8
	// callTimeout is how long a quote may take.
	callTimeout = 3 * time.Second
	// stormFeeCents is the fee of the bundle before the first: each is a cent cheaper than the one before.
	stormFeeCents = 50_000_000
)

// stormPayment is a payment for which there are the bundles of the storm only.
const stormPayment = `"payment": {"paymentType": "STORM", "touchpoint": "STORM", "notices": [{"amountCents": 20000000}]}, "order": "ORDER_FEE"`

// stormBundle returns the list of the one bundle with a number, of a PSP of its own. The higher the number the
// cheaper the bundle, so that a quote tells which is the newest that its revision has.
func stormBundle(number int64) string {
	return fmt.Sprintf(`[{"id":%q,"idPsp":"STORM%07d","name":"storm","type":"GLOBAL","paymentType":"STORM","touchpoint":"STORM",`+
		`"minPaymentAmount":0,"maxPaymentAmount":90000000,"paymentAmount":%d,"validityDateFrom":"2024-01-01","idChannel":"c","idBrokerPsp":"b","abi":"12345"}]`,
		bundleName(number), number, stormFeeCents-number)
}

func bundleName(number int64) string     { return fmt.Sprintf("storm-%07d", number) }
func touchpointName(number int64) string { return fmt.Sprintf("STORM-%07d", number) }

// change is one change as its client saw it: times are since the start of the storm.
type change struct {
	number         int64
	node, epoch    int
	called, ended  int64
	told           int64
	acked, refused bool
	err            error
}

// reading is one quote that was answered.
type reading struct {
	node, epoch   int
	called, ended int64
	// named is the revision that the client named, 0 for none; told that of the answer; bundle the cheapest in it.
	named, told int64
	bundle      string
}

// epoch is a part of the storm at whose end no call was under way and all nodes were at one revision.
type epoch struct {
	ended int64
	head  int64
}

// life counts how often a node went down and came up: it is odd while the node cannot answer.
type life struct{ steps atomic.Int64 }

func (l *life) down() { l.steps.Add(1) }
func (l *life) up()   { l.steps.Add(1) }

// witness is what clients saw.
type witness struct {
	started time.Time
	nodes   [size]life
	// worst is the longest healing, late how many took longer than they may.
	worst time.Duration
	late  int
	names atomic.Int64
	// latest is the highest revision that a writer was told.
	latest atomic.Int64
	// turn is held, shared, by each call while it is under way, and wholly at the end of an epoch, by who appends to
	// epochs.
	turn   sync.RWMutex
	epochs []epoch
	// mu guards what follows.
	mu       sync.Mutex
	changes  []change
	readings []reading
	faults   []error
	// What became of quotes: passed on are those that a node did not answer while it was down.
	asked, answered, notYet, passed, failed, failedAll atomic.Int64
}

func (w *witness) now() int64 { return int64(time.Since(w.started)) }

func (w *witness) fault(format string, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Errorf(format, values...))
}

// work lets clients write and quote until the function that it returns is called.
func (w *witness) work(ctx context.Context, l *lab, seed uint64) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	clients.Go(func() { w.keepWriting(ctx, l, rand.New(rand.NewPCG(seed, 1))) })
	for n := range size {
		clients.Go(func() { w.keepQuoting(ctx, l, n) })
		clients.Go(func() { w.followWriters(ctx, l, rand.New(rand.NewPCG(seed, uint64(2+n)))) })
	}
	return func() {
		cancel()
		clients.Wait()
	}
}

// keepWriting begins changes at a steady rate, each on a node at random, or the next one that has room.
func (w *witness) keepWriting(ctx context.Context, l *lab, random *rand.Rand) {
	var all sync.WaitGroup
	defer all.Wait()
	var places [size]chan struct{}
	for n := range size {
		places[n] = make(chan struct{}, underWayMax)
	}
	beat := time.NewTicker(time.Second / writesTried)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		first := random.IntN(size)
		for i := range size {
			n := (first + i) % size
			select {
			case places[n] <- struct{}{}:
			default:
				continue // the next node
			}
			all.Go(func() {
				defer func() { <-places[n] }()
				w.inTurn(func() { w.write(context.WithoutCancel(ctx), l, n) })
			})
			break
		}
	}
}

// write makes one change on a node. The caller holds turn, or ends epochs itself.
func (w *witness) write(ctx context.Context, l *lab, n int) change {
	number := w.names.Add(1)
	path, body := "/configuration/bundles/add", stormBundle(number)
	if number%touchpointEach == 0 {
		path, body = "/configuration/touchpoint/add", fmt.Sprintf(`[{"name":%q}]`, touchpointName(number))
	}
	c := change{number: number, node: n, epoch: len(w.epochs), called: w.now()}
	c.told, c.err = l.post(ctx, n, path, body)
	c.ended, c.acked, c.refused = w.now(), c.err == nil, errors.Is(c.err, errRefused)
	for c.acked {
		latest := w.latest.Load()
		if latest >= c.told || w.latest.CompareAndSwap(latest, c.told) {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, c)
	return c
}

// keepQuoting asks one node after the other, beginning at its own, as whoever spreads the load does. That a node
// which is up does not answer is a fault, and so is that none does.
func (w *witness) keepQuoting(ctx context.Context, l *lab, first int) {
	for ctx.Err() == nil {
		w.inTurn(func() {
			var failures []error
			for i := range size {
				err := w.quote(ctx, l, (first+i)%size, 0)
				if err == nil {
					return
				}
				failures = append(failures, err)
			}
			if ctx.Err() == nil {
				w.failedAll.Add(1)
				w.fault("a quote failed on every node: %w", errors.Join(failures...))
			}
		})
		pause(ctx, 20*time.Millisecond)
	}
}

// followWriters asks nodes at random for the latest revision that a writer was told, as whoever has changed something
// and looks at it does.
func (w *witness) followWriters(ctx context.Context, l *lab, random *rand.Rand) {
	for ctx.Err() == nil {
		w.inTurn(func() { _ = w.quote(ctx, l, random.IntN(size), w.latest.Load()) })
		pause(ctx, 20*time.Millisecond)
	}
}

func (w *witness) inTurn(do func()) {
	w.turn.RLock()
	defer w.turn.RUnlock()
	do()
}

// quote asks a node for a quote on the revision that is named or a later one, 0 for any. Errors: the node did not
// answer, which is a fault unless it was down; "not yet" is none.
func (w *witness) quote(ctx context.Context, l *lab, n int, named int64) error {
	before := w.nodes[n].steps.Load()
	r := reading{node: n, epoch: len(w.epochs), called: w.now(), named: named}
	var notYet bool
	var err error
	r.told, r.bundle, notYet, err = l.quoteStorm(ctx, n, named)
	r.ended = w.now()
	if ctx.Err() != nil {
		return err
	}
	w.asked.Add(1)
	switch {
	case err == nil && notYet:
		w.notYet.Add(1)
	case err == nil:
		w.answered.Add(1)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.readings = append(w.readings, r)
	case before%2 == 0 && w.nodes[n].steps.Load() == before:
		w.failed.Add(1)
		w.fault("node %d was up and did not answer a quote within %s: %w", n, time.Duration(r.ended-r.called), err)
	default:
		w.passed.Add(1)
	}
	return err
}

// quoteStorm asks a node for the cheapest bundle of the storm.
func (l *lab) quoteStorm(ctx context.Context, n int, named int64) (told int64, bundle string, notYet bool, err error) {
	status, told, body, err := l.call(ctx, n, http.MethodPost, "/gec/v1/quote", `{`+stormPayment+`, "maxOccurrences": 1}`, named, callTimeout)
	if err != nil {
		return 0, "", false, err
	}
	if status == http.StatusServiceUnavailable && named > 0 && bytes.Contains(body, []byte("has not reached this node yet")) {
		return 0, "", true, nil
	}
	var answer struct {
		Revision int64 `json:",string"`
		Quotes   []struct{ BundleID string }
	}
	if status == http.StatusOK {
		err = json.Unmarshal(body, &answer)
	}
	switch {
	case err != nil || status != http.StatusOK:
		return 0, "", false, fmt.Errorf("status %d, %w: %.300s", status, err, body)
	case answer.Revision != told || len(answer.Quotes) != 1:
		return 0, "", false, fmt.Errorf("the header says revision %d and the body %s", told, body)
	}
	return told, answer.Quotes[0].BundleID, false, nil
}
