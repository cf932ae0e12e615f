package bundles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"gec/engine"
	"gec/engine/condition"
)

// The defaults of Options.
const (
	ProgramsMaxDefault  = 8192
	ECPlansMaxDefault   = 4096
	SnapshotsMaxDefault = 4
)

// Options says how much a catalogue keeps in memory. The zero value is right for a service.
type Options struct {
	// ProgramsMax is the number of compiled conditions that are kept, ECPlansMax that of the plans
	// of ECs, SnapshotsMax that of snapshots of the past; 0 is the default of each. A program takes
	// some 4 KB, a snapshot of 51 300 bundles some 30 MB.
	ProgramsMax, ECPlansMax, SnapshotsMax int
	// Now is the clock of changes; nil is time.Now.
	Now func() time.Time
	// Annotate makes a value of a bundle that its quotes carry (see engine.Deps); nil makes none.
	Annotate func(*engine.Bundle) any
	// Stage is told when a stage of a change begins (check, derive, store, swap), and what it returns when
	// that ends; nil: nobody is.
	Stage func(ctx context.Context, name string) (end func(error))
}

// Validate refuses sizes below 0.
func (o Options) Validate() error {
	var err error
	for name, size := range map[string]int{"ProgramsMax": o.ProgramsMax, "ECPlansMax": o.ECPlansMax, "SnapshotsMax": o.SnapshotsMax} {
		if size < 0 {
			err = errors.Join(err, fmt.Errorf("%s is %d: use 0 for the default, or more", name, size))
		}
	}
	return err
}

func (o Options) withDefaults() Options {
	orDefault := func(size *int, value int) {
		if *size == 0 {
			*size = value
		}
	}
	orDefault(&o.ProgramsMax, ProgramsMaxDefault)
	orDefault(&o.ECPlansMax, ECPlansMaxDefault)
	orDefault(&o.SnapshotsMax, SnapshotsMaxDefault)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Stage == nil {
		o.Stage = func(context.Context, string) func(error) { return func(error) {} }
	}
	return o
}

// Catalogue is the catalogue as a service: it takes changes and hands out snapshots. It is safe for
// concurrent use and starts no goroutine that outlives a call. Readers never wait for a change; changes
// wait for each other.
type Catalogue struct {
	store Store
	o     Options
	deps  engine.Deps
	pace  pace
	// current is replaced as a whole, never changed.
	current atomic.Pointer[published]
	// changed is closed, and replaced by another one, whenever current was replaced.
	changed atomic.Pointer[chan struct{}]
	// changing holds a token while somebody changes current.
	changing chan struct{}

	// historic keeps snapshots of the past by revision; loading is held while one is made.
	historic *lru.Cache[int64, *engine.Snapshot]
	loading  sync.Mutex
}

// published is what readers see: the snapshot of a revision and the record that made it; and what the
// next change needs of it.
type published struct {
	snapshot *engine.Snapshot
	record   Record
	// annex is the latest revision known to have changed a row of the annex.
	annex int64
	// methods are the payment methods in order of id.
	methods []PaymentMethod
}

// next publishes what a change made of p.
func (p *published) next(snapshot *engine.Snapshot, record Record, beside besides) *published {
	n := &published{snapshot, record, p.annex, p.methods}
	if beside.annex {
		n.annex = record.Revision
	}
	if len(beside.methods) > 0 {
		n.methods = beside.applied(p.methods)
	}
	return n
}

// besides is what a change did to things that no snapshot holds.
type besides struct {
	annex bool
	// methods holds the changed payment methods by id, nil for one that is gone.
	methods map[string]*PaymentMethod
}

// note takes a row of the change in. Errors: ErrCorrupt.
func (s *besides) note(r Row) error {
	s.annex = s.annex || r.Kind.annex()
	if r.Kind != KindPaymentMethod {
		return nil
	}
	if s.methods == nil {
		s.methods = map[string]*PaymentMethod{}
	}
	s.methods[r.ID] = nil
	if r.Deleted {
		return nil
	}
	m, err := decodeMethodRow(r)
	s.methods[r.ID] = &m
	return err
}

