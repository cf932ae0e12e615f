package engine

import (
	"slices"

	"gec/engine/condition"
)

// Plain returns the same rows as [Quoter.Quotes], the slow and obvious way: every bundle's own program is
// run, one by one, and no index, plan or early stop is used. It is the reference that P5 holds the
// indexed path to. Its answer is the caller's to keep. Answer.Failed lists all failures, not only those
// that the order of the index met. Errors as Quoter.Quotes.
func Plain(s *Snapshot, p *Payment, o Options) (*Answer, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	var q query
	if err := q.read(s, p, &o); err != nil {
		return nil, err
	}
	subscriptions, err := s.subscriptionsOf(q.ecs)
	if err != nil {
		return nil, err
	}
	run := plainRun{query: &q, options: &o, subscriptions: subscriptions, evaluator: q.evaluator()}
	answer := &Answer{Revision: s.revision, Seed: q.seed, BelowThreshold: q.belowThreshold(), Quotes: []Quote{}}
	var candidates []plainCandidate
	for _, r := range s.sortedRows() {
		c, applies, err := run.row(r)
		switch {
		case err != nil:
			answer.Failed = append(answer.Failed, Failure{r.bundle(), err})
		case applies:
			candidates = append(candidates, c)
		}
	}
	if o.View == OnePerPSP {
		candidates = q.bestOfEachPSP(candidates)
	}
	slices.SortFunc(candidates, func(a, b plainCandidate) int { return q.compare(&o, &a.candidate, &b.candidate) })
	for _, c := range candidates[:min(len(candidates), int(o.Limit))] {
		answer.Quotes = append(answer.Quotes, c.quote(s))
	}
	return answer, nil
}

// plainCandidate is a candidate that keeps its own contributions.
type plainCandidate struct {
	candidate
	contributions []Contribution
}

func (c *plainCandidate) quote(s *Snapshot) Quote {
	shown := s.sheets.at(c.number).made(&s.deps)
	return Quote{
		Bundle: &shown.bundle, GrossCents: c.gross, NetCents: c.net, OnUs: c.onUs,
		Contributions: c.contributions, Note: shown.note,
	}
}

// plainRun is one payment on the plain path.
type plainRun struct {
	query         *query
	options       *Options
	subscriptions map[string][]Subscription
	evaluator     *condition.Evaluator
}

// subscriptionsOf returns the subscriptions of the ECs.
func (s *Snapshot) subscriptionsOf(ecs []string) (map[string][]Subscription, error) {
	found := map[string][]Subscription{}
	for _, ec := range ecs {
		if _, ok := s.planOf(ec); !ok {
			continue
		}
		subscriptions, err := s.deps.Subscriptions(s.revision, ec)
		if err != nil {
			return nil, err
		}
		found[ec] = subscriptions
	}
	return found, nil
}

// evaluator returns one that has seen all facts of the payment, those of canonical programs included.
func (q *query) evaluator() *condition.Evaluator {
	var facts condition.Facts
	q.facts(&facts, q.local.Date.String())
	if q.issuer != none {
		facts.Issuer, facts.Amex = q.s.names.abis.name(q.issuer), q.amex
	}
	facts.Admits = func(psp, channel, broker string) bool {
		number := q.s.names.psps.find(psp)
		return q.admitsPSP(number) && (len(q.filters) == 0 || q.filtered(number, channel, broker))
	}
	evaluator := condition.NewEvaluator()
	evaluator.Reset(&facts)
	return evaluator
}

