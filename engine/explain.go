package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/engine/condition"
)

// Explanation says of every bundle of a snapshot why it is, or is not, in the answer to one payment.
type Explanation struct {
	Revision       int64
	Seed           uint64
	BelowThreshold bool
	// Verdicts are first those of the rows of the answer, in their order, then all others by
	// bundle id.
	Verdicts []Verdict
}

// Verdict is what became of one bundle.
type Verdict struct {
	Bundle *Bundle
	// Rank is the bundle's row in the answer, from 1; 0 when it has none.
	Rank int
	// Applies says that the bundle passed all rules that decide which bundles apply (Q1 to Q15).
	Applies bool
	// Rule is the first rule that kept the bundle out of the answer, such as "Q3"; empty for a row.
	Rule string
	// Reason is that rule's comparison with its values; for a row, how its fee came about.
	Reason string
	// Quote is what the bundle costs, nil when it does not apply.
	Quote *Quote
	// Program is the bundle's canonical program (E4).
	Program string
}

// Explain returns the verdicts on every bundle for a payment. It takes the plain path and is as slow.
// Errors as [Quoter.Quotes].
func Explain(s *Snapshot, p *Payment, o Options) (*Explanation, error) {
	answer, err := Plain(s, p, o)
	if err != nil {
		return nil, err
	}
	var q query
	if err := q.read(s, p, &o); err != nil {
		return nil, err
	}
	subscriptions, err := s.subscriptionsOf(q.ecs)
	if err != nil {
		return nil, err
	}
	e := explainer{
		plainRun: plainRun{query: &q, options: &o, subscriptions: subscriptions, evaluator: q.evaluator()},
		rank:     map[*Bundle]int{}, best: map[uint32]plainCandidate{},
	}
	for i := range answer.Quotes {
		e.rank[answer.Quotes[i].Bundle] = i + 1
	}
	explanation := &Explanation{Revision: answer.Revision, Seed: answer.Seed, BelowThreshold: answer.BelowThreshold}
	explanation.Verdicts = e.verdicts(s.sortedRows())
	return explanation, nil
}

// explainer is the explanation of one payment in the making.
type explainer struct {
	plainRun
	rank map[*Bundle]int
	// best holds the best candidate of every PSP (Q19).
	best map[uint32]plainCandidate
}

func (e *explainer) verdicts(rows []*row) []Verdict {
	verdicts := make([]Verdict, len(rows))
	candidates := make([]plainCandidate, len(rows))
	for i, r := range rows {
		c, applies, err := e.row(r)
		v := &verdicts[i]
		v.Bundle, v.Program, v.Applies = r.bundle, Program(r.bundle), applies
		candidates[i] = c
		if !applies {
			v.Rule, v.Reason = e.refusal(r, err)
			continue
		}
		quote := c.quote()
		v.Quote = &quote
		if kept, ok := e.best[r.psp]; !ok || better(&c.candidate, &kept.candidate) {
			e.best[r.psp] = c
		}
	}
	for i := range verdicts {
		if v := &verdicts[i]; v.Applies {
			v.Rank = e.rank[v.Bundle]
			e.place(v, &candidates[i])
		}
	}
	slices.SortStableFunc(verdicts, func(a, b Verdict) int {
		if (a.Rank == 0) != (b.Rank == 0) {
			return b.Rank - a.Rank
		}
		return a.Rank - b.Rank
	})
	return verdicts
}

// place says why a bundle that applies is, or is not, a row (Q15 to Q23).
func (e *explainer) place(v *Verdict, c *plainCandidate) {
	if v.Rank > 0 {
		v.Reason = e.cost(v.Quote)
		return
	}
	if kept := e.best[c.row.psp]; e.options.View == OnePerPSP && kept.row != c.row {
		v.Rule = "Q19"
		v.Reason = fmt.Sprintf("bundle %s of the same PSP is better: %s before %s", kept.row.bundle.ID, q19Values(&kept.candidate), q19Values(&c.candidate))
		return
	}
	v.Rule = "Q23"
	v.Reason = fmt.Sprintf("comes after the first %d rows", e.options.limit())
}

func (o *Options) limit() int32 {
	if o.Limit == 0 {
		return DefaultLimit
	}
	return o.Limit
}

func q19Values(c *candidate) string {
	return fmt.Sprintf("net %d cents, gross %d cents, on-us %t, id %s", c.net, c.gross, c.row.bundle.OnUs, c.row.bundle.ID)
}

// cost says how the fee of a row came about.
func (e *explainer) cost(quote *Quote) string {
	parts := []string{fmt.Sprintf("gross fee %d cents", quote.GrossCents)}
	for _, c := range quote.Contributions {
		parts = append(parts, fmt.Sprintf("EC %s bears %d of %d cents declared", c.CreditorInstitution, c.ActualCents, c.DeclaredCents))
	}
	return strings.Join(append(parts, fmt.Sprintf("net fee %d cents", quote.NetCents)), ", ")
}

// refusal returns the first rule that a bundle does not pass and the values that it compared. err is what
// the bundle's program or fee failed with.
func (e *explainer) refusal(r *row, err error) (rule, reason string) {
	for _, check := range []func(*row) (string, string){
		e.amount, e.touchpoint, e.paymentType, e.psp, e.taxonomy, e.reach, e.carts, e.stamps, e.poste,
		e.issuer, e.validity, e.schedule,
	} {
		if rule, reason = check(r); rule != "" {
			return rule, reason
		}
	}
	if err == nil {
		return "Q14", fmt.Sprintf("the condition does not hold: %s", r.bundle.When)
	}
	if r.when == nil || e.conditionHolds(r) {
		return "Q15", err.Error()
	}
	return "Q14", fmt.Sprintf("the condition failed: %v", err)
}

