package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
	"gec/engine/condition"
)

// TestA8CataloguesOfOtherIDs replaces a whole catalogue by one with other ids, again and again: the
// answers, those through subscriptions included, are the ones of a catalogue that was made anew.
func TestA8CataloguesOfOtherIDs(t *testing.T) {
	const ec, perRound, rounds = "77777777777", 300, 12
	deps := engine.Deps{
		Programs: condition.NewCache(16),
		Subscriptions: func(revision int64, ec string) ([]engine.Subscription, error) {
			return []engine.Subscription{{
				ID: "s", BundleID: fmt.Sprintf("r%d-7", revision), CreditorInstitution: ec,
				Attributes: []engine.Attribute{{MaxPaymentAmountCents: 5}},
			}}, nil
		},
	}
	bundlesOf := func(revision int64) (made []*engine.Bundle) {
		for i := range perRound {
			made = append(made, &engine.Bundle{
				ID: fmt.Sprintf("r%d-%d", revision, i), PSP: fmt.Sprintf("PSP%d", i%20), Touchpoint: engine.Any, Cart: true,
				Band: engine.Band{MaxCents: 10_000}, Fee: engine.Fee{FlatCents: int64(10 + (i*7+int(revision))%50)},
			})
		}
		return made
	}
	payment := &engine.Payment{Notices: []engine.Notice{{AmountCents: 500, CreditorInstitution: ec}}}
	chain, err := engine.NewSnapshot(engine.Source{Revision: 1, Bundles: bundlesOf(1), ECs: []string{ec}}, deps)
	if err != nil {
		t.Fatal(err)
	}
	for revision := int64(2); revision <= rounds; revision++ {
		change := engine.Change{Revision: revision, Put: bundlesOf(revision), ECs: []string{ec}}
		for b := range chain.Bundles() {
			change.Remove = append(change.Remove, b.ID)
		}
		if chain, err = chain.With(change); err != nil {
			t.Fatal(err)
		}
		fresh, err := engine.NewSnapshot(engine.Source{Revision: revision, Bundles: bundlesOf(revision), ECs: []string{ec}}, deps)
		if err != nil {
			t.Fatal(err)
		}
		quoter := engine.NewQuoter()
		got, err := quoter.Quotes(chain, payment, engine.Options{Order: engine.OrderFee})
		if err != nil {
			t.Fatal(err)
		}
		want, err := engine.Plain(fresh, payment, engine.Options{Order: engine.OrderFee})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Quotes {
			if diff := cmp.Diff(want.Quotes[i].Bundle, got.Quotes[i].Bundle); diff != "" || want.Quotes[i].NetCents != got.Quotes[i].NetCents {
				t.Fatalf("revision %d, row %d: %s", revision, i, diff)
			}
		}
		if chain.Len() != perRound || len(got.Quotes) != 10 {
			t.Fatalf("revision %d: %d bundles, %d rows", revision, chain.Len(), len(got.Quotes))
		}
	}
}

