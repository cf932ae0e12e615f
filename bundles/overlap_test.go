package bundles_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/engine"
)

const posteOfTests = "BPPIITRRXXX"

// overlapBundle is a bundle that conflicts with itself under another id.
func overlapBundle(id string) *engine.Bundle {
	return &engine.Bundle{
		ID: id, PSP: "ABI14156", Channel: "CH1", Broker: "BR", ABI: "14156", Type: engine.Global, PaymentType: "CP", Touchpoint: "CHECKOUT",
		Band: engine.Band{MinCents: 0, MaxCents: 5000}, Validity: engine.Period{From: 20261201},
	}
}

func daysOf(days ...int) (set engine.Days) {
	for _, day := range days {
		set |= 1 << day
	}
	return set
}

func timeBand(from, to int, days ...int) engine.TimeBand {
	return engine.TimeBand{Days: daysOf(days...), FromMinute: from * 60, ToMinute: to * 60}
}

// TestA3OverlapTruthTable goes through the rule clause by clause.
func TestA3OverlapTruthTable(t *testing.T) {
	for _, c := range []struct {
		name string
		// both changes the two bundles alike, before other changes the second one.
		both, other func(b *engine.Bundle)
		want        string // "", "error" or "warning"
	}{
		{name: "the same", want: "error"},
		{name: "the PSP in another case", other: func(b *engine.Bundle) { b.PSP = "abi14156" }, want: "error"},
		{name: "another PSP", other: func(b *engine.Bundle) { b.PSP = "ABI14157" }},
		{name: "another type", other: func(b *engine.Bundle) { b.Type = engine.Public }},
		{name: "the payment type in another case", other: func(b *engine.Bundle) { b.PaymentType = "cp" }, want: "error"},
		{name: "another payment type", other: func(b *engine.Bundle) { b.PaymentType = "PPAL" }},
		{name: "any payment type beside a named one", other: func(b *engine.Bundle) { b.PaymentType = "" }},
		{name: "any payment type twice", both: func(b *engine.Bundle) { b.PaymentType = "" }, other: func(b *engine.Bundle) { b.PaymentType = "any" }, want: "error"},
		{name: "ANY beside a named touchpoint", other: func(b *engine.Bundle) { b.Touchpoint = "ANY" }},
		{name: "ANY twice", both: func(b *engine.Bundle) { b.Touchpoint = "ANY" }, other: func(b *engine.Bundle) { b.Touchpoint = "Any" }, want: "error"},
		{name: "another touchpoint", other: func(b *engine.Bundle) { b.Touchpoint = "IO" }},
		{name: "on-us beside not", other: func(b *engine.Bundle) { b.OnUs = true }},
		{name: "on-us twice", both: func(b *engine.Bundle) { b.OnUs = true }, want: "error"},
		{name: "the band above", other: func(b *engine.Bundle) { b.Band = engine.Band{MinCents: 5000, MaxCents: 9000} }},
		{name: "a cent of the band", other: func(b *engine.Bundle) { b.Band = engine.Band{MinCents: 4999, MaxCents: 9000} }, want: "error"},
		{name: "a shared code", both: func(b *engine.Bundle) { b.TransferCategories = []string{"0102100SA", "0102101SA"} },
			other: func(b *engine.Bundle) { b.TransferCategories = []string{"0102102SA", "9/0102101SA/"} }, want: "error"},
		{name: "no shared code", both: func(b *engine.Bundle) { b.TransferCategories = []string{"0102100SA"} },
			other: func(b *engine.Bundle) { b.TransferCategories = []string{"0102101SA"} }},
		{name: "codes beside any code", other: func(b *engine.Bundle) { b.TransferCategories = []string{"0102101SA"} }},
		{name: "valid until the day before", other: func(b *engine.Bundle) { b.Validity = engine.Period{To: 20261130} }},
		{name: "valid until that day", other: func(b *engine.Bundle) { b.Validity = engine.Period{To: 20261201} }, want: "error"},
		{name: "always valid", other: func(b *engine.Bundle) { b.Validity = engine.Period{} }, want: "error"},
		{name: "schedule beside always", other: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(8, 9, 3)} }, want: "error"},
		{name: "schedules that adjoin", both: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(8, 20, 1, 2)} },
			other: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(20, 8, 1, 2)} }},
		{name: "past midnight into the next day", both: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(22, 6, 1)} },
			other: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(5, 7, 2)} }, want: "error"},
		{name: "past midnight on Sunday", both: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(22, 6, 7)} },
			other: func(b *engine.Bundle) { b.Schedule = engine.Schedule{timeBand(0, 1, 1)} }, want: "error"},
		{name: "a condition", other: func(b *engine.Bundle) { b.When = "weekend()" }, want: "warning"},
		{name: "another channel", other: func(b *engine.Bundle) { b.Channel = "CH2" }, want: "error"},
		{name: "PRIVATE on the same channel", both: func(b *engine.Bundle) { b.Type = engine.Private }, other: func(b *engine.Bundle) { b.Channel = "ch1" }, want: "error"},
		{name: "PRIVATE on another channel", both: func(b *engine.Bundle) { b.Type = engine.Private }, other: func(b *engine.Bundle) { b.Channel = "CH2" }},
		{name: "PUBLIC on another channel", both: func(b *engine.Bundle) { b.Type = engine.Public }, other: func(b *engine.Bundle) { b.Channel = "CH2" }, want: "error"},
		{name: "Poste on the same channel", both: func(b *engine.Bundle) { b.PSP = "bppiitrrxxx" }, want: "error"},
		{name: "Poste on another channel", both: func(b *engine.Bundle) { b.PSP = "bppiitrrxxx" }, other: func(b *engine.Bundle) { b.Channel = "CH2" }},
		{name: "other ABI, broker, cart and stamps", other: func(b *engine.Bundle) {
			b.ABI, b.Broker, b.Cart, b.DigitalStamp = "1", "2", true, true
		}, want: "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := overlapBundle("A"), overlapBundle("B")
			if c.both != nil {
				c.both(a)
				c.both(b)
			}
			if c.other != nil {
				c.other(b)
			}
			for _, pair := range [][2]*engine.Bundle{{a, b}, {b, a}} {
				got := ""
				for _, conflict := range bundles.Conflicts(pair[:1], slices.Values(pair[1:]), posteOfTests) {
					got = map[bool]string{true: "warning", false: "error"}[conflict.Warning]
				}
				if got != c.want || slow(a, b) != c.want {
					t.Errorf("%s against %s: %q, the slow check says %q, want %q", pair[0].ID, pair[1].ID, got, slow(a, b), c.want)
				}
			}
		})
	}
}

