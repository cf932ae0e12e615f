package engine_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
)

// What the engine itself has to hold besides the readable cases of package fixtures: refusals, conditions
// that do not compile, sources that fail, plans that are dropped, explanations.

// oneBundle is a catalogue of one bundle.
func oneBundle(change func(*engine.Bundle)) *world {
	b := plainBundle("b1", "PSP1")
	change(b)
	w := &world{revision: 1, bundles: []*engine.Bundle{b}}
	w.settings.Touchpoints, w.settings.PaymentTypes = touchpoints, paymentTypes
	return w
}

// TestQ1Q2Q3Q23Refusals holds what is an error and not an empty answer, on all paths alike.
func TestQ1Q2Q3Q23Refusals(t *testing.T) {
	s := oneBundle(func(*engine.Bundle) {}).snapshot(t)
	for _, c := range []struct {
		name   string
		change func(*engine.Payment, *engine.Options)
		kind   string // of *UnknownNameError
		field  string // of *InvalidPaymentError
	}{
		{"no notices", func(p *engine.Payment, _ *engine.Options) { p.Notices = nil }, "", "notices"},
		{"amount 0", func(p *engine.Payment, _ *engine.Options) { p.Notices[0].AmountCents = 0 }, "", "notices[0].amount"},
		{"amount below 0", func(p *engine.Payment, _ *engine.Options) { p.Notices[0].AmountCents = -1 }, "", "notices[0].amount"},
		{"second amount below 0", func(p *engine.Payment, _ *engine.Options) {
			p.Notices = append(p.Notices, engine.Notice{AmountCents: -1})
		}, "", "notices[1].amount"},
		{"sum beyond int64", func(p *engine.Payment, _ *engine.Options) {
			p.Notices = append(p.Notices, engine.Notice{AmountCents: 1<<63 - 1})
		}, "", "notices[1].amount"},
		{"unknown touchpoint", func(p *engine.Payment, _ *engine.Options) { p.Touchpoint = "MARS" }, "touchpoint", ""},
		{"touchpoint of a bundle only", func(p *engine.Payment, _ *engine.Options) { p.Touchpoint = "ATM" }, "touchpoint", ""},
		{"unknown payment type", func(p *engine.Payment, _ *engine.Options) { p.PaymentType = "NOPE" }, "payment type", ""},
		{"touchpoint with a space", func(p *engine.Payment, _ *engine.Options) { p.Touchpoint = "IO " }, "touchpoint", ""},
		{"limit below 0", func(_ *engine.Payment, o *engine.Options) { o.Limit = -1 }, "", "limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, o := plainPayment(5_000), engine.Options{}
			c.change(p, &o)
			_, indexed := engine.NewQuoter().Quotes(s, p, o)
			_, plain := engine.Plain(s, p, o)
			_, explained := engine.Explain(s, p, o, engine.Asking{})
			for _, err := range []error{indexed, plain, explained} {
				var unknown *engine.UnknownNameError
				var invalid *engine.InvalidPaymentError
				switch {
				case c.kind != "" && (!errors.As(err, &unknown) || unknown.Kind != c.kind):
					t.Errorf("error %v, want an unknown %s", err, c.kind)
				case c.field != "" && (!errors.As(err, &invalid) || invalid.Field != c.field || invalid.Reason == ""):
					t.Errorf("error %v, want one of field %s", err, c.field)
				}
			}
		})
	}
}

