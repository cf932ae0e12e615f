package bundles_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gec/bundles"
	"gec/engine"
)

func TestA1DraftIsCompleted(t *testing.T) {
	w := newTown(t)
	upload, err := w.CreateBundles(t.Context(), bank(bankOne), "bank-one", []bundles.Bundle{draft("", engine.Global, 100)}, bundles.AuthorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.PSPBundle(t.Context(), bank(bankOne), bankOne, upload.IDs[0], 0)
	if err != nil || b.Validity.From != today.AddDays(1) || b.PSP != "bank-one" || b.ID == "" || b.Revision != upload.Revision {
		t.Errorf("%+v, %v", b, err)
	}
	wantEqual(t, "outcomes", []bundles.Outcome{bundles.Added}, upload.Outcomes)
	record := w.Head()
	wantEqual(t, "the record", []string{"key of a bank", "bank-one", "createBundles"}, []string{record.Caller, record.OnBehalfOf, record.Operation})
}

func TestA2DatesAtTheirBoundaries(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to engine.Date
		path     string
	}{
		{"yesterday", today.AddDays(-1), 0, "bundles[0].validityDateFrom"},
		{"today", today, 0, ""},
		{"tomorrow", today.AddDays(1), 0, ""},
		{"until today", today, today, "bundles[0].validityDateTo"},
		{"until tomorrow", today, today.AddDays(1), ""},
		{"open beginning, which is tomorrow, until today", 0, today, "bundles[0].validityDateTo"},
		{"open beginning until tomorrow", 0, today.AddDays(1), ""},
		{"until before it begins", today.AddDays(3), today.AddDays(2), "bundles[0].validityDateTo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			b := draft("B", engine.Global, 100)
			b.Validity = engine.Period{From: c.from, To: c.to}
			_, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{b}, bundles.AuthorOptions{})
			if c.path == "" {
				wantError(t, "upload", err, nil)
			} else {
				wantFault(t, "upload", err, c.path)
			}
		})
	}
}

func TestA3OwnBundlesOfOneUploadConflict(t *testing.T) {
	w := newTown(t)
	w.author(draft("OLD", engine.Global, 100))
	second := draft("NEW", engine.Global, 90)
	_, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{second}, bundles.AuthorOptions{})
	wantFault(t, "against the stored one", err, "bundles[0].id")
	if !strings.Contains(fmt.Sprint(err), `"OLD"`) {
		t.Errorf("%v does not name OLD", err)
	}
	second.When = "weekend()"
	upload, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{second}, bundles.AuthorOptions{DryRun: true})
	if err != nil || len(upload.Warnings) != 1 {
		t.Errorf("with a condition: %v, %v", upload.Warnings, err)
	}
	// The same of another bank is no conflict, and says nothing of this one's.
	upload, err = w.CreateBundles(t.Context(), bank(bankTwo), bankTwo, []bundles.Bundle{draft("TWO", engine.Global, 90)}, bundles.AuthorOptions{})
	if err != nil || len(upload.Warnings) != 0 {
		t.Errorf("of another bank: %v, %v", upload.Warnings, err)
	}
	// After the old one was retired its place is free from tomorrow on.
	if _, err := w.RetireBundle(t.Context(), bank(bankOne), bankOne, "OLD", nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	w.author(draft("NEW", engine.Global, 90))
}

func TestA4ChangeHoldsTheRevisionThatWasRead(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Global, 100))
	read, err := w.PSPBundle(t.Context(), bank(bankOne), bankOne, "B", 0)
	if err != nil {
		t.Fatal(err)
	}
	var lost *bundles.LostUpdateError
	var all sync.WaitGroup
	results := make([]error, 8)
	for n := range results {
		all.Go(func() {
			_, _, results[n] = w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, 10+int64(n)), &read.Revision, bundles.AuthorOptions{})
		})
	}
	all.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.As(err, &lost) || lost.Read != read.Revision || lost.Current != read.Revision+1:
			t.Errorf("who lost is told %v", err)
		}
	}
	if won != 1 || w.Head().Revision != read.Revision+1 {
		t.Errorf("%d of them won, in revision %d", won, w.Head().Revision)
	}
	// Without a revision the bundle is taken as it is.
	changed, report, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("ignored", engine.Global, 7), nil, bundles.AuthorOptions{})
	if err != nil || changed.Fee.FlatCents != 7 || changed.ID != "B" || changed.Revision != report.Revision || report.Changed != 1 {
		t.Errorf("%+v, %+v, %v", changed, report, err)
	}
	// To say the same again changes nothing.
	same, report, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, 7), &changed.Revision, bundles.AuthorOptions{})
	if err != nil || same.Revision != changed.Revision || report.Unchanged != 1 || report.Revision != changed.Revision {
		t.Errorf("%+v, %+v, %v", same, report, err)
	}
}

