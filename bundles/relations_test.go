package bundles_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gec/bundles"
	"gec/engine"
)

func TestA11Request(t *testing.T) {
	tomorrow := today.AddDays(1)
	for _, c := range []struct {
		name       string
		bundle     string
		prepare    func(w town)
		attributes []engine.Attribute
		validity   engine.Period
		want       error
		path       string // of the fault
	}{
		{name: "a PUBLIC bundle", bundle: "PUB"},
		{name: "a bundle that is not there", bundle: "NONE", want: bundles.ErrNotFound},
		{name: "a PRIVATE bundle that was not offered", bundle: "PRI", want: bundles.ErrNotFound},
		{name: "a PRIVATE bundle that was offered", bundle: "PRI", prepare: func(w town) { w.offer("PRI", firstEC) }, want: &bundles.StateError{}},
		{name: "a GLOBAL bundle", bundle: "GLO", want: &bundles.StateError{}},
		{name: "on the bundle's last day", bundle: "PUB", prepare: func(w town) { *w.day = today.AddDays(30) }, want: &bundles.StateError{}},
		{name: "on the day before", bundle: "PUB", prepare: func(w town) { *w.day = today.AddDays(29) }},
		{name: "the day after", bundle: "PUB", prepare: func(w town) { *w.day = today.AddDays(31) }, want: &bundles.StateError{}},
		{name: "a retired bundle", bundle: "PUB", prepare: func(w town) {
			if _, err := w.RetireBundle(w.t.Context(), bank(bankOne), bankOne, "PUB", nil, bundles.AuthorOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}, want: &bundles.StateError{}},
		{name: "twice", bundle: "PUB", prepare: func(w town) { w.request(firstEC, "PUB") }, want: &bundles.StateError{}},
		{name: "after a rejection", bundle: "PUB", prepare: func(w town) {
			if err := w.RejectRequest(w.t.Context(), bank(bankOne), bankOne, w.request(firstEC, "PUB").ID); err != nil {
				w.t.Fatal(err)
			}
		}},
		{name: "by another EC", bundle: "PUB", prepare: func(w town) { w.request(secondEC, "PUB") }},
		{name: "while subscribed", bundle: "PUB", prepare: func(w town) { w.acceptRequest(w.request(firstEC, "PUB").ID) }, want: &bundles.StateError{}},
		{name: "after leaving", bundle: "PUB", prepare: func(w town) {
			w.acceptRequest(w.request(firstEC, "PUB").ID)
			if _, err := w.Leave(w.t.Context(), municipality(firstEC), firstEC, "PUB"); err != nil {
				w.t.Fatal(err)
			}
		}},
		{name: "from today", bundle: "PUB", validity: engine.Period{From: today}, path: "validityDateFrom"},
		{name: "from tomorrow", bundle: "PUB", validity: engine.Period{From: tomorrow}},
		{name: "on the bundle's last day only", bundle: "PUB", validity: engine.Period{From: today.AddDays(30), To: today.AddDays(30)}},
		{name: "from the day after the bundle's last", bundle: "PUB", validity: engine.Period{From: today.AddDays(31)}, path: "validityDateFrom"},
		{name: "until the day after the bundle's last", bundle: "PUB", validity: engine.Period{To: today.AddDays(31)}, path: "validityDateTo"},
		{name: "before the bundle begins", bundle: "LATER", validity: engine.Period{From: today.AddDays(9)}, path: "validityDateFrom"},
		{name: "when the bundle begins", bundle: "LATER", validity: engine.Period{From: today.AddDays(10)}},
		{name: "without a beginning for a later bundle", bundle: "LATER"},
		{name: "until before it begins", bundle: "PUB", validity: engine.Period{From: today.AddDays(3), To: today.AddDays(2)}, path: "validityDateTo"},
		{name: "the whole fee", bundle: "PUB", attributes: []engine.Attribute{share(100)}},
		{name: "a cent more than the fee", bundle: "PUB", attributes: []engine.Attribute{share(101)}, path: "attributes[0].maxPaymentAmount"},
		{name: "a category and all of them", bundle: "PUB", attributes: []engine.Attribute{share(1), {MaxPaymentAmountCents: 1, TransferCategory: "0102100SA"}}, path: "attributes[0]"},
		{name: "one category twice", bundle: "PUB", attributes: []engine.Attribute{{TransferCategory: "0102100SA"}, {TransferCategory: "9/0102100SA/"}}, path: "attributes[1]"},
		{name: "one category in both relations", bundle: "PUB", attributes: []engine.Attribute{{TransferCategory: "0102100SA"}, {TransferCategory: "0102100SA", NotEqual: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			until := draft("PUB", engine.Public, 100)
			until.Validity.To = today.AddDays(30)
			later := draft("LATER", engine.Public, 100)
			later.PaymentType, later.Validity.From = "MYBK", today.AddDays(10)
			w.author(until, later, draft("PRI", engine.Private, 100), draft("GLO", engine.Global, 100))
			if c.prepare != nil {
				c.prepare(w)
			}
			before := w.Head()
			r, err := w.MakeRequest(t.Context(), municipality(firstEC), firstEC, c.bundle, c.attributes, c.validity)
			switch {
			case c.path != "":
				wantFault(t, "request", err, c.path)
			default:
				wantError(t, "request", err, c.want)
			}
			if err != nil {
				if w.Head() != before || r.ID != "" {
					t.Errorf("refused, but stored: %+v", r)
				}
				return
			}
			all, err := w.Requests(t.Context(), municipality(firstEC), firstEC, 0)
			if err != nil || !slices.ContainsFunc(all, func(other bundles.Request) bool { return other.Relation == r.Relation }) || r.State != bundles.StateOpen || r.PSP != bankOne || r.Validity.From <= *w.day {
				t.Errorf("%+v among %+v, %v", r, all, err)
			}
			if seen, err := w.PSPRequests(t.Context(), bank(bankOne), bankOne, 0); err != nil || len(seen) != len(all) && c.name != "by another EC" {
				t.Errorf("the PSP sees %+v, %v", seen, err)
			}
		})
	}
}

func TestA12AcceptARequest(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Public, 100))
	r := w.request(firstEC, "B", share(30))
	if got := w.net(bankOne, firstEC, today.AddDays(1), ""); got != -1 {
		t.Errorf("before it is accepted: %d", got)
	}
	s := w.acceptRequest(r.ID)
	if s.Validity.From != today.AddDays(1) || s.BundleID != "B" || s.CreditorInstitution != firstEC {
		t.Errorf("%+v", s)
	}
	for day, want := range map[engine.Date]int64{today: -1, today.AddDays(1): 70} {
		if got := w.net(bankOne, firstEC, day, ""); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
	all, err := w.PSPRequests(t.Context(), bank(bankOne), bankOne, 0)
	if err != nil || len(all) != 1 || all[0].State != bundles.StateAccepted || all[0].SubscriptionID != s.ID || !all[0].Answered.Equal(noon(today)) {
		t.Errorf("%+v, %v", all, err)
	}
	if record := w.Head(); record.Revision != s.Revision && record.Revision != all[0].Revision {
		t.Errorf("the request and the subscription are of different revisions: %+v", record)
	}

	// A request that is answered late begins the day after the answer, one for later when it says.
	late := w.request(secondEC, "B")
	later, err := w.MakeRequest(t.Context(), municipality(stranger), stranger, "B", nil, engine.Period{From: today.AddDays(9)})
	if err != nil {
		t.Fatal(err)
	}
	*w.day = today.AddDays(4)
	if s := w.acceptRequest(late.ID); s.Validity.From != today.AddDays(5) {
		t.Errorf("%+v", s)
	}
	if s := w.acceptRequest(later.ID); s.Validity.From != today.AddDays(9) {
		t.Errorf("%+v", s)
	}
}

func TestA12RequestWhoseTimeIsOver(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Public, 100))
	r, err := w.MakeRequest(t.Context(), municipality(firstEC), firstEC, "B", nil, engine.Period{To: today.AddDays(3)})
	if err != nil {
		t.Fatal(err)
	}
	*w.day = today.AddDays(3)
	_, err = w.AcceptRequest(t.Context(), bank(bankOne), bankOne, r.ID)
	wantError(t, "on its last day", err, &bundles.StateError{})
	if err := w.RejectRequest(t.Context(), bank(bankOne), bankOne, r.ID); err != nil {
		t.Errorf("it can be rejected: %v", err)
	}
}