// conditionHolds reports whether the row's own condition runs and holds, so that a failure is the fee's.
func (e *explainer) conditionHolds(r *row) bool {
	program, err := r.when.Program()
	if err != nil {
		return false
	}
	holds, err := e.evaluator.Holds(program, r.bundle.OnUs, true)
	return err == nil && holds
}

func (e *explainer) amount(r *row) (string, string) {
	if band := r.bundle.Band; !band.Holds(e.query.amount) {
		return "Q1", fmt.Sprintf("amount %d is not in the band: above %d, up to %d cents", e.query.amount, band.MinCents, band.MaxCents)
	}
	return "", ""
}

func (e *explainer) touchpoint(r *row) (string, string) {
	if e.query.touchpoint != none && r.touchpoint != none && e.query.touchpoint != r.touchpoint {
		return "Q2", fmt.Sprintf("touchpoint %s is not %s", e.query.touchpointName, r.bundle.Touchpoint)
	}
	return "", ""
}

func (e *explainer) paymentType(r *row) (string, string) {
	if e.query.paymentType != none && r.paymentType != none && e.query.paymentType != r.paymentType {
		return "Q3", fmt.Sprintf("payment type %s is not %s", e.query.paymentTypeName, r.bundle.PaymentType)
	}
	return "", ""
}

func (e *explainer) psp(r *row) (string, string) {
	if e.query.s.blocked[r.psp] {
		return "Q4", fmt.Sprintf("PSP %s is on the block list", r.bundle.PSP)
	}
	if len(e.query.filters) > 0 && !e.query.filtered(r.psp, r.bundle.Channel, r.bundle.Broker) {
		return "Q4", fmt.Sprintf("PSP %s, channel %s, broker %s is none of those asked for", r.bundle.PSP, r.bundle.Channel, r.bundle.Broker)
	}
	return "", ""
}

func (e *explainer) taxonomy(r *row) (string, string) {
	if e.query.sharesCategory(r) {
		return "", ""
	}
	var facts condition.Facts
	e.query.facts(&facts, "")
	return "Q5", fmt.Sprintf("taxonomy codes [%s] share none with the bundle's [%s]", strings.Join(facts.Categories, " "), strings.Join(r.bundle.TransferCategories, " "))
}

func (e *explainer) reach(r *row) (string, string) {
	if r.bundle.Type == Global {
		return "", ""
	}
	for _, ec := range e.query.ecs {
		if chosen, _ := e.chosen(ec, r.bundle.ID); chosen == nil {
			return "Q6", fmt.Sprintf("EC %q has no subscription to this %s bundle that is valid on %s", ec, r.bundle.Type, e.query.local.Date)
		}
	}
	return "", ""
}

func (e *explainer) carts(r *row) (string, string) {
	if e.query.notices > 1 && !r.bundle.Cart {
		return "Q7", fmt.Sprintf("%d notices: the bundle is not usable for carts", e.query.notices)
	}
	return "", ""
}

func (e *explainer) stamps(r *row) (string, string) {
	q := e.query
	of := fmt.Sprintf("%d of %d transfers are digital stamps", q.stampCount, q.transfers)
	switch {
	case q.stamps != noStamps && !r.bundle.DigitalStamp:
		return "Q8", of + ": the bundle does not allow them"
	case q.stamps != onlyStamps && r.bundle.DigitalStampOnly:
		return "Q8", of + ": the bundle is for these only"
	}
	return "", ""
}

func (e *explainer) poste(r *row) (string, string) {
	if e.query.payment.WithoutPoste && r.psp == e.query.s.poste {
		return "Q9", fmt.Sprintf("PSP %s is the one configured as Poste, and allCcp is false", r.bundle.PSP)
	}
	return "", ""
}

func (e *explainer) issuer(r *row) (string, string) {
	q := e.query
	if q.suitsIssuer(r) {
		return "", ""
	}
	name := q.s.names.abis.name(q.issuer)
	switch {
	case q.issuer == none:
		return "Q10", fmt.Sprintf("on-us for ABI %s: the card's issuer is unknown", r.bundle.ABI)
	case r.bundle.OnUs:
		return "Q10", fmt.Sprintf("on-us for ABI %s: the card's issuer is %s", r.bundle.ABI, name)
	case r.abi == q.issuer:
		return "Q10", fmt.Sprintf("not on-us, and the card's issuer %s is the bundle's ABI", name)
	}
	return "Q11", fmt.Sprintf("the card's issuer %s is the one configured for AMEX: ABI %s is another", name, r.bundle.ABI)
}

func (e *explainer) validity(r *row) (string, string) {
	if v := r.bundle.Validity; !v.Holds(e.query.local.Date) {
		return "Q12", fmt.Sprintf("date %s is not within %s to %s", e.query.local.Date, cmp.Or(v.From.String(), "open"), cmp.Or(v.To.String(), "open"))
	}
	return "", ""
}

func (e *explainer) schedule(r *row) (string, string) {
	if l := e.query.local; !r.bundle.Schedule.Holds(l) {
		return "Q13", fmt.Sprintf("%s %s is in none of the time bands: %s", WeekdayName(l.Weekday), FormatMinute(l.Minute), r.bundle.Schedule)
	}
	return "", ""
}
