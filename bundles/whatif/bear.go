package whatif

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
	"gec/engine/condition"
)

// Share is what a creditor institution asks: what it would cost to bear a part of the fees.
type Share struct {
	// CreditorInstitution is the tax code of the EC.
	CreditorInstitution string
	// Bundles are the ids of PUBLIC and PRIVATE bundles that it would subscribe to, or does, with these
	// attributes; none: those that it subscribes to on the day.
	Bundles    []string
	Attributes []engine.Attribute
	// Day is that of the payments; 0: tomorrow.
	Day engine.Date
	// Sample, MixCount and MixSeed are those of Question; the built-in mix draws the touchpoints and payment
	// types of the bundles, and the taxonomy codes of the attributes.
	Sample   []Payment
	MixCount int
	MixSeed  uint64
}

// Cost is what it would cost.
type Cost struct {
	Revision            int64  `json:"revision"`
	Day                 string `json:"day"`
	CreditorInstitution string `json:"ciFiscalCode"`
	Total               Line   `json:"total"`
	// ByCategory are the parts of the total by taxonomy code, in order; the empty code is that of payments
	// without one.
	ByCategory []Line `json:"byTransferCategory"`
}

// Line is what a number of payments cost the EC.
type Line struct {
	TransferCategory string `json:"transferCategory,omitempty"`
	Payments         int64  `json:"payments"`
	// NowCents is what the EC bears as things stand, ExpectedCents what it would bear when payers choose the
	// lowest net fee, by chance among equals, and AtMostCents when each chooses what costs the EC most.
	NowCents      int64 `json:"nowCents"`
	ExpectedCents int64 `json:"expectedCents"`
	AtMostCents   int64 `json:"atMostCents"`
	// PayersSaveCents is by how much the lowest net fees fall, all together; below 0 they rise.
	PayersSaveCents int64 `json:"payersSaveCents"`
}

// Bear answers what bearing a share of fees would cost an EC. today is the date in Europe/Rome.
//
// Errors: those of Caller.MayReadCreditorInstitution; ErrNotFound for bundles that the caller does not see;
// bundles.Faults with paths such as "attributes[0].maxPaymentAmount" and "sample[3].amountCents".
func Bear(ctx context.Context, c *bundles.Catalogue, caller bundles.Caller, q Share, today engine.Date) (*Cost, error) {
	if err := caller.MayReadCreditorInstitution(q.CreditorInstitution); err != nil {
		return nil, err
	}
	if q.Day == 0 {
		q.Day = today.AddDays(1)
	}
	s, err := catalogueOn(ctx, c, q.Day, today)
	if err != nil {
		return nil, err
	}
	before, after, err := q.snapshots(ctx, c, caller, s)
	if err != nil {
		return nil, err
	}
	if q.Sample == nil {
		q.Sample = q.mix(s)
	}
	cost := &Cost{Revision: s.Revision(), Day: q.Day.String(), CreditorInstitution: q.CreditorInstitution}
	if err := q.cost(ctx, cost, before, after); err != nil {
		return nil, err
	}
	return cost, nil
}

// mix is the built-in sample for the bundles and the shares.
func (q *Share) mix(s *engine.Snapshot) []Payment {
	var touchpoints, types, categories []string
	for _, id := range q.Bundles {
		if b, there := s.Bundle(id); there {
			touchpoints = append(touchpoints, registeredOr(b.Touchpoint, s.Settings().Touchpoints)...)
			types = append(types, registeredOr(b.PaymentType, s.Settings().PaymentTypes)...)
		}
	}
	for _, a := range q.Attributes {
		if a.TransferCategory != "" {
			categories = append(categories, a.TransferCategory)
		}
	}
	return Mix(q.MixCount, q.MixSeed, once(touchpoints), once(types), once(categories))
}

// snapshots returns the catalogue as the EC's payers are quoted on it, as it is and with the shares. Only the
// EC's own subscriptions, and bundles that the caller sees, are in it.
func (q *Share) snapshots(ctx context.Context, c *bundles.Catalogue, caller bundles.Caller, s *engine.Snapshot) (before, after *engine.Snapshot, err error) {
	now, err := c.Subscriptions(ctx, caller, s.Revision(), q.CreditorInstitution)
	if err != nil {
		return nil, nil, err
	}
	own := make([]engine.Subscription, 0, len(now))
	for n := range now {
		own = append(own, now[n].Subscription)
	}
	if len(q.Bundles) == 0 {
		for n := range own {
			if own[n].Validity.Holds(q.Day) && !slices.Contains(q.Bundles, own[n].BundleID) {
				q.Bundles = append(q.Bundles, own[n].BundleID)
			}
		}
	}
	visible, err := c.VisibleBundles(ctx, caller, s.Revision())
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]*engine.Bundle, len(visible))
	for _, b := range visible {
		byID[b.ID] = b
	}
	if err := q.check(byID, s.Settings()); err != nil {
		return nil, nil, err
	}
	with := slices.DeleteFunc(slices.Clone(own), func(o engine.Subscription) bool { return slices.Contains(q.Bundles, o.BundleID) })
	for _, id := range q.Bundles {
		with = append(with, engine.Subscription{ID: "what-if", BundleID: id, CreditorInstitution: q.CreditorInstitution, Attributes: q.Attributes})
	}
	if before, err = q.snapshot(s, byID, own); err != nil {
		return nil, nil, err
	}
	after, err = q.snapshot(s, byID, with)
	return before, after, err
}