// slow is A3 the slow and obvious way: two bundles conflict when there is an amount, a day and a minute
// of the week that are in both.
func slow(a, b *engine.Bundle) string { return slowWithin(a, b, 9000, 20261125, 20261210) }

// slowWithin is slow for amounts up to a number of cents and for the days between two.
func slowWithin(a, b *engine.Bundle, amountMax int64, from, to engine.Date) string {
	same := strings.EqualFold
	anyName := func(name string) string {
		if name == "" || same(name, "ANY") {
			return "ANY"
		}
		return name
	}
	exempt := !same(a.Channel, b.Channel) && (a.Type == engine.Private || same(a.PSP, posteOfTests))
	if !same(a.PSP, b.PSP) || a.Type != b.Type || !same(anyName(a.PaymentType), anyName(b.PaymentType)) ||
		!same(anyName(a.Touchpoint), anyName(b.Touchpoint)) || a.OnUs != b.OnUs || exempt {
		return ""
	}
	amount, day := false, false
	for cents := int64(1); cents <= amountMax; cents++ {
		amount = amount || a.Band.Holds(cents) && b.Band.Holds(cents)
	}
	for date := from; date != to; date = date.AddDays(1) {
		day = day || a.Validity.Holds(date) && b.Validity.Holds(date)
	}
	shared := len(a.TransferCategories) == 0 && len(b.TransferCategories) == 0
	for _, code := range a.TransferCategories {
		for _, other := range b.TransferCategories {
			shared = shared || engine.BareCategory(code) == engine.BareCategory(other)
		}
	}
	switch {
	case !amount || !day || !shared || !sharedMinute(a.Schedule, b.Schedule):
		return ""
	case a.When != "" || b.When != "":
		return "warning"
	}
	return "error"
}