func TestA13Offer(t *testing.T) {
	for _, c := range []struct {
		name    string
		bundle  string
		ecs     []string
		prepare func(w town)
		want    error
		path    string
	}{
		{name: "to two ECs", bundle: "PRI", ecs: []string{firstEC, secondEC}},
		{name: "to nobody", bundle: "PRI", path: "ciFiscalCodeList"},
		{name: "to no tax code", bundle: "PRI", ecs: []string{firstEC, "123"}, path: "ciFiscalCodeList[1]"},
		{name: "to one twice", bundle: "PRI", ecs: []string{firstEC, firstEC}, path: "ciFiscalCodeList[1]"},
		{name: "of a PUBLIC bundle", bundle: "PUB", ecs: []string{firstEC}, want: &bundles.StateError{}},
		{name: "of a bundle that is not there", bundle: "NONE", ecs: []string{firstEC}, want: bundles.ErrNotFound},
		{name: "of another PSP's", bundle: "TWO", ecs: []string{firstEC}, want: bundles.ErrNotFound},
		{name: "to one with an open offer", bundle: "PRI", ecs: []string{secondEC, firstEC}, prepare: func(w town) { w.offer("PRI", firstEC) }, want: &bundles.StateError{}},
		{name: "to one who rejected it", bundle: "PRI", ecs: []string{firstEC}, prepare: func(w town) {
			if err := w.RejectOffer(w.t.Context(), municipality(firstEC), firstEC, w.offer("PRI", firstEC)[0].ID); err != nil {
				w.t.Fatal(err)
			}
		}},
		{name: "to one who subscribed", bundle: "PRI", ecs: []string{firstEC}, prepare: func(w town) { w.acceptOffer(firstEC, w.offer("PRI", firstEC)[0].ID) }, want: &bundles.StateError{}},
		{name: "to one who left", bundle: "PRI", ecs: []string{firstEC}, prepare: func(w town) {
			w.acceptOffer(firstEC, w.offer("PRI", firstEC)[0].ID)
			if _, err := w.Leave(w.t.Context(), municipality(firstEC), firstEC, "PRI"); err != nil {
				w.t.Fatal(err)
			}
		}},
		{name: "on the bundle's last day", bundle: "PRI", ecs: []string{firstEC}, prepare: func(w town) { *w.day = today.AddDays(30) }, want: &bundles.StateError{}},
		{name: "the day before", bundle: "PRI", ecs: []string{firstEC}, prepare: func(w town) { *w.day = today.AddDays(29) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			private := draft("PRI", engine.Private, 100)
			private.Validity.To = today.AddDays(30)
			w.author(private, draft("PUB", engine.Public, 100))
			if _, err := w.CreateBundles(t.Context(), bank(bankTwo), bankTwo, []bundles.Bundle{draft("TWO", engine.Private, 100)}, bundles.AuthorOptions{}); err != nil {
				t.Fatal(err)
			}
			if c.prepare != nil {
				c.prepare(w)
			}
			before := w.Head()
			offers, err := w.MakeOffers(t.Context(), bank(bankOne), bankOne, c.bundle, c.ecs)
			if c.path != "" {
				wantFault(t, "offer", err, c.path)
			} else {
				wantError(t, "offer", err, c.want)
			}
			if err != nil {
				if w.Head() != before || len(offers) != 0 {
					t.Errorf("refused, but stored: %+v", offers)
				}
				return
			}
			for n, ec := range c.ecs {
				all, err := w.Offers(t.Context(), municipality(ec), ec, 0)
				if err != nil || offers[n].CreditorInstitution != ec || !slices.Contains(all, offers[n]) || offers[n].State != bundles.StateOpen {
					t.Errorf("%s sees %+v, %v", ec, all, err)
				}
			}
		})
	}
}

