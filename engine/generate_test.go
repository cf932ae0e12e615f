package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"gec/engine"
)

// The generators of random catalogues and payments. They draw from few values, so that bundles and
// payments meet often, at the edges of bands, ranges, days and spans, and in names that differ in
// case only.

// dice is where the generators take their chance from: a seeded math/rand/v2 for the long runs, or
// rapid where a failure should be shrunk.
type dice interface{ IntN(n int) int }

// drawn rolls through rapid.
type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

func pick[T any](d dice, items ...T) T { return items[d.IntN(len(items))] }

// percent is true that often.
func percent(d dice, chance int) bool { return d.IntN(100) < chance }

// upTo picks up to n of the items, none twice.
func upTo[T comparable](d dice, n int, items ...T) (picked []T) {
	for range d.IntN(n + 1) {
		if item := pick(d, items...); !slices.Contains(picked, item) {
			picked = append(picked, item)
		}
	}
	return picked
}

const (
	poste     = "POSTEIT"
	blocked   = "BLOCKED"
	amexABI   = "AMEX0"
	otherPSPs = 5 // besides those two, in a small catalogue
)

var (
	amountEdges   = []int64{0, 1, 100, 5_000, 5_001, 10_000, 10_001, 50_000, 1_000_000}
	categoryPool  = []string{"0102100SA", "0102101SA", "0201100TS", "9999999ZZ"}
	ecPool        = []string{"77777777777", "00000000001", "12345678901", "98765432109"}
	touchpoints   = []string{"IO", "CHECKOUT", "Wisp", "CHECKOUT_CART"}
	paymentTypes  = []string{"CP", "PPAL", "Bpay", "MYBK"}
	businessNames = []string{"Banca Alfa", "", "Banca Beta", "banca alfa", "Banca Alfa Due", "Banca Alfa", "Z", "È Banca"}
	abiPool       = []string{"01001", "01002", "abx1", "ABX1", amexABI, ""}
)

// instants are moments at which something turns: midnight in Rome and in UTC, both changes of the
// clock, the leap day, the year, holidays, and everyday ones.
var instants = func() (at []time.Time) {
	for _, s := range []string{
		"2026-03-28T23:30:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
		"2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z",
		"2028-02-28T23:00:00Z", "2028-02-29T22:59:59Z", "2028-02-29T23:00:00Z",
		"2026-12-31T22:59:00Z", "2026-12-31T23:00:00Z", "2026-11-20T22:59:59Z", "2026-11-20T23:00:00Z",
		"2026-11-21T07:00:00Z", "2026-11-21T06:59:59Z", "2026-11-21T19:00:00Z", "2026-11-18T11:00:00Z",
		"2026-12-25T11:00:00Z", "2026-04-06T10:00:00Z", "2026-06-02T05:59:00Z", "2026-06-02T06:00:00Z",
	} {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		at = append(at, t)
	}
	return at
}()

// dates are the days at and around the instants, where validities start and end.
var dates = []engine.Date{20260328, 20260329, 20260330, 20261025, 20280228, 20280229, 20280301, 20261120, 20261121, 20261122, 20261231, 20270101, 20261118}

// sampleCondition is a condition with what it means, told without the engine.
type sampleCondition struct {
	source string
	holds  func(r *request, b *engine.Bundle) bool
}

