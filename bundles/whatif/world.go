package whatif

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
	"gec/engine/condition"
)

// Audience is whose payments are looked at.
type Audience string

// The audiences.
const (
	// Everybody: payments to any EC; only GLOBAL bundles are quoted.
	Everybody Audience = "EVERYBODY"
	// Subscribers: payments to an EC that subscribes to the drafts that are PUBLIC or PRIVATE, and bears
	// nothing of their fees.
	Subscribers Audience = "SUBSCRIBERS"
)

// world is the catalogue as one audience is quoted on it, without the drafts and with them.
type world struct {
	audience      Audience
	before, after *engine.Snapshot
	drafts        []*engine.Bundle
}

// programsMax bounds the conditions that are compiled for one question.
const programsMax = 4096

// worlds makes the worlds that the drafts concern. All bundles of the PSP come in, and of others the GLOBAL
// ones, as they are quoted on the day; the drafts are in force whatever their own dates.
func worlds(catalogue *engine.Snapshot, psp string, drafts []bundles.Bundle) ([]world, error) {
	source := engine.Source{Revision: catalogue.Revision(), Settings: *catalogue.Settings()}
	replaced := map[string]*engine.Bundle{}
	for b := range catalogue.Bundles() {
		own := strings.EqualFold(b.PSP, psp)
		if b.Type == engine.Global {
			source.Bundles = append(source.Bundles, b)
		}
		if own {
			replaced[b.ID] = b
		}
	}
	before, err := engine.NewSnapshot(source, engine.Deps{Programs: condition.NewCache(programsMax)})
	if err != nil {
		return nil, err
	}
	everybody, subscribers := world{audience: Everybody, before: before}, world{audience: Subscribers}
	change, agreed := engine.Change{Revision: source.Revision}, engine.Change{Revision: source.Revision}
	for n := range drafts {
		b := drafts[n].Bundle
		b.Validity = engine.Period{}
		old := replaced[b.ID]
		if b.Type == engine.Global {
			change.Put = append(change.Put, &b)
			everybody.drafts = append(everybody.drafts, &b)
			continue
		}
		if old != nil && old.Type == engine.Global {
			change.Remove = append(change.Remove, b.ID)
		} else if old != nil {
			agreed.Put = append(agreed.Put, reaching(old))
		}
		subscribers.drafts = append(subscribers.drafts, reaching(&b))
	}
	if everybody.after, err = before.With(change); err != nil {
		return nil, err
	}
	all := []world{}
	if len(everybody.drafts) > 0 || len(change.Remove) > 0 {
		all = append(all, everybody)
	}
	if len(subscribers.drafts) > 0 {
		if subscribers.before, err = before.With(agreed); err != nil {
			return nil, err
		}
		subscribers.after, err = everybody.after.With(engine.Change{Revision: source.Revision, Put: subscribers.drafts})
		all = append(all, subscribers)
	}
	return all, err
}

// reaching returns a copy of a bundle that reaches every payment, as it does those of its subscribers.
func reaching(b *engine.Bundle) *engine.Bundle {
	c := *b
	c.Type = engine.Global
	return &c
}

// asking computes quotes, of all PSPs in order of fee.
type asking struct{ quoter *engine.Quoter }

func newAsking() asking { return asking{engine.NewQuoter()} }

// quotes returns the rows of a payment, cheapest first. They are valid until the next call.
func (a asking) quotes(s *engine.Snapshot, p *engine.Payment) ([]engine.Quote, error) {
	answer, err := a.quoter.Quotes(s, p, engine.Options{Order: engine.OrderFee, Limit: math.MaxInt32})
	if err != nil {
		return nil, err
	}
	return answer.Quotes, nil
}

// catalogueOn returns the catalogue of a day: as it stood at its end where the day is over, else the current
// one, on which the days to come are quoted already.
func catalogueOn(ctx context.Context, c *bundles.Catalogue, day, today engine.Date) (*engine.Snapshot, error) {
	if day >= today {
		return c.Current(), nil
	}
	s, err := c.AsOf(ctx, instant(day.AddDays(1), 0).Add(-1))
	if err != nil {
		return nil, fmt.Errorf("the catalogue of %s: %w", day, err)
	}
	return s, nil
}

// registeredOr returns the name of a bundle, or all that are registered where it stands for any.
func registeredOr(name string, registered []string) []string {
	if name != "" && !strings.EqualFold(name, engine.Any) {
		return []string{name}
	}
	return slices.Sorted(slices.Values(registered))
}