func TestA4DryRunReturnsTheBundleAsItWouldBe(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Global, 100))
	before := w.Head()
	got, report, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, 7), nil, bundles.AuthorOptions{DryRun: true})
	if err != nil || !report.DryRun || report.Changed != 1 || w.Head() != before {
		t.Fatalf("%+v, %v", report, err)
	}
	real, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, 7), nil, bundles.AuthorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got.Revision = real.Revision
	wantEqual(t, "the bundle of the dry run", real, got)
	_, _, err = w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, -1), nil, bundles.AuthorOptions{DryRun: true})
	wantFault(t, "a faulty dry run", err, "paymentAmount")
}

func TestA4ExpiredBundleMayNotBeTouched(t *testing.T) {
	w := newTown(t)
	b := draft("B", engine.Global, 100)
	b.Validity.To = today.AddDays(2)
	w.author(b)
	b.Fee.FlatCents = 90
	*w.day = today.AddDays(2) // its last day
	b.Validity.To = today.AddDays(3)
	if _, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", b, nil, bundles.AuthorOptions{DryRun: true}); err != nil {
		t.Errorf("on its last day: %v", err)
	}
	*w.day = today.AddDays(3)
	b.Validity.To = today.AddDays(9)
	_, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", b, nil, bundles.AuthorOptions{})
	wantFault(t, "the day after", err, "id")
	_, err = w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, bundles.AuthorOptions{})
	wantError(t, "retiring it", err, &bundles.StateError{})
}

func TestA4LowerFeeBringsDownWhatWasAgreed(t *testing.T) {
	w := newTown(t)
	w.author(draft("PUB", engine.Public, 100), draft("PRI", engine.Private, 100))
	w.acceptRequest(w.request(firstEC, "PUB", share(80)).ID)
	waiting := w.request(secondEC, "PUB", share(70))
	w.acceptOffer(firstEC, w.offer("PRI", firstEC)[0].ID, share(90))
	if _, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "PUB", draft("", engine.Public, 50), nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	revision := w.Head().Revision
	for _, s := range w.subscriptionsOf(firstEC) {
		want := map[string]int64{"PUB": 50, "PRI": 90}[s.BundleID]
		if s.Attributes[0].MaxPaymentAmountCents != want || (s.BundleID == "PUB") != (s.Revision == revision) {
			t.Errorf("%s: %+v, want %d", s.BundleID, s, want)
		}
	}
	// The request that waits comes down when it is accepted.
	if s := w.acceptRequest(waiting.ID); s.Attributes[0].MaxPaymentAmountCents != 50 {
		t.Errorf("%+v", s)
	}
	// A fee that goes up again lifts nothing.
	if _, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "PUB", draft("", engine.Public, 200), nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.net(bankOne, secondEC, today.AddDays(1), ""); got != 150 {
		t.Errorf("net fee %d", got)
	}
}

func TestA4TypeIsBoundWhileSomebodyIs(t *testing.T) {
	for _, c := range []struct {
		name string
		bind func(w town)
		free func(w town)
	}{
		{"an open request", func(w town) { w.request(firstEC, "B") }, func(w town) {
			requests, _ := w.Requests(w.t.Context(), municipality(firstEC), firstEC, 0)
			if err := w.WithdrawRequest(w.t.Context(), municipality(firstEC), firstEC, requests[0].ID); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"a subscription", func(w town) { w.acceptRequest(w.request(firstEC, "B").ID) }, func(w town) {
			if _, err := w.Leave(w.t.Context(), municipality(firstEC), firstEC, "B"); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t)
			w.author(draft("B", engine.Public, 100))
			c.bind(w)
			_, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Private, 100), nil, bundles.AuthorOptions{})
			wantFault(t, "while bound", err, "type")
			other := draft("X", engine.Global, 1)
			_, err = w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{other, draft("B", engine.Private, 100)}, bundles.AuthorOptions{})
			wantFault(t, "by an upload", err, "bundles[1].type")
			c.free(w)
			_, _, err = w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Private, 100), nil, bundles.AuthorOptions{})
			wantError(t, "when free", err, nil)
		})
	}
}

