package bundles_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gec/bundles"
	"gec/engine"
)

func TestA6AllOrNothing(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	const count = 10_000
	d := bundles.Document{}
	for i := range count {
		d.Bundles = append(d.Bundles, plainBundle(fmt.Sprintf("N%05d", i), int64(i)))
	}
	d.Bundles[7000].Band.MaxCents = 0
	d.Bundles[9999].ID = "N00001"
	report, err := c.Import(t.Context(), tester, d, asItIs(bundles.ImportMerge))
	var faults bundles.Faults
	if !errors.As(err, &faults) || len(faults) != 2 || faults[0].Path != "bundles[7000].maxPaymentAmount" || faults[1].Path != "bundles[9999].id" {
		t.Errorf("error %v", err)
	}
	if report.Revision != 1 || c.Current().Revision() != 1 || c.Current().Len() != 3 {
		t.Errorf("after a refused upload: %+v, %d bundles", report, c.Current().Len())
	}
	d.Bundles[7000].Band.MaxCents = 10
	d.Bundles[9999].ID = "N09999"
	progress := 0
	o := asItIs(bundles.ImportMerge)
	o.Progress = func(done, total int) {
		if done != progress+1 || total != count {
			t.Errorf("progress %d of %d after %d", done, total, progress)
		}
		progress = done
	}
	report = mustImport(t, c, d, o)
	if report.Added != count || c.Current().Len() != count+3 || progress != count {
		t.Errorf("report %+v, progress %d", report, progress)
	}
}

func TestA6DryRunStoresNothing(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	before := c.Current()
	d := bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 1), plainBundle("Z", 1)}}
	o := asItIs(bundles.ImportReplaceAll)
	o.DryRun = true
	tried := mustImport(t, c, d, o)
	if c.Current() != before {
		t.Error("a dry run changed the catalogue")
	}
	o.DryRun = false
	done := mustImport(t, c, d, o)
	tried.DryRun, tried.Revision = false, 2
	wantEqual(t, "report of the dry run and of the real one", tried, done)
	wantEqual(t, "report", bundles.Report{Revision: 2, Bundles: 2, Added: 1, Changed: 1, Removed: 2, Subscriptions: 1}, done)
	o.DryRun = true
	d.Bundles[0].Band.MaxCents = -1
	if _, err := c.Import(t.Context(), tester, d, o); !errors.As(err, &bundles.Faults{}) {
		t.Errorf("a dry run of a faulty document: %v", err)
	}
}

func TestA6SameKeyIsDoneOnce(t *testing.T) {
	c := newCatalogue(t)
	o := asItIs(bundles.ImportMerge)
	o.IdempotencyKey = "upload 1"
	mustImport(t, c, seed(), o)
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 5)}}, asItIs(bundles.ImportMerge))
	report := mustImport(t, c, seed(), o)
	wantEqual(t, "report", bundles.Report{Revision: 1, Repeated: true}, report)
	if b, _ := c.Current().Bundle("A"); b.Fee.FlatCents != 5 || c.Current().Revision() != 2 {
		t.Error("the upload was done twice")
	}
}

