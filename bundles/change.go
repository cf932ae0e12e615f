package bundles

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gec/engine"
	"gec/engine/condition"
)

// base is the revision that a change is worked out against.
type base struct {
	*published
	// now is the instant of the change, today its date in Europe/Rome.
	now   time.Time
	today engine.Date
}

// edit is a change of the catalogue, worked out: what differs from its base and nothing else.
type edit struct {
	// settings is nil where they stay.
	settings *engine.Settings
	// put holds new bundles and new versions of bundles, removed the ids of those that go.
	put     []Bundle
	removed []string
	// subscribed holds new subscriptions and new versions, unsubscribed the row ids of those that go.
	subscribed   []Subscription
	unsubscribed []string
	// offers and requests hold new ones and new versions.
	offers   []Offer
	requests []Request
	// others are rows that quotes do not depend on: payment methods and those of the annex.
	others []Row
}

func (e *edit) empty() bool {
	return e.settings == nil && len(e.put) == 0 && len(e.removed) == 0 && len(e.subscribed) == 0 && len(e.unsubscribed) == 0 &&
		len(e.offers) == 0 && len(e.requests) == 0 && len(e.others) == 0
}

// request is who asks for a change and how.
type request struct {
	caller         Caller
	operation      string
	idempotencyKey string
	// expected is the head that the caller read, nil for any.
	expected *int64
	dryRun   bool
}

// errUnchanged says that a change would change nothing. It stays within this package.
var errUnchanged = errors.New("nothing changed")

// conflictsMax is how often a change is worked out anew because somebody else's came first.
const conflictsMax = 20

// change makes one change: work turns the base into an edit; the next snapshot is derived from it before
// anything is stored, so that what cannot be quoted on is refused; then it is stored, then it is what
// readers see, then change returns. Where somebody else's change came first, all is done again on the
// new head, unless the caller named one. On a dry run nothing is stored and nobody waits.
//
// It returns the record of the revision that holds the change: the base's, with errUnchanged, when the
// edit is empty; that of the dry run's base; with ErrDuplicateKey, the one made with the key before.
func (c *Catalogue) change(ctx context.Context, r request, work func(b base) (edit, error)) (Record, error) {
	if r.caller.Name == "" {
		return Record{}, errors.New("change catalogue: the caller has no name")
	}
	if !r.dryRun {
		if err := c.lock(ctx); err != nil {
			return Record{}, err
		}
		defer c.unlock()
	}
	for range conflictsMax {
		record, err := c.attempt(ctx, r, work)
		late := errors.Is(err, ErrDuplicateKey) && record.Revision == 0 // somebody else was first, just now
		if !late && (r.expected != nil || r.dryRun || !errors.Is(err, ErrConflict)) {
			return record, err
		}
		if err := c.refresh(ctx); err != nil {
			return Record{}, err
		}
	}
	return Record{}, fmt.Errorf("change catalogue: %w", ErrConflict)
}

// operate is a change that only the operator may make. One that changes nothing is no error: the record is
// then the base's. Errors name the operation.
func (c *Catalogue) operate(ctx context.Context, caller Caller, operation string, work func(b base) (edit, error)) (Record, error) {
	if err := caller.mayOperate(); err != nil {
		return Record{}, fmt.Errorf("%s: %w", operation, err)
	}
	record, err := c.change(ctx, request{caller: caller, operation: operation}, work)
	if err = ignoreUnchanged(err); err != nil {
		return Record{}, fmt.Errorf("%s: %w", operation, err)
	}
	return record, nil
}

