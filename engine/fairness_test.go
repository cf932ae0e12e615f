package engine_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gec/engine"
)

// Q22: equal treatment of PSPs is a legal duty of the platform. The tests count in which order five PSPs
// that tie are shown over a fixed set of many payments, and compare the counts with equal ones by
// chi-square. The payments are fixed, so that each test always passes or always fails.

// tiedPSPs are five PSPs of the same fee, with ids as alike and as unlike as real ones.
func tiedPSPs(t *testing.T) *engine.Snapshot {
	w := &world{revision: 1}
	for i, psp := range []string{"PSP1", "PSP2", "BPPIITRRXXX", "ABI03069", "a"} {
		w.bundles = append(w.bundles, plainBundle(fmt.Sprint("b", i), psp))
	}
	return w.snapshot(t)
}

// mostChi is the value of chi-square that fair chance exceeds once in 1 000 times (Wilson and Hilferty).
func mostChi(freedom int) float64 {
	n := float64(freedom)
	return n * math.Pow(1-2/(9*n)+3.09*math.Sqrt(2/(9*n)), 3)
}

// holdUniform fails the test unless every one of the possible outcomes is about equally frequent. One
// payment may count for several outcomes that exclude others; weight corrects chi-square for that, so
// that it is distributed with that many degrees of freedom.
func holdUniform(t *testing.T, what string, counts map[string]int, possible, freedom int, weight float64) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	expected := float64(total) / float64(possible)
	chi := float64(possible-len(counts)) * expected // outcomes that never came
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	chi *= weight
	if most := mostChi(freedom); chi > most {
		t.Errorf("%s: chi-square %.1f over %d outcomes, fair chance stays below %.1f", what, chi, possible, most)
	}
}

// payments are sets of 100 000 payments that differ in little, each in another way.
var payments = []struct {
	name string
	make func(i int) *engine.Payment
}{
	{"amount one cent more", func(i int) *engine.Payment { return plainPayment(int64(i + 1)) }},
	{"only the reference", func(i int) *engine.Payment {
		p := plainPayment(5_000)
		p.Reference = fmt.Sprint(i)
		return p
	}},
	{"IUV as reference", func(i int) *engine.Payment {
		p := plainPayment(5_000)
		p.Reference = fmt.Sprintf("3020000%011d", i*7)
		return p
	}},
	{"only the card", func(i int) *engine.Payment {
		p := plainPayment(5_000)
		p.BIN = fmt.Sprintf("%08d", 40_000_000+i)
		return p
	}},
	{"only the EC", func(i int) *engine.Payment {
		p := plainPayment(5_000)
		p.Notices[0].CreditorInstitution = fmt.Sprintf("%011d", 80_000_000_000+i)
		return p
	}},
	{"amounts of two notices with one sum", func(i int) *engine.Payment {
		p := plainPayment(int64(i + 1))
		p.Notices = append(p.Notices, engine.Notice{AmountCents: int64(200_000 - i), CreditorInstitution: ecPool[1]})
		return p
	}},
}

func TestQ22EveryOrderIsEquallyLikely(t *testing.T) {
	s := tiedPSPs(t)
	for _, order := range []struct {
		name    string
		options engine.Options
	}{
		{"random", engine.Options{Order: engine.OrderRandom}},
		{"feerandom", engine.Options{Order: engine.OrderFeeRandom}},
		{"v1", v1(0)},
	} {
		for _, set := range payments {
			t.Run(order.name+"/"+set.name, func(t *testing.T) { holdFair(t, s, set.make, order.options, runs(100_000)) })
		}
	}
}

// holdFair counts the orders of all payments, who stands where, and who comes first after whom.
func holdFair(t *testing.T, s *engine.Snapshot, payment func(int) *engine.Payment, o engine.Options, count int) {
	permutations, successions := map[string]int{}, map[string]int{}
	q, before := engine.NewQuoter(), ""
	for i := range count {
		a, err := q.Quotes(s, payment(i), o)
		if err != nil {
			t.Fatal(err)
		}
		permutations[orderOf(a)]++
		if first := a.Quotes[0].Bundle.ID; before == "" {
			before = first
		} else { // pairs that do not overlap are independent of each other
			successions[before+first]++
			before = ""
		}
	}
	places := map[string]int{}
	for order, n := range permutations {
		for place, id := range strings.Fields(order) {
			places[fmt.Sprint(id, " at ", place)] += n
		}
	}
	holdUniform(t, "orders", permutations, 120, 119, 1)
	holdUniform(t, "places", places, 25, 16, 4.0/5) // each row and column adds up
	holdUniform(t, "first after first", successions, 25, 24, 1)
}