func TestUnchangedIsNotWritten(t *testing.T) {
	store := openStore(t, t.TempDir())
	c := openCatalogue(t, store, bundles.Options{})
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	report := mustImport(t, c, seed(), asItIs(bundles.ImportReplaceAll))
	wantEqual(t, "report", bundles.Report{Revision: 1, Bundles: 3, Unchanged: 3}, report)
	d := seed()
	d.Bundles[1].Description = "nuova"
	d.Settings.Issuers = []engine.IssuerRange{{Low: 1, High: 2, ABI: "x"}, {Low: 1, High: 2, ABI: "x"}}
	d.Settings.Touchpoints = append(d.Settings.Touchpoints, "ATM")
	report = mustImport(t, c, d, asItIs(bundles.ImportReplaceAll))
	wantEqual(t, "report", bundles.Report{Revision: 2, Bundles: 3, Changed: 1, Unchanged: 2}, report)
	d.Settings.Issuers = []engine.IssuerRange{{Low: 3, High: 4, ABI: "y"}}
	mustImport(t, c, d, asItIs(bundles.ImportReplaceAll))
	var rows []string
	if err := store.Changes(t.Context(), 1, 3, func(r bundles.Row) error {
		rows = append(rows, fmt.Sprintf("%d %c %s %v", r.Revision, r.Kind, r.ID, r.Deleted))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "rows of revisions 2 and 3", []string{
		"2 b B false", "2 c  false", "2 i 0000000000000000001/0000000000000000002/x false", "2 t atm false",
		"3 i 0000000000000000001/0000000000000000002/x true", "3 i 0000000000000000003/0000000000000000004/y false",
	}, rows)
}

func TestImportModes(t *testing.T) {
	feeList := func(id string, fee int64) bundles.Bundle {
		b := privateBundle(id, fee)
		b.Origin = bundles.OriginFeeList
		return b
	}
	start := func(t *testing.T) *bundles.Catalogue {
		c := newCatalogue(t)
		mustImport(t, c, bundles.Document{
			Settings: settings(),
			Bundles:  []bundles.Bundle{plainBundle("HAND", 1), privateBundle("HELD", 1), feeList("L1", 10), feeList("L2", 20)},
			Subscriptions: []bundles.Subscription{
				subscription(firstEC, "HELD", 0), subscription(firstEC, "L1", 0), subscription(firstEC, "L2", 0), subscription(secondEC, "L2", 0),
			},
		}, asItIs(bundles.ImportReplaceAll))
		return c
	}
	d := bundles.Document{Bundles: []bundles.Bundle{privateBundle("L1", 11), privateBundle("L3", 30)}, Subscriptions: []bundles.Subscription{subscription(secondEC, "L3", 1)}}
	for name, test := range map[string]struct {
		o      bundles.ImportOptions
		report bundles.Report
		first  []string
		second []string
	}{
		"merge": {
			asItIs(bundles.ImportMerge),
			bundles.Report{Revision: 2, Bundles: 2, Added: 1, Changed: 1, Subscriptions: 1},
			[]string{"HAND 1", "HELD 1", "L1 11", "L2 20"}, []string{"HAND 1", "L2 20", "L3 29"},
		},
		"replace origin": {
			bundles.ImportOptions{Mode: bundles.ImportReplaceOrigin, Origin: bundles.OriginFeeList, Lenient: true},
			bundles.Report{Revision: 2, Bundles: 2, Added: 1, Changed: 1, Removed: 1, Subscriptions: 3},
			[]string{"HAND 1", "HELD 1", "L1 11"}, []string{"HAND 1", "L3 29"},
		},
		"replace all": {
			asItIs(bundles.ImportReplaceAll),
			bundles.Report{Revision: 2, Bundles: 2, Added: 1, Changed: 1, Removed: 3, Subscriptions: 5},
			[]string{}, []string{"L3 29"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			report := mustImport(t, c, d, test.o)
			wantEqual(t, "report", test.report, report)
			wantEqual(t, "fees of the first EC", test.first, fees(t, c.Current(), firstEC))
			wantEqual(t, "fees of the second EC", test.second, fees(t, c.Current(), secondEC))
			wantEqual(t, "settings stay", settings(), c.Current().Settings())
			b, err := c.VisibleBundle(t.Context(), tester, "L3", 2)
			want := ""
			if test.o.Mode == bundles.ImportReplaceOrigin {
				want = bundles.OriginFeeList
			}
			if err != nil || b.Origin != want || b.Revision != 2 {
				t.Errorf("L3: %+v, %v", b, err)
			}
		})
	}
	t.Run("origin is needed", func(t *testing.T) {
		if _, err := start(t).Import(t.Context(), tester, d, bundles.ImportOptions{Mode: bundles.ImportReplaceOrigin}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("subscription to a removed bundle", func(t *testing.T) {
		d := d
		d.Subscriptions = []bundles.Subscription{subscription(firstEC, "HELD", 0)}
		if _, err := start(t).Import(t.Context(), tester, d, asItIs(bundles.ImportReplaceAll)); !errors.As(err, &bundles.Faults{}) || !strings.Contains(err.Error(), "HELD") {
			t.Errorf("error %v", err)
		}
	})
}

func TestA2StrictImport(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, bundles.Document{Settings: settings()}, bundles.ImportOptions{})
	_, err := c.Import(t.Context(), tester, bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 1)}}, bundles.ImportOptions{})
	if !errors.As(err, &bundles.Faults{}) || !strings.Contains(err.Error(), "bundles[0].validityDateFrom") {
		t.Errorf("a beginning in the past: %v", err)
	}
	open := plainBundle("A", 1)
	open.Validity.From = 0
	d := bundles.Document{Bundles: []bundles.Bundle{open}}
	mustImport(t, c, d, bundles.ImportOptions{})
	if b, _ := c.Current().Bundle("A"); b.Validity.From != today+1 {
		t.Errorf("an open beginning is %s, want tomorrow", b.Validity.From)
	}
	if d.Bundles[0].Validity.From != 0 {
		t.Error("the caller's document was changed")
	}
	report := mustImport(t, c, d, bundles.ImportOptions{})
	if report.Unchanged != 1 {
		t.Errorf("the same document again: %+v", report)
	}
	// A lenient import keeps what it is given and warns.
	stray := plainBundle("B", 1)
	stray.Validity.From, stray.Touchpoint = 0, "TELEPHONE"
	report = mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{stray}}, asItIs(bundles.ImportMerge))
	if b, _ := c.Current().Bundle("B"); b.Validity.From != 0 || len(report.Warnings) != 1 || report.Warnings[0].Path != "bundles[0].touchpoint" {
		t.Errorf("lenient: %+v, %+v", b, report.Warnings)
	}
}

