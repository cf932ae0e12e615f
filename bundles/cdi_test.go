package bundles_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gec/bundles"
	"gec/engine"
)

// cdiOf is a CDI of a PSP with a bundle for each fee, one band after the other.
func cdiOf(psp, flow string, from engine.Date, fees ...int64) bundles.Document {
	var d bundles.Document
	for n, fee := range fees {
		b := plainBundle(fmt.Sprintf("%s-%s-1-%d-ANY", flow, psp, n+1), fee)
		b.PSP, b.CDI, b.Origin, b.Validity.From = psp, flow, bundles.OriginCDI, from
		b.Band = engine.Band{MinCents: int64(n) * 1000, MaxCents: int64(n+1) * 1000}
		d.Bundles = append(d.Bundles, b)
	}
	return d
}

func together(all ...bundles.Document) (d bundles.Document) {
	for _, one := range all {
		d.Bundles = append(d.Bundles, one.Bundles...)
	}
	return d
}

func mustImportCDI(t *testing.T, c *bundles.Catalogue, d bundles.Document, o bundles.CDIOptions) bundles.CDIReport {
	t.Helper()
	report, err := c.ImportCDI(t.Context(), tester, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// validities are those of all bundles, by id.
func validities(c *bundles.Catalogue) map[string]string {
	all := map[string]string{}
	for b := range c.Current().Bundles() {
		all[b.ID] = b.Validity.From.String() + "/" + b.Validity.To.String()
	}
	return all
}

// cdiCatalogue has a bundle made by hand, a CDI of two PSPs, and a subscription of one of its bundles.
func cdiCatalogue(t *testing.T) *bundles.Catalogue {
	c := newCatalogue(t)
	byHand := plainBundle("HAND", 1)
	byHand.PSP, byHand.Touchpoint = "ABI1", "IO"
	mustImport(t, c, bundles.Document{Settings: settings(), Bundles: []bundles.Bundle{byHand}}, asItIs(bundles.ImportMerge))
	first := together(cdiOf("ABI1", "F1", 20261201, 10, 20), cdiOf("ABI2", "F2", 20261201, 30))
	first.Bundles[1].Type = engine.Private
	report := mustImportCDI(t, c, first, bundles.CDIOptions{})
	wantEqual(t, "report", bundles.CDIReport{Report: bundles.Report{Revision: 2, Bundles: 3, Added: 3}}, report)
	of := func(ec string, from engine.Date) bundles.Subscription {
		s := subscription(ec, "F1-ABI1-1-2-ANY", 5)
		s.Validity.From = from
		return s
	}
	mustImport(t, c, bundles.Document{Subscriptions: []bundles.Subscription{of(firstEC, 20261202), of(secondEC, 20270501)}}, asItIs(bundles.ImportMerge))
	return c
}

func TestCDIReplacesTheEarlierCDIOnly(t *testing.T) {
	c := cdiCatalogue(t)
	report := mustImportCDI(t, c, cdiOf("ABI1", "F3", 20270101, 11), bundles.CDIOptions{})
	wantEqual(t, "report", bundles.CDIReport{Report: bundles.Report{Revision: 4, Bundles: 1, Added: 1, Subscriptions: 2}, Ended: 2}, report)
	wantEqual(t, "validities", map[string]string{
		"HAND": "2026-01-01/", "F1-ABI1-1-1-ANY": "2026-12-01/2026-12-31", "F1-ABI1-1-2-ANY": "2026-12-01/2026-12-31",
		"F2-ABI2-1-1-ANY": "2026-12-01/", "F3-ABI1-1-1-ANY": "2027-01-01/",
	}, validities(c))
	left, err := c.Subscriptions(t.Context(), tester, 4, firstEC)
	if err != nil || len(left) != 1 || left[0].Validity.To != 20261231 {
		t.Errorf("%+v %v", left, err)
	}
	if left, _ := c.Subscriptions(t.Context(), tester, 4, secondEC); len(left) != 0 {
		t.Errorf("a subscription outlives its bundle: %+v", left)
	}
	// One that begins before the last one leaves nothing of it, and ends the first one earlier.
	report = mustImportCDI(t, c, cdiOf("abi1", "F4", 20261215, 12), bundles.CDIOptions{})
	wantEqual(t, "report", bundles.CDIReport{Report: bundles.Report{Revision: 5, Bundles: 1, Added: 1, Removed: 1, Subscriptions: 1}, Ended: 2}, report)
	wantEqual(t, "validities", map[string]string{
		"HAND": "2026-01-01/", "F1-ABI1-1-1-ANY": "2026-12-01/2026-12-14", "F1-ABI1-1-2-ANY": "2026-12-01/2026-12-14",
		"F2-ABI2-1-1-ANY": "2026-12-01/", "F4-abi1-1-1-ANY": "2026-12-15/",
	}, validities(c))
}

func TestCDIIsImportedOnce(t *testing.T) {
	c := cdiCatalogue(t)
	alone := cdiOf("ABI1", "F1", 20261201, 10, 20)
	alone.Bundles[1].Type = engine.Private // as cdiCatalogue has it
	first := together(alone, cdiOf("ABI2", "F2", 20261201, 30))
	replacing := cdiOf("ABI1", "F3", 20261201, 11)
	mustImportCDI(t, c, replacing, bundles.CDIOptions{}) // F1 is gone from the catalogue now
	want := validities(c)
	for _, test := range []struct {
		title string
		d     bundles.Document
		flows []string
		made  int64
	}{
		{"as it was sent", first, []string{"F1", "F2"}, 2},
		{"alone", alone, []string{"F1"}, 2},
		{"the one in force", replacing, []string{"F3"}, 4},
	} {
		report := mustImportCDI(t, c, test.d, bundles.CDIOptions{})
		if !report.Repeated || report.Revision != test.made || strings.Join(report.RepeatedFlows, " ") != strings.Join(test.flows, " ") {
			t.Errorf("%s: %+v", test.title, report)
		}
		wantEqual(t, test.title, want, validities(c))
	}
	for title, d := range map[string]bundles.Document{
		"another fee":  cdiOf("ABI1", "F3", 20261201, 12),
		"a band more":  cdiOf("ABI1", "F3", 20261201, 11, 12),
		"in company":   together(cdiOf("ABI1", "F3", 20261201, 12), cdiOf("ABI4", "F1", 20261201, 5)),
		"another date": cdiOf("ABI2", "F2", 20261202, 30),
	} {
		_, err := c.ImportCDI(t.Context(), tester, d, bundles.CDIOptions{})
		var faults bundles.Faults
		if !errors.As(err, &faults) || !strings.Contains(faults[0].Error(), "imported before with other content") {
			t.Errorf("%s: %v", title, err)
		}
		wantEqual(t, title, want, validities(c))
	}
	rows := map[int]bundles.Outcome{}
	o := bundles.CDIOptions{ImportOptions: bundles.ImportOptions{Row: func(n int, o bundles.Outcome) { rows[n] = o }}}
	report := mustImportCDI(t, c, together(cdiOf("ABI2", "F2", 20261201, 30), cdiOf("ABI3", "F1", 20261201, 5)), o)
	wantEqual(t, "rows", map[int]bundles.Outcome{0: bundles.Unchanged, 1: bundles.Added}, rows)
	wantEqual(t, "report", bundles.CDIReport{Report: bundles.Report{Revision: 5, Bundles: 2, Added: 1, Unchanged: 1}, RepeatedFlows: []string{"F2"}}, report)
}

func TestCDIFaultsChangeNothing(t *testing.T) {
	c := cdiCatalogue(t)
	before := c.Current()
	overHand := cdiOf("ABI1", "F3", 20270101, 1)
	overHand.Bundles[0].Touchpoint = "IO"
	noOrigin := cdiOf("ABI1", "F3", 20270101, 1)
	noOrigin.Bundles[0].Origin = ""
	faulty := together(cdiOf("ABI2", "F2", 20261201, 30), cdiOf("ABI1", "F3", 20270101, 1))
	faulty.Bundles[1].PaymentType = "GOLD"
	twice := cdiOf("ABI1", "F3", 20270101, 1, 2)
	twice.Bundles[1].Band = twice.Bundles[0].Band
	withSettings := cdiOf("ABI1", "F3", 20270101, 1)
	withSettings.Settings = settings()
	for title, test := range map[string]struct {
		d    bundles.Document
		says string
	}{
		"a second one faulty": {faulty, "bundles[1].paymentType: \"GOLD\""}, "today": {cdiOf("ABI1", "F3", 20261121, 1), "bundles[0].validityDateFrom: is 2026-11-21, today"},
		"past": {cdiOf("ABI1", "F3", 20261120, 1), "in the past"}, "over one made by hand": {overHand, `overlaps bundle "HAND"`},
		"over itself": {twice, "overlaps bundle"}, "no CDI": {noOrigin, "bundles[0].idCdi: is missing"},
		"two of a PSP": {together(cdiOf("ABI1", "F3", 20270101, 1), cdiOf("ABI1", "F4", 20270101, 1)), "one after the other"}, "settings": {withSettings, "import them apart"},
	} {
		_, err := c.ImportCDI(t.Context(), tester, test.d, bundles.CDIOptions{})
		if !errors.As(err, new(bundles.Faults)) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", title, err)
		}
	}
	if report := mustImportCDI(t, c, cdiOf("ABI1", "F3", 20270101, 1), bundles.CDIOptions{ImportOptions: bundles.ImportOptions{DryRun: true}}); report.Ended != 2 || report.Added != 1 || !report.DryRun {
		t.Errorf("%+v", report)
	}
	if c.Current() != before {
		t.Error("the catalogue changed")
	}
	mustImportCDI(t, c, cdiOf("ABI1", "F3", 20261120, 1), bundles.CDIOptions{Past: true})
}

func TestA3ChannelsAndAgreementsOfACDIAreNoMistake(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, bundles.Document{Settings: settings()}, bundles.ImportOptions{})
	d := cdiOf("ABI1", "F1", 20261201, 1, 2, 3, 4)
	for n := range d.Bundles {
		d.Bundles[n].Band = engine.Band{MaxCents: 1000}
	}
	d.Bundles[1].Channel = "other"
	d.Bundles[2].Type, d.Bundles[3].Type = engine.Private, engine.Private
	d.Bundles[3].Name += " (convenzione C2)"
	if report := mustImportCDI(t, c, d, bundles.CDIOptions{}); report.Added != 4 || len(report.Warnings) != 2 {
		t.Errorf("%+v", report)
	}
}
