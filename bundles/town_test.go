package bundles_test

import (
	"errors"
	"testing"
	"time"

	"gec/bundles"
	"gec/engine"
)

// town is a catalogue with a calendar of its own, and the parties that come to terms in it.
type town struct {
	*bundles.Catalogue
	t   testing.TB
	day *engine.Date
}

const (
	bankOne  = "BANK-ONE"
	bankTwo  = "BANK-TWO"
	stranger = "99999999999"
)

// newTown opens a catalogue with registered names, on the day "today" at noon.
func newTown(t testing.TB) town {
	t.Helper()
	day := today
	now := func() time.Time { return noon(day) }
	w := town{openCatalogue(t, openStore(t, t.TempDir()), bundles.Options{Now: now}), t, &day}
	if _, err := w.SetSettings(t.Context(), tester, settings(), "settings"); err != nil {
		t.Fatal(err)
	}
	return w
}

// noon is an instant of a day in Rome, whatever the time of the year.
func noon(d engine.Date) time.Time {
	at, err := time.Parse(time.DateOnly, d.String())
	if err != nil {
		panic(err)
	}
	return at.Add(11 * time.Hour)
}

func bank(ids ...string) bundles.Caller {
	c := bundles.Caller{Name: "key of a bank"}
	for _, id := range ids {
		c.PSPs = append(c.PSPs, bundles.Party{ID: id})
	}
	return c
}

func municipality(ids ...string) bundles.Caller {
	c := bundles.Caller{Name: "key of a municipality"}
	for _, id := range ids {
		c.CreditorInstitutions = append(c.CreditorInstitutions, bundles.Party{ID: id})
	}
	return c
}

// draft is a bundle as a PSP writes it: for cards at Checkout, up to 1000 €, from tomorrow on.
func draft(id string, kind engine.BundleType, fee int64) bundles.Bundle {
	return bundles.Bundle{Bundle: engine.Bundle{
		ID: id, Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: "Banca", Name: "Carte", Type: kind,
		PaymentType: "CP", Touchpoint: "CHECKOUT", Band: engine.Band{MaxCents: 100_000}, Cart: true, Fee: engine.Fee{FlatCents: fee},
	}}
}

// author stores bundles of bankOne.
func (w town) author(drafts ...bundles.Bundle) {
	w.t.Helper()
	if _, err := w.CreateBundles(w.t.Context(), bank(bankOne), bankOne, drafts, bundles.AuthorOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// request makes a request of an EC for a bundle, from tomorrow on.
func (w town) request(ec, bundle string, attributes ...engine.Attribute) bundles.Request {
	w.t.Helper()
	r, err := w.MakeRequest(w.t.Context(), municipality(ec), ec, bundle, attributes, engine.Period{})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w town) acceptRequest(id string) bundles.Subscription {
	w.t.Helper()
	s, err := w.AcceptRequest(w.t.Context(), bank(bankOne), bankOne, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w town) offer(bundle string, ecs ...string) []bundles.Offer {
	w.t.Helper()
	offers, err := w.MakeOffers(w.t.Context(), bank(bankOne), bankOne, bundle, ecs)
	if err != nil {
		w.t.Fatal(err)
	}
	return offers
}

func (w town) acceptOffer(ec, id string, attributes ...engine.Attribute) bundles.Subscription {
	w.t.Helper()
	s, err := w.AcceptOffer(w.t.Context(), municipality(ec), ec, id, attributes)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// subscriptionsOf returns those of an EC, as it sees them.
func (w town) subscriptionsOf(ec string) []bundles.Subscription {
	w.t.Helper()
	all, err := w.Subscriptions(w.t.Context(), municipality(ec), 0, ec)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// net returns the net fee of a payment of 50 € to an EC on a day, by the bundles of one PSP; -1: no row.
func (w town) net(psp, ec string, day engine.Date, category string) int64 {
	w.t.Helper()
	p := payment(ec)
	p.At, p.PSPs, p.Notices[0].Transfers[0].TransferCategory = noon(day), []engine.PSPFilter{{PSP: psp}}, category
	answer, err := engine.NewQuoter().Quotes(w.Current(), p, engine.Options{Order: engine.OrderFee})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(answer.Quotes) == 0 {
		return -1
	}
	return answer.Quotes[0].NetCents
}

func share(cents int64) engine.Attribute { return engine.Attribute{MaxPaymentAmountCents: cents} }

// wantError fails the test unless an error is one of the kind; nil: no error.
func wantError(t testing.TB, what string, got, want error) {
	t.Helper()
	switch want.(type) {
	case *bundles.StateError:
		var state *bundles.StateError
		if !errors.As(got, &state) {
			t.Errorf("%s: %v, want a StateError", what, got)
		}
	case *bundles.AnsweredError:
		var answered *bundles.AnsweredError
		if !errors.As(got, &answered) {
			t.Errorf("%s: %v, want an AnsweredError", what, got)
		}
	case bundles.Faults:
		var faults bundles.Faults
		if !errors.As(got, &faults) {
			t.Errorf("%s: %v, want Faults", what, got)
		}
	default:
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
}

// wantFault fails the test unless an error is Faults with one of that path.
func wantFault(t testing.TB, what string, err error, path string) {
	t.Helper()
	var faults bundles.Faults
	if !errors.As(err, &faults) {
		t.Errorf("%s: %v, want a fault of %s", what, err, path)
		return
	}
	for _, f := range faults {
		if f.Path == path {
			return
		}
	}
	t.Errorf("%s: %v, want a fault of %s", what, faults, path)
}