// snapshot is the catalogue with these subscriptions of the EC and no other.
func (q *Share) snapshot(s *engine.Snapshot, visible map[string]*engine.Bundle, subscriptions []engine.Subscription) (*engine.Snapshot, error) {
	subscribed := map[string]bool{}
	for n := range subscriptions {
		subscribed[subscriptions[n].BundleID] = true
	}
	source := engine.Source{Revision: s.Revision(), Settings: *s.Settings(), ECs: []string{q.CreditorInstitution}}
	for b := range s.Bundles() { // every payer is quoted the GLOBAL ones, whatever the caller sees of them
		if b.Type == engine.Global || subscribed[b.ID] && visible[b.ID] != nil {
			source.Bundles = append(source.Bundles, b)
		}
	}
	return engine.NewSnapshot(source, engine.Deps{
		Programs:      condition.NewCache(programsMax),
		Subscriptions: func(int64, string) ([]engine.Subscription, error) { return subscriptions, nil },
	})
}

// check holds the shares to the rules of A17, and to bundles that the caller sees.
func (q *Share) check(visible map[string]*engine.Bundle, s *engine.Settings) error {
	if len(q.Bundles) == 0 {
		return bundles.Faults{{Path: "idsBundle", Reason: "are none, and the EC subscribes to none on that day", Fix: "name PUBLIC or PRIVATE bundles"}}
	}
	faults := append(checkQuestion(&Question{Drafts: make([]bundles.Bundle, 1), MixCount: q.MixCount}), checkSample(q.Sample)...)
	for n, id := range q.Bundles {
		b := visible[id]
		if b == nil {
			return fmt.Errorf("bundle %s: %w", bundles.Excerpt(id), bundles.ErrNotFound)
		}
		if slices.Contains(q.Bundles[:n], id) {
			faults = append(faults, bundles.Fault{Path: fmt.Sprintf("idsBundle[%d]", n), Reason: "is named before", Fix: "name each once"})
		}
		d := bundles.Document{Subscriptions: []bundles.Subscription{{Subscription: engine.Subscription{ID: "what-if", BundleID: id, CreditorInstitution: q.CreditorInstitution, Attributes: q.Attributes}}}}
		own, _ := bundles.CheckDocument(&d, s, 0, false, func(string) (*bundles.Bundle, bool) { return &bundles.Bundle{Bundle: *b}, true })
		for _, f := range own {
			if f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, "subscriptions[0]"), "."); !slices.Contains(faults, f) {
				f.Reason = "for bundle " + bundles.Excerpt(id) + ": " + f.Reason
				faults = append(faults, f)
			}
		}
	}
	return faults.Err()
}

// cost adds up what the sample costs.
func (q *Share) cost(ctx context.Context, cost *Cost, before, after *engine.Snapshot) error {
	type sums struct {
		line          *Line
		now, expected tally
	}
	newSums := func(line *Line) *sums { return &sums{line, tally{}, tally{}} }
	total, byCategory := newSums(&cost.Total), map[string]*sums{}
	ask := newAsking()
	for n := range q.Sample {
		if err := ctx.Err(); err != nil {
			return err
		}
		code := engine.BareCategory(q.Sample[n].TransferCategory)
		if byCategory[code] == nil {
			byCategory[code] = newSums(&Line{TransferCategory: code})
		}
		p, count := q.Sample[n].on(q.Day, q.CreditorInstitution), q.Sample[n].number()
		was, err := borneOf(ask, before, p)
		if err == nil {
			var is borne
			if is, err = borneOf(ask, after, p); err == nil {
				for _, s := range []*sums{total, byCategory[code]} {
					s.line.Payments += count
					s.line.AtMostCents += count * is.most
					if was.quoted && is.quoted {
						s.line.PayersSaveCents += count * (was.net - is.net)
					}
					was.share(s.now, count)
					is.share(s.expected, count)
				}
			}
		}
		if err != nil {
			return named(err, n)
		}
	}
	finish := func(s *sums) {
		_, s.line.NowCents = s.now.expected()
		_, s.line.ExpectedCents = s.expected.expected()
	}
	finish(total)
	cost.ByCategory = []Line{}
	for _, code := range slices.Sorted(maps.Keys(byCategory)) {
		finish(byCategory[code])
		cost.ByCategory = append(cost.ByCategory, *byCategory[code].line)
	}
	return nil
}

// borne is what the EC bears of one payment: together, of the cheapest rows, of which there are ties; and at
// most, of any row.
type borne struct {
	quoted              bool
	net, cheapest, most int64
	ties                int64
}

// share adds the fair share of the cheapest rows.
func (b borne) share(t tally, count int64) {
	if b.ties > 0 {
		t.add(b.ties, count, b.cheapest)
	}
}

// borneOf returns what the EC bears of a payment.
func borneOf(ask asking, s *engine.Snapshot, p *engine.Payment) (b borne, err error) {
	rows, err := ask.quotes(s, p)
	for n := range rows {
		q := &rows[n]
		if !b.quoted || q.NetCents < b.net {
			b.quoted, b.net = true, q.NetCents
		}
		b.most = max(b.most, q.GrossCents-q.NetCents)
	}
	for n := range rows {
		if q := &rows[n]; q.NetCents == b.net {
			b.ties++
			b.cheapest += q.GrossCents - q.NetCents
		}
	}
	return b, err
}