// TestQ22GivenSeedsAreFairToo counts over seeds 1, 2, 3, … that a caller gives for one payment.
func TestQ22GivenSeedsAreFairToo(t *testing.T) {
	s, q := tiedPSPs(t), engine.NewQuoter()
	counts := map[string]int{}
	for seed := range runs(100_000) {
		a, err := q.Quotes(s, plainPayment(5_000), engine.Options{Seed: uint64(seed), SeedGiven: true})
		if err != nil {
			t.Fatal(err)
		}
		if a.Seed != uint64(seed) {
			t.Fatalf("seed %d is answered as %d", seed, a.Seed)
		}
		counts[orderOf(a)]++
	}
	holdUniform(t, "orders", counts, 120, 119, 1)
}

func orderOf(a *engine.Answer) string {
	var order strings.Builder
	for i := range a.Quotes {
		order.WriteString(a.Quotes[i].Bundle.ID)
		order.WriteByte(' ')
	}
	return order.String()
}

// TestQ22FairAmongManyWithALimit counts who is shown at all when 20 PSPs tie and 10 rows are asked for.
func TestQ22FairAmongManyWithALimit(t *testing.T) {
	w := &world{revision: 1}
	for i := range 20 {
		w.bundles = append(w.bundles, plainBundle(fmt.Sprintf("b%02d", i), fmt.Sprintf("PSP%02d", i)))
	}
	s, q := w.snapshot(t), engine.NewQuoter()
	for _, order := range []engine.Order{engine.OrderRandom, engine.OrderFeeRandom} {
		counts := map[string]int{}
		for i := range runs(50_000) {
			a, err := q.Quotes(s, plainPayment(int64(i+1)), engine.Options{Order: order})
			if err != nil {
				t.Fatal(err)
			}
			for n := range a.Quotes {
				counts[a.Quotes[n].Bundle.ID]++
			}
		}
		holdUniform(t, fmt.Sprint("shown at all, order ", order), counts, 20, 19, 19.0/10) // ten of twenty in every answer
	}
}

// TestQ22SamePaymentSameOrder repeats payments that are equal in all that the rule calls the payment.
func TestQ22SamePaymentSameOrder(t *testing.T) {
	s := tiedPSPs(t)
	orders := map[string]bool{}
	for i := range 200 {
		p, again := plainPayment(int64(i+1)), plainPayment(int64(i+1))
		first := ask(s, p, engine.Options{})
		orders[first[strings.Index(first, "\n"):]] = true
		if second := ask(s, again, engine.Options{}); first != second {
			t.Fatalf("payment %d: %s then %s", i, first, second)
		}
	}
	if len(orders) < 60 {
		t.Errorf("200 payments have %d different orders, too few for chance", len(orders))
	}
}

// TestQ22TiesAreOfTheNetFee holds that feerandom shuffles rows of one net fee and no others.
func TestQ22TiesAreOfTheNetFee(t *testing.T) {
	w := &world{revision: 1}
	for i, fee := range []int64{50, 100, 100, 100, 150} {
		b := plainBundle(fmt.Sprint("b", i), fmt.Sprint("PSP", i))
		b.Fee.FlatCents = fee
		w.bundles = append(w.bundles, b)
	}
	s, q := w.snapshot(t), engine.NewQuoter()
	counts := map[string]int{}
	for i := range runs(60_000) {
		a, err := q.Quotes(s, plainPayment(int64(i+1)), engine.Options{Order: engine.OrderFeeRandom})
		if err != nil {
			t.Fatal(err)
		}
		if a.Quotes[0].Bundle.ID != "b0" || a.Quotes[4].Bundle.ID != "b4" {
			t.Fatalf("order %s", orderOf(a))
		}
		counts[orderOf(a)]++
	}
	holdUniform(t, "orders of the three that tie", counts, 6, 5, 1)
}