// TestE1E2ConditionsNeverSeeTheCanonicalProgram holds that what an author may not write (E1, E2) is not
// quoted where a store has it all the same, on no path: names that only canonical programs have, and
// brackets that would open the program around the condition and let the bundle apply to everything.
func TestE1E2ConditionsNeverSeeTheCanonicalProgram(t *testing.T) {
	for _, when := range []string{
		"subscribed", "not subscribed", "taxonomyAsked", `issuer == ""`, "not amex", `admits("PSP1", "CH1", "BR1")`, `carries("0102100SA")`,
		"true) || (true", "true) or (true", "false) || (amount > 0", "amount + 1 > 0", "ammount > 5", "amount", "(true", "true)",
		strings.Repeat("(", 20) + "true" + strings.Repeat(")", 20), strings.Repeat("amount > 0 && ", 200) + "true",
	} {
		t.Run(fmt.Sprintf("%.30s", when), func(t *testing.T) {
			s := oneBundle(func(b *engine.Bundle) { b.When = when }).snapshot(t)
			if failures := s.Unusable(); len(failures) != 1 || failures[0].Bundle.ID != "b1" || failures[0].Err == nil {
				t.Errorf("Unusable lists %v, want b1 with the reason (E5)", failures)
			}
			indexed, err := engine.NewQuoter().Quotes(s, plainPayment(5_000), everything)
			if err != nil || len(indexed.Quotes) != 0 {
				t.Errorf("indexed path: %d rows, %v", len(indexed.Quotes), err)
			}
			if len(indexed.Failed) != 1 {
				t.Errorf("indexed path: failures %v, want one to count and report (Q14)", indexed.Failed)
			}
			plain, err := engine.Plain(s, plainPayment(5_000), everything)
			if err != nil || len(plain.Quotes) != 0 || len(plain.Failed) != 1 {
				t.Errorf("plain path: %d rows, failures %v, %v", len(plain.Quotes), plain.Failed, err)
			}
			outside, err := engine.Plain(s, plainPayment(1_000_001), everything)
			if err != nil || len(outside.Quotes) != 0 {
				t.Errorf("plain path, amount above the band: %d rows, %v", len(outside.Quotes), err)
			}
		})
	}
}

// TestE1NamesIgnoreCase holds that touchpoint and paymentType are compared ignoring case, as Q2 and Q3 do,
// however the operator registered them and the payment writes them.
func TestE1NamesIgnoreCase(t *testing.T) {
	for _, when := range []string{
		`touchpoint == "Wisp"`, `touchpoint in ["WISP"] and paymentType == "bpay"`, `touchpoint startsWith "wi"`, `not (touchpoint != "wisp")`,
	} {
		s := oneBundle(func(b *engine.Bundle) { b.When = when }).snapshot(t)
		for _, spelt := range []string{"Wisp", "WISP", "wisp"} {
			p := plainPayment(5_000)
			p.Touchpoint, p.PaymentType = spelt, "BPAY"
			if got := ask(s, p, everything); !strings.Contains(got, "b1") {
				t.Errorf("%s, payment says %s: no row", when, spelt)
			}
			if plain, err := engine.Plain(s, p, everything); err != nil || len(plain.Quotes) != 1 {
				t.Errorf("%s, payment says %s, plain path: no row, %v", when, spelt, err)
			}
		}
	}
}

// TestQ15OverflowIsAFailure holds that a fee above 1 000 000 € leaves the bundle out and is reported.
func TestQ15OverflowIsAFailure(t *testing.T) {
	for _, c := range []struct {
		amount int64
		rows   int
	}{{1, 1}, {2, 1}, {3, 0}, {1 << 62, 0}, {1<<63 - 1, 0}} {
		s := oneBundle(func(b *engine.Bundle) {
			b.Band.MaxCents = 1<<63 - 1
			b.Fee = engine.Fee{FlatCents: engine.FeeCentsMax - 2, BasisPoints: 10_000}
		}).snapshot(t)
		a, err := engine.NewQuoter().Quotes(s, plainPayment(c.amount), everything)
		if err != nil || len(a.Quotes) != c.rows || len(a.Failed) != 1-c.rows {
			t.Errorf("amount %d: %d rows, failures %v, %v", c.amount, len(a.Quotes), a.Failed, err)
		}
		for _, f := range a.Failed {
			if !errors.Is(f.Err, engine.ErrFeeOverflow) {
				t.Errorf("amount %d: %v", c.amount, f.Err)
			}
		}
	}
}

