package whatif

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
	"gec/engine/condition"
)

const (
	today = engine.Date(20261121)
	bank  = "BANK"
	ec    = "77777777777"
)

var operator = bundles.Operator("tester")

func caller(psp string) bundles.Caller {
	return bundles.Caller{Name: "key", PSPs: []bundles.Party{{ID: psp}}}
}

func municipality(id string) bundles.Caller {
	return bundles.Caller{Name: "key", CreditorInstitutions: []bundles.Party{{ID: id}}}
}

func bundle(psp, id string, kind engine.BundleType, min, max, fee int64) bundles.Bundle {
	return bundles.Bundle{Bundle: engine.Bundle{
		ID: id, PSP: psp, Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: "Banca " + psp, Name: id, Type: kind, PaymentType: "CP",
		Touchpoint: "CHECKOUT", Band: engine.Band{MinCents: min, MaxCents: max}, Cart: true, Fee: engine.Fee{FlatCents: fee},
	}}
}

// open returns a catalogue in force on a day of the last month.
func open(t testing.TB, stored []bundles.Bundle, subscriptions ...bundles.Subscription) *bundles.Catalogue {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c, err := bundles.Open(t.Context(), store, bundles.Options{Now: func() time.Time { return instant(today, 9*60) }})
	if err != nil {
		t.Fatal(err)
	}
	settings := &engine.Settings{Touchpoints: []string{"IO", "CHECKOUT"}, PaymentTypes: []string{"CP", "PPAL"}, Issuers: []engine.IssuerRange{{Low: 4000000000000000000, High: 4999999999999999999, ABI: "14156"}}}
	d := bundles.Document{Settings: settings, Bundles: stored, Subscriptions: subscriptions}
	if _, err := c.Import(t.Context(), operator, d, bundles.ImportOptions{Lenient: true}); err != nil {
		t.Fatal(err)
	}
	return c
}

// rivals are two other PSPs: one at 100 and one at 150 up to 1000 €; and secrets that must not be seen.
func rivals() []bundles.Bundle {
	return []bundles.Bundle{
		bundle("CHEAP", "C", engine.Global, 0, 100_000, 100), bundle("DEAR", "D", engine.Global, 0, 100_000, 150),
		bundle("CHEAP", "SECRET-PRIVATE", engine.Private, 0, 100_000, 1), bundle("DEAR", "SECRET-PUBLIC", engine.Public, 0, 100_000, 2),
	}
}

func ask(t testing.TB, c *bundles.Catalogue, q Question) *Answer {
	t.Helper()
	a, err := Ask(t.Context(), c, caller(bank), q, today)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRankWithAndWithout(t *testing.T) {
	c := open(t, append(rivals(), bundle(bank, "OLD", engine.Global, 0, 50_00, 150)))
	draft := bundle(bank, "OLD", engine.Global, 0, 50_00, 100)
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{draft}})
	cheapest := &Rival{PSP: "CHEAP", NetCents: 100}
	rank := func(cents int64) Rank {
		return Rank{
			Audience: Everybody, Bundle: "OLD", Touchpoint: "CHECKOUT", PaymentType: "CP", AmountCents: cents, Others: 2, Cheapest: cheapest,
			Before: Standing{Quoted: true, Bundle: "OLD", GrossCents: 150, NetCents: 150, Rank: 2, Tied: 1, GapCents: 50},
			After:  Standing{Quoted: true, Bundle: "OLD", GrossCents: 100, NetCents: 100, Rank: 1, Tied: 1},
		}
	}
	want := []Rank{rank(1), rank(10_00), rank(25_00), rank(50_00)}
	if diff := cmp.Diff(want, a.Ranks); diff != "" {
		t.Error(diff)
	}
	if a.Day != "2026-11-22" || a.Revision != 1 || c.Head().Revision != 1 {
		t.Errorf("day %s, revision %d, head %d", a.Day, a.Revision, c.Head().Revision)
	}
}

