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
