package lint_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/lint"
	"gec/engine"
)

const today engine.Date = 20261121

func settings() *engine.Settings {
	return &engine.Settings{
		Touchpoints: []string{"IO", "CHECKOUT"}, PaymentTypes: []string{"CP", "PPAL"},
		Issuers: []engine.IssuerRange{{Low: 1, High: 2, ABI: "01001"}},
	}
}

// with returns a bundle of one PSP for a band and a fee, changed.
func with(id string, low, high, fee int64, changes ...func(b *bundles.Bundle)) bundles.Bundle {
	b := bundles.Bundle{Bundle: engine.Bundle{
		ID: id, PSP: "P", Channel: "C", Broker: "B", ABI: "01001", PaymentType: "CP", Touchpoint: "IO", Cart: true,
		Band: engine.Band{MinCents: low, MaxCents: high}, Fee: engine.Fee{FlatCents: fee},
	}}
	for _, change := range changes {
		change(&b)
	}
	return b
}

func touchpoint(name string) func(b *bundles.Bundle) {
	return func(b *bundles.Bundle) { b.Touchpoint = name }
}

func valid(from, to engine.Date) func(b *bundles.Bundle) {
	return func(b *bundles.Bundle) { b.Validity = engine.Period{From: from, To: to} }
}

func when(source string) func(b *bundles.Bundle) {
	return func(b *bundles.Bundle) { b.When = source }
}

func codes(list ...string) func(b *bundles.Bundle) {
	return func(b *bundles.Bundle) { b.TransferCategories = list }
}

func hours(from, to int) func(b *bundles.Bundle) {
	return func(b *bundles.Bundle) {
		b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: from * 60, ToMinute: to * 60}}
	}
}

func of(t engine.BundleType) func(b *bundles.Bundle) { return func(b *bundles.Bundle) { b.Type = t } }

func onUs(b *bundles.Bundle) { b.OnUs = true }

func amount(cents int64) *int64 { return &cents }

// lines are findings as "severity rule bundle other field", in their order.
func lines(findings []lint.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", f.Severity, f.Rule, f.Bundle, f.Other, f.Field)))
	}
	return all
}