// TestQ6NobodyIsTheECWithoutTaxCode holds that the empty tax code, which wallets send, matches no
// subscription.
func TestQ6NobodyIsTheECWithoutTaxCode(t *testing.T) {
	s, err := engine.NewSnapshot(engine.Source{
		Bundles: []*engine.Bundle{{ID: "b", PSP: "P", Type: engine.Public, Touchpoint: engine.Any, Band: engine.Band{MaxCents: 10_000}}},
		ECs:     []string{""},
	}, engine.Deps{Programs: condition.NewCache(1), Subscriptions: func(int64, string) ([]engine.Subscription, error) {
		return []engine.Subscription{{ID: "s", BundleID: "b"}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	payment := &engine.Payment{Notices: []engine.Notice{{AmountCents: 1}}}
	indexed, err := engine.NewQuoter().Quotes(s, payment, engine.Options{})
	if err != nil || len(indexed.Quotes) != 0 {
		t.Errorf("indexed path: %d rows, %v", len(indexed.Quotes), err)
	}
	plain, err := engine.Plain(s, payment, engine.Options{})
	if err != nil || len(plain.Quotes) != 0 {
		t.Errorf("plain path: %d rows, %v", len(plain.Quotes), err)
	}
}

// TestQ10LastNumber holds that a range may end with the largest number there is.
func TestQ10LastNumber(t *testing.T) {
	const last = 1<<63 - 1
	s, err := engine.NewSnapshot(engine.Source{
		Settings: engine.Settings{Issuers: []engine.IssuerRange{{Low: last - 9, High: last, ABI: "A"}}},
		Bundles:  []*engine.Bundle{{ID: "b", PSP: "P", ABI: "a", OnUs: true, Touchpoint: engine.Any, Band: engine.Band{MaxCents: 10_000}}},
	}, engine.Deps{Programs: condition.NewCache(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		bin  string
		rows int
	}{{"9223372036854775797", 0}, {"9223372036854775798", 1}, {"9223372036854775807", 1}, {"9223372036854775808", 0}} {
		payment := &engine.Payment{BIN: test.bin, Notices: []engine.Notice{{AmountCents: 1}}}
		if answer, err := engine.NewQuoter().Quotes(s, payment, engine.Options{}); err != nil || len(answer.Quotes) != test.rows {
			t.Errorf("BIN %s: %v", test.bin, err)
		}
	}
}

// TestA8WholeCataloguesAtOnce prepares a catalogue that is large enough for all processors, and the same one in
// parts that are not: the answers are the same, and so are the errors.
func TestA8WholeCataloguesAtOnce(t *testing.T) {
	const count, parts = 24_000, 3
	deps := engine.Deps{Programs: condition.NewCache(16), Annotate: func(b *engine.Bundle) any { return b.ID }}
	all := make([]*engine.Bundle, count)
	for i := range all {
		all[i] = &engine.Bundle{
			ID: fmt.Sprintf("b%d", i), PSP: fmt.Sprintf("PSP%d", i%40), PSPBusinessName: fmt.Sprintf("N%d", i%37), Touchpoint: engine.Any, Cart: i%3 > 0,
			Band: engine.Band{MinCents: int64(i%7) * 100, MaxCents: int64(1+i%7) * 1000}, Fee: engine.Fee{FlatCents: int64(10 + i*7%5_000)},
		}
		if i%11 == 0 {
			all[i].ABI, all[i].OnUs = fmt.Sprintf("%05d", i%5), true
		}
	}
	whole, err := engine.NewSnapshot(engine.Source{Revision: parts, Bundles: all}, deps)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := engine.NewSnapshot(engine.Source{}, deps)
	for n := range parts {
		if err == nil {
			chain, err = chain.With(engine.Change{Revision: int64(n + 1), Put: all[n*count/parts : (n+1)*count/parts]})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	quoter, other := engine.NewQuoter(), engine.NewQuoter()
	for amount := int64(50); amount < 7_000; amount += 350 {
		payment := &engine.Payment{Notices: []engine.Notice{{AmountCents: amount}}}
		for _, order := range []engine.Order{engine.OrderFee, engine.OrderPSPName, engine.OrderRandom} {
			got, err := quoter.Quotes(whole, payment, engine.Options{Order: order})
			if err != nil {
				t.Fatal(err)
			}
			want, err := other.Quotes(chain, payment, engine.Options{Order: order})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Quotes, got.Quotes); diff != "" || len(got.Quotes) == 0 {
				t.Fatalf("%d cents: at once and in parts differ (-parts +whole):\n%s", amount, diff)
			}
		}
	}
	all[count-1] = &engine.Bundle{ID: "no-band", PSP: "P"}
	if _, err := engine.NewSnapshot(engine.Source{Bundles: all}, deps); err == nil {
		t.Error("an empty band is taken")
	}
}