func TestA14AcceptAnOffer(t *testing.T) {
	w := newTown(t)
	now, later := draft("NOW", engine.Private, 100), draft("LATER", engine.Private, 100)
	now.Validity = engine.Period{From: today, To: today.AddDays(30)}
	later.PaymentType, later.Validity.From = "MYBK", today.AddDays(10)
	w.author(now, later)
	refused := w.offer("NOW", firstEC)[0]
	_, err := w.AcceptOffer(t.Context(), municipality(firstEC), firstEC, refused.ID, []engine.Attribute{share(101)})
	wantFault(t, "with more than the fee", err, "attributes[0].maxPaymentAmount")
	s := w.acceptOffer(firstEC, refused.ID, share(40)) // it is still open
	wantEqual(t, "period", engine.Period{From: today, To: today.AddDays(30)}, s.Validity)
	if got := w.net(bankOne, firstEC, today, ""); got != 60 {
		t.Errorf("at once: %d", got)
	}
	if got := w.net(bankOne, secondEC, today, ""); got != -1 {
		t.Errorf("another EC: %d", got)
	}
	s = w.acceptOffer(firstEC, w.offer("LATER", firstEC)[0].ID)
	wantEqual(t, "period of the later one", engine.Period{From: today.AddDays(10)}, s.Validity)

	// An offer of a bundle that ends meanwhile.
	open := w.offer("NOW", secondEC)[0]
	*w.day = today.AddDays(30)
	_, err = w.AcceptOffer(t.Context(), municipality(secondEC), secondEC, open.ID, nil)
	wantError(t, "on the bundle's last day", err, &bundles.StateError{})
}