func TestA10Findings(t *testing.T) {
	type list = []bundles.Bundle
	for _, c := range []struct {
		name string
		bs   list
		want []string
	}{
		{name: "nothing"},
		{name: "bands that adjoin", bs: list{with("A", 0, 50, 1), with("B", 50, 100, 2)}},
		{name: "bands that overlap", bs: list{with("A", 0, 50, 1), with("B", 40, 100, 2)}, want: []string{"error overlap B A minPaymentAmount"}},
		{name: "overlap with a condition", bs: list{with("A", 0, 50, 1), with("B", 40, 100, 2, when("weekend()"))},
			want: []string{"warning overlap B A minPaymentAmount"}},
		{name: "overlap in the past", bs: list{with("A", 0, 50, 1, valid(0, 20261101)), with("B", 40, 100, 2, valid(0, 20261101))},
			want: []string{"note unreachable A  validityDateTo", "note unreachable B  validityDateTo"}},

		{name: "a hole", bs: list{with("A", 0, 5000, 1), with("B", 5001, 10000, 2)}, want: []string{"warning hole B A minPaymentAmount"}},
		{name: "a hole at another cent", bs: list{with("A", 0, 5050, 1), with("B", 5051, 10000, 2)}, want: []string{"warning hole B A minPaymentAmount"}},
		{name: "a hole below the first band", bs: list{with("B", 1, 10000, 2)}, want: []string{"warning hole B  minPaymentAmount"}},
		{name: "a minimum that is meant", bs: list{with("B", 3, 10000, 2)}},
		{name: "x.01 adjoining x.01", bs: list{with("A", 0, 5001, 1), with("B", 5001, 10000, 2)}},
		{name: "a hole between touchpoints", bs: list{with("A", 0, 5000, 1, touchpoint("ANY")), with("B", 5001, 10000, 2)},
			want: []string{"warning hole B A minPaymentAmount"}},
		{name: "x.01 that ANY has", bs: list{with("A", 0, 9000, 3, touchpoint("any")), with("B", 5001, 10000, 2)}, want: []string{"note hole B A minPaymentAmount"}},
		{name: "a hole that another payment type does not fill", bs: list{with("A", 0, 5000, 1), with("B", 5001, 10000, 2), with("C", 0, 10000, 3, func(b *bundles.Bundle) { b.PaymentType = "PPAL" })},
			want: []string{"warning hole B A minPaymentAmount"}},

		{name: "a gap", bs: list{with("A", 0, 5000, 1), with("B", 6000, 10000, 2)}, want: []string{"warning gap B A minPaymentAmount"}},
		{name: "a gap and a hole", bs: list{with("A", 0, 5000, 1), with("B", 6001, 10000, 2)},
			want: []string{"warning hole B  minPaymentAmount", "warning gap B A minPaymentAmount"}},
		{name: "a gap that ANY fills", bs: list{with("A", 0, 5000, 1), with("B", 6000, 10000, 2), with("C", 5000, 6000, 3, touchpoint("ANY"))}},
		{name: "a gap that ANY fills in part", bs: list{with("A", 0, 5000, 1), with("B", 6000, 10000, 2), with("C", 5000, 5900, 3, touchpoint("ANY"))},
			want: []string{"warning gap B C minPaymentAmount"}},
		{name: "a gap above a bundle for ANY", bs: list{with("A", 0, 5000, 1, touchpoint("ANY")), with("B", 6000, 10000, 2)},
			want: []string{"warning gap B A minPaymentAmount"}},
		{name: "a gap below a bundle for ANY", bs: list{with("A", 6000, 9000, 3, touchpoint("ANY")), with("B", 0, 5000, 2)},
			want: []string{"warning gap B A maxPaymentAmount"}},
		{name: "a gap of ANY filled at one touchpoint", bs: list{with("A", 0, 50, 1, touchpoint("ANY")), with("B", 60, 99, 1, touchpoint("ANY")), with("C", 50, 60, 1)},
			want: []string{"note gap B A minPaymentAmount"}},
		{name: "a gap of ANY filled at all of them", bs: list{with("A", 0, 50, 1, touchpoint("ANY")), with("B", 60, 99, 1, touchpoint("ANY")), with("C", 50, 60, 1),
			with("D", 50, 60, 1, touchpoint("CHECKOUT"))}},
		{name: "a gap filled for one code only", bs: list{with("A", 0, 50, 1), with("B", 60, 99, 1), with("C", 50, 60, 1, codes("0102100SA"))},
			want: []string{"warning gap B A minPaymentAmount"}},
		{name: "a gap of a code that open bundles fill", bs: list{with("A", 0, 50, 1, codes("0102100SA")), with("B", 60, 99, 1, codes("9/0102100SA/")), with("C", 50, 60, 1)}},
		{name: "a gap filled by night only", bs: list{with("A", 0, 50, 1), with("B", 60, 99, 1), with("C", 50, 60, 1, hours(22, 6))},
			want: []string{"warning gap B A minPaymentAmount"}},
		{name: "a gap of the night filled by day and night", bs: list{with("A", 0, 50, 1, hours(22, 6)), with("B", 60, 99, 1, hours(22, 6)), with("C", 50, 60, 1, hours(20, 8))}},
		{name: "a gap that opens later", bs: list{with("A", 0, 50, 1, valid(0, 20261231)), with("A2", 0, 40, 1, valid(20270101, 0)), with("B", 50, 99, 1)},
			want: []string{"warning gap B A2 minPaymentAmount"}},
		{name: "versions that follow each other", bs: list{with("A", 0, 50, 1, valid(0, 20261231)), with("A2", 0, 50, 1, valid(20270101, 0)), with("B", 50, 99, 1)}},

		{name: "the same again at the same fee", bs: list{with("B", 0, 50, 1), with("A", 0, 50, 1)},
			want: []string{"error overlap B A id", "warning never-wins B A paymentAmount"}},
		{name: "a dearer one for fewer amounts", bs: list{with("A", 10, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"))}, want: []string{"warning never-wins A B paymentAmount"}},
		{name: "a dearer one for more amounts", bs: list{with("A", 0, 51, 3), with("B", 0, 50, 2, touchpoint("ANY"))}},
		{name: "a cheaper one", bs: list{with("A", 0, 50, 2), with("B", 0, 50, 3, touchpoint("ANY"))}},
		{name: "the smaller id of equal fees wins", bs: list{with("A", 0, 50, 2), with("B", 0, 50, 2, touchpoint("ANY"))}},
		{name: "another channel may be asked for", bs: list{with("A", 0, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"), func(b *bundles.Bundle) { b.Channel = "D" })}},
		{name: "another bank's cards", bs: list{with("A", 0, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"), func(b *bundles.Bundle) { b.ABI = "2" })}},
		{name: "carts", bs: list{with("A", 0, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"), func(b *bundles.Bundle) { b.Cart = false })}},
		{name: "on-us", bs: list{with("A", 0, 50, 3, onUs), with("B", 0, 50, 2)}},
		{name: "valid longer", bs: list{with("A", 0, 50, 3, valid(20261001, 20270101)), with("B", 0, 50, 2, touchpoint("ANY"), valid(today, 20270101))},
			want: []string{"warning never-wins A B paymentAmount"}},
		{name: "not valid as long", bs: list{with("A", 0, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"), valid(0, 20270101))}},
		{name: "by night and always", bs: list{with("A", 0, 50, 3, hours(22, 6)), with("B", 0, 50, 2, touchpoint("ANY"))},
			want: []string{"warning never-wins A B paymentAmount"}},
		{name: "always and by night", bs: list{with("A", 0, 50, 3), with("B", 0, 50, 2, touchpoint("ANY"), hours(22, 6))}},
		{name: "a condition beside none", bs: list{with("A", 0, 50, 3, when("weekend()")), with("B", 0, 50, 2, touchpoint("ANY"))},
			want: []string{"warning never-wins A B paymentAmount"}},
		{name: "a PUBLIC bundle beside a GLOBAL one: its ECs may bear the fee", bs: list{with("A", 0, 50, 3, of(engine.Public)), with("B", 0, 50, 2)}},
		{name: "a PUBLIC bundle beside a free one", bs: list{with("A", 0, 50, 3, of(engine.Public)), with("B", 0, 50, 0)},
			want: []string{"warning never-wins A B paymentAmount"}},
		{name: "PUBLIC beside PUBLIC: others subscribe", bs: list{with("A", 0, 50, 3, of(engine.Public)), with("B", 0, 50, 0, of(engine.Public), touchpoint("ANY"))}},

		{name: "expired", bs: list{with("A", 0, 50, 1, valid(0, 20261120))}, want: []string{"note unreachable A  validityDateTo"}},
		{name: "until today", bs: list{with("A", 0, 50, 1, valid(0, today))}},
		{name: "ends before it begins", bs: list{with("A", 0, 50, 1, valid(20270201, 20270101))}, want: []string{"warning unreachable A  validityDateTo"}},
		{name: "an empty band", bs: list{with("A", 50, 50, 1)}, want: []string{"warning unreachable A  maxPaymentAmount"}},
		{name: "an empty schedule", bs: list{with("A", 0, 50, 1, func(b *bundles.Bundle) { b.Schedule = engine.Schedule{} })}, want: []string{"warning unreachable A  schedule"}},
		{name: "a schedule without days", bs: list{with("A", 0, 50, 1, func(b *bundles.Bundle) { b.Schedule = engine.Schedule{{ToMinute: 60}} })},
			want: []string{"warning unreachable A  schedule"}},
		{name: "an unknown touchpoint", bs: list{with("A", 0, 50, 1, touchpoint("CHEKOUT"))}, want: []string{"warning unreachable A  touchpoint"}},
		{name: "an unknown payment type", bs: list{with("A", 0, 50, 1, func(b *bundles.Bundle) { b.PaymentType = "BPAY" })}, want: []string{"warning unreachable A  paymentType"}},
		{name: "any of both", bs: list{with("A", 0, 50, 1, touchpoint("ANY"), func(b *bundles.Bundle) { b.PaymentType = "" })}},
		{name: "on-us of no bank", bs: list{with("A", 0, 50, 1, onUs, func(b *bundles.Bundle) { b.ABI = "" })}, want: []string{"warning unreachable A  abi"}},
		{name: "on-us without card numbers", bs: list{with("A", 0, 50, 1, onUs, func(b *bundles.Bundle) { b.ABI = "9" })}, want: []string{"warning unreachable A  abi"}},
		{name: "only for stamps, which it does not allow", bs: list{with("A", 0, 50, 1, func(b *bundles.Bundle) { b.DigitalStampOnly = true })},
			want: []string{"warning unreachable A  digitalStampRestriction"}},
		{name: "a condition that does not compile", bs: list{with("A", 0, 50, 1, when("ammount > 1"))}, want: []string{"warning unreachable A  when"}},

		{name: "a fee that falls", bs: list{with("A", 0, 50, 3), with("B", 50, 90, 2)}, want: []string{"note falling-fee B A paymentAmount"}},
		{name: "a fee that falls across a gap", bs: list{with("A", 0, 50, 3), with("B", 60, 90, 2)},
			want: []string{"warning gap B A minPaymentAmount", "note falling-fee B A paymentAmount"}},
		{name: "steps that fall", bs: list{with("A", 0, 90, 0, func(b *bundles.Bundle) {
			b.Fee.Steps = []engine.FeeStep{{UpToCents: amount(50), Fee: engine.Fee{FlatCents: 3}}, {Fee: engine.Fee{FlatCents: 2}}}
		})}, want: []string{"note falling-fee A  fee"}},
		{name: "steps that fall outside the band", bs: list{with("A", 50, 90, 0, func(b *bundles.Bundle) {
			b.Fee.Steps = []engine.FeeStep{{UpToCents: amount(50), Fee: engine.Fee{FlatCents: 3}}, {Fee: engine.Fee{FlatCents: 2}}}
		})}},
		{name: "a percentage that the next band undercuts", bs: list{with("A", 0, 10000, 0, func(b *bundles.Bundle) { b.Fee.BasisPoints = 100 }), with("B", 10000, 20000, 99)},
			want: []string{"note falling-fee B A paymentAmount"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lint.Check(c.bs, settings(), today, lint.Options{})
			if diff := cmp.Diff(c.want, lines(got)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%+v", diff, got)
			}
			backwards := slices.Clone(c.bs)
			slices.Reverse(backwards)
			// Which of two bundles an overlap is told of does not depend on their order either.
			if diff := cmp.Diff(got, lint.Check(backwards, settings(), today, lint.Options{})); diff != "" {
				t.Errorf("backwards:\n%s", diff)
			}
		})
	}
}

func TestF3FeesThatAreNeverAbove(t *testing.T) {
	steps := func(flat ...int64) engine.Fee {
		return engine.Fee{Steps: []engine.FeeStep{{UpToCents: amount(100), Fee: engine.Fee{FlatCents: flat[0]}}, {Fee: engine.Fee{FlatCents: flat[1]}}}}
	}
	for _, c := range []struct {
		name string
		a, b engine.Fee
		want bool // B, the wider one, is always before A
	}{
		{"ranges apart", engine.Fee{FlatCents: 200}, engine.Fee{BasisPoints: 100, MaxCents: amount(150)}, true},
		{"ranges that meet", engine.Fee{FlatCents: 100}, engine.Fee{BasisPoints: 100}, false},
		{"part by part", engine.Fee{FlatCents: 10, BasisPoints: 100}, engine.Fee{FlatCents: 9, BasisPoints: 100}, true},
		{"a lower cap", engine.Fee{FlatCents: 10, BasisPoints: 100, MaxCents: amount(50)}, engine.Fee{FlatCents: 9, BasisPoints: 100}, false},
		{"per notice", engine.Fee{FlatCents: 10, PerNoticeCents: 3}, engine.Fee{FlatCents: 12, PerNoticeCents: 1}, false},
		{"per notice at most the lowest", engine.Fee{FlatCents: 10, PerNoticeCents: 3}, engine.Fee{FlatCents: 7, PerNoticeCents: 1}, true},
		{"steps", steps(5, 9), steps(4, 8), true},
		{"steps against a flat fee", steps(5, 9), engine.Fee{FlatCents: 5, MaxCents: amount(4)}, true},
		{"steps of which one is dearer", steps(5, 9), steps(6, 8), false},
		{"fees that nobody can be asked", engine.Fee{FlatCents: engine.FeeCentsMax}, engine.Fee{FlatCents: engine.FeeCentsMax, PerNoticeCents: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := with("B", 0, 100_000, 0, func(b *bundles.Bundle) { b.Fee = c.a })
			b := with("A", 0, 100_000, 0, touchpoint("ANY"), func(b *bundles.Bundle) { b.Fee = c.b })
			found := lint.Check([]bundles.Bundle{a, b}, settings(), today, lint.Options{Rules: []lint.Rule{lint.NeverWins}})
			if got := len(found) == 1 && found[0].Bundle == "B"; got != c.want || len(found) > 1 {
				t.Errorf("%+v", found)
			}
		})
	}
}

func TestA10OptionsNarrow(t *testing.T) {
	bs := []bundles.Bundle{with("A", 0, 50, 2), with("B", 60, 90, 1), with("C", 60, 70, 9, func(b *bundles.Bundle) { b.PSP = "Q" })}
	bs = append(bs, with("D", 0, 50, 9, touchpoint("NOWHERE")), with("E", 0, 60, 9, func(b *bundles.Bundle) { b.PSP = "Q" }), with("F", 60, 70, 8, touchpoint("ANY"), func(b *bundles.Bundle) { b.PSP = "q" }))
	for _, c := range []struct {
		name string
		s    *engine.Settings
		o    lint.Options
		want []string
	}{
		{"a PSP, whatever the case", settings(), lint.Options{PSP: "q"}, []string{"warning never-wins C F paymentAmount"}},
		{"some rules", settings(), lint.Options{Rules: []lint.Rule{lint.Gap, lint.Unreachable}}, []string{"warning gap B A minPaymentAmount", "warning unreachable D  touchpoint"}},
		{"no settings", nil, lint.Options{Rules: []lint.Rule{lint.Unreachable}}, nil},
		{"a GLOBAL bundle that ECs subscribe to", settings(), lint.Options{Rules: []lint.Rule{lint.NeverWins}, Subscribed: func(id string) bool { return id == "C" }}, nil},
	} {
		if diff := cmp.Diff(c.want, lines(lint.Check(bs, c.s, today, c.o))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestA10MendClosesHolesAndNothingElse(t *testing.T) {
	bs := []bundles.Bundle{
		with("A", 0, 5000, 1), with("B", 5001, 10000, 2), with("C", 10001, 20000, 3),
		// D has exactly what C leaves out, but not for carts: C cannot have it, too.
		with("D", 10000, 10001, 3, func(b *bundles.Bundle) { b.Cart = false }),
	}
	before := slices.Clone(bs)
	findings := lint.Check(bs, settings(), today, lint.Options{})
	mended, changed := lint.Mend(bs, findings)
	if changed != 1 || mended[1].Band.MinCents != 5000 || mended[2].Band.MinCents != 10001 || !cmp.Equal(bs, before) {
		t.Errorf("%d changed: %v", changed, mended)
	}
	if n := lint.Count(lint.Check(mended, settings(), today, lint.Options{}), lint.Overlap); n != 0 {
		t.Errorf("mending made %d overlaps", n)
	}
}

// TestA10EveryAmountHasAFeeOrAFinding compares holes and gaps with the amounts one by one.
func TestA10EveryAmountHasAFeeOrAFinding(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 10))
		var bs []bundles.Bundle
		for i := range 1 + r.IntN(5) {
			low := int64(r.IntN(40))
			bs = append(bs, with(fmt.Sprint(i), low, low+1+int64(r.IntN(12)), 1))
		}
		lowest, highest, uncovered := int64(1<<40), int64(0), 0
		for _, b := range bs {
			lowest, highest = min(lowest, b.Band.MinCents), max(highest, b.Band.MaxCents)
		}
		for cents := lowest + 1; cents <= highest; cents++ {
			if !slices.ContainsFunc(bs, func(b bundles.Bundle) bool { return b.Band.Holds(cents) }) {
				uncovered++
			}
		}
		var missed int64
		holes := map[int64]bool{}
		for _, f := range lint.Check(bs, settings(), today, lint.Options{}) {
			at := slices.IndexFunc(bs, func(b bundles.Bundle) bool { return b.ID == f.Bundle })
			switch b := bs[at]; {
			case f.Rule == lint.Hole && b.Band.MinCents > lowest:
				holes[b.Band.MinCents] = true
			case f.Rule == lint.Gap:
				other := slices.IndexFunc(bs, func(b bundles.Bundle) bool { return b.ID == f.Other })
				missed += b.Band.MinCents - bs[other].Band.MaxCents
			}
		}
		for range holes {
			missed++
		}
		// A gap ends below the hole that adjoins it; both were counted.
		for cents := range holes {
			if !slices.ContainsFunc(bs, func(b bundles.Bundle) bool { return b.Band.MaxCents == cents-1 }) {
				missed--
			}
		}
		if missed != int64(uncovered) {
			t.Fatalf("seed %d: %d amounts have no fee, %d were found: %v", seed, uncovered, missed, bs)
		}
	}
}
