package bundles

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"gec/engine"
)

// plans bounds the memory of the plans of ECs: of those that were built it keeps the latest and drops
// the others, so that memory follows the ECs that are being paid, not those that exist. It is asked
// when a plan is built, never on the way of a quote that finds its plan.
type plans struct {
	kept *lru.Cache[*engine.ECPlan, struct{}]
}

func newPlans(max int) (*plans, error) {
	kept, err := lru.NewWithEvict(max, func(p *engine.ECPlan, _ struct{}) { p.Drop() })
	return &plans{kept}, err
}

// retain is engine.Deps.Retain.
func (p *plans) retain(plan *engine.ECPlan) { p.kept.Add(plan, struct{}{}) }

// subscriptionsOf is engine.Deps.Subscriptions: the subscriptions of one EC as they stood at a revision.
func (c *Catalogue) subscriptionsOf(revision int64, ec string) ([]engine.Subscription, error) {
	var subscriptions []engine.Subscription
	err := c.store.Scan(context.Background(), revision, KindSubscription, subscriptionPrefix(ec), func(r Row) error {
		s, err := DecodeSubscription(r.Document)
		subscriptions = append(subscriptions, s.Subscription)
		return err
	})
	return subscriptions, err
}