// TestQ17SharesLargerThanAnyFee holds the proportion of shares that old snapshots declare too high.
func TestQ17SharesLargerThanAnyFee(t *testing.T) {
	w := oneBundle(func(*engine.Bundle) {})
	w.subscriptions = map[string][]engine.Subscription{}
	for i, share := range []int64{3_000_000_000_000, 1_000_000_000_000} {
		w.subscriptions["b1"] = append(w.subscriptions["b1"], engine.Subscription{
			ID: fmt.Sprint("s", i), BundleID: "b1", CreditorInstitution: ecPool[i],
			Attributes: []engine.Attribute{{MaxPaymentAmountCents: share}},
		})
	}
	p := plainPayment(5_000)
	p.Notices = append(p.Notices, engine.Notice{AmountCents: 1, CreditorInstitution: ecPool[1]})
	if wrong := disagreement(w, w.snapshot(t), engine.NewQuoter(), p, everything); wrong != "" {
		t.Error(wrong)
	}
}

// TestTwoBundlesOfOneID holds that a source or a change that says two things of one bundle is refused.
func TestTwoBundlesOfOneID(t *testing.T) {
	w := oneBundle(func(*engine.Bundle) {})
	w.bundles = append(w.bundles, plainBundle("b1", "PSP2"))
	if _, err := engine.NewSnapshot(w.source(), deps(w)); err == nil || !strings.Contains(err.Error(), "b1") {
		t.Errorf("NewSnapshot: %v, want a refusal that names b1", err)
	}
	w.bundles = w.bundles[:1]
	if _, err := w.snapshot(t).With(engine.Change{Revision: 2, Put: []*engine.Bundle{plainBundle("c", "A"), plainBundle("c", "B")}}); err == nil {
		t.Error("With: no refusal")
	}
}

// TestSnapshotReadsBack holds Len, Bundle and Bundles through a chain of changes.
func TestSnapshotReadsBack(t *testing.T) {
	d := seededDice(t)
	for range runs(50) {
		history := randomWorld(d, small(d)).history(d, 4)
		for i, s := range derived(t, history) {
			w := history[i]
			if s.Len() != len(w.bundles) || s.Revision() != w.revision {
				t.Fatalf("%d bundles at revision %d, want %d at %d", s.Len(), s.Revision(), len(w.bundles), w.revision)
			}
			known, last := map[string]*engine.Bundle{}, ""
			for b := range s.Bundles() {
				if b.ID <= last {
					t.Fatalf("Bundles gives %q after %q", b.ID, last)
				}
				known[b.ID], last = b, b.ID
			}
			for _, b := range w.bundles {
				if got, ok := s.Bundle(b.ID); !ok || !cmp.Equal(b, got) || !cmp.Equal(b, known[b.ID]) {
					t.Fatalf("bundle %s is read back as %v", b.ID, got)
				}
			}
			if _, ok := s.Bundle("nobody"); ok || len(known) != len(w.bundles) {
				t.Fatalf("%d bundles are listed of %d", len(known), len(w.bundles))
			}
		}
	}
}

// TestSourceOfSubscriptionsFails holds that an answer is an error rather than one without contributions,
// and right again with the next call.
func TestSourceOfSubscriptionsFails(t *testing.T) {
	w := oneBundle(func(b *engine.Bundle) { b.Type = engine.Public })
	w.subscriptions = map[string][]engine.Subscription{"b1": {{ID: "s", BundleID: "b1", CreditorInstitution: ecPool[0]}}}
	away, failing := errors.New("the store is away"), true
	d := deps(w)
	whole := d.Subscriptions
	d.Subscriptions = func(revision int64, ec string) ([]engine.Subscription, error) {
		if failing {
			return nil, away
		}
		return whole(revision, ec)
	}
	s, err := engine.NewSnapshot(w.source(), d)
	if err != nil {
		t.Fatal(err)
	}
	q := engine.NewQuoter()
	if _, err := q.Quotes(s, plainPayment(5_000), everything); !errors.Is(err, away) {
		t.Errorf("indexed path: %v", err)
	}
	if _, err := engine.Plain(s, plainPayment(5_000), everything); !errors.Is(err, away) {
		t.Errorf("plain path: %v", err)
	}
	failing = false
	if a, err := q.Quotes(s, plainPayment(5_000), everything); err != nil || len(a.Quotes) != 1 {
		t.Errorf("after that: %v %v", a, err)
	}
}

