package rest

import (
	"fmt"
	"testing"
	"time"

	"gec/api/fragment"
	"gec/engine"
	"gec/engine/condition"
)

// noon is the instant of all payments of these tests, a Monday.
var noon = time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)

func at(instant time.Time) func() time.Time { return func() time.Time { return instant } }

// subscribe gives a snapshot the subscriptions of the tests.
func subscribe(subscriptions ...engine.Subscription) (ecs []string, of func(int64, string) ([]engine.Subscription, error)) {
	byEC := map[string][]engine.Subscription{}
	for _, s := range subscriptions {
		if byEC[s.CreditorInstitution] == nil {
			ecs = append(ecs, s.CreditorInstitution)
		}
		byEC[s.CreditorInstitution] = append(byEC[s.CreditorInstitution], s)
	}
	return ecs, func(_ int64, ec string) ([]engine.Subscription, error) { return byEC[ec], nil }
}

func settings() engine.Settings {
	return engine.Settings{
		ThresholdCents: 5000, PostePSP: "POSTE", AmexABI: "AMREX",
		Touchpoints: []string{"IO", "CHECKOUT", "WISP"}, PaymentTypes: []string{"CP", "BPAY", "PPAL"},
		Issuers: []engine.IssuerRange{{Low: 4000000000000000000, High: 4009999999999999999, ABI: "73464"}},
	}
}

// snapshot makes a snapshot of bundles and subscriptions.
func snapshot(t testing.TB, bundles []*engine.Bundle, subscriptions ...engine.Subscription) *engine.Snapshot {
	t.Helper()
	ecs, of := subscribe(subscriptions...)
	s, err := engine.NewSnapshot(
		engine.Source{Revision: 7, Settings: settings(), Bundles: bundles, ECs: ecs},
		engine.Deps{Programs: condition.NewCache(64), Subscriptions: of, Annotate: fragment.Of},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// many makes a catalogue like the published list: bands and fees of many bundles of 18 PSPs.
func many(t testing.TB, count int) *engine.Snapshot {
	bundles := make([]*engine.Bundle, count)
	for i := range bundles {
		psp, band := i%18, int64(i/18%6)
		bundles[i] = &engine.Bundle{
			ID: fmt.Sprintf("1c9b6ba6-0e3d-4f2e-9b1f-%012d", i), PSP: fmt.Sprintf("PSP%05dXXX", psp), Channel: fmt.Sprintf("%05d_01", psp), Broker: fmt.Sprintf("%011d", psp),
			ABI: fmt.Sprintf("%05d", psp), PSPBusinessName: fmt.Sprintf("Banca di Prova numero %d S.p.A.", psp),
			Name: "Pagamento con Carte", Description: "Clienti e non delle Banche possono disporre pagamenti con carte di pagamento VISA-MASTERCARD",
			Touchpoint: []string{"IO", "CHECKOUT", engine.Any}[i%3], PaymentType: []string{"CP", "BPAY"}[i/3%2],
			Band: engine.Band{MinCents: band * 10_000, MaxCents: (band + 1) * 10_000}, Fee: engine.Fee{FlatCents: int64(50 + i*7%200)}, Cart: true,
		}
	}
	return snapshot(t, bundles)
}

// request400 is a request of about 400 bytes, as clients send it.
const request400 = `{"touchpoint":"CHECKOUT","paymentMethod":"CP","bin":"400012","idPspList":null,"paymentNotice":[{"paymentAmount":15000,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777","transferCategory":"9/0102100SA/","digitalStamp":false},{"creditorInstitution":"88888888888","transferCategory":"9/0201102IM/","digitalStamp":false}]}],"idOrder":"5f0a1b","paymentTypeCode":"CP"}`

func calculatorOf(s *engine.Snapshot) *Calculator {
	return NewCalculator(func() *engine.Snapshot { return s }, at(noon))
}

// smallWorld is a catalogue with a row for everything that an answer can say: contributions, nulls, on-us, texts
// that need escapes.
func smallWorld(t testing.TB) *engine.Snapshot {
	always := engine.Band{MaxCents: 1_000_000}
	return snapshot(t, []*engine.Bundle{
		{
			ID: "b-full", PSP: "P1", Channel: "73464_01", Broker: "00000073464", ABI: "73464", PSPBusinessName: "Banca \"Uno\"\\ S.p.A.",
			Name: "Più\tcarte", Description: "Commissione € 1,50\n<b>senza</b> \u2028 sorprese 😀", Type: engine.Global, PaymentType: "CP",
			Touchpoint: "CHECKOUT", Band: always, Cart: true, OnUs: true, Fee: engine.Fee{FlatCents: 150},
		},
		{ID: "b-bare", PSP: "P2", Touchpoint: engine.Any, Band: always, Cart: true, Fee: engine.Fee{FlatCents: 200}},
		{
			ID: "b-public", PSP: "P3", PSPBusinessName: "Banca Tre", Name: "Convenzione", Type: engine.Public, PaymentType: "CP",
			Touchpoint: engine.Any, Band: always, Cart: true, Fee: engine.Fee{FlatCents: 100},
		},
		{ID: "b-second", PSP: "P2", Touchpoint: engine.Any, Band: always, Cart: true, Fee: engine.Fee{FlatCents: 250}},
		{ID: "b-poste", PSP: "POSTE", PSPBusinessName: "Poste", Touchpoint: engine.Any, PaymentType: "BPAY", Band: always, Cart: true, Fee: engine.Fee{FlatCents: 10}},
	},
		engine.Subscription{ID: "s-1", BundleID: "b-public", CreditorInstitution: "77777777777", Attributes: []engine.Attribute{{ID: "a1", MaxPaymentAmountCents: 80}}},
		engine.Subscription{ID: "s-\"2\"", BundleID: "b-public", CreditorInstitution: "88888888888", Attributes: []engine.Attribute{{ID: "a2", MaxPaymentAmountCents: 40, TransferCategory: "0102100SA"}}},
	)
}

// serviceOf is a service that answers from a snapshot. It has no catalogue: it is not ready, and its test
// endpoints have nothing to change.
func serviceOf(t testing.TB, s *engine.Snapshot, change func(*Options)) *API {
	t.Helper()
	o := Options{Name: "gec", Version: "1.2.3", Environment: "test", Now: at(noon)}
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	a.calculator = NewCalculator(func() *engine.Snapshot { return s }, o.Now)
	return a
}