func TestRankAtAnyTouchpointAndStep(t *testing.T) {
	c := open(t, rivals())
	draft := bundle(bank, "", engine.Global, 0, 30_00, 0)
	draft.Name = "Carte"
	draft.Touchpoint, draft.PaymentType = engine.Any, ""
	upTo := int64(15_00)
	draft.Fee = engine.Fee{Steps: []engine.FeeStep{{UpToCents: &upTo, Fee: engine.Fee{FlatCents: 90}}, {Fee: engine.Fee{FlatCents: 110}}}}
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{draft}})
	got := map[string]string{}
	for _, r := range a.Ranks {
		if r.Before.Quoted {
			t.Errorf("it was quoted before: %+v", r)
		}
		got[fmt.Sprintf("%s %s %d", r.Touchpoint, r.PaymentType, r.AmountCents)] = fmt.Sprintf("%d. of %d at %d", r.After.Rank, r.Others+1, r.After.NetCents)
	}
	for key, want := range map[string]string{
		"CHECKOUT CP 1": "1. of 3 at 90", "CHECKOUT CP 1500": "1. of 3 at 90", "CHECKOUT CP 1501": "2. of 3 at 110", "CHECKOUT CP 3000": "2. of 3 at 110",
		"IO PPAL 1500": "1. of 1 at 90", "IO CP 1501": "1. of 1 at 110",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}

func TestRankOfOnUsScheduledAndStampDrafts(t *testing.T) {
	c := open(t, rivals())
	onUs := bundle(bank, "ONUS", engine.Global, 0, 10_00, 5)
	onUs.OnUs = true
	night := bundle(bank, "NIGHT", engine.Global, 10_00, 20_00, 6)
	night.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: 22 * 60, ToMinute: 6 * 60}}
	monday := bundle(bank, "MONDAY", engine.Global, 10_00, 20_00, 6)
	monday.Touchpoint, monday.Schedule = "IO", engine.Schedule{{Days: 1 << 1, FromMinute: 0, ToMinute: 24 * 60}}
	stamp := bundle(bank, "STAMP", engine.Global, 20_00, 30_00, 7)
	stamp.DigitalStamp, stamp.DigitalStampOnly = true, true
	school := bundle(bank, "SCHOOL", engine.Global, 0, 10_00, 8)
	school.TransferCategories = []string{"0102100SA"}
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{onUs, night, monday, stamp, school}}) // a Sunday
	nets := map[string]int64{}
	for _, r := range a.Ranks {
		if r.After.Bundle == r.Bundle {
			nets[r.Bundle] = r.After.NetCents
		}
	}
	if diff := cmp.Diff(map[string]int64{"ONUS": 5, "NIGHT": 6, "STAMP": 7, "SCHOOL": 8}, nets); diff != "" {
		t.Error(diff)
	}
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], `"MONDAY" is not offered on 2026-11-22`) {
		t.Errorf("notes %q", a.Notes)
	}
	onUs.ABI = "99999"
	a = ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{onUs}})
	if len(a.Ranks) != 0 || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "no range of cards") {
		t.Errorf("%+v, %q", a.Ranks, a.Notes)
	}
}

// TestNothingOfOthersTermsIsTold changes all that others offer to some only, and holds that no answer changes.
func TestNothingOfOthersTermsIsTold(t *testing.T) {
	draft := bundle(bank, "N", engine.Global, 0, 50_00, 120)
	private := bundle(bank, "P", engine.Private, 0, 50_00, 90)
	bearing := bundles.Subscription{Subscription: engine.Subscription{ID: "S", BundleID: "SECRET-PRIVATE", CreditorInstitution: ec, Attributes: []engine.Attribute{{ID: "A", MaxPaymentAmountCents: 1}}}}
	old := bundles.Subscription{Subscription: engine.Subscription{ID: "T", BundleID: "C", CreditorInstitution: ec, Attributes: []engine.Attribute{{ID: "A", MaxPaymentAmountCents: 99}}}}
	q := Question{PSP: bank, Drafts: []bundles.Bundle{draft, private}}
	with := ask(t, open(t, rivals(), bearing, old), q)
	without := ask(t, open(t, slices.DeleteFunc(rivals(), func(b bundles.Bundle) bool { return b.Type != engine.Global })), q)
	if diff := cmp.Diff(with, without); diff != "" {
		t.Error(diff)
	}
	if text := fmt.Sprintf("%+v", with); strings.Contains(text, "SECRET") {
		t.Error(text)
	}
	_, err := Ask(t.Context(), open(t, rivals()), caller("CHEAP"), q, today)
	if !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("asked by another PSP: %v", err)
	}
}

