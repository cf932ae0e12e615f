package bundles_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gec/bundles"
	"gec/engine"
)

// A fair is a catalogue with many callers who do to it whatever they like, also what they may not. Its
// rules are stated here anew, the slow and obvious way, and are held after every step and in every revision:
// no two bundles of a PSP conflict under A3, no attribute exceeds its fee, no subscription outlives its
// bundle, and no caller sees or changes what is not his.

// chooser draws numbers 0 <= x < n.
type chooser interface{ IntN(n int) int }

func oneOf[T any](c chooser, from ...T) T { return from[c.IntN(len(from))] }

// actor is a caller with what it may do, said apart from the Caller itself.
type actor struct {
	bundles.Caller
	mayPSP func(psp string, f bundles.Function) bool
	mayEC  func(ec string, f bundles.Function) bool
	// reads and psps, ecs are what it may read of.
	all       bool
	psps, ecs []string
}

func actors() []actor {
	never := func(string, bundles.Function) bool { return false }
	always := func(string, bundles.Function) bool { return true }
	own := func(party string, functions ...bundles.Function) func(string, bundles.Function) bool {
		return func(id string, f bundles.Function) bool {
			return id == party && (functions == nil || slices.Contains(functions, f))
		}
	}
	of := func(party string, delegated bool, functions ...bundles.Function) []bundles.Party {
		return []bundles.Party{{ID: party, Functions: functions, Delegated: delegated}}
	}
	return []actor{
		{Caller: tester, mayPSP: always, mayEC: always, all: true},
		{Caller: bundles.Caller{Name: "auditor", Auditor: true}, mayPSP: never, mayEC: never, all: true},
		{Caller: bundles.Caller{Name: "one", PSPs: of(bankOne, false)}, mayPSP: own(bankOne), mayEC: never, psps: []string{bankOne}},
		{Caller: bundles.Caller{Name: "two", PSPs: of(bankTwo, false)}, mayPSP: own(bankTwo), mayEC: never, psps: []string{bankTwo}},
		{Caller: bundles.Caller{Name: "broker", PSPs: of(bankOne, true, bundles.FunctionBundles, bundles.FunctionOffers)}, mayPSP: own(bankOne, bundles.FunctionBundles, bundles.FunctionOffers), mayEC: never, psps: []string{bankOne}},
		{Caller: bundles.Caller{Name: "first", CreditorInstitutions: of(firstEC, false)}, mayPSP: never, mayEC: own(firstEC), ecs: []string{firstEC}},
		{Caller: bundles.Caller{Name: "second", CreditorInstitutions: of(secondEC, false)}, mayPSP: never, mayEC: own(secondEC), ecs: []string{secondEC}},
		{Caller: bundles.Caller{Name: "partner", CreditorInstitutions: of(secondEC, true, bundles.FunctionRequests)}, mayPSP: never, mayEC: own(secondEC, bundles.FunctionRequests), ecs: []string{secondEC}},
		{Caller: bundles.Caller{}, mayPSP: never, mayEC: never},
	}
}

// fair is the world of the property.
type fair struct {
	*bundles.Catalogue
	ctx   context.Context
	today *atomic.Int64
}

func newFair(t testing.TB) fair {
	w := fair{ctx: t.Context(), today: &atomic.Int64{}}
	w.today.Store(int64(today))
	now := func() time.Time { return noon(engine.Date(w.today.Load())) }
	w.Catalogue = openCatalogue(t, openStore(t, t.TempDir()), bundles.Options{Now: now, ECPlansMax: 4})
	if _, err := w.SetSettings(t.Context(), tester, settings(), "settings"); err != nil {
		t.Fatal(err)
	}
	return w
}

// step lets somebody do something. It returns an error when a rule does not hold.
func (w fair) step(c chooser) error {
	psp, ec := oneOf(c, bankOne, bankTwo), oneOf(c, firstEC, secondEC)
	if c.IntN(2) == 0 {
		return w.pspStep(c, w.somebody(c, psp), psp, ec)
	}
	return w.ecStep(c, w.somebody(c, ec), ec)
}

// somebody is mostly the party itself, else anybody.
func (w fair) somebody(c chooser, party string) actor {
	all := actors()
	if c.IntN(4) > 0 {
		for _, a := range all {
			if slices.Contains(a.psps, party) || slices.Contains(a.ecs, party) {
				return a
			}
		}
	}
	return oneOf(c, all...)
}