func TestA4PeriodOfTheBundleBoundsItsSubscriptions(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Public, 100))
	w.acceptRequest(w.request(firstEC, "B").ID)
	late := engine.Period{From: today.AddDays(20)}
	r, err := w.MakeRequest(t.Context(), municipality(secondEC), secondEC, "B", nil, late)
	if err != nil {
		t.Fatal(err)
	}
	w.acceptRequest(r.ID)
	early := engine.Period{From: today.AddDays(1), To: today.AddDays(2)}
	if r, err = w.MakeRequest(t.Context(), municipality(stranger), stranger, "B", nil, early); err != nil {
		t.Fatal(err)
	}
	w.acceptRequest(r.ID)
	b := draft("", engine.Public, 100)
	b.Validity = engine.Period{From: today.AddDays(5), To: today.AddDays(10)}
	if _, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", b, nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	if all := w.subscriptionsOf(firstEC); len(all) != 1 || all[0].Validity != b.Validity {
		t.Errorf("the one that meets the new period: %+v", all)
	}
	if all := w.subscriptionsOf(secondEC); len(all) != 0 {
		t.Errorf("the one that would begin after it: %+v", all)
	}
	if all := w.subscriptionsOf(stranger); len(all) != 0 {
		t.Errorf("the one that would end before it: %+v", all)
	}
	subscribers, err := w.Subscribers(t.Context(), bank(bankOne), bankOne, "B", 0)
	if err != nil || len(subscribers) != 1 {
		t.Errorf("subscribers %+v, %v", subscribers, err)
	}
}

func TestA5RetireEndsAndCloses(t *testing.T) {
	w := newTown(t)
	b := draft("B", engine.Public, 100)
	b.Validity.From = today
	w.author(b, draft("P", engine.Private, 100))
	accepted := w.acceptRequest(w.request(firstEC, "B", share(20)).ID)
	open := w.request(secondEC, "B")
	offer := w.offer("P", secondEC)[0]
	*w.day = today.AddDays(1)
	retired, err := w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, bundles.AuthorOptions{})
	if err != nil || retired.Validity.To != today.AddDays(1) || retired.Revision != w.Head().Revision {
		t.Fatalf("%+v, %v", retired, err)
	}
	if _, err := w.RetireBundle(t.Context(), bank(bankOne), bankOne, "P", nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.net(bankOne, firstEC, today.AddDays(1), ""); got != 80 {
		t.Errorf("on its last day the net fee is %d", got)
	}
	if got := w.net(bankOne, firstEC, today.AddDays(2), ""); got != -1 {
		t.Errorf("the day after it is %d", got)
	}
	if s := w.subscriptionsOf(firstEC)[0]; s.ID != accepted.ID || s.Validity.To != today.AddDays(1) {
		t.Errorf("the subscription: %+v", s)
	}
	_, err = w.AcceptRequest(t.Context(), bank(bankOne), bankOne, open.ID)
	wantError(t, "the request", err, &bundles.AnsweredError{})
	_, err = w.AcceptOffer(t.Context(), municipality(secondEC), secondEC, offer.ID, nil)
	wantError(t, "the offer", err, &bundles.AnsweredError{})
	var answered *bundles.AnsweredError
	if errors.As(err, &answered); answered.State != bundles.StateClosed || !answered.At.Equal(noon(today.AddDays(1))) {
		t.Errorf("the offer: %+v", answered)
	}
	_, err = w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, bundles.AuthorOptions{})
	wantError(t, "again", err, &bundles.StateError{})
	// What was is still there.
	before, err := w.PSPBundle(t.Context(), bank(bankOne), bankOne, "B", retired.Revision-1)
	if err != nil || before.Validity.To != 0 {
		t.Errorf("as it was: %+v, %v", before, err)
	}
}

func TestA5RetireBeforeItBeganIsNeverQuoted(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Global, 100))
	dry, err := w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, bundles.AuthorOptions{DryRun: true})
	if err != nil || dry.Validity.To != today || w.net(bankOne, firstEC, today.AddDays(1), "") != 100 {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	read := int64(1)
	_, err = w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", &read, bundles.AuthorOptions{})
	var lost *bundles.LostUpdateError
	if !errors.As(err, &lost) {
		t.Errorf("of another revision: %v", err)
	}
	for range 2 { // the same key: once
		b, err := w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, bundles.AuthorOptions{IdempotencyKey: "k"})
		if err != nil || b.Validity.To != today || b.Revision != 3 {
			t.Errorf("%+v, %v", b, err)
		}
	}
	for _, day := range []engine.Date{today, today.AddDays(1)} {
		if got := w.net(bankOne, firstEC, day, ""); got != -1 {
			t.Errorf("on %s: %d", day, got)
		}
	}
}