func TestPrivateDraftsAsTheirSubscribersSeeThem(t *testing.T) {
	c := open(t, append(rivals(), bundle(bank, "MINE", engine.Global, 0, 50_00, 120), bundle(bank, "P", engine.Private, 0, 50_00, 110)))
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{bundle(bank, "P", engine.Private, 0, 50_00, 90)}, Sample: []Payment{{AmountCents: 20_00}}})
	if len(a.Yields) != 1 || a.Yields[0].Audience != Subscribers {
		t.Fatalf("%+v", a.Yields)
	}
	r := a.Ranks[0]
	if r.Before.Bundle != "P" || r.Before.NetCents != 110 || r.Before.Rank != 2 || r.After.NetCents != 90 || r.After.Rank != 1 || r.After.GapCents != -10 {
		t.Errorf("%+v", r)
	}
}

func TestYieldOfASample(t *testing.T) {
	c := open(t, append(rivals(), bundle("THIRD", "E", engine.Global, 0, 100_000, 100), bundle(bank, "OLD", engine.Global, 0, 50_00, 150)))
	sample := []Payment{
		{AmountCents: 10_00, Touchpoint: "CHECKOUT", PaymentType: "CP", Count: 4}, // ties with two others
		{AmountCents: 60_00}, // above the draft's band
		{AmountCents: 50_00, Count: 2},
		{AmountCents: 10_00, Touchpoint: "IO"}, // nobody is there
	}
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{bundle(bank, "OLD", engine.Global, 0, 20_00, 100), bundle(bank, "NEW", engine.Global, 20_00, 50_00, 99)}, Sample: sample})
	want := []Yield{{
		Audience: Everybody, Payments: 8, Before: Earnings{Quoted: 6},
		After: Earnings{Quoted: 6, Won: 2, Tied: 4, FeesWonCents: 198, ExpectedPaymentsMilli: 3333, ExpectedFeesCents: 331}, // 2 + 4/3; 198 + 400/3
		Moved: []Moved{{From: "OLD", To: "NEW", Payments: 2}},
	}}
	if diff := cmp.Diff(want, a.Yields); diff != "" {
		t.Error(diff)
	}
	for path, bad := range map[string]Payment{
		"sample[0].amountCents": {}, "sample[0].touchpoint": {AmountCents: 1, Touchpoint: "MOON"}, "sample[0].paymentType": {AmountCents: 1, PaymentType: "GOLD"},
		"sample[0].count": {AmountCents: 1, Count: -1}, "sample[0].time": {AmountCents: 1, Time: "25:00"}, "sample[0].transferCategory": {AmountCents: 1, TransferCategory: "x"},
	} {
		_, err := Ask(t.Context(), c, caller(bank), Question{PSP: bank, Drafts: []bundles.Bundle{bundle(bank, "OLD", engine.Global, 0, 20_00, 100)}, Sample: []Payment{bad}}, today)
		var faults bundles.Faults
		if !errors.As(err, &faults) || faults[0].Path != path {
			t.Errorf("%+v: %v, want a fault of %s", bad, err, path)
		}
	}
}