func sharedMinute(a, b engine.Schedule) bool {
	if a == nil && b == nil {
		return true
	}
	for day := 1; day <= 7; day++ {
		for minute := range 24 * 60 {
			at := engine.Local{Weekday: day, Minute: minute}
			if a.Holds(at) && b.Holds(at) {
				return true
			}
		}
	}
	return false
}

// vary changes some of what A3 looks at, to one of few values, so that pairs agree in most of it.
func vary(r *rand.Rand, b *engine.Bundle) {
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	edges := []int64{0, 1, 50, 51, 100}
	dates := []engine.Date{0, 20261130, 20261201, 20261202, 20261205}
	for range r.IntN(5) {
		switch r.IntN(11) {
		case 0:
			b.PSP = pick("ABI14156", "abi14156", "ABI1", posteOfTests, "bppiitrrXXX")
		case 1:
			b.Type = engine.BundleType(r.IntN(3))
		case 2:
			b.PaymentType = pick("CP", "cp", "", "ANY", "PPAL")
		case 3:
			b.Touchpoint = pick("CHECKOUT", "checkout", "ANY", "Any", "IO")
		case 4:
			b.OnUs = !b.OnUs
		case 5:
			low := r.IntN(len(edges) - 1)
			b.Band = engine.Band{MinCents: edges[low], MaxCents: edges[low+1+r.IntN(len(edges)-1-low)]}
		case 6:
			b.TransferCategories = nil
			for range r.IntN(4) {
				b.TransferCategories = append(b.TransferCategories, pick("0102100SA", "9/0102100SA/", "0102101SA", "0102102SA", "9/0102103SA/"))
			}
		case 7:
			b.Validity = engine.Period{From: dates[r.IntN(len(dates))], To: dates[r.IntN(len(dates))]}
		case 8:
			b.Schedule = engine.Schedule{}
			for range r.IntN(3) {
				b.Schedule = append(b.Schedule, engine.TimeBand{
					Days: engine.Days(r.IntN(256)&r.IntN(256)) & engine.EveryDay, FromMinute: []int{0, 1, 479, 480, 1200, 1439}[r.IntN(6)], ToMinute: []int{0, 1, 480, 1200, 1439, 1440}[r.IntN(6)],
				})
			}
		case 9:
			b.When = pick("", "weekend()")
		case 10:
			b.Channel = pick("CH1", "ch1", "CH2")
		}
	}
}