// applied returns the payment methods after the change.
func (s *besides) applied(before []PaymentMethod) []PaymentMethod {
	after := slices.DeleteFunc(slices.Clone(before), func(m PaymentMethod) bool {
		_, changed := s.methods[m.ID]
		return changed
	})
	for _, m := range s.methods {
		if m != nil {
			after = append(after, *m)
		}
	}
	slices.SortFunc(after, func(a, b PaymentMethod) int { return strings.Compare(a.ID, b.ID) })
	return after
}

func decodeMethodRow(r Row) (PaymentMethod, error) {
	m, err := DecodePaymentMethod(r.Document)
	m.Revision = r.Revision
	return m, err
}

// Open loads the current revision of a store. The store stays the caller's to close, after the last
// quote on any of the snapshots.
func Open(ctx context.Context, store Store, o Options) (*Catalogue, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("catalogue options: %w", err)
	}
	o = o.withDefaults()
	plans, err := newPlans(o.ECPlansMax)
	if err != nil {
		return nil, err
	}
	historic, err := lru.New[int64, *engine.Snapshot](o.SnapshotsMax)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{store: store, o: o, changing: make(chan struct{}, 1), historic: historic}
	c.deps = engine.Deps{
		Programs:      condition.NewCache(o.ProgramsMax),
		Subscriptions: c.subscriptionsOf,
		Retain:        plans.retain,
		Annotate:      o.Annotate,
		Together:      together,
		Rest:          c.pace.rest,
	}
	head, err := store.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("load catalogue: %w", err)
	}
	snapshot, err := c.load(ctx, head.Revision)
	if err != nil {
		return nil, fmt.Errorf("load catalogue: %w", err)
	}
	methods, err := scanAll(ctx, store, head.Revision, KindPaymentMethod, decodeMethodRow)
	if err != nil {
		return nil, fmt.Errorf("load catalogue: %w", err)
	}
	c.publish(&published{snapshot, head, head.Revision, methods})
	c.pace.serving.Store(true)
	return c, nil
}

// load makes the snapshot of a revision from the store.
func (c *Catalogue) load(ctx context.Context, revision int64) (*engine.Snapshot, error) {
	source, err := loadSource(ctx, c.store, revision)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", revision, err)
	}
	snapshot, err := engine.NewSnapshot(source, c.deps)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", revision, err)
	}
	return snapshot, nil
}

// Current returns the snapshot of the current revision. It is one atomic load; a caller takes it once
// and answers from it alone (P6).
func (c *Catalogue) Current() *engine.Snapshot { return c.current.Load().snapshot }

// Head returns the record of the current revision, the zero Record for revision 0.
func (c *Catalogue) Head() Record { return c.current.Load().record }

// publish makes p what readers see.
func (c *Catalogue) publish(p *published) {
	c.current.Store(p)
	next := make(chan struct{})
	if before := c.changed.Swap(&next); before != nil {
		close(*before)
	}
}

// Changed returns a channel that is closed when another revision becomes current. Whoever takes it before
// looking at Head misses none.
func (c *Catalogue) Changed() <-chan struct{} { return *c.changed.Load() }

// Programs returns how the cache of compiled conditions does.
func (c *Catalogue) Programs() condition.Stats { return c.deps.Programs.Stats() }