func TestA6TenThousandInOneUpload(t *testing.T) {
	w := newTown(t)
	drafts := make([]bundles.Bundle, 10_000)
	for n := range drafts {
		drafts[n] = draft("", engine.Global, int64(n%300))
		drafts[n].Band = engine.Band{MinCents: int64(n) * 100, MaxCents: int64(n+1) * 100}
	}
	drafts[6543].Band.MaxCents = drafts[6543].Band.MinCents
	before := w.Head()
	_, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, drafts, bundles.AuthorOptions{})
	var faults bundles.Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != "bundles[6543].maxPaymentAmount" || w.Head() != before || w.Current().Len() != 0 {
		t.Errorf("one faulty among them: %v; %d stored", err, w.Current().Len())
	}
	drafts[6543].Band.MaxCents += 101 // now it overlaps the next one by a cent
	_, err = w.CreateBundles(t.Context(), bank(bankOne), bankOne, drafts, bundles.AuthorOptions{})
	if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(faults[0].Path, "bundles[6544].") || w.Current().Len() != 0 {
		t.Errorf("one overlap among them: %v", err)
	}
	drafts[6543].Band.MaxCents--
	upload, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, drafts, bundles.AuthorOptions{})
	if err != nil || upload.Added != len(drafts) || upload.Revision != before.Revision+1 || w.Current().Len() != len(drafts) {
		t.Fatalf("%+v, %v", upload.Report, err)
	}
	if got := w.net(bankOne, firstEC, today.AddDays(1), ""); got != 49 {
		t.Errorf("quoted: %d", got)
	}
}

func TestA6TwoUploadsAtOnceOneWins(t *testing.T) {
	w := newTown(t)
	base := w.Head().Revision
	var all sync.WaitGroup
	var results [2]error
	for n := range results {
		all.Go(func() {
			_, results[n] = w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{draft(fmt.Sprint(n), engine.Global, 100)}, bundles.AuthorOptions{Base: &base})
		})
	}
	all.Wait()
	first, second := results[0], results[1]
	if first != nil {
		first, second = second, first
	}
	wantError(t, "one", first, nil)
	wantError(t, "the other", second, bundles.ErrConflict)
	if w.Current().Len() != 1 {
		t.Errorf("%d bundles", w.Current().Len())
	}
	// Without a base the other one is worked out on what the first one left, and conflicts with it.
	_, err := w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{draft("again", engine.Global, 100)}, bundles.AuthorOptions{})
	wantError(t, "without a base", err, bundles.Faults{})
}