// sampleConditions are the conditions that random bundles have. Each name and function of the
// language (E1, E2) is in one of them. Sources that are not here do not compile.
var sampleConditions = []sampleCondition{
	{`amount > 5000`, func(r *request, _ *engine.Bundle) bool { return r.amount > 5000 }},
	{`amount in 101..10000 && notices == 1`, func(r *request, _ *engine.Bundle) bool {
		return r.amount >= 101 && r.amount <= 10_000 && len(r.payment.Notices) == 1
	}},
	{`transfers > 1 or ecs >= 2`, func(r *request, _ *engine.Bundle) bool { return r.transfers > 1 || len(r.ecs()) >= 2 }},
	{`categories in [0, 2, 3] and digitalStamps == 0`, func(r *request, _ *engine.Bundle) bool {
		distinct := slices.Compact(slices.Sorted(slices.Values(r.categories)))
		return len(distinct) != 1 && len(distinct) <= 3 && r.stamps == 0
	}},
	{`touchpoint in ["CHECKOUT", "Wisp"]`, func(r *request, _ *engine.Bundle) bool {
		return same(r.payment.Touchpoint, "CHECKOUT") || same(r.payment.Touchpoint, "WISP")
	}},
	{`touchpoint == "ANY" || touchpoint startsWith "CHECK"`, func(r *request, _ *engine.Bundle) bool {
		return noFilter(r.payment.Touchpoint) || same(r.payment.Touchpoint, "CHECKOUT") || same(r.payment.Touchpoint, "CHECKOUT_CART")
	}},
	{`paymentType != "ANY" && not (paymentType endsWith "L")`, func(r *request, _ *engine.Bundle) bool {
		return !noFilter(r.payment.PaymentType) && !same(r.payment.PaymentType, "PPAL")
	}},
	{`onUs ? amount < 50000 : weekday in 1..5`, func(r *request, b *engine.Bundle) bool {
		if r.issuer != "" && same(r.issuer, b.ABI) {
			return r.amount < 50_000
		}
		return r.local.Weekday() != time.Saturday && r.local.Weekday() != time.Sunday
	}},
	{`date >= "2026-11-21" && date < "2027-01-01"`, func(r *request, _ *engine.Bundle) bool {
		return r.date >= 20261121 && r.date < 20270101
	}},
	{`hour >= 8 && hour < 20`, func(r *request, _ *engine.Bundle) bool { return r.local.Hour() >= 8 && r.local.Hour() < 20 }},
	{`minute in [0, 30] || month == 3 || day == 29`, func(r *request, _ *engine.Bundle) bool {
		return r.local.Minute() == 0 || r.local.Minute() == 30 || r.local.Month() == 3 || r.local.Day() == 29
	}},
	{`category("0102*") or category("9/0201100TS/")`, func(r *request, _ *engine.Bundle) bool {
		return slices.ContainsFunc(r.categories, func(c string) bool { return strings.HasPrefix(c, "0102") || c == "0201100TS" })
	}},
	{`ec("77777777777")`, func(r *request, _ *engine.Bundle) bool { return slices.Contains(r.ecs(), "77777777777") }},
	{`time("22:00", "02:00")`, func(r *request, _ *engine.Bundle) bool { return r.local.Hour() >= 22 || r.local.Hour() < 2 }},
	{`weekend() || holiday()`, func(r *request, _ *engine.Bundle) bool {
		switch r.date {
		case 20261225, 20260406, 20260602, 20270101: // those among the instants that are holidays
			return true
		}
		return r.local.Weekday() == time.Saturday || r.local.Weekday() == time.Sunday
	}},
}

// brokenConditions are refused when a bundle is authored (E1, E2), and never quoted where a store has one
// all the same (E5).
var brokenConditions = []string{"amount + 1 > 0", "ammount > 5"}

// scale says how large a random catalogue is, and how like a real one.
type scale struct {
	bundles, psps int
	// orderly PSPs have one ABI and one business name each; the engine has shortcuts for those.
	orderly bool
	// spread makes flat fees differ, so that the order of fees is long.
	spread bool
	// easy catalogues have fewer conditions, so that more PSPs compete for a payment.
	easy bool
	// cards makes on-us bundles frequent, and payments by a card of a known issuer.
	cards bool
}

// small is what most tests use.
func small(d dice) scale {
	return scale{bundles: d.IntN(61), psps: otherPSPs, orderly: percent(d, 50), easy: percent(d, 60), cards: percent(d, 35)}
}

// large is so large that the index has several blocks.
func large(d dice) scale {
	return scale{bundles: 3_000 + d.IntN(3_001), psps: 40, orderly: percent(d, 70), spread: percent(d, 70), easy: percent(d, 60), cards: percent(d, 35)}
}

