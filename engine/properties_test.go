package engine_test

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/engine"
)

// everything asks for all rows, in an order without chance.
var everything = engine.Options{Order: engine.OrderFee, OnUsFirst: true, Limit: 1<<31 - 1}

// v1 asks as the v1 contract does (spec 4).
func v1(limit int32) engine.Options {
	return engine.Options{View: engine.EveryBundle, OnUsFirst: true, Limit: limit}
}

// TestP5IndexedPlainAndReferenceAgree is goal 15 of spec 7: 20 000 payments on random catalogues, the
// indexed path, the plain path and the reference evaluator giving the same rows. Half of the
// catalogues are reached by a chain of changes.
func TestP5IndexedPlainAndReferenceAgree(t *testing.T) {
	const paymentsPerCatalogue = 10
	d := seededDice(t)
	quoter := engine.NewQuoter()
	var met coverage
	for range runs(20_000) / paymentsPerCatalogue {
		w := randomWorld(d, small(d))
		s := w.snapshotEitherWay(t, d)
		for range paymentsPerCatalogue {
			p, o := randomPayment(d, w), randomOptions(d)
			if len(p.Notices) == 1 && percent(d, 25) {
				o.View = engine.EveryBundle // which knows no other order than its own
			}
			if percent(d, 2) { // names that are not registered, though a bundle may have them (Q2, Q3)
				p.Touchpoint, p.PaymentType = pick(d, p.Touchpoint, "ATM", "MARS"), pick(d, p.PaymentType, "NOPE")
			}
			if wrong := disagreement(w, s, quoter, p, o); wrong != "" {
				t.Fatalf("%s\nthe least that shows it:\n%s", wrong, report(w, p, o))
			}
			if unknownName(w, p) == "" {
				met.count(reference(w, p, o), o)
			}
		}
	}
	met.hold(t, runs(20_000))
}

// coverage counts what kinds of answers a long run met, so that generators which stopped to produce
// some of them do not go unnoticed.
type coverage struct{ shown, several, cut, onUs, borne, shared, none int }

func (c *coverage) count(rows []row, o engine.Options) {
	add := func(n *int, met bool) {
		if met {
			*n++
		}
	}
	add(&c.none, len(rows) == 0)
	add(&c.shown, len(rows) > 0)
	add(&c.several, len(rows) > 2)
	add(&c.cut, len(rows) > limitOf(o))
	add(&c.onUs, slices.ContainsFunc(rows, func(r row) bool { return r.onUs }))
	add(&c.borne, slices.ContainsFunc(rows, func(r row) bool { return r.net < r.gross }))
	add(&c.shared, slices.ContainsFunc(rows, func(r row) bool { return len(r.contributions) > 1 }))
}

func (c *coverage) hold(t *testing.T, payments int) {
	t.Helper()
	t.Logf("of %d payments: %+v", payments, *c)
	for kind, counted := range map[string]struct{ met, percent int }{
		"with a row": {c.shown, 40}, "with several PSPs": {c.several, 15}, "with more rows than the limit": {c.cut, 5},
		"with an on-us row": {c.onUs, 4}, "with a contribution": {c.borne, 5}, "shared by several ECs": {c.shared, 1}, "without a row": {c.none, 10},
	} {
		if counted.met*100 < payments*counted.percent {
			t.Errorf("%d payments %s, want %d %%: the generators do not meet often enough", counted.met, kind, counted.percent)
		}
	}
}

func (w *world) snapshotEitherWay(t testing.TB, d dice) *engine.Snapshot {
	if percent(d, 50) {
		return w.snapshot(t)
	}
	chain := derived(t, w.history(d, 1+d.IntN(4)))
	return chain[len(chain)-1]
}

// TestP5LargeCatalogues holds the same where the index has several blocks and order `fee` stops early,
// with changes between the payments.
func TestP5LargeCatalogues(t *testing.T) {
	d := seededDice(t)
	quoter := engine.NewQuoter()
	for range max(1, runs(30)/10) {
		w := randomWorld(d, large(d))
		history := w.history(d, 3)
		for i, s := range derived(t, history) {
			for n := range 40 {
				p, o := randomPayment(d, history[i]), randomOptions(d)
				if percent(d, 80) {
					p.PSPs = nil
				}
				compare := indexedWrong
				if n%20 == 0 {
					compare = disagreement
				}
				if wrong := compare(history[i], s, quoter, p, o); wrong != "" {
					t.Fatalf("%s\nthe least that shows it:\n%s", wrong, report(history[i], p, o))
				}
			}
		}
	}
}

