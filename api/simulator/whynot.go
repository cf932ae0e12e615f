package simulator

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gec/engine"
)

// whyNot says in plain words what became of the bundles of one PSP that a person expected to see.
type whyNot struct {
	PSP, Name string
	// Shown says that the PSP is in the list.
	Shown bool
	// Reasons are those of its bundles, the ones that nearly applied first.
	Reasons []reason
	// More is the number of further reasons.
	More int
}

// reason is why one or several bundles are, or are not, in the list.
type reason struct {
	// Rule is the number of the rule that decided, "Q3"; empty for a bundle in the list.
	Rule string
	// What says which fee it is about, Why what decided.
	What, Why string
}

// reasonsMax is the number of reasons shown; more would hide the near ones.
const reasonsMax = 8

// ruleOrder is the order in which the rules decide. The later a bundle is refused, the nearer it was.
var ruleOrder = []string{"Q4", "Q3", "Q2", "Q1", "Q5", "Q6", "Q7", "Q8", "Q9", "Q10", "Q11", "Q12", "Q13", "Q14", "Q15", "Q23", "Q19", ""}

// whyNot explains the PSP that the question names. Errors as [engine.Explain].
func (d *directory) whyNot(q *question, a *answer, at time.Time, words *lexicon) (*whyNot, error) {
	payment := d.payment(q, at)
	types := d.typesOf(q.Way)
	if len(types) == 1 {
		payment.PaymentType = types[0]
	}
	own, err := d.only(q.Why)
	if err != nil {
		return nil, err
	}
	explanation, err := engine.Explain(own, payment, engine.Options{Order: engine.OrderFee, Limit: rowsMax}, engine.Asking{})
	if err != nil {
		return nil, err
	}
	shown := map[string]bool{}
	for i := range a.Rows {
		shown[a.Rows[i].Bundle.ID] = true
	}
	w := &whyNot{PSP: q.Why, Name: d.psps[q.Why]}
	speaker := speaker{lexicon: words, directory: d, question: q, at: engine.LocalAt(at)}
	for i := range explanation.Verdicts {
		v := &explanation.Verdicts[i]
		b := v.Bundle
		if !strings.EqualFold(b.PSP, q.Why) || b.Type == engine.Private && !v.Applies {
			continue
		}
		r := reason{Rule: v.Rule, What: speaker.what(b)}
		switch {
		case shown[b.ID]:
			r.Rule, w.Shown = "", true
		case v.Applies && b.PaymentType != "" && !slices.Contains(types, b.PaymentType) && types[0] != "":
			r.Rule = "Q3"
		case r.Rule == "":
			r.Rule = "Q19" // the best of the PSP over all payment types, where the list has the best of each
		}
		r.Why = speaker.why(r.Rule, b)
		if !slices.Contains(w.Reasons, r) {
			w.Reasons = append(w.Reasons, r)
		}
	}
	slices.SortStableFunc(w.Reasons, func(a, b reason) int {
		return cmp.Compare(slices.Index(ruleOrder, b.Rule), slices.Index(ruleOrder, a.Rule))
	})
	if len(w.Reasons) > reasonsMax {
		w.Reasons, w.More = w.Reasons[:reasonsMax], len(w.Reasons)-reasonsMax
	}
	return w, nil
}

// speaker turns verdicts into sentences.
type speaker struct {
	*lexicon
	directory *directory
	question  *question
	at        engine.Local
}

// what says which fee of the PSP a bundle is: its name, and the way of paying.
func (s speaker) what(b *engine.Bundle) string {
	way := s.Method(b.PaymentType)
	if b.Name == "" || strings.EqualFold(b.Name, way) {
		return way
	}
	return s.T("why.what", "name", b.Name, "way", way)
}

// why says what decided about a bundle.
func (s speaker) why(rule string, b *engine.Bundle) string {
	q := s.question
	switch rule {
	case "":
		return s.T("why.shown")
	case "Q1":
		return s.T("why.Q1", "amount", s.Money(q.Cents()), "min", s.Money(b.Band.MinCents), "max", s.Money(b.Band.MaxCents))
	case "Q2":
		return s.T("why.Q2", "place", s.Place(b.Touchpoint))
	case "Q3":
		return s.T("why.Q3", "way", s.Method(b.PaymentType))
	case "Q5":
		return s.T("why.Q5", "services", s.services(b.TransferCategories))
	case "Q6":
		if slices.ContainsFunc(q.Notices, func(n asked) bool { return n.EC == "" }) {
			return s.T("why.Q6.unknown")
		}
		return s.T("why.Q6")
	case "Q8":
		if b.DigitalStampOnly {
			return s.T("why.Q8.only")
		}
		return s.T("why.Q8")
	case "Q10":
		return s.onUs(b)
	case "Q11":
		return s.T("why.Q11", "bank", s.directory.bankOf(q.Bank).Name)
	case "Q12":
		if b.Validity.From > s.at.Date {
			return s.T("why.Q12.from", "day", s.Date(b.Validity.From))
		}
		return s.T("why.Q12.to", "day", s.Date(b.Validity.To))
	case "Q13":
		return s.T("why.Q13", "times", s.schedule(b.Schedule))
	case "Q14":
		return s.T("why.Q14", "condition", b.When)
	}
	return s.T("why." + rule)
}

// onUs says what Q10 compared.
func (s speaker) onUs(b *engine.Bundle) string {
	own := s.directory.bankOf(b.ABI).Name
	switch {
	case !b.OnUs:
		return s.T("why.Q10.own", "bank", own)
	case s.question.Bank == "":
		return s.T("why.Q10.unknown", "bank", own)
	}
	return s.T("why.Q10", "bank", own)
}

// services writes a few of the services in words.
func (s speaker) services(codes []string) string {
	const few = 5
	var names []string
	for _, code := range codes[:min(len(codes), few)] {
		names = append(names, s.Service(engine.BareCategory(code)))
	}
	if len(codes) > few {
		names = append(names, "…")
	}
	return strings.Join(names, "; ")
}

// schedule writes time bands in words, "lun, mar 08:00–20:00".
func (s speaker) schedule(schedule engine.Schedule) string {
	var bands []string
	for _, band := range schedule {
		days := s.T("why.everyday")
		if band.Days&engine.EveryDay != engine.EveryDay {
			var names []string
			for day := 1; day <= 7; day++ {
				if band.Days.Has(day) {
					names = append(names, s.DayShort(day))
				}
			}
			days = strings.Join(names, ", ")
		}
		bands = append(bands, days+" "+s.Clock(band.FromMinute)+"–"+s.Clock(band.ToMinute))
	}
	return strings.Join(bands, "; ")
}