// aBundle is the id of a bundle that there is, mostly, of a type where it is not negative.
func (w fair) aBundle(c chooser, kind int) string {
	var found []string
	for b := range w.Current().Bundles() {
		if kind < 0 || int(b.Type) == kind {
			found = append(found, b.ID)
		}
	}
	if len(found) == 0 || c.IntN(8) == 0 {
		return fmt.Sprintf("%s-%d", bankOne, c.IntN(7))
	}
	return oneOf(c, found...)
}

func (w fair) anOffer(c chooser, ec string) string {
	all, err := w.Offers(w.ctx, tester, ec, 0)
	if err != nil || len(all) == 0 {
		return "none"
	}
	return oneOf(c, all...).ID
}

func (w fair) aRequest(c chooser, ec string) string {
	all, err := w.Requests(w.ctx, tester, ec, 0)
	if err != nil || len(all) == 0 {
		return "none"
	}
	return oneOf(c, all...).ID
}

func (w fair) aSubscription(c chooser) bundles.Subscription {
	all, err := w.Subscriptions(w.ctx, tester, 0, oneOf(c, firstEC, secondEC))
	if err != nil || len(all) == 0 {
		return bundles.Subscription{}
	}
	return oneOf(c, all...)
}

// pspStep does one of the things that PSPs do.
func (w fair) pspStep(c chooser, who actor, psp, ec string) error {
	switch c.IntN(10) {
	case 0, 1:
		drafts := make([]bundles.Bundle, 1+c.IntN(3)/2)
		for n := range drafts {
			drafts[n] = w.draft(c, oneOf(c, "", fmt.Sprintf("%s-%d", oneOf(c, psp, psp, psp, bankOne), c.IntN(4))))
		}
		_, err := w.CreateBundles(w.ctx, who.Caller, psp, drafts, bundles.AuthorOptions{})
		return expected("create", who.mayPSP(psp, bundles.FunctionBundles), err)
	case 2, 3:
		b, d := w.aBundle(c, -1), w.draft(c, "")
		if stored, there := w.Current().Bundle(b); there && c.IntN(2) == 0 {
			d.Type = stored.Type // which those who subscribe hold fast
		}
		_, _, err := w.ChangeBundle(w.ctx, who.Caller, psp, b, d, nil, bundles.AuthorOptions{})
		return expected("change", who.mayPSP(psp, bundles.FunctionBundles), err)
	case 4:
		if c.IntN(3) > 0 {
			return nil
		}
		_, err := w.RetireBundle(w.ctx, who.Caller, psp, w.aBundle(c, -1), nil, bundles.AuthorOptions{})
		return expected("retire", who.mayPSP(psp, bundles.FunctionBundles), err)
	case 5, 6:
		_, err := w.MakeOffers(w.ctx, who.Caller, psp, w.aBundle(c, int(engine.Private)), oneOf(c, []string{ec}, []string{firstEC, secondEC}))
		return expected("offer", who.mayPSP(psp, bundles.FunctionOffers), err)
	case 7:
		if c.IntN(2) > 0 {
			return expected("withdraw offer", who.mayPSP(psp, bundles.FunctionOffers), w.WithdrawOffer(w.ctx, who.Caller, psp, "", w.anOffer(c, ec)))
		}
		return expected("reject request", who.mayPSP(psp, bundles.FunctionRequests), w.RejectRequest(w.ctx, who.Caller, psp, w.aRequest(c, ec)))
	}
	_, err := w.AcceptRequest(w.ctx, who.Caller, psp, w.aRequest(c, ec))
	return expected("accept request", who.mayPSP(psp, bundles.FunctionRequests), err)
}