// At returns the snapshot of any revision, 0 being the empty catalogue (A8). Snapshots of the past are
// made from the store, which takes a second at 51 300 bundles, and the latest few are kept.
// Errors: ErrNotFound.
func (c *Catalogue) At(ctx context.Context, revision int64) (*engine.Snapshot, error) {
	if current := c.Current(); revision == current.Revision() {
		return current, nil
	}
	if snapshot, ok := c.historic.Get(revision); ok {
		return snapshot, nil
	}
	c.loading.Lock()
	defer c.loading.Unlock()
	if snapshot, ok := c.historic.Get(revision); ok { // made while this call waited
		return snapshot, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	snapshot, err := c.load(ctx, revision)
	if err != nil {
		return nil, fmt.Errorf("load catalogue: %w", err)
	}
	c.historic.Add(revision, snapshot)
	return snapshot, nil
}

// AsOf returns the snapshot of the revision that was current at an instant (A8), the empty one for an
// instant before the first change.
func (c *Catalogue) AsOf(ctx context.Context, instant time.Time) (*engine.Snapshot, error) {
	if current := c.current.Load(); !current.record.At.After(instant) {
		return current.snapshot, nil
	}
	record, err := c.store.RecordAt(ctx, instant)
	if err != nil {
		return nil, fmt.Errorf("catalogue as of %s: %w", instant.UTC().Format(time.RFC3339), err)
	}
	return c.At(ctx, record.Revision)
}

// Refresh brings the snapshot to the head of the store, where somebody else than this catalogue changed
// it, from the rows that changed.
func (c *Catalogue) Refresh(ctx context.Context) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	return c.refresh(ctx)
}

// Await returns once the current revision is the given one or a later one, at once where it is. Errors:
// ErrNotYet when ctx ends before.
func (c *Catalogue) Await(ctx context.Context, revision int64) error {
	for {
		changed, current := c.Changed(), c.current.Load()
		if current.record.Revision >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w: revision %d is asked for, %d is current", ErrNotYet, revision, current.record.Revision)
		}
	}
}

// lock waits for the right to change the catalogue, no longer than ctx lives.
func (c *Catalogue) lock(ctx context.Context) error {
	select {
	case c.changing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Catalogue) unlock() { <-c.changing }

// refresh is Refresh for a caller that holds the lock.
func (c *Catalogue) refresh(ctx context.Context) error {
	current := c.current.Load()
	head, err := c.store.Head(ctx)
	if err != nil {
		return fmt.Errorf("refresh catalogue: %w", err)
	}
	if head.Revision == current.record.Revision {
		return nil
	}
	change, beside, err := c.changeSince(ctx, current.record.Revision, head.Revision)
	if err != nil {
		return fmt.Errorf("refresh catalogue: %w", err)
	}
	snapshot, err := current.snapshot.With(change)
	if err != nil {
		return fmt.Errorf("refresh catalogue: revision %d: %w", head.Revision, err)
	}
	c.publish(current.next(snapshot, head, beside))
	return nil
}

// changeSince gathers what the revisions after one changed, up to another.
func (c *Catalogue) changeSince(ctx context.Context, after, through int64) (change engine.Change, beside besides, err error) {
	change.Revision = through
	put, ecs, settings := map[string]*engine.Bundle{}, map[string]bool{}, false
	err = c.store.Changes(ctx, after, through, func(r Row) error {
		if err := beside.note(r); err != nil {
			return err
		}
		switch r.Kind {
		case KindSettings, KindIssuer:
			settings = true
		case KindSubscription:
			ec, _, err := splitSubscriptionRowID(r.ID)
			ecs[ec] = true
			return err
		case KindBundle:
			put[r.ID] = nil
			if !r.Deleted {
				b, err := decodeEngineBundle(r)
				put[r.ID] = b
				return err
			}
		}
		return nil
	})
	if err != nil {
		return change, beside, err
	}
	for id, b := range put {
		if b == nil {
			change.Remove = append(change.Remove, id)
		} else {
			change.Put = append(change.Put, b)
		}
	}
	for ec := range ecs {
		change.ECs = append(change.ECs, ec)
	}
	if settings {
		s, err := loadSettings(ctx, c.store, through)
		if err != nil {
			return change, beside, err
		}
		change.Settings = &s
	}
	return change, beside, nil
}
