package engine

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"gec/engine/condition"
)

// Explanation says of bundles of a snapshot why they are, or are not, in the answer to one payment.
type Explanation struct {
	Revision       int64
	Seed           uint64
	BelowThreshold bool
	// Verdicts are first those of the rows of the answer, in their order, then all others by
	// bundle id.
	Verdicts []Verdict
	// Asked is the number of bundles that were asked about, of which Verdicts has the first.
	Asked int
}

// Asking says which verdicts are wanted of an explanation. The zero value is all of them.
type Asking struct {
	// About says whether a bundle is asked about; nil: all are.
	About func(*Bundle) bool
	// Most is the number of verdicts at most; 0: all.
	Most int
	// Stopped is asked before each verdict; an error ends the explanation. nil: it goes on to its end.
	Stopped func() error
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

// Explain returns verdicts for a payment. Each is found the plain way, by the bundle's own program, and costs as
// much; how the bundles rank is what [Quoter.Quotes] says.
// Errors as Quoter.Quotes, and that of Asking.Stopped.
func Explain(s *Snapshot, p *Payment, o Options, asking Asking) (*Explanation, error) {
	shown := int(o.limit())
	// Every row that there is, so that the verdict on one needs no look at the others.
	if o.Limit >= 0 { // others are refused
		o.Limit = max(o.limit(), int32(min(s.Len(), math.MaxInt32)))
	}
	answer, err := NewQuoter().Quotes(s, p, o)
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
		shown:    shown, rank: map[string]int{}, best: map[uint32]*Quote{},
	}
	for i := range answer.Quotes {
		quote := &answer.Quotes[i]
		if i < shown {
			e.rank[quote.Bundle.ID] = i + 1
		}
		if o.View == OnePerPSP {
			e.best[s.names.psps.find(quote.Bundle.PSP)] = quote
		}
	}
	explanation := &Explanation{Revision: answer.Revision, Seed: answer.Seed, BelowThreshold: answer.BelowThreshold}
	for _, r := range e.inOrder(s.sortedRows()) {
		if asking.About != nil && !asking.About(r.bundle()) {
			continue
		}
		explanation.Asked++
		if asking.Most > 0 && len(explanation.Verdicts) == asking.Most {
			continue
		}
		if asking.Stopped != nil {
			if err := asking.Stopped(); err != nil {
				return nil, err
			}
		}
		explanation.Verdicts = append(explanation.Verdicts, e.verdict(r))
	}
	return explanation, nil
}

// explainer is the explanation of one payment in the making.
type explainer struct {
	plainRun
	// shown is the number of rows that the payer is shown, rank the place of each of these by bundle id, from 1.
	shown int
	rank  map[string]int
	// best holds the row of every PSP that has one, shown or not (Q19); in other views nothing.
	best map[uint32]*Quote
}

// inOrder returns the rows, which are in order of bundle id, in that of verdicts.
func (e *explainer) inOrder(rows []row) []row {
	ordered := make([]row, len(e.rank), len(rows))
	for _, r := range rows {
		if rank := e.rank[r.id()]; rank > 0 {
			ordered[rank-1] = r
		} else {
			ordered = append(ordered, r)
		}
	}
	return ordered
}

func (e *explainer) verdict(r row) Verdict {
	c, applies, err := e.row(r)
	b := r.bundle()
	v := Verdict{Bundle: b, Program: Program(b), Applies: applies}
	if !applies {
		v.Rule, v.Reason = e.refusal(r, err)
		return v
	}
	quote := c.quote(e.query.s)
	v.Quote, v.Rank = &quote, e.rank[r.id()]
	e.place(&v, r)
	return v
}

// place says why a bundle that applies is, or is not, a row (Q15 to Q23).
func (e *explainer) place(v *Verdict, r row) {
	if v.Rank > 0 {
		v.Reason = e.cost(v.Quote)
		return
	}
	if kept := e.best[r.psp]; kept != nil && kept.Bundle.ID != v.Bundle.ID {
		v.Rule = "Q19"
		v.Reason = fmt.Sprintf("bundle %s of the same PSP is better: %s before %s", kept.Bundle.ID, q19Values(kept), q19Values(v.Quote))
		return
	}
	v.Rule = "Q23"
	v.Reason = fmt.Sprintf("comes after the first %d rows", e.shown)
}

func (o *Options) limit() int32 {
	if o.Limit == 0 {
		return DefaultLimit
	}
	return o.Limit
}