// TestA3GeneratedCatalogues compares the search with the slow check on every pair of a catalogue, and
// holds that the value which a conflict names resolves it.
func TestA3GeneratedCatalogues(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 60
	}
	seen := map[string]int{}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		var all []*engine.Bundle
		for i := range 10 {
			b := overlapBundle(fmt.Sprintf("B%d", i))
			b.Band, b.Validity = engine.Band{MinCents: 0, MaxCents: 100}, engine.Period{}
			vary(r, b)
			all = append(all, b)
		}
		candidates, stored := all[:4], all[4:]
		stored = append(slices.Clone(stored), overlapBundle("B0")) // the one that B0 replaces
		var want, got []string
		for i, a := range candidates {
			for _, b := range append(slices.Clone(candidates[:i]), stored[:len(stored)-1]...) {
				if verdict := slow(a, b); verdict != "" {
					want = append(want, a.ID+" "+b.ID+" "+verdict)
					seen[verdict]++
				}
			}
		}
		for _, c := range bundles.Conflicts(candidates, slices.Values(stored), posteOfTests) {
			got = append(got, c.A.ID+" "+c.B.ID+" "+map[bool]string{true: "warning", false: "error"}[c.Warning])
			checkResolution(t, &c)
			seen[c.Field]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-slow +search):\n%s", seed, diff)
		}
	}
	for _, kind := range []string{"error", "warning", "minPaymentAmount", "maxPaymentAmount", "validityDateFrom", "validityDateTo", "id"} {
		if seen[kind] == 0 {
			t.Errorf("the catalogues have no %s", kind)
		}
	}
}

// checkResolution makes the change that a conflict names and looks whether the conflict is gone.
func checkResolution(t *testing.T, c *bundles.Conflict) {
	t.Helper()
	if c.Field == "id" {
		if c.Value != c.B.ID || c.Of != c.A {
			t.Errorf("%s against %s: id %s", c.A.ID, c.B.ID, c.Value)
		}
		return
	}
	mended := *c.Of
	date, _ := engine.ParseDate(c.Value)
	cents, _ := strconv.ParseInt(c.Value, 10, 64)
	switch c.Field {
	case "minPaymentAmount":
		mended.Band.MinCents = cents
	case "maxPaymentAmount":
		mended.Band.MaxCents = cents
	case "validityDateFrom":
		mended.Validity.From = date
	case "validityDateTo":
		mended.Validity.To = date
	}
	other := c.A
	if c.Of == c.A {
		other = c.B
	}
	if slow(&mended, other) != "" || mended.Band.MaxCents <= mended.Band.MinCents || mended.Validity.To != 0 && mended.Validity.To < mended.Validity.From {
		t.Errorf("%s against %s: %s %s of %s leaves %+v", c.A.ID, c.B.ID, c.Field, c.Value, c.Of.ID, mended)
	}
}

func TestA3ConflictNamesTheBundleAndTheValue(t *testing.T) {
	stored := overlapBundle("OLD")
	for _, c := range []struct {
		name         string
		change       func(b *engine.Bundle)
		path, reason string
		fix          string
	}{
		{"bands that cross", func(b *engine.Bundle) { b.Band = engine.Band{MinCents: 4000, MaxCents: 9000} }, "bundles[7].minPaymentAmount",
			`overlaps bundle "OLD": both are for amounts above 4000 up to 5000 cents, from 2026-12-01 on`, "set minPaymentAmount to 5000"},
		{"the next version", func(b *engine.Bundle) { b.Validity.From = 20270101 }, "bundles[7].minPaymentAmount",
			`overlaps bundle "OLD": both are for amounts above 0 up to 5000 cents, from 2027-01-01 on`, `set validityDateTo of bundle "OLD" to 2026-12-31`},
		{"the version before", func(b *engine.Bundle) { b.Validity.From = 20261122 }, "bundles[7].validityDateTo",
			`overlaps bundle "OLD": both are for amounts above 0 up to 5000 cents, from 2026-12-01 on`, "set validityDateTo to 2026-11-30"},
		{"the same again", func(*engine.Bundle) {}, "bundles[7].id",
			`overlaps bundle "OLD": both are for amounts above 0 up to 5000 cents, from 2026-12-01 on`,
			`change bundle "OLD" instead of adding this one, or give one of them other conditions`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := overlapBundle("NEW")
			c.change(b)
			conflicts := bundles.Conflicts([]*engine.Bundle{b}, slices.Values([]*engine.Bundle{stored}), "")
			if len(conflicts) != 1 {
				t.Fatal(conflicts)
			}
			want := bundles.Fault{Path: c.path, Reason: c.reason, Fix: c.fix}
			if diff := cmp.Diff(want, conflicts[0].Fault("bundles[7]")); diff != "" {
				t.Error(diff)
			}
			if path := conflicts[0].Fault("").Path; "bundles[7]."+path != c.path {
				t.Error(path)
			}
		})
	}
}