// TestP5Shrunk is the first property once more through rapid, so that a disagreement comes with a small
// example.
func TestP5Shrunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawn{t}
		w := randomWorld(d, scale{bundles: d.IntN(12), psps: otherPSPs})
		p, o := randomPayment(d, w), randomOptions(d)
		s, err := engine.NewSnapshot(w.source(), deps(w))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := disagreement(w, s, engine.NewQuoter(), p, o); wrong != "" {
			t.Fatal(wrong)
		}
	})
}

// TestP1OrderOfStorageDoesNotMatter shuffles the bundles and the subscriptions, and reaches the same
// catalogue by other changes.
func TestP1OrderOfStorageDoesNotMatter(t *testing.T) {
	d := seededDice(t)
	for range runs(300) {
		w := randomWorld(d, small(d))
		shuffled := w.clone()
		for i, n := range permutation(d, len(w.bundles)) {
			shuffled.bundles[n] = w.bundles[i]
		}
		for id, subscriptions := range w.subscriptions {
			shuffled.subscriptions[id] = slices.Clone(subscriptions)
			slices.Reverse(shuffled.subscriptions[id])
		}
		chain := derived(t, w.history(d, 1+d.IntN(6)))
		first, second, third := w.snapshot(t), shuffled.snapshot(t), chain[len(chain)-1]
		for range 10 {
			p, o := randomPayment(d, w), randomOptions(d)
			want := ask(first, p, o)
			if diff := cmp.Diff(want, ask(second, p, o)); diff != "" {
				t.Fatalf("the order of storage changes the answer (-given, +shuffled):\n%s", diff)
			}
			if diff := cmp.Diff(want, ask(third, p, o)); diff != "" {
				t.Fatalf("the way of change changes the answer (-at once, +derived):\n%s", diff)
			}
		}
	}
}

// TestP1SnapshotsStayAsTheyWere asks every snapshot of a chain of changes, after all of them were made,
// and again after the plans of its ECs were dropped.
func TestP1SnapshotsStayAsTheyWere(t *testing.T) {
	d := seededDice(t)
	for range runs(300) {
		history := randomWorld(d, small(d)).history(d, 5)
		chain := derived(t, history)
		for _, i := range permutation(d, len(chain)) {
			fresh := history[i].snapshot(t)
			for range 5 {
				p, o := randomPayment(d, history[i]), randomOptions(d)
				if diff := cmp.Diff(ask(fresh, p, o), ask(chain[i], p, o)); diff != "" {
					t.Fatalf("revision %d of a chain (-built at once, +derived):\n%s", history[i].revision, diff)
				}
			}
		}
	}
}

// TestP1ThreadsDoNotMatter asks one snapshot from several goroutines whose quoters are used for other
// payments in between.
func TestP1ThreadsDoNotMatter(t *testing.T) {
	d := seededDice(t)
	w := randomWorld(d, scale{bundles: 200, psps: otherPSPs})
	s := w.snapshot(t)
	var payments []*engine.Payment
	var options []engine.Options
	var want []string
	for range 100 {
		p, o := randomPayment(d, w), randomOptions(d)
		payments, options, want = append(payments, p), append(options, o), append(want, ask(w.snapshot(t), p, o))
	}
	var wait sync.WaitGroup
	for thread := range 4 {
		wait.Go(func() {
			q := engine.NewQuoter()
			for i := range payments {
				n := (i*(2*thread+1) + thread) % len(payments)
				a, err := q.Quotes(s, payments[n], options[n])
				if err != nil || text(a) != want[n] {
					t.Errorf("thread %d, payment %d: %v\n%swant\n%s", thread, n, err, text(a), want[n])
					return
				}
			}
		})
	}
	wait.Wait()
}