// TestPlansMayBeDroppedAnyTime drops the plans of ECs from under quotes, by an owner that keeps one.
func TestPlansMayBeDroppedAnyTime(t *testing.T) {
	dice := seededDice(t)
	w := randomWorld(dice, scale{bundles: 60, psps: otherPSPs, easy: true})
	d := deps(w)
	var kept atomic.Pointer[engine.ECPlan]
	var retained atomic.Int64
	d.Retain = func(p *engine.ECPlan) {
		retained.Add(1)
		if last := kept.Swap(p); last != nil && last != p {
			last.Drop()
		}
	}
	s, err := engine.NewSnapshot(w.source(), d)
	if err != nil {
		t.Fatal(err)
	}
	var asked []*engine.Payment
	var want []string
	for range 50 {
		p := randomPayment(dice, w)
		asked, want = append(asked, p), append(want, ask(w.snapshot(t), p, everything))
	}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for i, p := range asked {
				if got := ask(s, p, everything); got != want[i] {
					t.Errorf("payment %d:\n%swant\n%s", i, got, want[i])
				}
			}
		})
	}
	wait.Wait()
	if retained.Load() < 4 {
		t.Errorf("Retain was told of %d plans", retained.Load())
	}
}

// TestAnnotateIsHandedBack holds Quote.Note.
func TestAnnotateIsHandedBack(t *testing.T) {
	w, made := oneBundle(func(*engine.Bundle) {}), 0
	d := deps(w)
	d.Annotate = func(b *engine.Bundle) any { made++; return "note of " + b.ID }
	s, err := engine.NewSnapshot(w.source(), d)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a, err := engine.NewQuoter().Quotes(s, plainPayment(5_000), everything)
		if err != nil || len(a.Quotes) != 1 || a.Quotes[0].Note != "note of b1" {
			t.Fatalf("%+v %v", a, err)
		}
	}
	if made != 1 {
		t.Errorf("the note was made %d times", made)
	}
}

// TestAnnotateAtOnce holds that answers which make a bundle's note at the same time carry one and the same.
func TestAnnotateAtOnce(t *testing.T) {
	w := oneBundle(func(*engine.Bundle) {})
	var both, done sync.WaitGroup
	both.Add(2)
	d := deps(w)
	d.Annotate = func(*engine.Bundle) any {
		both.Done()
		both.Wait()
		return new(int)
	}
	s, err := engine.NewSnapshot(w.source(), d)
	if err != nil {
		t.Fatal(err)
	}
	var quotes [2]engine.Quote
	for i := range quotes {
		done.Go(func() {
			a, err := engine.NewQuoter().Quotes(s, plainPayment(5_000), everything)
			if err != nil || len(a.Quotes) != 1 {
				t.Errorf("%+v %v", a, err)
				return
			}
			quotes[i] = a.Quotes[0]
		})
	}
	done.Wait()
	if quotes[0].Note != quotes[1].Note || quotes[0].Bundle != quotes[1].Bundle || quotes[0].Note == nil {
		t.Errorf("notes %p and %p, bundles %p and %p", quotes[0].Note, quotes[1].Note, quotes[0].Bundle, quotes[1].Bundle)
	}
}

// TestExplainAgreesWithTheReference holds of every bundle: the rule that left it out is the first that
// does, in the order of their numbers, and those that are shown stand as in the answer.
func TestExplainAgreesWithTheReference(t *testing.T) {
	d := seededDice(t)
	for range runs(400) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		for range 5 {
			p, o := randomPayment(d, w), randomOptions(d)
			if len(p.Notices) == 1 && percent(d, 25) {
				o = v1(o.Limit)
			}
			if wrong := explainedWrong(w, s, p, o); wrong != "" {
				t.Fatalf("%s\npayment %+v\nsettings %+v", wrong, *p, w.settings)
			}
		}
	}
}