func TestA4BaseIsHeld(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	o, stale := asItIs(bundles.ImportMerge), int64(0)
	o.Base = &stale
	d := bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 7)}}
	if _, err := c.Import(t.Context(), tester, d, o); !errors.Is(err, bundles.ErrConflict) {
		t.Errorf("a stale base: %v", err)
	}
	stale = 1
	mustImport(t, c, d, o)
}

// TestConflictIsWorkedOutAnew lets several catalogues on one store change it at once: each change is
// made exactly once, on top of the others.
func TestConflictIsWorkedOutAnew(t *testing.T) {
	store := openStore(t, t.TempDir())
	const writers, changes = 4, 10
	var all sync.WaitGroup
	for w := range writers {
		c := openCatalogue(t, store, bundles.Options{})
		all.Go(func() {
			for n := range changes {
				d := bundles.Document{Bundles: []bundles.Bundle{plainBundle(fmt.Sprintf("W%d-%d", w, n), int64(n))}}
				o := asItIs(bundles.ImportMerge)
				o.IdempotencyKey = fmt.Sprintf("shared %d", n) // of all writers only one does it
				if w > 0 {
					o.IdempotencyKey = ""
				}
				for {
					report, err := c.Import(context.Background(), tester, d, o)
					if errors.Is(err, bundles.ErrConflict) {
						continue // others came first twenty times
					}
					if err != nil || report.Added != 1 {
						t.Errorf("writer %d, change %d: %+v, %v", w, n, report, err)
					}
					break
				}
			}
		})
	}
	all.Wait()
	c := openCatalogue(t, store, bundles.Options{})
	if c.Current().Len() != writers*changes || c.Current().Revision() != writers*changes {
		t.Errorf("%d bundles at revision %d, want %d", c.Current().Len(), c.Current().Revision(), writers*changes)
	}
}

func TestRemove(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	report, err := c.Remove(t.Context(), tester, []string{"C", "A", "unknown"}, "remove")
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "report", bundles.Report{Revision: 2, Removed: 2, Subscriptions: 1}, report)
	wantEqual(t, "fees", []string{"B 150"}, fees(t, c.Current(), firstEC))
	report, err = c.Remove(t.Context(), tester, []string{"C", "unknown"}, "remove")
	wantEqual(t, "report when there is nothing to remove", bundles.Report{Revision: 2}, report)
	if err != nil {
		t.Error(err)
	}
	// A bundle of the same id starts without the subscriptions of the old one.
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{privateBundle("C", 1)}}, asItIs(bundles.ImportMerge))
	wantEqual(t, "fees", []string{"B 150"}, fees(t, c.Current(), firstEC))
	subscriptions, err := c.Subscriptions(t.Context(), tester, 1, firstEC)
	if err != nil || len(subscriptions) != 1 || subscriptions[0].Revision != 1 {
		t.Errorf("subscriptions at revision 1: %+v, %v", subscriptions, err)
	}
}

func TestSettings(t *testing.T) {
	c := newCatalogue(t)
	if _, err := c.SetSettings(t.Context(), tester, settings(), "settings"); err != nil {
		t.Fatal(err)
	}
	report, err := c.SetSettings(t.Context(), tester, settings(), "settings")
	if err != nil || report.Revision != 1 {
		t.Errorf("the same settings: %+v, %v", report, err)
	}
	bad := settings()
	bad.Touchpoints = append(bad.Touchpoints, "io")
	if _, err := c.SetSettings(t.Context(), tester, bad, "settings"); !errors.As(err, &bundles.Faults{}) {
		t.Errorf("a touchpoint twice: %v", err)
	}
	before := c.Current().Settings()
	report, err = c.ChangeSettings(t.Context(), tester, "add", func(s *engine.Settings) { s.Touchpoints[0] = "ATM" })
	if err != nil || report.Revision != 2 || before.Touchpoints[0] != "IO" || c.Current().Settings().Touchpoints[0] != "ATM" {
		t.Errorf("ChangeSettings: %+v, %v", report, err)
	}
}