// TestP2FilterKeepsTheFee asks again for each PSP that was shown, as the transactions service does.
func TestP2FilterKeepsTheFee(t *testing.T) {
	d := seededDice(t)
	for range runs(600) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		open := randomPayment(d, w)
		open.PSPs = nil
		o := randomOptions(d)
		answer, err := engine.NewQuoter().Quotes(s, open, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range answer.Quotes {
			q := &answer.Quotes[i]
			for _, f := range []engine.PSPFilter{
				{PSP: q.Bundle.PSP}, {PSP: strings.ToLower(q.Bundle.PSP)},
				{PSP: q.Bundle.PSP, Channel: strings.ToLower(q.Bundle.Channel), Broker: strings.ToUpper(q.Bundle.Broker)},
			} {
				asked := *open
				asked.PSPs = []engine.PSPFilter{f}
				one, err := engine.NewQuoter().Quotes(s, &asked, o)
				if err != nil {
					t.Fatal(err)
				}
				if len(one.Quotes) != 1 || quoteText(&one.Quotes[0]) != quoteText(q) {
					t.Fatalf("filter %+v\n%swant one row\n%s", f, text(one), quoteText(q))
				}
			}
		}
	}
}

// TestP3AddingABundleNeverRaisesANetFee takes bundles out one by one; read backwards, adds them.
func TestP3AddingABundleNeverRaisesANetFee(t *testing.T) {
	d := seededDice(t)
	for range runs(150) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		p := randomPayment(d, w)
		before := netFees(t, s, p)
		for _, b := range w.bundles {
			if percent(d, 70) {
				continue
			}
			smaller := w.without(b.ID)
			smaller.revision++
			next, err := engine.NewSnapshot(smaller.source(), deps(smaller))
			if err != nil {
				t.Fatal(err)
			}
			for psp, after := range netFees(t, next, p) {
				if fee, shown := before[psp]; !shown || after < fee {
					t.Fatalf("without bundle %s the net fee of %s falls from %d to %d (shown before: %t)", b.ID, psp, fee, after, shown)
				}
			}
		}
	}
}

// netFees are the net fees of all PSPs that a payment is shown.
func netFees(t *testing.T, s *engine.Snapshot, p *engine.Payment) map[string]int64 {
	t.Helper()
	a, err := engine.NewQuoter().Quotes(s, p, everything)
	if err != nil {
		t.Fatal(err)
	}
	fees := map[string]int64{}
	for i := range a.Quotes {
		psp := strings.ToUpper(a.Quotes[i].Bundle.PSP)
		if _, twice := fees[psp]; twice {
			t.Fatalf("PSP %s has two rows (Q19)", psp)
		}
		fees[psp] = a.Quotes[i].NetCents
	}
	return fees
}

// TestP4Bounds holds what must be true of every row whatever the catalogue says.
func TestP4Bounds(t *testing.T) {
	d := seededDice(t)
	for range runs(1_000) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		for range 4 {
			p, o := randomPayment(d, w), randomOptions(d)
			if len(p.Notices) == 1 && percent(d, 30) {
				o = v1(o.Limit)
			}
			a, err := engine.NewQuoter().Quotes(s, p, o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range a.Quotes {
				if wrong := outOfBounds(w, p, &a.Quotes[i]); wrong != "" {
					t.Fatalf("%s: %s", wrong, quoteText(&a.Quotes[i]))
				}
			}
		}
	}
}

func outOfBounds(w *world, p *engine.Payment, q *engine.Quote) string {
	if q.NetCents < 0 || q.NetCents > q.GrossCents || q.GrossCents > engine.FeeCentsMax {
		return "not 0 <= net <= gross <= 1 000 000 €"
	}
	borne := int64(0)
	for _, c := range q.Contributions {
		borne += c.ActualCents
		if c.ActualCents < 0 || c.ActualCents > c.DeclaredCents {
			return "an EC bears less than nothing or more than it declared"
		}
		if !slices.ContainsFunc(p.Notices, func(n engine.Notice) bool { return n.CreditorInstitution == c.CreditorInstitution }) {
			return "an EC bears that is not in the cart"
		}
		declared := slices.ContainsFunc(w.subscriptions[q.Bundle.ID], func(s engine.Subscription) bool {
			return s.ID == c.SubscriptionID && slices.ContainsFunc(s.Attributes, func(a engine.Attribute) bool { return a.MaxPaymentAmountCents == c.DeclaredCents })
		})
		if !declared {
			return "no attribute of the subscription declares that share"
		}
	}
	if borne != q.GrossCents-q.NetCents {
		return "the contributions do not add up to gross − net"
	}
	return ""
}