// ignoreUnchanged makes a change of nothing no error.
func ignoreUnchanged(err error) error {
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// attempt is one try of change.
func (c *Catalogue) attempt(ctx context.Context, r request, work func(b base) (edit, error)) (Record, error) {
	if r.idempotencyKey != "" {
		record, err := c.store.RecordByKey(ctx, r.idempotencyKey)
		if err == nil {
			return record, ErrDuplicateKey
		}
		if !errors.Is(err, ErrNotFound) {
			return Record{}, err
		}
	}
	current := c.current.Load()
	if r.expected != nil && *r.expected != current.record.Revision {
		return Record{}, ErrConflict
	}
	now := c.o.Now()
	checked := c.o.Stage(ctx, "check")
	e, err := work(base{current, now, engine.LocalAt(now).Date})
	checked(err)
	if err != nil {
		return Record{}, err
	}
	if e.empty() {
		return current.record, errUnchanged
	}
	rows, change, err := e.settle(current.snapshot, now, c.pace.rest)
	if err != nil {
		return Record{}, err
	}
	derived := c.o.Stage(ctx, "derive")
	next, err := current.snapshot.With(change)
	derived(err)
	if err != nil {
		return Record{}, Faults{{Reason: err.Error()}}
	}
	var beside besides
	for _, row := range rows {
		if err := beside.note(row); err != nil {
			return Record{}, err
		}
	}
	if r.dryRun {
		return current.record, nil
	}
	stored := c.o.Stage(ctx, "store")
	record, err := c.store.Commit(ctx, Commit{
		Base: current.record.Revision,
		Record: Record{
			At: now, Caller: r.caller.Name, OnBehalfOf: r.caller.OnBehalfOf,
			Operation: r.operation, IdempotencyKey: r.idempotencyKey,
		},
		Rows: rows,
	})
	stored(err)
	if err != nil {
		return Record{}, err
	}
	for n := range beside.methods {
		if m := beside.methods[n]; m != nil {
			m.Revision = record.Revision
		}
	}
	swapped := c.o.Stage(ctx, "swap")
	c.publish(current.next(next, record, beside))
	swapped(nil)
	return record, nil
}

// settle turns an edit into rows and into the change of the snapshot, with rests between its bundles.
func (e *edit) settle(snapshot *engine.Snapshot, now time.Time, rest func()) ([]Row, engine.Change, error) {
	change := engine.Change{Revision: snapshot.Revision() + 1, Remove: e.removed}
	rows := make([]Row, 0, len(e.put)+len(e.removed)+len(e.subscribed)+len(e.unsubscribed))
	if e.settings != nil {
		change.Settings = cloneSettings(e.settings)
		rows = append(rows, settingsRows(snapshot.Settings(), e.settings)...)
		rows = append(rows, touchpointRows(snapshot.Settings().Touchpoints, e.settings.Touchpoints, now)...)
	}
	change.Put = make([]*engine.Bundle, 0, len(e.put))
	for i := range e.put {
		rest()
		b := e.put[i] // a copy: the caller's stays as it is
		b.Updated, b.Revision, b.LanguageVersion = now, 0, 0
		if b.Inserted.IsZero() {
			b.Inserted = now
		}
		if b.When != "" {
			b.LanguageVersion = condition.LanguageVersion
		}
		rows = append(rows, Row{Kind: KindBundle, ID: b.ID, Document: EncodeBundle(&b)})
		change.Put = append(change.Put, engineBundle(&b))
	}
	for _, id := range e.removed {
		rows = append(rows, Row{Kind: KindBundle, ID: id, Deleted: true})
	}
	subscriptions, ecs, err := e.subscriptionRows(now)
	if err != nil {
		return nil, change, err
	}
	change.ECs = ecs
	rows = append(append(rows, subscriptions...), e.relationRows(now)...)
	return append(rows, e.others...), change, nil
}

// subscriptionRows returns the rows of subscriptions with those by which their bundles find them, and the
// ECs concerned.
func (e *edit) subscriptionRows(now time.Time) (rows []Row, ecs []string, err error) {
	concerned := map[string]bool{}
	for i := range e.subscribed {
		s := e.subscribed[i]
		s.Updated, s.Revision = now, 0
		if s.Inserted.IsZero() {
			s.Inserted = now
		}
		id := subscriptionRowID(&s.Subscription)
		rows = append(rows, Row{Kind: KindSubscription, ID: id, Document: EncodeSubscription(&s)})
		if s.Inserted.Equal(now) { // it is new
			index, err := subscriberRow(id)
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, index)
		}
		concerned[s.CreditorInstitution] = true
	}
	for _, id := range e.unsubscribed {
		ec, _, err := splitSubscriptionRowID(id)
		if err != nil {
			return nil, nil, err
		}
		index, err := subscriberRow(id)
		if err != nil {
			return nil, nil, err
		}
		index.Deleted = true
		rows = append(rows, Row{Kind: KindSubscription, ID: id, Deleted: true}, index)
		concerned[ec] = true
	}
	return rows, slices.Collect(maps.Keys(concerned)), nil
}

// relationRows returns the rows of offers and requests, and for new ones those by which they are found.
func (e *edit) relationRows(now time.Time) (rows []Row) {
	settled := func(r *Relation, indexes [3]string) {
		r.Updated, r.Revision = now, 0
		if r.Inserted.IsZero() {
			r.Inserted = now
		}
		if r.Inserted.Equal(now) { // it is new
			rows = append(rows, indexRow(indexes[0], fold(r.PSP), r.ID), indexRow(indexes[1], r.CreditorInstitution, r.ID), indexRow(indexes[2], r.BundleID, r.ID))
		}
	}
	for i := range e.offers {
		o := e.offers[i]
		settled(&o.Relation, [3]string{indexOffersOfPSP, indexOffersOfEC, indexOffersOfBundle})
		rows = append(rows, Row{Kind: KindOffer, ID: o.ID, Document: EncodeOffer(&o)})
	}
	for i := range e.requests {
		r := e.requests[i]
		settled(&r.Relation, [3]string{indexRequestsOfPSP, indexRequestsOfEC, indexRequestsOfBundle})
		rows = append(rows, Row{Kind: KindRequest, ID: r.ID, Document: EncodeRequest(&r)})
	}
	return rows
}

// settingsRows returns the rows that turn one state of the settings into another.
func settingsRows(before, after *engine.Settings) (rows []Row) {
	if document := EncodeSettings(after); string(document) != string(EncodeSettings(before)) {
		rows = append(rows, Row{Kind: KindSettings, ID: settingsRowID, Document: document})
	}
	gone := map[string]bool{}
	for _, r := range before.Issuers {
		gone[issuerRowID(r)] = true
	}
	for _, r := range after.Issuers {
		id := issuerRowID(r)
		if there, known := gone[id]; !known {
			rows = append(rows, Row{Kind: KindIssuer, ID: id, Document: EncodeIssuer(r)})
			gone[id] = false // the same range again is the same row
		} else if there {
			gone[id] = false
		}
	}
	for id, there := range gone {
		if there {
			rows = append(rows, Row{Kind: KindIssuer, ID: id, Deleted: true})
		}
	}
	return rows
}
