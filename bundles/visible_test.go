package bundles_test

import (
	"slices"
	"testing"

	"gec/bundles"
	"gec/engine"
)

// TestA18WhoSeesWhat asks for everything as everybody.
func TestA18WhoSeesWhat(t *testing.T) {
	w := newTown(t)
	two := func(id string, kind engine.BundleType) bundles.Bundle { return draft(id, kind, 100) }
	w.author(draft("G1", engine.Global, 100), draft("P1", engine.Public, 100), draft("SECRET1", engine.Private, 100))
	if _, err := w.CreateBundles(t.Context(), bank(bankTwo), bankTwo, []bundles.Bundle{two("G2", engine.Global), two("SECRET2", engine.Private)}, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	offered := w.offer("SECRET1", firstEC, secondEC)
	w.acceptOffer(firstEC, offered[0].ID)
	w.request(secondEC, "P1")

	both := municipality(firstEC)
	both.PSPs = bank(bankTwo).PSPs
	auditor := bundles.Caller{Name: "auditor", Auditor: true}
	for _, c := range []struct {
		name                  string
		caller                bundles.Caller
		sees                  []string
		ofBankOne, ofFirstEC  bool // may read what is their own
		ofSecondEC, wholeBook bool
	}{
		{"operator", tester, []string{"G1", "G2", "P1", "SECRET1", "SECRET2"}, true, true, true, true},
		{"auditor", auditor, []string{"G1", "G2", "P1", "SECRET1", "SECRET2"}, true, true, true, true},
		{"first bank", bank("bank-one"), []string{"G1", "P1", "SECRET1"}, true, false, false, false},
		{"second bank", bank(bankTwo), []string{"G2", "SECRET2"}, false, false, false, false},
		{"EC that subscribed", municipality(firstEC), []string{"G1", "G2", "P1", "SECRET1"}, false, true, false, false},
		{"EC that was offered", municipality(secondEC), []string{"G1", "G2", "P1", "SECRET1"}, false, false, true, false},
		{"another EC", municipality(stranger), []string{"G1", "G2", "P1"}, false, false, false, false},
		{"who acts for a bank and an EC", both, []string{"G1", "G2", "P1", "SECRET1", "SECRET2"}, false, true, false, false},
		{"nobody", bundles.Caller{}, nil, false, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := w.VisibleBundles(t.Context(), c.caller, 0)
			ids := []string{}
			for _, b := range all {
				ids = append(ids, b.ID)
			}
			if err != nil || !slices.Equal(ids, c.sees) {
				t.Errorf("sees %v, want %v; %v", ids, c.sees, err)
			}
			for _, id := range []string{"G1", "G2", "P1", "SECRET1", "SECRET2"} {
				want := error(nil)
				if !slices.Contains(c.sees, id) {
					want = bundles.ErrNotFound
				}
				_, err := w.VisibleBundle(t.Context(), c.caller, id, 0)
				wantError(t, "bundle "+id, err, want)
			}
			may := func(what string, allowed bool, refusal, err error) {
				t.Helper()
				if allowed {
					refusal = nil
				}
				wantError(t, what, err, refusal)
			}
			_, err = w.PSPBundles(t.Context(), c.caller, bankOne, 0)
			may("bundles of the bank", c.ofBankOne, bundles.ErrNotFound, err)
			_, err = w.PSPBundle(t.Context(), c.caller, bankOne, "G1", 0)
			may("a bundle of the bank", c.ofBankOne, bundles.ErrNotFound, err)
			_, err = w.Subscribers(t.Context(), c.caller, bankOne, "SECRET1", 0)
			may("subscribers", c.ofBankOne, bundles.ErrNotFound, err)
			_, err = w.PSPOffers(t.Context(), c.caller, bankOne, 0)
			may("offers of the bank", c.ofBankOne, bundles.ErrNotFound, err)
			_, err = w.PSPRequests(t.Context(), c.caller, bankOne, 0)
			may("requests to the bank", c.ofBankOne, bundles.ErrNotFound, err)
			_, err = w.History(t.Context(), c.caller, "G1")
			may("history", c.ofBankOne, bundles.ErrNotFound, err)
			for ec, allowed := range map[string]bool{firstEC: c.ofFirstEC, secondEC: c.ofSecondEC} {
				_, err = w.Offers(t.Context(), c.caller, ec, 0)
				may("offers to "+ec, allowed, bundles.ErrNotFound, err)
				_, err = w.Requests(t.Context(), c.caller, ec, 0)
				may("requests of "+ec, allowed, bundles.ErrNotFound, err)
				_, err = w.Subscriptions(t.Context(), c.caller, 0, ec)
				may("subscriptions of "+ec, allowed, bundles.ErrNotFound, err)
			}
			_, err = w.Export(t.Context(), c.caller, 0)
			may("export", c.wholeBook, bundles.ErrForbidden, err)
			_, err = w.Records(t.Context(), c.caller, 1, 2)
			may("records", c.wholeBook, bundles.ErrForbidden, err)
		})
	}

	// Once the offer is declined, its terms are no longer the EC's business; those of the past are.
	revision := w.Head().Revision
	if err := w.RejectOffer(t.Context(), municipality(secondEC), secondEC, offered[1].ID); err != nil {
		t.Fatal(err)
	}
	_, err := w.VisibleBundle(t.Context(), municipality(secondEC), "SECRET1", 0)
	wantError(t, "after declining", err, bundles.ErrNotFound)
	_, err = w.VisibleBundle(t.Context(), municipality(secondEC), "SECRET1", revision)
	wantError(t, "as of then", err, nil)
}