func q19Values(q *Quote) string {
	return fmt.Sprintf("net %d cents, gross %d cents, on-us %t, id %s", q.NetCents, q.GrossCents, q.Bundle.OnUs, q.Bundle.ID)
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
func (e *explainer) refusal(r row, err error) (rule, reason string) {
	for _, check := range []func(row) (string, string){
		e.amount, e.touchpoint, e.paymentType, e.psp, e.taxonomy, e.reach, e.carts, e.stamps, e.poste,
		e.issuer, e.validity, e.schedule,
	} {
		if rule, reason = check(r); rule != "" {
			return rule, reason
		}
	}
	if err == nil {
		return "Q14", fmt.Sprintf("the condition does not hold: %s", r.text(textWhen))
	}
	if r.when() == nil || e.conditionHolds(r) {
		return "Q15", err.Error()
	}
	return "Q14", fmt.Sprintf("the condition failed: %v", err)
}

// conditionHolds reports whether the row's own condition runs and holds, so that a failure is the fee's.
func (e *explainer) conditionHolds(r row) bool {
	program, err := r.when().Program()
	if err != nil {
		return false
	}
	holds, err := e.evaluator.Holds(program, r.onUs, true)
	return err == nil && holds
}

func (e *explainer) amount(r row) (string, string) {
	if band := r.band; !band.Holds(e.query.amount) {
		return "Q1", fmt.Sprintf("amount %d is not in the band: above %d, up to %d cents", e.query.amount, band.MinCents, band.MaxCents)
	}
	return "", ""
}

func (e *explainer) touchpoint(r row) (string, string) {
	if e.query.touchpoint != none && r.touchpoint != none && e.query.touchpoint != r.touchpoint {
		return "Q2", fmt.Sprintf("touchpoint %s is not %s", e.query.touchpointName, r.text(textTouchpoint))
	}
	return "", ""
}

func (e *explainer) paymentType(r row) (string, string) {
	if e.query.paymentType != none && r.paymentType != none && e.query.paymentType != r.paymentType {
		return "Q3", fmt.Sprintf("payment type %s is not %s", e.query.paymentTypeName, r.text(textPaymentType))
	}
	return "", ""
}

func (e *explainer) psp(r row) (string, string) {
	if e.query.s.blocked[r.psp] {
		return "Q4", fmt.Sprintf("PSP %s is on the block list", r.text(textPSP))
	}
	if len(e.query.filters) > 0 && !e.query.filtered(r.psp, r.text(textChannel), r.text(textBroker)) {
		return "Q4", fmt.Sprintf("PSP %s, channel %s, broker %s is none of those asked for", r.text(textPSP), r.text(textChannel), r.text(textBroker))
	}
	return "", ""
}

func (e *explainer) taxonomy(r row) (string, string) {
	if e.query.sharesCategory(r) {
		return "", ""
	}
	var facts condition.Facts
	e.query.facts(&facts, "")
	return "Q5", fmt.Sprintf("taxonomy codes [%s] share none with the bundle's [%s]", strings.Join(facts.Categories, " "), strings.Join(r.special().transferCategories, " "))
}

func (e *explainer) reach(r row) (string, string) {
	if r.kind == Global {
		return "", ""
	}
	for _, ec := range e.query.ecs {
		if chosen, _ := e.chosen(ec, r.id()); chosen == nil {
			return "Q6", fmt.Sprintf("EC %q has no subscription to this %s bundle that is valid on %s", ec, r.kind, e.query.local.Date)
		}
	}
	return "", ""
}

func (e *explainer) carts(r row) (string, string) {
	if e.query.notices > 1 && !r.cart {
		return "Q7", fmt.Sprintf("%d notices: the bundle is not usable for carts", e.query.notices)
	}
	return "", ""
}

func (e *explainer) stamps(r row) (string, string) {
	q := e.query
	of := fmt.Sprintf("%d of %d transfers are digital stamps", q.stampCount, q.transfers)
	switch {
	case q.stamps != noStamps && !r.stamp:
		return "Q8", of + ": the bundle does not allow them"
	case q.stamps != onlyStamps && r.stampOnly:
		return "Q8", of + ": the bundle is for these only"
	}
	return "", ""
}

func (e *explainer) poste(r row) (string, string) {
	if e.query.payment.WithoutPoste && r.psp == e.query.s.poste {
		return "Q9", fmt.Sprintf("PSP %s is the one configured as Poste, and allCcp is false", r.text(textPSP))
	}
	return "", ""
}

func (e *explainer) issuer(r row) (string, string) {
	q := e.query
	if q.suitsIssuer(r) {
		return "", ""
	}
	name := q.s.names.abis.name(q.issuer)
	switch {
	case q.issuer == none:
		return "Q10", fmt.Sprintf("on-us for ABI %s: the card's issuer is unknown", r.text(textABI))
	case r.onUs:
		return "Q10", fmt.Sprintf("on-us for ABI %s: the card's issuer is %s", r.text(textABI), name)
	case r.abi == q.issuer:
		return "Q10", fmt.Sprintf("not on-us, and the card's issuer %s is the bundle's ABI", name)
	}
	return "Q11", fmt.Sprintf("the card's issuer %s is the one configured for AMEX: ABI %s is another", name, r.text(textABI))
}

func (e *explainer) validity(r row) (string, string) {
	if v := r.validity; !v.Holds(e.query.local.Date) {
		return "Q12", fmt.Sprintf("date %s is not within %s to %s", e.query.local.Date, cmp.Or(v.From.String(), "open"), cmp.Or(v.To.String(), "open"))
	}
	return "", ""
}

func (e *explainer) schedule(r row) (string, string) {
	if l := e.query.local; !r.schedule().Holds(l) {
		return "Q13", fmt.Sprintf("%s %s is in none of the time bands: %s", WeekdayName(l.Weekday), FormatMinute(l.Minute), r.schedule())
	}
	return "", ""
}