// randomWorld makes a catalogue.
func randomWorld(d dice, size scale) *world {
	w := &world{revision: int64(10 + d.IntN(1000)), settings: randomSettings(d), cards: size.cards, subscriptions: map[string][]engine.Subscription{}}
	for _, n := range permutation(d, size.bundles) {
		b := randomBundle(d, size, pick(d, "b", "B", "")+fmt.Sprintf("%04d", n))
		w.bundles = append(w.bundles, b)
		randomSubscriptions(d, w, b)
	}
	return w
}

func permutation(d dice, n int) []int {
	order := make([]int, n)
	for i := range order {
		j := d.IntN(i + 1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}

func randomSettings(d dice) engine.Settings {
	s := engine.Settings{
		ThresholdCents: pick[int64](d, 0, 0, 5_000, 10_001),
		PostePSP:       pick(d, poste, strings.ToLower(poste), ""),
		AmexABI:        pick(d, amexABI, strings.ToLower(amexABI), ""),
		Touchpoints:    slices.Clone(touchpoints),
		PaymentTypes:   slices.Clone(paymentTypes),
	}
	if percent(d, 70) {
		s.BlockedPSPs = []string{pick(d, blocked, strings.ToLower(blocked)), "NOBODY"}
	}
	// Ranges of 10^16 numbers beginning at 4 000…, with overlaps of whole ranges and of one number.
	const span = 10_000_000_000_000_000
	for range 1 + d.IntN(5) {
		low := 4_000_000_000_000_000_000 + int64(d.IntN(8))*span
		high := low + int64(pick(d, 1, 1, 1, 2))*span - pick[int64](d, 1, 1, 1, 0)
		s.Issuers = append(s.Issuers, engine.IssuerRange{Low: low, High: high, ABI: pick(d, abiPool[:5]...)})
	}
	return s
}

func randomBundle(d dice, size scale, id string) *engine.Bundle {
	low := d.IntN(len(amountEdges)-1) * d.IntN(2)
	number := d.IntN(size.psps + 2)
	psp := [...]string{poste, blocked}[number%2]
	if number < size.psps {
		psp = pick(d, "PSP", "PSP", "psp") + strconv.Itoa(number)
	}
	b := &engine.Bundle{
		ID: id, PSP: psp, Channel: pick(d, "CH1", "ch1", "CH2"), Broker: pick(d, "BR1", "Br1", "BR2"),
		ABI: pick(d, abiPool...), PSPBusinessName: businessNames[number%len(businessNames)],
		Name: "bundle " + id, Type: pick(d, engine.Global, engine.Global, engine.Public, engine.Private),
		PaymentType: pick(d, "", "", "", "CP", "CP", "cp", "PPAL", "BPAY"), Touchpoint: pick(d, engine.Any, engine.Any, engine.Any, engine.Any, "IO", "io", "CHECKOUT", "WISP", "ATM"),
		Band: engine.Band{MinCents: amountEdges[low], MaxCents: amountEdges[low+1+d.IntN(len(amountEdges)-low-1)]},
		Cart: percent(d, 75), DigitalStamp: percent(d, 60), OnUs: percent(d, 25), Fee: randomFee(d, false),
	}
	b.DigitalStampOnly = b.DigitalStamp && percent(d, 15)
	if size.cards {
		b.OnUs = percent(d, 45)
	}
	if b.OnUs {
		b.PaymentType = pick(d, "CP", "CP", "CP", "cp", "", "PPAL")
	}
	if size.easy && percent(d, 80) {
		b.Band, b.Touchpoint, b.TransferCategories, b.Schedule = engine.Band{MaxCents: 10_000_000}, engine.Any, nil, nil
		if !b.OnUs {
			b.PaymentType = ""
		}
	}
	switch {
	case size.orderly:
		b.ABI = abiPool[number%len(abiPool)]
	case percent(d, 20): // a PSP under another name
		b.PSPBusinessName = pick(d, businessNames...)
	}
	if size.spread {
		b.Fee.FlatCents = min(b.Fee.FlatCents+int64(d.IntN(400)), engine.FeeCentsMax)
	}
	if percent(d, 30) {
		b.TransferCategories = upTo(d, 3, categoryPool...)
	}
	b.Validity = randomPeriod(d, 15)
	if percent(d, 20) {
		b.Schedule = randomSchedule(d)
	}
	if percent(d, 15) {
		b.When = pick(d, sampleConditions...).source
	}
	if percent(d, 1) {
		b.When = pick(d, brokenConditions...)
	}
	return b
}

// randomPeriod bounds each end that often.
func randomPeriod(d dice, chance int) (p engine.Period) {
	if percent(d, chance) {
		p.From = pick(d, dates...)
	}
	if percent(d, chance) {
		p.To = max(pick(d, dates...), p.From)
	}
	return p
}

func randomSchedule(d dice) (s engine.Schedule) {
	edges := []int{0, 30, 60, 90, 120, 150, 180, 480, 720, 1200, 1380, 1439}
	for range 1 + d.IntN(2) {
		to := pick(d, append(edges, 1440)...)
		s = append(s, engine.TimeBand{Days: pick(d, engine.EveryDay, engine.Days(1+d.IntN(127))<<1), FromMinute: pick(d, edges...), ToMinute: to})
	}
	return s
}

func cents(n int64) *int64 { return &n }

// randomFee is small, so that ties are frequent; steps have none of their own.
func randomFee(d dice, inStep bool) (f engine.Fee) {
	f.FlatCents = pick[int64](d, 0, 50, 100, 100, 101, 150)
	if percent(d, 60) {
		return f
	}
	f.PerNoticeCents = pick[int64](d, 0, 0, 1, 50)
	f.BasisPoints = pick[int64](d, 0, 0, 1, 50, 250, 10_000)
	if percent(d, 30) {
		f.MinCents = cents(pick[int64](d, 0, 50, 100))
	}
	if percent(d, 30) {
		f.MaxCents = cents(pick[int64](d, 100, 150, 1000))
	}
	if percent(d, 3) {
		f.FlatCents = pick[int64](d, engine.FeeCentsMax, engine.FeeCentsMax-1)
	}
	if !inStep && percent(d, 40) {
		upTo := int64(0)
		for range d.IntN(4) {
			upTo += pick[int64](d, 1, 99, 4_900, 5_000, 40_000)
			f.Steps = append(f.Steps, engine.FeeStep{UpToCents: cents(upTo), Fee: randomFee(d, true)})
		}
		f.Steps = append(f.Steps, engine.FeeStep{Fee: randomFee(d, true)})
	}
	return f
}

// randomSubscriptions lets some ECs subscribe to a bundle, now and then to a GLOBAL one (spec 5),
// and now and then twice, one after the other.
func randomSubscriptions(d dice, w *world, b *engine.Bundle) {
	chance := 55
	if b.Type == engine.Global {
		chance = 8
	}
	if len(w.bundles) > 1_000 { // the plain path looks through all subscriptions of an EC for every bundle
		chance /= 5
	}
	for _, ec := range ecPool {
		if !percent(d, chance) {
			continue
		}
		s := engine.Subscription{ID: "s-" + b.ID + "-" + ec, BundleID: b.ID, CreditorInstitution: ec, Validity: randomPeriod(d, 15), Attributes: randomAttributes(d)}
		if s.Validity.From != 0 && percent(d, 50) {
			before := s
			before.ID += "-before"
			before.Validity = engine.Period{To: s.Validity.From.AddDays(-1)}
			before.Attributes = randomAttributes(d)
			w.subscriptions[b.ID] = append(w.subscriptions[b.ID], before)
		}
		w.subscriptions[b.ID] = append(w.subscriptions[b.ID], s)
	}
}

func randomAttributes(d dice) (attributes []engine.Attribute) {
	for i := range pick(d, 0, 1, 1, 1, 2, 3) {
		a := engine.Attribute{ID: strconv.Itoa(i), MaxPaymentAmountCents: pick[int64](d, 0, 1, 30, 50, 50, 70, 100, 1000, math.MaxInt64, math.MaxInt64-1)}
		if percent(d, 60) {
			a.TransferCategory, a.NotEqual = pick(d, categoryPool...), percent(d, 40)
		}
		attributes = append(attributes, a)
	}
	return attributes
}

// randomPayment makes a payment that can be quoted in that catalogue.
func randomPayment(d dice, w *world) *engine.Payment {
	p := &engine.Payment{
		Touchpoint:   pick(d, "", "", "", "ANY", "any", "IO", "io", "checkout", "CHECKOUT", "WISP"),
		PaymentType:  pick(d, "", "", "", "ANY", "CP", "CP", "cp", "PPAL", "BPAY"),
		BIN:          randomBIN(d, &w.settings),
		WithoutPoste: percent(d, 30),
		At:           pick(d, instants...),
		Reference:    pick(d, "", "", "iuv-1", "iuv-2"),
	}
	if w.cards && percent(d, 80) {
		p.BIN, p.PaymentType = strconv.FormatInt(pick(d, w.settings.Issuers...).Low+1, 10), pick(d, "", "CP", "cp")
	}
	count := pick(d, 1, 1, 1, 1, 2, 2, 3, 4, 5)
	amount := max(pick(d, amountEdges...)+int64(d.IntN(3)-1), int64(count))
	transferless := percent(d, 10) // a search of payment methods
	for i := range count {
		n := engine.Notice{AmountCents: 1, CreditorInstitution: pick(d, ecPool...)}
		if percent(d, 40) {
			n.CreditorInstitution = ecPool[0]
		}
		if percent(d, 3) {
			n.CreditorInstitution = ""
		}
		if i == 0 {
			n.AmountCents = amount - int64(count-1)
		}
		if !transferless {
			n.Transfers = randomTransfers(d, n.CreditorInstitution)
		}
		p.Notices = append(p.Notices, n)
	}
	for range max(0, d.IntN(6)-3) {
		f := engine.PSPFilter{PSP: pick(d, "psp", "PSP") + strconv.Itoa(d.IntN(otherPSPs))}
		f.PSP = pick(d, f.PSP, f.PSP, f.PSP, poste, blocked, "NOBODY")
		f.Channel, f.Broker = pick(d, "", "", "ch1", "CH2"), pick(d, "", "", "BR1", "br2")
		p.PSPs = append(p.PSPs, f)
	}
	return p
}

func randomTransfers(d dice, ec string) (transfers []engine.Transfer) {
	stamps := pick(d, 0, 0, 0, 0, 0, 0, 50, 100)
	for range 1 + d.IntN(3) {
		t := engine.Transfer{CreditorInstitution: pick(d, ec, ec, ecPool[1], ""), DigitalStamp: percent(d, stamps)}
		if percent(d, 75) {
			t.TransferCategory = pick(d, categoryPool...)
			if percent(d, 50) {
				t.TransferCategory = "9/" + t.TransferCategory + "/"
			}
		}
		transfers = append(transfers, t)
	}
	return transfers
}

// randomBIN is no card, no number, or a number at the edge of a range.
func randomBIN(d dice, s *engine.Settings) string {
	if len(s.Issuers) == 0 || percent(d, 30) {
		return pick(d, "", "", "abc", "4", "400000", "401000", "40 000", "-4000", "９０００００", "9999999999999999999", "40000000000000000000")
	}
	r := pick(d, s.Issuers...)
	number := strconv.FormatInt(pick(d, r.Low, r.Low, r.High, r.Low+1, r.Low-1, r.High+1, r.Low+(r.High-r.Low)/2), 10)
	if percent(d, 50) {
		number = strings.TrimRight(number, "0")
	}
	return number
}

func randomOptions(d dice) engine.Options {
	o := engine.Options{
		Order:     pick(d, engine.OrderRandom, engine.OrderFee, engine.OrderFee, engine.OrderPSPName, engine.OrderFeeRandom),
		OnUsFirst: percent(d, 70), Limit: pick[int32](d, 0, 1, 2, 3, 10, 1<<31-1),
	}
	if percent(d, 20) {
		o.Seed, o.SeedGiven = uint64(d.IntN(1_000_000)), true
	}
	return o
}

// limitOf is the number of rows at most (Q23).
func limitOf(o engine.Options) int {
	if o.Limit == 0 {
		return engine.DefaultLimit
	}
	return int(o.Limit)
}