func TestA3ConflictsOfOneBundleAreBounded(t *testing.T) {
	var all []*engine.Bundle
	for i := range 3000 {
		b := overlapBundle(fmt.Sprint(i))
		if i%3 == 0 {
			b.When = "weekend()" // warnings do not crowd out errors
		}
		all = append(all, b)
	}
	errors, warnings := map[string]int{}, map[string]int{}
	for _, c := range bundles.Conflicts(all, nil, "") {
		if c.Warning {
			warnings[c.A.ID]++
		} else {
			errors[c.A.ID]++
		}
	}
	if errors["2999"] != bundles.ConflictsPerBundleMax || warnings["2999"] != bundles.ConflictsPerBundleMax || errors["2"] != 1 || warnings["3"] != 3 {
		t.Error(errors["2999"], warnings["2999"], errors["2"], warnings["3"])
	}
}

func TestQ13WeekHoldsTheMinutesOfTheSchedule(t *testing.T) {
	for seed := range 50 {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		s := engine.Schedule{}
		for range r.IntN(4) {
			s = append(s, engine.TimeBand{Days: engine.Days(r.IntN(256)) & engine.EveryDay, FromMinute: r.IntN(1440), ToMinute: r.IntN(1441)})
		}
		w, held := bundles.WeekOf(s), false
		for day := 1; day <= 7; day++ {
			for minute := range 1440 {
				at := (day-1)*1440 + minute
				holds := s.Holds(engine.Local{Weekday: day, Minute: minute})
				held = held || holds
				if holds != (w[at/64]>>(at%64)&1 == 1) {
					t.Fatalf("%s: day %d, minute %d: the schedule says %v", s, day, minute, holds)
				}
			}
		}
		if always := bundles.WeekOf(nil); always.Minutes() != 7*1440 || (w.Minutes() == 0) == held || w.Empty() == held || w.Meets(always) != held || !always.Contains(w) || w.Contains(always) {
			t.Errorf("%s: empty %v, held %v", s, w.Empty(), held)
		}
	}
}

// upload returns bundles as a PSP with many taxonomies and bands would send them, none in conflict.
func upload(prefix string, n int, change func(b *engine.Bundle)) (all []*engine.Bundle) {
	for i := range n {
		b := overlapBundle(fmt.Sprintf("%s%d", prefix, i))
		b.Touchpoint = []string{"ANY", "IO", "CHECKOUT", "WISP"}[i%4]
		b.Band = engine.Band{MinCents: int64(i/40) * 100, MaxCents: int64(i/40+1) * 100}
		b.TransferCategories = []string{fmt.Sprintf("%07dSA", i/4%10)}
		change(b)
		all = append(all, b)
	}
	return all
}

func BenchmarkConflicts(b *testing.B) {
	none := func(*engine.Bundle) {}
	stored := upload("S", 10_000, func(b *engine.Bundle) { b.Validity = engine.Period{To: 20261130} })
	oneBand := func(b *engine.Bundle) {
		b.Band, b.Touchpoint, b.TransferCategories = engine.Band{MinCents: 0, MaxCents: 100}, "ANY", nil
	}
	for _, c := range []struct {
		name       string
		candidates []*engine.Bundle
		conflicts  int
	}{
		{"1Against10k", upload("C", 1, none), 0},
		{"10kAgainst10k", upload("C", 10_000, none), 0},
		{"10kTheSame", upload("C", 10_000, oneBand), 99_945},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := len(bundles.Conflicts(c.candidates, slices.Values(stored), "")); got != c.conflicts {
					b.Fatal(got)
				}
			}
		})
	}
}
