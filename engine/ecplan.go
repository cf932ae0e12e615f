package engine

import (
	"slices"
	"strings"
	"sync/atomic"
)

// ECPlan holds the subscriptions of one EC, prepared for quotes, from the first payment to the EC
// until its owner drops it. A new one replaces it in the snapshot that changes the EC's subscriptions,
// so that every snapshot sees those of its own revision.
type ECPlan struct {
	ec       string
	prepared atomic.Pointer[preparedEC]
}

// EC returns the tax code.
func (p *ECPlan) EC() string { return p.ec }

// Drop frees the memory of the plan; the next payment to the EC builds it anew.
func (p *ECPlan) Drop() { p.prepared.Store(nil) }

// preparedEC is what a plan holds.
type preparedEC struct {
	// subscriptions are ascending by slot of their bundle, then by id.
	subscriptions []preparedSubscription
	// codes are the taxonomy codes that attributes name, each once.
	codes []string
}

type preparedSubscription struct {
	slot       uint32
	id         string
	validity   Period
	attributes []preparedAttribute
}

type preparedAttribute struct {
	share int64
	// code is a place in the plan's codes, -1 for an attribute that always matches.
	code     int
	notEqual bool
}

// planOf returns the plan of an EC; not ok when it has no subscriptions. Nobody is the EC without a tax code (see
// Notice): what is stored under it by mistake reaches no payment.
func (s *Snapshot) planOf(ec string) (plan *ECPlan, ok bool) {
	if ec == "" || s.deps.Subscriptions == nil {
		return nil, false
	}
	return s.plans.get(shardOf(hashOf(ec)), ec)
}

// plan returns the prepared subscriptions of an EC; nil when it has none.
func (s *Snapshot) plan(ec string) (*preparedEC, error) {
	plan, ok := s.planOf(ec)
	if !ok {
		return nil, nil
	}
	if prepared := plan.prepared.Load(); prepared != nil {
		return prepared, nil
	}
	subscriptions, err := s.deps.Subscriptions(s.revision, plan.ec)
	if err != nil {
		return nil, err
	}
	prepared, complete := s.prepare(subscriptions)
	if complete {
		plan.prepared.Store(prepared)
		if s.deps.Retain != nil {
			s.deps.Retain(plan)
		}
	}
	return prepared, nil
}

// prepare makes the plan of subscriptions. It is complete when all their bundles are known: a plan
// that is not must not outlive the snapshot, for the next one may know them.
func (s *Snapshot) prepare(subscriptions []Subscription) (plan *preparedEC, complete bool) {
	plan, complete = &preparedEC{}, true
	for i := range subscriptions {
		sub := &subscriptions[i]
		slot, ok := s.slotOf(sub.BundleID)
		if !ok {
			complete = false
			continue
		}
		prepared := preparedSubscription{slot: slot, id: sub.ID, validity: sub.Validity}
		for j := range sub.Attributes {
			prepared.attributes = append(prepared.attributes, plan.attribute(&sub.Attributes[j]))
		}
		plan.subscriptions = append(plan.subscriptions, prepared)
	}
	slices.SortFunc(plan.subscriptions, func(a, b preparedSubscription) int {
		if a.slot != b.slot {
			return int(a.slot) - int(b.slot)
		}
		return strings.Compare(a.id, b.id)
	})
	return plan, complete
}

func (p *preparedEC) attribute(a *Attribute) preparedAttribute {
	prepared := preparedAttribute{share: a.MaxPaymentAmountCents, code: -1, notEqual: a.NotEqual}
	if code := BareCategory(a.TransferCategory); code != "" {
		prepared.code = slices.Index(p.codes, code)
		if prepared.code < 0 {
			prepared.code = len(p.codes)
			p.codes = append(p.codes, code)
		}
	}
	return prepared
}