// TestP6AnswersComeFromOneRevision swaps snapshots in which every bundle asks its revision as the fee,
// while others quote: no answer mixes two.
func TestP6AnswersComeFromOneRevision(t *testing.T) {
	const bundles, revisions = 40, 300
	stamped := func(revision int64) *world {
		w := &world{revision: revision}
		for n := range bundles {
			b := plainBundle("b"+padded(int64(n)), "PSP"+padded(int64(n)))
			b.Fee.FlatCents = revision
			w.bundles = append(w.bundles, b)
		}
		return w
	}
	var current atomic.Pointer[engine.Snapshot]
	current.Store(stamped(1).snapshot(t))
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			q, last := engine.NewQuoter(), int64(0)
			for last < revisions {
				a, err := q.Quotes(current.Load(), plainPayment(5_000), engine.Options{Limit: bundles})
				if err != nil || len(a.Quotes) != bundles || a.Revision < last {
					t.Errorf("after revision %d: %v %v", last, a, err)
					return
				}
				if a.Revision == last {
					runtime.Gosched() // or the writer waits its turn behind readers who see nothing new
				}
				last = a.Revision
				for i := range a.Quotes {
					if a.Quotes[i].GrossCents != last {
						t.Errorf("revision %d has a row of revision %d", last, a.Quotes[i].GrossCents)
						return
					}
				}
			}
		})
	}
	for revision := int64(2); revision <= revisions; revision++ {
		next, err := current.Load().With(engine.Change{Revision: revision, Put: stamped(revision).bundles})
		if err != nil {
			t.Error(err)
			next = stamped(revisions).snapshot(t) // lets the readers end
		}
		current.Store(next)
	}
	wait.Wait()
}

// TestP7SameAnswerAgain repeats payments: on the same quoter after others, on a new one, on a snapshot
// built anew, and with the seed that the answer named.
func TestP7SameAnswerAgain(t *testing.T) {
	d := seededDice(t)
	worn := engine.NewQuoter()
	for range runs(300) {
		w := randomWorld(d, small(d))
		s, rebuilt := w.snapshot(t), w.snapshot(t)
		for range 10 {
			p, o := randomPayment(d, w), randomOptions(d)
			a, err := worn.Quotes(s, p, o)
			if err != nil {
				t.Fatal(err)
			}
			want := text(a)
			seeded := o
			seeded.Seed, seeded.SeedGiven = a.Seed, true
			if _, err := worn.Quotes(s, randomPayment(d, w), randomOptions(d)); err != nil {
				t.Fatal(err)
			}
			for _, again := range []string{ask(s, p, o), ask(rebuilt, p, o), ask(s, p, seeded)} {
				if diff := cmp.Diff(want, again); diff != "" {
					t.Fatalf("the same payment is answered differently (-first, +again):\n%s", diff)
				}
			}
		}
	}
}

// TestQ23LimitOnlyCuts holds that a limited answer is the beginning of the unlimited one, in every order.
func TestQ23LimitOnlyCuts(t *testing.T) {
	d := seededDice(t)
	for range runs(600) {
		w := randomWorld(d, small(d))
		s := w.snapshot(t)
		p, o := randomPayment(d, w), randomOptions(d)
		if len(p.Notices) == 1 && percent(d, 30) {
			o = v1(0)
		}
		o.Limit = 1<<31 - 1
		whole := ask(s, p, o)
		for limit := int32(1); limit <= 7; limit++ {
			o.Limit = limit
			if cut := ask(s, p, o); !strings.HasPrefix(whole, cut) {
				t.Fatalf("limit %d: not the beginning of the whole\n%s\n%s", limit, cut, whole)
			}
		}
	}
}