// TestECsThatLookAlike gives ECs tax codes of which one would be the beginning of another, or have a
// slash, if row ids did not keep them apart.
func TestECsThatLookAlike(t *testing.T) {
	ecs := []string{"", "7", "77", "7/", "7/C", "7%2F", "7%", "/"}
	d := bundles.Document{Settings: settings()}
	for i, ec := range ecs {
		id := fmt.Sprintf("B%d", i)
		d.Bundles = append(d.Bundles, privateBundle(id, 100))
		s := subscription(ec, id, int64(i))
		s.ID = fmt.Sprintf("S%d", i)
		d.Subscriptions = append(d.Subscriptions, s)
	}
	store := openStore(t, t.TempDir())
	c := openCatalogue(t, store, bundles.Options{})
	mustImport(t, c, d, asItIs(bundles.ImportMerge))
	check := func(c *bundles.Catalogue) {
		t.Helper()
		for i, ec := range ecs {
			if ec != "" { // a payment to no EC has no subscription
				wantEqual(t, fmt.Sprintf("fees of EC %q", ec), []string{fmt.Sprintf("B%d %d", i, 100-i)}, fees(t, c.Current(), ec))
			}
			subscriptions, err := c.Subscriptions(t.Context(), tester, 1, ec)
			if err != nil || len(subscriptions) != 1 || subscriptions[0].CreditorInstitution != ec {
				t.Errorf("subscriptions of %q: %+v, %v", ec, subscriptions, err)
			}
		}
	}
	check(c)
	check(openCatalogue(t, store, bundles.Options{})) // with the ECs read from the row ids
}

func TestA4LowerFeeLowersContributions(t *testing.T) {
	c := newCatalogue(t)
	d := bundles.Document{
		Settings: settings(), Bundles: []bundles.Bundle{privateBundle("C", 100), privateBundle("D", 100)},
		Subscriptions: []bundles.Subscription{
			subscription(firstEC, "C", 100), subscription(secondEC, "C", 30), subscription(firstEC, "D", 100), subscription("99999999999", "C", 90),
		},
	}
	mustImport(t, c, d, asItIs(bundles.ImportReplaceAll))
	lower := bundles.Document{
		Bundles:       []bundles.Bundle{privateBundle("C", 40)},
		Subscriptions: []bundles.Subscription{subscription("99999999999", "C", 5)},
	}
	report := mustImport(t, c, lower, bundles.ImportOptions{})
	wantEqual(t, "report", bundles.Report{Revision: 2, Bundles: 1, Changed: 1, Subscriptions: 2}, report)
	for ec, want := range map[string][]string{firstEC: {"C 40", "D 100"}, secondEC: {"C 30"}, "99999999999": {"C 5"}} {
		subscriptions, err := c.Subscriptions(t.Context(), tester, 2, ec)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range subscriptions {
			got = append(got, fmt.Sprintf("%s %d", s.BundleID, s.Attributes[0].MaxPaymentAmountCents))
		}
		wantEqual(t, "contributions of "+ec, want, got)
	}
	wantEqual(t, "fees", []string{"C 0", "D 0"}, fees(t, c.Current(), firstEC))
}

func TestA3OverlapsWithStoredOnesAndEachOther(t *testing.T) {
	of := func(id string, min, max int64) bundles.Bundle {
		b := plainBundle(id, 1)
		b.PSP, b.Validity.From = "ABI1", today+1
		b.Band = engine.Band{MinCents: min, MaxCents: max}
		return b
	}
	c := newCatalogue(t)
	mustImport(t, c, bundles.Document{Settings: settings(), Bundles: []bundles.Bundle{of("A", 0, 100)}}, bundles.ImportOptions{})
	d := bundles.Document{Bundles: []bundles.Bundle{of("X", 100, 200), of("Y", 50, 90), of("Z", 150, 300)}}
	_, err := c.Import(t.Context(), tester, d, bundles.ImportOptions{})
	var faults bundles.Faults
	if !errors.As(err, &faults) || len(faults) != 2 || !strings.Contains(faults[0].Error(), `bundle "A"`) || !strings.Contains(faults[1].Error(), `bundle "X"`) {
		t.Fatalf("error %v", err)
	}
	if !strings.HasPrefix(faults[0].Path, "bundles[1].") || !strings.HasPrefix(faults[1].Path, "bundles[2].") {
		t.Errorf("paths %s and %s", faults[0].Path, faults[1].Path)
	}
	// A bundle with a condition is its author's business; one that the import removes is in nobody's way.
	withWhen := d
	withWhen.Bundles = []bundles.Bundle{of("Y", 50, 90)}
	withWhen.Bundles[0].When = "weekend()"
	report := mustImport(t, c, withWhen, bundles.ImportOptions{DryRun: true})
	if len(report.Warnings) != 1 {
		t.Errorf("warnings %v", report.Warnings)
	}
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{of("Y", 50, 90)}}, bundles.ImportOptions{Mode: bundles.ImportReplaceAll, DryRun: true})
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{of("A", 0, 90)}}, bundles.ImportOptions{}) // not against itself
	report = mustImport(t, c, d, asItIs(bundles.ImportMerge))
	if len(report.Warnings) != 2 || report.Added != 3 {
		t.Errorf("taken as it is: %+v", report)
	}
	// What is stored and unchanged is not judged again.
	mustImport(t, c, d, bundles.ImportOptions{})
}