func explainedWrong(w *world, s *engine.Snapshot, p *engine.Payment, o engine.Options) string {
	answer, err := engine.NewQuoter().Quotes(s, p, o)
	if err != nil {
		return err.Error()
	}
	explanation, err := engine.Explain(s, p, o, engine.Asking{})
	if err != nil {
		return err.Error()
	}
	if explanation.Revision != answer.Revision || explanation.Seed != answer.Seed || explanation.BelowThreshold != answer.BelowThreshold {
		return "the head of the explanation is not that of the answer"
	}
	if len(explanation.Verdicts) != len(w.bundles) {
		return fmt.Sprintf("%d verdicts on %d bundles", len(explanation.Verdicts), len(w.bundles))
	}
	best := map[string]bool{}
	for _, r := range onePerPSP(allRows(w, p, o)) {
		best[r.bundle.ID] = true
	}
	for i := range explanation.Verdicts {
		v := &explanation.Verdicts[i]
		want := newRequest(w, p, o.View).judge(v.Bundle)
		switch shown := i < len(answer.Quotes); {
		case shown && (v.Rank != i+1 || !v.Applies || v.Rule != "" || v.Quote == nil || quoteText(v.Quote) != quoteText(&answer.Quotes[i])):
			return fmt.Sprintf("verdict %d is %+v, the answer's row is %s", i, *v, quoteText(&answer.Quotes[i]))
		case !shown && (v.Rank != 0 || v.Applies != (want.row != nil)):
			return fmt.Sprintf("verdict %+v of a bundle that is not shown", *v)
		case !shown && v.Applies && o.View == engine.OnePerPSP && !best[v.Bundle.ID]:
			want.rule = "Q19"
		case !shown && v.Applies:
			want.rule = "Q23"
		}
		if v.Rule != want.rule || v.Reason == "" || v.Program != engine.Program(v.Bundle) {
			return fmt.Sprintf("bundle %s: rule %q, want %q; reason %q\n%+v", v.Bundle.ID, v.Rule, want.rule, v.Reason, *v.Bundle)
		}
		if i > len(answer.Quotes) && explanation.Verdicts[i-1].Bundle.ID >= v.Bundle.ID {
			return "verdicts on bundles that are not shown stand by id"
		}
	}
	return ""
}

// TestExplainOfSome holds that the verdicts on some bundles are those that the whole explanation has on them, that no
// more are found than are wanted, and that an explanation that nobody waits for any more ends.
func TestExplainOfSome(t *testing.T) {
	d := seededDice(t)
	for range runs(100) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		p, o := randomPayment(d, w), randomOptions(d)
		whole, err := engine.Explain(s, p, o, engine.Asking{})
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]bool{}
		for _, b := range w.bundles {
			asked[b.ID] = percent(d, 50)
		}
		most, looked := d.IntN(5)+1, 0
		some, err := engine.Explain(s, p, o, engine.Asking{
			About: func(b *engine.Bundle) bool { return asked[b.ID] }, Most: most, Stopped: func() error { looked++; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []engine.Verdict
		for _, v := range whole.Verdicts {
			if asked[v.Bundle.ID] {
				want = append(want, v)
			}
		}
		if some.Asked != len(want) || whole.Asked != len(w.bundles) || looked != min(most, len(want)) {
			t.Fatalf("%d were asked about, want %d; %d were looked at, at most %d were wanted", some.Asked, len(want), looked, most)
		}
		if want = want[:min(most, len(want))]; len(some.Verdicts) != len(want) {
			t.Fatalf("%d verdicts, want %d", len(some.Verdicts), len(want))
		}
		for i := range want {
			if !reflect.DeepEqual(some.Verdicts[i], want[i]) {
				t.Fatalf("got %+v, want %+v", some.Verdicts[i], want[i])
			}
		}
		gone := errors.New("gone")
		if _, err := engine.Explain(s, p, o, engine.Asking{Stopped: func() error { return gone }}); len(w.bundles) > 0 && !errors.Is(err, gone) {
			t.Fatalf("nobody waits for it: %v", err)
		}
	}
}

// allRows are the rows of all bundles that apply, before Q19.
func allRows(w *world, p *engine.Payment, o engine.Options) (rows []row) {
	r := newRequest(w, p, o.View)
	for _, b := range w.bundles {
		if v := r.judge(b); v.row != nil {
			rows = append(rows, *v.row)
		}
	}
	return rows
}