// row runs the program of one bundle and computes what it costs.
func (run *plainRun) row(r row) (c plainCandidate, applies bool, err error) {
	contributions, subscribed := run.contributions(r)
	program, err := r.program(run.query.s)
	if err != nil {
		return c, false, err
	}
	applies, err = run.evaluator.Holds(program, r.onUs, subscribed)
	if err != nil || !applies {
		return c, false, err
	}
	gross, err := r.feeCents(run.query.amount, run.query.notices)
	if err != nil {
		return c, false, err
	}
	bearable := gross
	if run.options.View == EveryBundle {
		bearable = min(gross, run.query.amount)
	}
	q := run.query
	c.candidate = candidate{
		number: r.number, psp: r.psp, key: q.key(&r.digest, run.options),
		gross: gross, net: gross - split(contributions, bearable), onUs: q.flagged(&r.digest), own: r.onUs,
	}
	c.contributions = contributions
	return c, true, nil
}

// program returns the compiled canonical program of the row's bundle. Its condition must compile by
// itself first: only then does it stay within its brackets when it is made part of the program.
func (r row) program(s *Snapshot) (*condition.Program, error) {
	if r.when() != nil {
		if _, err := r.when().Program(); err != nil {
			return nil, err
		}
	}
	return s.deps.Programs.Canonical(Program(r.bundle()))
}

// contributions returns what each EC of the cart declares for a bundle, nothing unless all do (Q16), and
// whether all have a valid subscription to it (Q6).
func (run *plainRun) contributions(r row) (declared []Contribution, subscribed bool) {
	subscribed, all := true, true
	for _, ec := range run.query.ecs {
		chosen, share := run.chosen(ec, r.id())
		if chosen == nil {
			return nil, false
		}
		all = all && share != noShare
		declared = append(declared, Contribution{CreditorInstitution: ec, SubscriptionID: chosen.ID, DeclaredCents: share})
	}
	if !all {
		declared = nil
	}
	return declared, subscribed
}

// chosen returns the valid subscription of the EC to the bundle that declares most.
func (run *plainRun) chosen(ec, bundleID string) (chosen *Subscription, share int64) {
	share = noShare
	for i := range run.subscriptions[ec] {
		sub := &run.subscriptions[ec][i]
		if sub.BundleID != bundleID || !sub.Validity.Holds(run.query.local.Date) {
			continue
		}
		s := run.share(ec, sub)
		if chosen == nil || s > share || s == share && sub.ID < chosen.ID {
			chosen, share = sub, s
		}
	}
	return chosen, share
}

// share returns the smallest share that the EC's notices match in a subscription, noShare where one
// matches none (Q16).
func (run *plainRun) share(ec string, sub *Subscription) int64 {
	smallest := int64(noShare)
	for i := range run.query.payment.Notices {
		notice := &run.query.payment.Notices[i]
		if notice.CreditorInstitution != ec {
			continue
		}
		largest := run.noticeShare(notice, sub)
		if largest == noShare {
			return noShare
		}
		if smallest == noShare || largest < smallest {
			smallest = largest
		}
	}
	return smallest
}

func (run *plainRun) noticeShare(notice *Notice, sub *Subscription) int64 {
	var codes []string
	receives := false
	for _, t := range notice.Transfers {
		if t.CreditorInstitution == notice.CreditorInstitution {
			receives = true
			if t.TransferCategory != "" {
				codes = append(codes, BareCategory(t.TransferCategory))
			}
		}
	}
	if run.options.View == EveryBundle && !receives {
		return noShare
	}
	largest := int64(noShare)
	for _, a := range sub.Attributes {
		code := BareCategory(a.TransferCategory)
		if code == "" || slices.Contains(codes, code) != a.NotEqual {
			largest = max(largest, a.MaxPaymentAmountCents)
		}
	}
	return largest
}

// bestOfEachPSP holds Q19.
func (q *query) bestOfEachPSP(candidates []plainCandidate) []plainCandidate {
	best := map[uint32]plainCandidate{}
	for _, c := range candidates {
		if kept, ok := best[c.psp]; !ok || q.better(&c.candidate, &kept.candidate) {
			best[c.psp] = c
		}
	}
	var rows []plainCandidate
	for _, c := range best {
		rows = append(rows, c)
	}
	return rows
}
