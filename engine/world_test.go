package engine_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gec/engine"
	"gec/engine/condition"
)

// How the tests turn a world into snapshots, directly or by a chain of changes, and how they write
// answers down to compare them.

// programs is one cache for all tests of the package: compiling is what they would spend most time on.
var programs = condition.NewCache(1 << 15)

// deps gives snapshots the subscriptions as they stood in each of the worlds, by revision.
func deps(worlds ...*world) engine.Deps {
	type key struct {
		revision int64
		ec       string
	}
	byEC := map[key][]engine.Subscription{}
	for _, w := range worlds {
		for _, id := range slices.Sorted(maps.Keys(w.subscriptions)) {
			for _, s := range w.subscriptions[id] {
				k := key{w.revision, s.CreditorInstitution}
				byEC[k] = append(byEC[k], s)
			}
		}
	}
	return engine.Deps{
		Programs: programs,
		Subscriptions: func(revision int64, ec string) ([]engine.Subscription, error) {
			return byEC[key{revision, ec}], nil
		},
	}
}

// ecs are the tax codes that have subscriptions.
func (w *world) ecs() []string {
	found := map[string]bool{}
	for _, subscriptions := range w.subscriptions {
		for _, s := range subscriptions {
			found[s.CreditorInstitution] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (w *world) source() engine.Source {
	return engine.Source{Revision: w.revision, Settings: w.settings, Bundles: w.bundles, ECs: w.ecs()}
}

// snapshot builds the world's snapshot from scratch.
func (w *world) snapshot(t testing.TB) *engine.Snapshot {
	t.Helper()
	s, err := engine.NewSnapshot(w.source(), deps(w))
	if err != nil {
		t.Fatalf("NewSnapshot: %v", err)
	}
	return s
}

// clone copies the world down to its lists, for the next revision.
func (w *world) clone() *world {
	c := *w
	c.bundles = slices.Clone(w.bundles)
	c.subscriptions = maps.Clone(w.subscriptions)
	return &c
}

// without returns the world without one bundle and its subscriptions.
func (w *world) without(id string) *world {
	c := w.clone()
	c.bundles = slices.DeleteFunc(c.bundles, func(b *engine.Bundle) bool { return b.ID == id })
	delete(c.subscriptions, id)
	return c
}

// changeTo says what has to change to come from one world to another.
func (w *world) changeTo(next *world) engine.Change {
	c := engine.Change{Revision: next.revision}
	if !reflect.DeepEqual(w.settings, next.settings) {
		settings := next.settings
		c.Settings = &settings
	}
	before := map[string]*engine.Bundle{}
	for _, b := range w.bundles {
		before[b.ID] = b
	}
	for _, b := range next.bundles {
		if before[b.ID] != b {
			c.Put = append(c.Put, b)
		}
		delete(before, b.ID)
	}
	c.Remove = slices.Sorted(maps.Keys(before))
	changed := map[string]bool{}
	for id := range union(w.subscriptions, next.subscriptions) {
		if !reflect.DeepEqual(w.subscriptions[id], next.subscriptions[id]) {
			for _, s := range slices.Concat(w.subscriptions[id], next.subscriptions[id]) {
				changed[s.CreditorInstitution] = true
			}
		}
	}
	c.ECs = slices.Sorted(maps.Keys(changed))
	return c
}

func union[V any](a, b map[string]V) map[string]V {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// history makes up worlds that come before this one: bundles that are not there yet, that are other
// versions, or that will be gone; other subscriptions; now and then other settings. The last is w.
func (w *world) history(d dice, steps int) []*world {
	past := make([]*world, steps+1)
	past[steps] = w
	for i := steps - 1; i >= 0; i-- {
		earlier := past[i+1].clone()
		earlier.revision--
		size := small(d)
		size.orderly = percent(d, 80)
		earlier.bundles = slices.DeleteFunc(earlier.bundles, func(*engine.Bundle) bool { return percent(d, 20) })
		for n, b := range earlier.bundles {
			if percent(d, 10) {
				earlier.bundles[n] = randomBundle(d, size, b.ID)
			}
		}
		for range d.IntN(4) {
			b := randomBundle(d, size, fmt.Sprintf("past%d-%d", i, d.IntN(1000)))
			if !slices.ContainsFunc(earlier.bundles, func(other *engine.Bundle) bool { return other.ID == b.ID }) {
				earlier.bundles = append(earlier.bundles, b)
			}
		}
		resubscribed := pick(d, 0, 2, 15, 15) // now and then nobody's: then plans of ECs outlive the change
		for _, b := range earlier.bundles {
			if percent(d, resubscribed) {
				delete(earlier.subscriptions, b.ID)
				randomSubscriptions(d, earlier, b)
			}
		}
		if percent(d, 15) {
			earlier.settings = randomSettings(d)
		}
		past[i] = earlier
	}
	return past
}

// derived builds the snapshots of a history, each from the one before.
func derived(t testing.TB, history []*world) []*engine.Snapshot {
	t.Helper()
	snapshots := make([]*engine.Snapshot, len(history))
	for i, w := range history {
		var err error
		if i == 0 {
			snapshots[0], err = engine.NewSnapshot(w.source(), deps(history...))
		} else {
			snapshots[i], err = snapshots[i-1].With(history[i-1].changeTo(w))
		}
		if err != nil {
			t.Fatalf("revision %d: %v", w.revision, err)
		}
	}
	return snapshots
}

// text writes all of an answer down, byte for byte what a client could see of it.
func text(a *engine.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "revision %d seed %016x below %t\n", a.Revision, a.Seed, a.BelowThreshold)
	for i := range a.Quotes {
		b.WriteString(quoteText(&a.Quotes[i]))
	}
	return b.String()
}

func quoteText(q *engine.Quote) string {
	return rowText(&row{bundle: q.Bundle, gross: q.GrossCents, net: q.NetCents, onUs: q.OnUs, contributions: q.Contributions})
}

func rowText(r *row) string {
	line := fmt.Sprintf("%s of %s: gross %d net %d on-us %t", r.bundle.ID, r.bundle.PSP, r.gross, r.net, r.onUs)
	for _, c := range r.contributions {
		line += fmt.Sprintf(" [%s by %s declares %d bears %d]", c.CreditorInstitution, c.SubscriptionID, c.DeclaredCents, c.ActualCents)
	}
	return line + "\n"
}

// ask returns the written answer of the indexed path, errors included.
func ask(s *engine.Snapshot, p *engine.Payment, o engine.Options) string {
	a, err := engine.NewQuoter().Quotes(s, p, o)
	if err != nil {
		return "error: " + err.Error()
	}
	return text(a)
}

// judge says what is wrong with an answer, going by the reference; empty when it is right. Rows that
// chance orders may stand in any order that the rules leave open.
func judge(w *world, p *engine.Payment, o engine.Options, a *engine.Answer) string {
	want := reference(w, p, o)
	limit := min(limitOf(o), len(want))
	if a.Revision != w.revision {
		return fmt.Sprintf("revision %d for %d (P6)", a.Revision, w.revision)
	}
	if below := newRequest(w, p, o.View).amount < w.settings.ThresholdCents; a.BelowThreshold != below {
		return fmt.Sprintf("belowThreshold is %t (Q24)", a.BelowThreshold)
	}
	if len(a.Quotes) != limit {
		return fmt.Sprintf("%d rows for %d (Q23)", len(a.Quotes), limit)
	}
	exact := o.View == engine.OnePerPSP && (o.Order == engine.OrderFee || o.Order == engine.OrderPSPName)
	all := map[string]int{}
	for i := range want {
		all[rowText(&want[i])]++
	}
	for i := range a.Quotes {
		q := &a.Quotes[i]
		got := quoteText(q)
		if exact && got != rowText(&want[i]) {
			return fmt.Sprintf("row %d is %sfor %s", i, got, rowText(&want[i]))
		}
		if all[got]--; all[got] < 0 {
			return fmt.Sprintf("row %d is not one of the reference or comes twice: %s", i, got)
		}
		if onUsFirst(o) && q.OnUs != want[i].onUs {
			return fmt.Sprintf("row %d: on-us rows first (Q21)", i)
		}
		if o.View == engine.OnePerPSP && o.Order == engine.OrderFeeRandom && q.NetCents != want[i].net {
			return fmt.Sprintf("row %d: net fee %d for %d (Q20)", i, q.NetCents, want[i].net)
		}
	}
	if o.View == engine.EveryBundle {
		return togetherByPSP(a)
	}
	return ""
}

// togetherByPSP holds the order of v1: within the on-us rows and within the others, those of one PSP
// stand together, by net fee.
func togetherByPSP(a *engine.Answer) string {
	seen := map[string]bool{}
	for i := range a.Quotes {
		psp := fmt.Sprint(a.Quotes[i].OnUs, strings.ToUpper(a.Quotes[i].Bundle.PSP))
		if i > 0 {
			before := &a.Quotes[i-1]
			if fmt.Sprint(before.OnUs, strings.ToUpper(before.Bundle.PSP)) == psp {
				if before.NetCents > a.Quotes[i].NetCents {
					return fmt.Sprintf("row %d: the rows of a PSP stand by net fee (spec 4)", i)
				}
				continue
			}
		}
		if seen[psp] {
			return fmt.Sprintf("row %d: the rows of a PSP stand together (spec 4)", i)
		}
		seen[psp] = true
	}
	return ""
}

// disagreement runs all three paths and says where they part; empty when they agree.
func disagreement(w *world, s *engine.Snapshot, q *engine.Quoter, p *engine.Payment, o engine.Options) string {
	indexed, err := q.Quotes(s, p, o)
	if kind := unknownName(w, p); kind != "" {
		var unknown *engine.UnknownNameError
		if _, plainErr := engine.Plain(s, p, o); !errors.As(err, &unknown) || unknown.Kind != kind || plainErr == nil || plainErr.Error() != err.Error() {
			return fmt.Sprintf("errors %v and %v, want an unknown %s", err, plainErr, kind)
		}
		return ""
	}
	if err != nil {
		return "indexed path: " + err.Error()
	}
	if wrong := judge(w, p, o, indexed); wrong != "" {
		return "the engine and the reference part: " + wrong + "\nengine: " + text(indexed)
	}
	plain, err := engine.Plain(s, p, o)
	if err != nil {
		return "plain path: " + err.Error()
	}
	if a, b := text(indexed), text(plain); a != b {
		return "the indexed path and the plain path part (P5)\nindexed: " + a + "plain: " + b
	}
	return ""
}

// indexedWrong is disagreement without the plain path, which takes long on large catalogues.
func indexedWrong(w *world, s *engine.Snapshot, q *engine.Quoter, p *engine.Payment, o engine.Options) string {
	indexed, err := q.Quotes(s, p, o)
	if err != nil {
		return err.Error()
	}
	return judge(w, p, o, indexed)
}

// report shrinks a disagreement to the bundles, notices and fields that it takes, and writes it down.
func report(w *world, p *engine.Payment, o engine.Options) string {
	wrong := func(w *world, p *engine.Payment) string {
		s, err := engine.NewSnapshot(w.source(), deps(w))
		if err != nil {
			return ""
		}
		return disagreement(w, s, engine.NewQuoter(), p, o)
	}
	if wrong(w, p) == "" {
		return "it does not show on a snapshot built from scratch"
	}
	for size := (len(w.bundles) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(w.bundles); {
			smaller := w.clone()
			for _, b := range w.bundles[at:min(at+size, len(w.bundles))] {
				smaller = smaller.without(b.ID)
			}
			if wrong(smaller, p) == "" {
				at += size
			} else {
				w = smaller
			}
		}
	}
	for i := len(p.Notices) - 1; i >= 0 && len(p.Notices) > 1; i-- {
		smaller := *p
		smaller.Notices = slices.Delete(slices.Clone(p.Notices), i, i+1)
		if wrong(w, &smaller) != "" {
			p = &smaller
		}
	}
	lines := wrong(w, p) + fmt.Sprintf("payment %+v\noptions %+v\nsettings %+v\n", *p, o, w.settings)
	for _, b := range w.bundles {
		lines += fmt.Sprintf("bundle %+v\n  subscriptions %+v\n", *b, w.subscriptions[b.ID])
	}
	return lines
}

// runs is how often a long test repeats: a tenth with -short.
func runs(full int) int {
	if testing.Short() {
		return full / 10
	}
	return full
}

// seededDice returns the dice of a long run. GEC_SEED repeats one; the seed is logged, so that the
// line of a failed run says how.
func seededDice(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("GEC_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 0, 64); err != nil {
			t.Fatalf("GEC_SEED: %v", err)
		}
	}
	t.Logf("GEC_SEED=%#x repeats this run", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// plainBundle is a GLOBAL bundle of one euro for every payment up to 10 000 €.
func plainBundle(id, psp string) *engine.Bundle {
	return &engine.Bundle{
		ID: id, PSP: psp, PSPBusinessName: psp, Channel: "CH1", Broker: "BR1", ABI: "01001", Touchpoint: engine.Any,
		Band: engine.Band{MaxCents: 1_000_000}, Cart: true, Fee: engine.Fee{FlatCents: 100},
	}
}

// plainPayment is one notice of that amount to one EC, at noon of a Wednesday.
func plainPayment(amountCents int64) *engine.Payment {
	return &engine.Payment{
		Notices: []engine.Notice{{
			AmountCents: amountCents, CreditorInstitution: ecPool[0],
			Transfers: []engine.Transfer{{CreditorInstitution: ecPool[0], TransferCategory: categoryPool[0]}},
		}},
		At: time.Date(2026, time.November, 18, 11, 0, 0, 0, time.UTC),
	}
}