// ecStep does one of the things that ECs do, or lets a day pass.
func (w fair) ecStep(c chooser, who actor, ec string) error {
	switch c.IntN(10) {
	case 0, 1:
		_, err := w.AcceptOffer(w.ctx, who.Caller, ec, w.anOffer(c, oneOf(c, ec, ec, firstEC)), w.attributes(c))
		return expected("accept offer", who.mayEC(ec, bundles.FunctionOffers), err)
	case 2, 3, 4:
		_, err := w.MakeRequest(w.ctx, who.Caller, ec, w.aBundle(c, int(engine.Public)), w.attributes(c), w.period(c))
		return expected("request", who.mayEC(ec, bundles.FunctionRequests), err)
	case 5:
		if c.IntN(2) > 0 {
			return expected("reject offer", who.mayEC(ec, bundles.FunctionOffers), w.RejectOffer(w.ctx, who.Caller, ec, w.anOffer(c, ec)))
		}
		return expected("withdraw request", who.mayEC(ec, bundles.FunctionRequests), w.WithdrawRequest(w.ctx, who.Caller, ec, w.aRequest(c, ec)))
	case 6:
		_, err := w.Leave(w.ctx, who.Caller, ec, w.aSubscription(c).ID)
		return expected("leave", who.mayEC(ec, bundles.FunctionSubscriptions), err)
	case 7, 8:
		s := w.aSubscription(c)
		if c.IntN(2) > 0 && len(s.Attributes) > 0 {
			a := oneOf(c, s.Attributes...)
			if a.MaxPaymentAmountCents = int64(c.IntN(8)) * 10; c.IntN(3) == 0 {
				return expected("remove attribute", who.mayEC(ec, bundles.FunctionSubscriptions), w.RemoveAttribute(w.ctx, who.Caller, ec, s.ID, a.ID))
			}
			return expected("change attribute", who.mayEC(ec, bundles.FunctionSubscriptions), w.ChangeAttribute(w.ctx, who.Caller, ec, s.ID, a.ID, a))
		}
		_, err := w.AddAttributes(w.ctx, who.Caller, ec, s.ID, w.attributes(c))
		return expected("add attributes", who.mayEC(ec, bundles.FunctionSubscriptions), err)
	}
	for day := w.today.Load(); c.IntN(3) == 0; day = w.today.Load() {
		if w.today.CompareAndSwap(day, int64(engine.Date(day).AddDays(1))) {
			break
		}
	}
	return nil
}

func (w fair) draft(c chooser, id string) bundles.Bundle {
	b := draft(id, engine.BundleType(c.IntN(3)), int64(c.IntN(4))*50)
	b.PaymentType, b.Touchpoint, b.Channel = oneOf(c, "CP", "PPAL", "MYBK", ""), oneOf(c, "ANY", "CHECKOUT", "IO"), oneOf(c, "CH", "CH", "CH2")
	b.Band = oneOf(c, engine.Band{MaxCents: 50}, engine.Band{MinCents: 50, MaxCents: 100}, engine.Band{MaxCents: 100}, engine.Band{MinCents: 40, MaxCents: 60})
	b.TransferCategories = oneOf(c, nil, nil, []string{"0102100SA"}, []string{"0102100SA", "0102101SA"})
	if c.IntN(6) == 0 {
		b.When = "weekend()"
	}
	if c.IntN(6) == 0 {
		b.Schedule = engine.Schedule{timeBand(8, 20, 1, 2, 3)}
	}
	b.Validity = w.period(c)
	return b
}

// period is open, or near today.
func (w fair) period(c chooser) (p engine.Period) {
	day := engine.Date(w.today.Load())
	if c.IntN(4) == 0 {
		p.From = day.AddDays(c.IntN(5))
	}
	if c.IntN(3) == 0 {
		p.To = max(day, p.From).AddDays(c.IntN(9))
	}
	return p
}

func (w fair) attributes(c chooser) (all []engine.Attribute) {
	cents := func() int64 { return int64(c.IntN(8)) * 10 }
	switch c.IntN(4) {
	case 0:
		return nil
	case 1:
		return []engine.Attribute{share(cents())}
	}
	for _, category := range []string{"0102100SA", "0102101SA"} {
		if c.IntN(2) == 0 {
			all = append(all, engine.Attribute{MaxPaymentAmountCents: cents(), TransferCategory: category, NotEqual: c.IntN(4) == 0})
		}
	}
	return all
}