func TestA14SubscribingAgainOnTheDayOfLeaving(t *testing.T) {
	w := newTown(t)
	b := draft("B", engine.Private, 100)
	b.Validity.From = today
	w.author(b)
	w.acceptOffer(firstEC, w.offer("B", firstEC)[0].ID, share(40))
	*w.day = today.AddDays(2)
	if _, err := w.Leave(t.Context(), municipality(firstEC), firstEC, "B"); err != nil {
		t.Fatal(err)
	}
	s := w.acceptOffer(firstEC, w.offer("B", firstEC)[0].ID, share(10))
	if s.Validity.From != today.AddDays(3) {
		t.Errorf("the new one begins %s", s.Validity.From)
	}
	for day, want := range map[engine.Date]int64{today.AddDays(2): 60, today.AddDays(3): 90} {
		if got := w.net(bankOne, firstEC, day, ""); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
	if all := w.subscriptionsOf(firstEC); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}

// TestA15AnswersOnce answers every kind of relation in every way, and then in every way again.
func TestA15AnswersOnce(t *testing.T) {
	type answer struct {
		name  string
		state bundles.State
		do    func(w town, id string) error
	}
	requests := []answer{
		{"accept", bundles.StateAccepted, func(w town, id string) error {
			_, err := w.AcceptRequest(w.t.Context(), bank(bankOne), bankOne, id)
			return err
		}},
		{"reject", bundles.StateRejected, func(w town, id string) error { return w.RejectRequest(w.t.Context(), bank(bankOne), bankOne, id) }},
		{"withdraw", bundles.StateWithdrawn, func(w town, id string) error {
			return w.WithdrawRequest(w.t.Context(), municipality(firstEC), firstEC, id)
		}},
	}
	offers := []answer{
		{"accept", bundles.StateAccepted, func(w town, id string) error {
			_, err := w.AcceptOffer(w.t.Context(), municipality(firstEC), firstEC, id, nil)
			return err
		}},
		{"reject", bundles.StateRejected, func(w town, id string) error {
			return w.RejectOffer(w.t.Context(), municipality(firstEC), firstEC, id)
		}},
		{"withdraw", bundles.StateWithdrawn, func(w town, id string) error {
			return w.WithdrawOffer(w.t.Context(), bank(bankOne), bankOne, "B", id)
		}},
	}
	for _, kind := range []struct {
		name    string
		bundle  engine.BundleType
		answers []answer
		make    func(w town) string
	}{
		{"request", engine.Public, requests, func(w town) string { return w.request(firstEC, "B").ID }},
		{"offer", engine.Private, offers, func(w town) string { return w.offer("B", firstEC)[0].ID }},
	} {
		for _, first := range kind.answers {
			t.Run(kind.name+" "+first.name, func(t *testing.T) {
				w := newTown(t)
				w.author(draft("B", kind.bundle, 100))
				id := kind.make(w)
				if err := first.do(w, id); err != nil {
					t.Fatal(err)
				}
				*w.day = today.AddDays(1)
				before := w.Head()
				for _, second := range kind.answers {
					err := second.do(w, id)
					var answered *bundles.AnsweredError
					if !errors.As(err, &answered) || answered.State != first.state || !answered.At.Equal(noon(today)) || answered.What != kind.name || answered.ID != id {
						t.Errorf("then %s: %v", second.name, err)
					} else if !strings.Contains(err.Error(), "2026-11-21") {
						t.Errorf("the error does not say when: %v", err)
					}
				}
				if w.Head() != before {
					t.Error("the second answers changed something")
				}
			})
		}
	}
}

func TestA16Leave(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Public, 100))
	s := w.acceptRequest(w.request(firstEC, "B", share(10)).ID)
	*w.day = today.AddDays(5)
	_, err := w.Leave(t.Context(), municipality(secondEC), secondEC, s.ID)
	wantError(t, "that of another", err, bundles.ErrNotFound)
	_, err = w.Leave(t.Context(), municipality(secondEC), firstEC, s.ID)
	wantError(t, "for another", err, bundles.ErrNotFound)
	left, err := w.Leave(t.Context(), municipality(firstEC), firstEC, s.ID)
	if err != nil || left.Validity.To != today.AddDays(5) {
		t.Errorf("%+v, %v", left, err)
	}
	for day, want := range map[engine.Date]int64{today.AddDays(5): 90, today.AddDays(6): -1} {
		if got := w.net(bankOne, firstEC, day, ""); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
	_, err = w.Leave(t.Context(), municipality(firstEC), firstEC, "B")
	wantError(t, "again", err, &bundles.StateError{})
	_, err = w.AddAttributes(t.Context(), municipality(firstEC), firstEC, s.ID, []engine.Attribute{{TransferCategory: "0102100SA"}})
	wantError(t, "to bear something of it", err, &bundles.StateError{})
}