func TestA18OnlyOnesOwnAnswers(t *testing.T) {
	w := newTown(t)
	w.author(draft("PUB", engine.Public, 100), draft("PRI", engine.Private, 100))
	r, o := w.request(firstEC, "PUB"), w.offer("PRI", firstEC)[0]
	thief, broker := municipality(secondEC), bundles.Caller{Name: "broker", PSPs: []bundles.Party{{ID: bankOne, Functions: []bundles.Function{bundles.FunctionBundles}, Delegated: true}}}
	before := w.Head()
	for _, c := range []struct {
		name string
		do   func() error
		want error
	}{
		{"withdraw another's request", func() error { return w.WithdrawRequest(t.Context(), thief, secondEC, r.ID) }, bundles.ErrNotFound},
		{"accept another's offer", func() error { _, err := w.AcceptOffer(t.Context(), thief, secondEC, o.ID, nil); return err }, bundles.ErrNotFound},
		{"reject another's offer", func() error { return w.RejectOffer(t.Context(), thief, secondEC, o.ID) }, bundles.ErrNotFound},
		{"answer for another", func() error { return w.RejectOffer(t.Context(), thief, firstEC, o.ID) }, bundles.ErrNotFound},
		{"accept one's own request", func() error { _, err := w.AcceptRequest(t.Context(), municipality(firstEC), bankOne, r.ID); return err }, bundles.ErrNotFound},
		{"accept a request to another bank", func() error { _, err := w.AcceptRequest(t.Context(), bank(bankTwo), bankTwo, r.ID); return err }, bundles.ErrNotFound},
		{"reject a request to another bank", func() error { return w.RejectRequest(t.Context(), bank(bankTwo), bankTwo, r.ID) }, bundles.ErrNotFound},
		{"withdraw another bank's offer", func() error { return w.WithdrawOffer(t.Context(), bank(bankTwo), bankTwo, "", o.ID) }, bundles.ErrNotFound},
		{"withdraw the offer of another bundle", func() error { return w.WithdrawOffer(t.Context(), bank(bankOne), bankOne, "PUB", o.ID) }, bundles.ErrNotFound},
		{"a broker for bundles answers a request", func() error { _, err := w.AcceptRequest(t.Context(), broker, bankOne, r.ID); return err }, bundles.ErrForbidden},
		{"a broker for bundles makes an offer", func() error {
			_, err := w.MakeOffers(t.Context(), broker, bankOne, "PRI", []string{secondEC})
			return err
		}, bundles.ErrForbidden},
		{"an auditor answers", func() error {
			return w.RejectRequest(t.Context(), bundles.Caller{Name: "auditor", Auditor: true}, bankOne, r.ID)
		}, bundles.ErrForbidden},
		{"import a subscription", func() error {
			_, err := w.Import(t.Context(), bank(bankOne), bundles.Document{Subscriptions: []bundles.Subscription{subscription(firstEC, "PRI", 1)}}, bundles.ImportOptions{})
			return err
		}, bundles.Faults{}},
		{"change the settings", func() error { _, err := w.SetSettings(t.Context(), bank(bankOne), settings(), "x"); return err }, bundles.ErrForbidden},
		{"remove bundles", func() error { _, err := w.Remove(t.Context(), bank(bankOne), []string{"PUB"}, "x"); return err }, bundles.ErrForbidden},
	} {
		wantError(t, c.name, c.do(), c.want)
		if w.Head() != before {
			t.Fatalf("%s: something was stored", c.name)
		}
	}
	// What the broker may do says on whose behalf.
	b := draft("X", engine.Global, 1)
	if _, err := w.CreateBundles(t.Context(), broker, bankOne, []bundles.Bundle{b}, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	if record := w.Head(); record.Caller != "broker" || record.OnBehalfOf != bankOne {
		t.Errorf("%+v", record)
	}
}