// expected holds that who may not is told so, and that who may is told nothing but what the rules say.
func expected(what string, may bool, err error) error {
	refused := errors.Is(err, bundles.ErrNotFound) || errors.Is(err, bundles.ErrForbidden)
	var (
		faults   bundles.Faults
		state    *bundles.StateError
		answered *bundles.AnsweredError
	)
	switch {
	case !may && !refused:
		return fmt.Errorf("%s by somebody who may not: %v", what, err)
	case may && errors.Is(err, bundles.ErrForbidden):
		return fmt.Errorf("%s by somebody who may: %w", what, err)
	case err == nil || refused || errors.As(err, &faults) || errors.As(err, &state) || errors.As(err, &answered):
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// book is the catalogue at one revision.
type book struct {
	bundles       map[string]bundles.Bundle
	subscriptions map[string]bundles.Subscription
}

func (w fair) book(revision int64) (book, error) {
	d, err := w.Export(w.ctx, tester, revision)
	b := book{map[string]bundles.Bundle{}, map[string]bundles.Subscription{}}
	for _, bundle := range d.Bundles {
		b.bundles[bundle.ID] = bundle
	}
	for _, s := range d.Subscriptions {
		b.subscriptions[s.ID] = s
	}
	return b, err
}

// hold returns what of the rules does not hold in a book, on a day.
func (b book) hold(now engine.Date) error {
	var all []*engine.Bundle
	for _, bundle := range b.bundles {
		all = append(all, &bundle.Bundle)
	}
	for n, x := range all {
		for _, y := range all[:n] {
			if verdict := slowWithin(x, y, 101, today.AddDays(-1), today.AddDays(150)); verdict == "error" {
				return fmt.Errorf("A3: %s and %s conflict: %+v and %+v", x.ID, y.ID, x, y)
			}
		}
	}
	type pair struct{ ec, bundle string }
	of := map[pair][]engine.Period{}
	for _, s := range b.subscriptions {
		bundle, there := b.bundles[s.BundleID]
		past := s.Validity.To != 0 && (s.Validity.To < now || s.Validity.To < s.Validity.From)
		if !there || bundle.Type == engine.Global && !past {
			return fmt.Errorf("A17: %+v is to a bundle that is none, or GLOBAL", s)
		}
		lowest, _ := bundle.Fee.Range(bundle.Band, bundle.Cart)
		for _, a := range s.Attributes {
			if a.MaxPaymentAmountCents > lowest {
				return fmt.Errorf("A17: %+v bears more than %d", s, lowest)
			}
		}
		if past {
			continue // or it ended before it began
		}
		if last := bundle.Validity.To; last != 0 && (s.Validity.To == 0 || s.Validity.To > last) {
			return fmt.Errorf("A5: %+v outlives its bundle, which ends on %s", s, last)
		}
		key := pair{s.CreditorInstitution, s.BundleID}
		for _, other := range of[key] {
			for day := today.AddDays(-1); day != today.AddDays(150); day = day.AddDays(1) {
				if other.Holds(day) && s.Validity.Holds(day) {
					return fmt.Errorf("%s subscribes to %s twice on %s", key.ec, key.bundle, day)
				}
			}
		}
		of[key] = append(of[key], s.Validity)
	}
	return nil
}

// changedOnly returns what changed from one book to the next that is not the party's: a PSP's bundles, and
// the subscriptions to them or of an EC.
func changedOnly(before, after book, party string) error {
	for id, b := range after.bundles {
		if old, there := before.bundles[id]; (!there || old.Revision != b.Revision) && b.PSP != party {
			return fmt.Errorf("%s changed bundle %s of %s", party, id, b.PSP)
		}
	}
	for id := range before.bundles {
		if _, there := after.bundles[id]; !there {
			return fmt.Errorf("%s removed bundle %s", party, id)
		}
	}
	mine := func(s bundles.Subscription) bool {
		return s.CreditorInstitution == party || after.bundles[s.BundleID].PSP == party
	}
	for id, s := range after.subscriptions {
		if old, there := before.subscriptions[id]; (!there || old.Revision != s.Revision) && !mine(s) {
			return fmt.Errorf("%s changed subscription %+v", party, s)
		}
	}
	for id, s := range before.subscriptions {
		if _, there := after.subscriptions[id]; !there && after.bundles[s.BundleID].PSP != party {
			return fmt.Errorf("%s removed subscription %+v", party, s)
		}
	}
	return nil
}

// seen holds A18 for every actor in the current revision.
func (w fair) seen(b book) error {
	open := map[string]map[string]bool{firstEC: {}, secondEC: {}}
	for ec, ids := range open {
		offers, err := w.Offers(w.ctx, tester, ec, 0)
		if err != nil {
			return err
		}
		for _, o := range offers {
			if o.State == bundles.StateOpen {
				ids[o.BundleID] = true
			}
		}
	}
	for _, s := range b.subscriptions {
		open[s.CreditorInstitution][s.BundleID] = true
	}
	for _, who := range actors() {
		var want, got []string
		for id, bundle := range b.bundles {
			visible := who.all || slices.Contains(who.psps, bundle.PSP) || len(who.ecs) > 0 && bundle.Type != engine.Private
			for _, ec := range who.ecs {
				visible = visible || open[ec][id]
			}
			if visible {
				want = append(want, id)
			}
		}
		all, err := w.VisibleBundles(w.ctx, who.Caller, 0)
		for _, bundle := range all {
			got = append(got, bundle.ID)
		}
		slices.Sort(want)
		if err != nil || !slices.Equal(want, got) {
			return fmt.Errorf("A18: %q sees %v, not %v: %v", who.Name, got, want, err)
		}
		for _, ec := range []string{firstEC, secondEC} {
			_, err := w.Subscriptions(w.ctx, who.Caller, 0, ec)
			if may := who.all || slices.Contains(who.ecs, ec); may != (err == nil) {
				return fmt.Errorf("A18: %q reads the subscriptions of %s: %v", who.Name, ec, err)
			}
		}
	}
	return nil
}

// TestFairHoldsItsRules lets the callers act one after the other; what fails is shrunk.
func TestFairHoldsItsRules(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := newFair(t)
		before, err := w.book(0)
		if err != nil {
			rt.Fatal(err)
		}
		for n, seed := range rapid.SliceOfN(rapid.Uint64(), 80, 160).Draw(rt, "steps") {
			head := w.Head().Revision
			if err := w.step(rand.New(rand.NewPCG(seed, uint64(n)))); err != nil {
				rt.Fatal(err)
			}
			record := w.Head()
			if record.Revision == head {
				continue
			}
			after, err := w.book(0)
			if err == nil {
				err = errors.Join(after.hold(engine.Date(w.today.Load())), changedOnly(before, after, record.OnBehalfOf), w.seen(after))
			}
			if err != nil {
				rt.Fatalf("after %s by %s for %s: %v", record.Operation, record.Caller, record.OnBehalfOf, err)
			}
			before = after
			seen[record.Operation]++
		}
	})
	if testing.Short() {
		return // a few rounds do not come by everything
	}
	seen["attributes"] = seen["addAttributes"] + seen["changeAttribute"] + seen["removeAttribute"] // each of them is rare
	for _, operation := range strings.Fields("createBundles changeBundle retireBundle makeOffers acceptOffer withdrawOffer rejectOffer makeRequest acceptRequest rejectRequest withdrawRequest leave attributes") {
		if seen[operation] == 0 {
			t.Errorf("%s was never done: %v", operation, seen)
		}
	}
}