func TestA17Attributes(t *testing.T) {
	const school, waste = "0102100SA", "0102101SA"
	w := newTown(t)
	w.author(draft("B", engine.Public, 100))
	s := w.acceptRequest(w.request(firstEC, "B").ID)
	day, ec := today.AddDays(1), municipality(firstEC)
	add := func(attributes ...engine.Attribute) ([]string, error) {
		return w.AddAttributes(t.Context(), ec, firstEC, "B", attributes)
	}
	ids, err := add(engine.Attribute{MaxPaymentAmountCents: 30, TransferCategory: school}, engine.Attribute{MaxPaymentAmountCents: 10, TransferCategory: "9/" + waste + "/"})
	if err != nil || len(ids) != 2 || ids[0] == ids[1] {
		t.Fatal(ids, err)
	}
	fees := func(what string, schoolNet, wasteNet, otherNet int64) {
		t.Helper()
		got := [3]int64{w.net(bankOne, firstEC, day, school), w.net(bankOne, firstEC, day, waste), w.net(bankOne, firstEC, day, "0103100SA")}
		wantEqual(t, what, [3]int64{schoolNet, wasteNet, otherNet}, got)
	}
	fees("two categories", 70, 90, 100)
	_, err = add(engine.Attribute{MaxPaymentAmountCents: 101, TransferCategory: school, NotEqual: true})
	wantFault(t, "more than the fee", err, "attributes[0].maxPaymentAmount")
	_, err = add(engine.Attribute{MaxPaymentAmountCents: 1, TransferCategory: school})
	wantFault(t, "a category again", err, "attributes")
	_, err = add(share(1))
	wantFault(t, "one for all beside them", err, "attributes[0]")
	_, err = add()
	wantFault(t, "none", err, "attributes")
	_, err = add(engine.Attribute{ID: ids[0], MaxPaymentAmountCents: 5, TransferCategory: waste, NotEqual: true})
	wantError(t, "with the id of another one", err, nil)
	fees("all but waste", 70, 90, 95)
	taken := map[string]bool{}
	for _, a := range w.subscriptionsOf(firstEC)[0].Attributes {
		if taken[a.ID] {
			t.Errorf("two attributes have the id %s", a.ID)
		}
		taken[a.ID] = true
	}

	change := func(id string, a engine.Attribute) error {
		return w.ChangeAttribute(t.Context(), ec, firstEC, s.ID, id, a)
	}
	wantError(t, "change", change(ids[0], engine.Attribute{MaxPaymentAmountCents: 100, TransferCategory: school}), nil)
	fees("the whole fee", 0, 90, 95)
	wantFault(t, "above the fee", change(ids[0], engine.Attribute{MaxPaymentAmountCents: 101, TransferCategory: school}), "maxPaymentAmount")
	wantError(t, "one that is not there", change("none", share(1)), bundles.ErrNotFound)
	wantError(t, "by another EC", w.ChangeAttribute(t.Context(), municipality(secondEC), firstEC, s.ID, ids[0], share(1)), bundles.ErrNotFound)
	wantError(t, "of another EC's", w.RemoveAttribute(t.Context(), municipality(secondEC), secondEC, s.ID, ids[0]), bundles.ErrNotFound)
	if err := w.RemoveAttribute(t.Context(), ec, firstEC, "B", ids[1]); err != nil {
		t.Fatal(err)
	}
	wantError(t, "remove again", w.RemoveAttribute(t.Context(), ec, firstEC, "B", ids[1]), bundles.ErrNotFound)
	fees("without the second one", 0, 100, 95)

	reader := bundles.Caller{Name: "partner", CreditorInstitutions: []bundles.Party{{ID: firstEC, Functions: []bundles.Function{bundles.FunctionRequests}}}}
	_, err = w.AddAttributes(t.Context(), reader, firstEC, s.ID, []engine.Attribute{share(1)})
	wantError(t, "by a partner for requests", err, bundles.ErrForbidden)
}

func TestA17NoShareOfAGlobalFee(t *testing.T) {
	w := newTown(t)
	d := bundles.Document{Bundles: []bundles.Bundle{plainBundle("OLD", 100)}, Subscriptions: []bundles.Subscription{subscription(firstEC, "OLD", 10)}}
	mustImport(t, w.Catalogue, d, asItIs(bundles.ImportMerge)) // as met in old snapshots
	_, err := w.AddAttributes(t.Context(), municipality(firstEC), firstEC, "OLD", []engine.Attribute{{TransferCategory: "0102100SA"}})
	wantError(t, "a share of it", err, &bundles.StateError{})
	if _, err := w.Leave(t.Context(), municipality(firstEC), firstEC, "OLD"); err != nil {
		t.Errorf("it can be left: %v", err)
	}
}