func TestA6KeyIsDoneOnce(t *testing.T) {
	w := newTown(t)
	o := bundles.AuthorOptions{IdempotencyKey: "monday"}
	create := func(psp string, o bundles.AuthorOptions, drafts ...bundles.Bundle) (bundles.Upload, error) {
		return w.CreateBundles(t.Context(), bank(psp), psp, drafts, o)
	}
	first, err := create(bankOne, o, draft("", engine.Global, 100))
	if err != nil {
		t.Fatal(err)
	}
	again, err := create(bankOne, o, draft("", engine.Global, 100))
	if err != nil || !again.Repeated || again.Revision != first.Revision || w.Current().Len() != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	wantEqual(t, "ids", first.IDs, again.IDs)
	_, err = create(bankOne, o, draft("", engine.Global, 101))
	wantError(t, "with other content", err, bundles.ErrKeyReused)
	two, err := create(bankTwo, o, draft("", engine.Global, 100))
	if err != nil || two.Repeated || two.IDs[0] == first.IDs[0] {
		t.Errorf("of another PSP: %+v, %v", two, err)
	}
	// Sent by many at once it is done once, too.
	o.IdempotencyKey = "tuesday"
	var all sync.WaitGroup
	results := make([]bundles.Upload, 8)
	for n := range results {
		all.Go(func() {
			b := draft("", engine.Global, 50)
			b.PaymentType = "MYBK"
			var err error
			if results[n], err = create(bankOne, o, b); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	done := 0
	for _, r := range results {
		if !r.Repeated {
			done++
		}
		wantEqual(t, "ids", results[0].IDs, r.IDs)
	}
	if done != 1 {
		t.Errorf("done %d times", done)
	}
	_, err = create(bankOne, bundles.AuthorOptions{IdempotencyKey: strings.Repeat("k", 256)}, draft("", engine.Global, 1))
	wantFault(t, "a long key", err, "Idempotency-Key")
}

func TestA6KeyOfAChange(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Global, 100))
	o := bundles.AuthorOptions{IdempotencyKey: "change"}
	change := func(fee int64, revision *int64) (bundles.Bundle, bundles.Report, error) {
		return w.ChangeBundle(t.Context(), bank(bankOne), bankOne, "B", draft("", engine.Global, fee), revision, o)
	}
	read := w.Head().Revision
	first, report, err := change(90, &read)
	if err != nil || report.Repeated {
		t.Fatal(report, err)
	}
	again, report, err := change(90, &read) // the answer was lost on its way; this is no lost update
	if err != nil || !report.Repeated || report.Revision != first.Revision {
		t.Errorf("again: %+v, %v", report, err)
	}
	wantEqual(t, "the bundle", first, again)
	_, _, err = change(80, nil)
	wantError(t, "with other content", err, bundles.ErrKeyReused)
	_, err = w.CreateBundles(t.Context(), bank(bankOne), bankOne, []bundles.Bundle{draft("C", engine.Public, 1)}, o)
	wantError(t, "for another operation", err, bundles.ErrKeyReused)
	_, err = w.RetireBundle(t.Context(), bank(bankOne), bankOne, "B", nil, o)
	wantError(t, "for retiring it", err, bundles.ErrKeyReused)
}

func TestA18OnlyOneselfsBundles(t *testing.T) {
	w := newTown(t)
	w.author(draft("B", engine.Global, 100))
	thief := bank(bankTwo)
	for _, c := range []struct {
		name string
		do   func() error
		want error
	}{
		{"create for another", func() error {
			_, err := w.CreateBundles(t.Context(), thief, bankOne, []bundles.Bundle{draft("X", engine.Global, 1)}, bundles.AuthorOptions{})
			return err
		}, bundles.ErrNotFound},
		{"change another's", func() error {
			_, _, err := w.ChangeBundle(t.Context(), thief, bankOne, "B", draft("", engine.Global, 1), nil, bundles.AuthorOptions{})
			return err
		}, bundles.ErrNotFound},
		{"change another's as one's own", func() error {
			_, _, err := w.ChangeBundle(t.Context(), thief, bankTwo, "B", draft("", engine.Global, 1), nil, bundles.AuthorOptions{})
			return err
		}, bundles.ErrNotFound},
		{"retire another's as one's own", func() error {
			_, err := w.RetireBundle(t.Context(), thief, bankTwo, "B", nil, bundles.AuthorOptions{})
			return err
		}, bundles.ErrNotFound},
		{"take the id of another's", func() error {
			_, err := w.CreateBundles(t.Context(), thief, bankTwo, []bundles.Bundle{draft("B", engine.Global, 1)}, bundles.AuthorOptions{})
			return err
		}, bundles.Faults{}},
		{"name another PSP in a draft", func() error {
			b := draft("X", engine.Global, 1)
			b.PSP = bankOne
			_, err := w.CreateBundles(t.Context(), thief, bankTwo, []bundles.Bundle{b}, bundles.AuthorOptions{})
			return err
		}, bundles.Faults{}},
		{"import another's", func() error {
			b := draft("X", engine.Global, 1)
			b.PSP = bankOne
			_, err := w.Import(t.Context(), thief, bundles.Document{Bundles: []bundles.Bundle{b}}, bundles.ImportOptions{})
			return err
		}, bundles.Faults{}},
		{"as an auditor", func() error {
			_, err := w.CreateBundles(t.Context(), bundles.Caller{Name: "auditor", Auditor: true}, bankOne, []bundles.Bundle{draft("X", engine.Global, 1)}, bundles.AuthorOptions{})
			return err
		}, bundles.ErrForbidden},
		{"with a function that does not cover it", func() error {
			c := bundles.Caller{Name: "broker", PSPs: []bundles.Party{{ID: bankOne, Functions: []bundles.Function{bundles.FunctionOffers}}}}
			_, _, err := w.ChangeBundle(t.Context(), c, bankOne, "B", draft("", engine.Global, 1), nil, bundles.AuthorOptions{})
			return err
		}, bundles.ErrForbidden},
		{"as nobody", func() error {
			_, err := w.RetireBundle(t.Context(), bundles.Caller{}, bankOne, "B", nil, bundles.AuthorOptions{})
			return err
		}, bundles.ErrNotFound},
	} {
		before := w.Head()
		err := c.do()
		wantError(t, c.name, err, c.want)
		if w.Head() != before {
			t.Errorf("%s: something was stored", c.name)
		}
		if strings.Contains(fmt.Sprint(err), "Carte") {
			t.Errorf("%s: the error tells of the bundle: %v", c.name, err)
		}
	}
}