// TestFairOfManyAtOnce lets many callers act at once, and then goes through every revision that they made.
func TestFairOfManyAtOnce(t *testing.T) {
	callers, steps := 8, 400
	if testing.Short() {
		steps = 40
	}
	w := newFair(t)
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			c := rand.New(rand.NewPCG(uint64(n), 18))
			quoter := engine.NewQuoter()
			for range steps {
				if err := w.step(c); err != nil {
					t.Error(err)
				}
				if _, err := quoter.Quotes(w.Current(), payment(firstEC), engine.Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	head := w.Head().Revision
	records, err := w.Records(t.Context(), tester, 1, head)
	if err != nil || int64(len(records)) != head {
		t.Fatalf("%d records of %d revisions, %v", len(records), head, err)
	}
	before, err := w.book(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		after, err := w.book(record.Revision)
		if err == nil {
			err = errors.Join(after.hold(engine.LocalAt(record.At).Date), changedOnly(before, after, record.OnBehalfOf))
		}
		if err != nil {
			t.Fatalf("revision %d, %s by %s for %s: %v", record.Revision, record.Operation, record.Caller, record.OnBehalfOf, err)
		}
		before = after
	}
	if err := w.seen(before); err != nil {
		t.Error(err)
	}
	t.Logf("%d revisions", head)
	// What was derived change by change is what is loaded from the store.
	fresh := w.Current().Len()
	if len(before.bundles) != fresh || fresh == 0 || len(before.subscriptions) == 0 {
		t.Errorf("%d bundles in the snapshot, %d in the store, %d subscriptions", fresh, len(before.bundles), len(before.subscriptions))
	}
}
