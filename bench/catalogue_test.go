package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/engine"
)

// TestTheListHasTheShapeOfThePublishedOne holds the numbers of the list published on 2026-06-18.
func TestTheListHasTheShapeOfThePublishedOne(t *testing.T) {
	c := Generate(List(ListBundles))
	psps, types, touchpoints, names := map[string]int{}, map[string]int{}, map[string]int{}, map[string]map[string]bool{}
	own := 0
	for _, b := range c.Bundles {
		psps[b.PSP]++
		types[b.PaymentType]++
		touchpoints[b.Touchpoint]++
		if names[b.PSP] == nil {
			names[b.PSP] = map[string]bool{}
		}
		names[b.PSP][b.PSPBusinessName] = true
		if b.OnUs {
			own++
		}
	}
	if len(c.Bundles) != 513 || len(psps) != 18 || own != 171 {
		t.Errorf("%d bundles of %d PSPs, %d on-us", len(c.Bundles), len(psps), own)
	}
	wantTypes := map[string]int{"CP": 408, "RBPP": 25, "RBPR": 20, "RBPB": 20, "PPAL": 15, "APPL": 6, "BPAY": 5, "GOOG": 4, "SATY": 3,
		"MYBK": 2, "RICO": 2, "RPIC": 1, "KLRN": 1, "RFPB": 1}
	if d := cmp.Diff(wantTypes, types); d != "" {
		t.Errorf("payment types (-list +generated):\n%s", d)
	}
	if touchpoints["CHECKOUT_CART"] != 104 {
		t.Errorf("%d bundles for CHECKOUT_CART, not 104: %v", touchpoints["CHECKOUT_CART"], touchpoints)
	}
	several := 0
	for _, n := range names {
		if len(n) > 1 {
			several++
		}
	}
	if several != 4 {
		t.Errorf("%d PSPs spell their name in several ways, not 4", several)
	}
}

func TestCataloguesHaveTheSizeAskedForAndAreRepeatable(t *testing.T) {
	for _, o := range []Options{
		List(0), List(1), List(100), List(5_130), listKind("rich").at(1000).catalogue, listKind("cart").at(600).catalogue,
	} {
		c := Generate(o)
		if want := o.Bundles + o.agreements(); len(c.Bundles) != want {
			t.Errorf("%+v has %d bundles, not %d", o, len(c.Bundles), want)
		}
		ids := map[string]bool{}
		for _, b := range c.Bundles {
			if ids[b.ID] {
				t.Errorf("%+v: id %s comes twice", o, b.ID)
			}
			ids[b.ID] = true
		}
		if _, err := c.Snapshot(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
		if d := cmp.Diff(c, Generate(o)); d != "" {
			t.Errorf("%+v is another one the second time:\n%s", o, d)
		}
	}
}

func TestEveryConditionCompiles(t *testing.T) {
	s, err := Generate(Options{Seed: 1, Bundles: 3000, WhenPercent: 100}).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if unusable := s.Unusable(); len(unusable) > 0 {
		t.Errorf("%d conditions, first %s: %v", len(unusable), unusable[0].Bundle.When, unusable[0].Err)
	}
}

func TestECsSubscribeToAsManyBundlesAsAskedFor(t *testing.T) {
	c := Generate(Options{Seed: 1, Bundles: 513, ECs: 3, SubscriptionsPerEC: 200})
	shared := map[string]int{}
	for _, ec := range c.ECs {
		if len(c.Subscriptions[ec]) != 200 {
			t.Errorf("EC %s has %d subscriptions", ec, len(c.Subscriptions[ec]))
		}
		for _, s := range c.Subscriptions[ec] {
			shared[s.BundleID]++
		}
	}
	all := 0
	for _, n := range shared {
		if n == 3 {
			all++
		}
	}
	if len(c.ECs) != 3 || all < 60 {
		t.Errorf("%d ECs share %d bundles", len(c.ECs), all)
	}
}

// TestPaymentsHaveTheAmountsOfThePlatform holds the distribution that is known of real payments.
func TestPaymentsHaveTheAmountsOfThePlatform(t *testing.T) {
	const count = 50_000
	var to25, to50, sum int64
	for _, p := range Generate(List(ListBundles)).Payments(count, Mix{}) {
		switch amount := p.Notices[0].AmountCents; {
		case amount <= 2500:
			to25++
		case amount <= 5000:
			to50++
		}
		sum += p.Notices[0].AmountCents
	}
	if to25*100/count < 22 || to25*100/count > 24 || to50*100/count < 16 || to50*100/count > 18 {
		t.Errorf("%d of %d payments up to 25 €, %d up to 50 €", to25, count, to50)
	}
	if mean := sum / count; mean < 19_000 || mean > 21_000 {
		t.Errorf("mean %d cents", mean)
	}
}

func TestCardPaymentsHaveLongAnswers(t *testing.T) {
	lab, k := NewLab(), listKind("card").at(ListBundles)
	s, err := lab.Snapshot(k.catalogue)
	if err != nil {
		t.Fatal(err)
	}
	quoter, rows := engine.NewQuoter(), 0
	payments := k.payments(lab)
	for i := range payments {
		answer, err := quoter.Quotes(s, &payments[i], k.options)
		if err != nil {
			t.Fatal(err)
		}
		rows += len(answer.Quotes)
	}
	if rows < 8*len(payments) {
		t.Errorf("%d rows for %d payments", rows, len(payments))
	}
}

// TestUploadsAreValid holds that strict checks find nothing wrong with an upload (A2, A3).
func TestUploadsAreValid(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	d := Upload(2000, 513, now)
	settings := Generate(List(1)).Settings
	faults, _ := bundles.CheckDocument(&d, &settings, engine.LocalAt(now).Date, false, nil)
	if len(d.Bundles) != 2000 || len(faults) > 0 {
		t.Errorf("%d bundles, %v", len(d.Bundles), faults)
	}
}