func TestShadows(t *testing.T) {
	c := open(t, []bundles.Bundle{bundle(bank, "A", engine.Global, 0, 50_00, 150), bundle(bank, "B", engine.Global, 50_00, 100_00, 150)})
	wide := bundle(bank, "WIDE", engine.Global, 0, 50_00, 100)
	wide.Touchpoint = engine.Any
	dear := bundle(bank, "DEAR", engine.Global, 50_00, 60_00, 500)
	dear.Touchpoint, dear.PaymentType = "CHECKOUT", "CP"
	dear.OnUs = false
	dear.Band, dear.TransferCategories = engine.Band{MinCents: 50_00, MaxCents: 60_00}, []string{"0102100SA"}
	a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{wide, dear}})
	got := map[string]string{}
	for _, s := range a.Shadows {
		got[s.Bundle] = s.By
	}
	if diff := cmp.Diff(map[string]string{"A": "WIDE", "DEAR": "B"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDayPicksTheCatalogue(t *testing.T) {
	cheap := bundle("CHEAP", "C", engine.Global, 0, 100_000, 100)
	cheap.Validity = engine.Period{To: 20261125}
	c := open(t, []bundles.Bundle{cheap, bundle("DEAR", "D", engine.Global, 0, 100_000, 150)})
	for day, want := range map[engine.Date]int64{20261125: 100, 20261126: 150} {
		a := ask(t, c, Question{PSP: bank, Drafts: []bundles.Bundle{bundle(bank, "N", engine.Global, 0, 10_00, 120)}, Day: day})
		if got := a.Ranks[0].Cheapest.NetCents; got != want || a.Ranks[0].After.NetCents != 120 {
			t.Errorf("on %s the cheapest other asks %d, want %d: %+v", day, got, want, a.Ranks[0])
		}
	}
	// Before there was anything, nothing was registered.
	_, err := Ask(t.Context(), c, caller(bank), Question{PSP: bank, Drafts: []bundles.Bundle{bundle(bank, "N", engine.Global, 0, 10_00, 120)}, Day: 20260101}, today)
	var faults bundles.Faults
	if !errors.As(err, &faults) || faults[0].Path != "day" {
		t.Errorf("%v", err)
	}
}

func TestFaultyDraftsAreRefusedAsByAnUpload(t *testing.T) {
	c := open(t, append(rivals(), bundle(bank, "OLD", engine.Global, 0, 50_00, 150)))
	bad := bundle(bank, "NEW", engine.Global, 50_00, 10_00, 1)
	_, err := Ask(t.Context(), c, caller(bank), Question{PSP: bank, Drafts: []bundles.Bundle{bad}}, today)
	var faults bundles.Faults
	if !errors.As(err, &faults) || faults[0].Path != "bundles[0].maxPaymentAmount" {
		t.Errorf("%v", err)
	}
	if _, err = Ask(t.Context(), c, caller(bank), Question{PSP: bank}, today); !errors.As(err, &faults) {
		t.Errorf("no draft: %v", err)
	}
}

func TestBear(t *testing.T) {
	const school, waste = "0102100SA", "0102101SA"
	public := bundle("DEAR", "PUB", engine.Public, 0, 100_000, 150)
	now := bundles.Subscription{Subscription: engine.Subscription{ID: "S", BundleID: "PUB", CreditorInstitution: ec, Attributes: []engine.Attribute{{ID: "A", MaxPaymentAmountCents: 20, TransferCategory: waste}}}}
	c := open(t, append(rivals(), public), now)
	q := Share{
		CreditorInstitution: ec, Bundles: []string{"PUB"},
		Attributes: []engine.Attribute{{MaxPaymentAmountCents: 60, TransferCategory: school}, {MaxPaymentAmountCents: 50, TransferCategory: waste}},
		Sample:     []Payment{{AmountCents: 10_00, TransferCategory: "9/" + school + "/", Count: 10}, {AmountCents: 10_00, TransferCategory: waste, Count: 3}, {AmountCents: 10_00}},
	}
	cost, err := Bear(t.Context(), c, municipality(ec), q, today)
	if err != nil {
		t.Fatal(err)
	}
	// School: PUB at 90 beats 100, the EC bears 60 of each. Waste: PUB at 100 ties with C, half of 50 each.
	want := &Cost{
		Revision: 1, Day: "2026-11-22", CreditorInstitution: ec,
		Total: Line{Payments: 14, ExpectedCents: 675, AtMostCents: 750, PayersSaveCents: 100},
		ByCategory: []Line{
			{Payments: 1}, {TransferCategory: school, Payments: 10, ExpectedCents: 600, AtMostCents: 600, PayersSaveCents: 100},
			{TransferCategory: waste, Payments: 3, ExpectedCents: 75, AtMostCents: 150},
		},
	}
	if diff := cmp.Diff(want, cost); diff != "" {
		t.Error(diff)
	}
	for name, c2 := range map[string]struct {
		caller bundles.Caller
		change func(*Share)
		is     error
		path   string
	}{
		"by another EC":     {municipality("88888888888"), func(*Share) {}, bundles.ErrNotFound, ""},
		"a secret":          {municipality(ec), func(s *Share) { s.Bundles = []string{"SECRET-PRIVATE"} }, bundles.ErrNotFound, ""},
		"a GLOBAL bundle":   {municipality(ec), func(s *Share) { s.Bundles = []string{"C"} }, nil, ""},
		"more than the fee": {municipality(ec), func(s *Share) { s.Attributes = []engine.Attribute{{MaxPaymentAmountCents: 151}} }, nil, "attributes[0].maxPaymentAmount"},
		"one bundle twice":  {municipality(ec), func(s *Share) { s.Bundles = []string{"PUB", "PUB"} }, nil, "idsBundle[1]"},
		"an amount of 0":    {municipality(ec), func(s *Share) { s.Sample = []Payment{{}} }, nil, "sample[0].amountCents"},
		"without a bundle":  {municipality("88888888888"), func(s *Share) { s.CreditorInstitution, s.Bundles = "88888888888", nil }, nil, "idsBundle"},
	} {
		other := q
		c2.change(&other)
		_, err := Bear(t.Context(), c, c2.caller, other, today)
		var faults bundles.Faults
		switch {
		case c2.is != nil && !errors.Is(err, c2.is), c2.is == nil && (!errors.As(err, &faults) || faults[0].Path != c2.path):
			t.Errorf("%s: %v", name, err)
		}
	}
	q.Bundles = nil // those that it subscribes to
	mixed := q
	mixed.Sample, mixed.MixCount = nil, 200 // cards at Checkout, with the two categories
	got, err := Bear(t.Context(), c, municipality(ec), mixed, today)
	if err != nil || len(got.ByCategory) != 2 || got.Total.Payments != 200 || got.Total.ExpectedCents == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	again, err := Bear(t.Context(), c, municipality(ec), q, today)
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestMixIsAsDocumented(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, count := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1000, 3000).Draw(t, "count")
		sample := Mix(count, seed, []string{"IO", "CHECKOUT"}, []string{"CP"}, nil)
		small, medium, sum := 0, 0, int64(0)
		for _, p := range sample {
			switch {
			case p.AmountCents <= 25_00:
				small++
			case p.AmountCents <= 50_00:
				medium++
			}
			sum += p.AmountCents
		}
		mean := sum / int64(count)
		if len(sample) != count || small != count*23/100 || medium != count*40/100-count*23/100 || mean < 180_00 || mean > 220_00 {
			t.Fatalf("%d payments, %d small, %d medium, mean %d cents", len(sample), small, medium, mean)
		}
		if faults := checkSample(sample); len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(sample, Mix(count, seed, []string{"IO", "CHECKOUT"}, []string{"CP"}, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
	if mean := func() (sum int64) {
		for _, p := range Mix(10_000, 0, nil, nil, nil) {
			sum += p.AmountCents
		}
		return sum / 10_000
	}(); mean < 199_90 || mean > 200_10 {
		t.Errorf("the mean of 10 000 is %d cents", mean)
	}
}

func TestInstantIsTheMinuteOfTheDayInRome(t *testing.T) {
	for _, day := range []engine.Date{20261121, 20260715, 20260329, 20261025} {
		for minute := 0; minute < 24*60; minute += 10 {
			got := engine.LocalAt(instant(day, minute))
			if skipped := day == 20260329 && minute/60 == 2; got.Date != day || got.Minute != minute && !skipped {
				t.Errorf("%s %d: %+v", day, minute, got)
			}
		}
	}
}

// TestYieldIsWhatASlowCountSays compares with a count that knows no engine.
func TestYieldIsWhatASlowCountSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fee := rapid.Int64Range(0, 4)
		source := engine.Source{Settings: engine.Settings{Touchpoints: []string{"CHECKOUT"}, PaymentTypes: []string{"CP"}}}
		fees := map[string]int64{}
		for n := range rapid.IntRange(0, 4).Draw(rt, "rivals") {
			psp := fmt.Sprintf("R%d", n)
			fees[psp] = fee.Draw(rt, "fee")
			b := bundle(psp, psp, engine.Global, 0, 100, fees[psp])
			source.Bundles = append(source.Bundles, &b.Bundle)
		}
		own, count := fee.Draw(rt, "own"), rapid.Int64Range(1, 50).Draw(rt, "count")
		snapshot, err := engine.NewSnapshot(source, engine.Deps{Programs: condition.NewCache(1)})
		if err != nil {
			rt.Fatal(err)
		}
		all, err := worlds(snapshot, bank, []bundles.Bundle{bundle(bank, "N", engine.Global, 0, 100, own)})
		if err != nil {
			rt.Fatal(err)
		}
		y, err := all[0].yield(t.Context(), bank, today, []Payment{{AmountCents: 7, Count: count}})
		if err != nil {
			rt.Fatal(err)
		}
		better, same := int64(0), int64(0)
		for _, f := range fees {
			if f < own {
				better++
			} else if f == own {
				same++
			}
		}
		want := Earnings{Quoted: count}
		if better == 0 {
			want.ExpectedPaymentsMilli, want.ExpectedFeesCents = round(1000*count, same+1), round(own*count, same+1)
			if same == 0 {
				want.Won, want.FeesWonCents = count, own*count
			} else {
				want.Tied = count
			}
		}
		if diff := cmp.Diff(want, y.After); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// round divides, half to even.
func round(a, b int64) int64 {
	whole, rest := a/b, a%b
	if 2*rest > b || 2*rest == b && whole%2 == 1 {
		whole++
	}
	return whole
}
