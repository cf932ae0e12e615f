package format_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/store/badger"
	"gec/engine"
)

// A CDI as PSPs send it, through the catalogue and back: every channel with its cost, one hand-made bundle
// in the company, and the next CDI in place of the first.
func TestA9CDIAndStore(t *testing.T) {
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }
	c, err := bundles.Open(t.Context(), store, bundles.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	caller := bundles.Operator("test")
	byHand := cdiBundle("ATM")
	byHand.ID, byHand.CDI, byHand.Origin = "HAND", "", ""
	start := bundles.Document{
		Settings: &engine.Settings{Touchpoints: []string{"IO", "CHECKOUT", "WISP", "PSP", "ATM"}, PaymentTypes: []string{"CP", "PPAL", "PO", "MYBK", "BPAY"}},
		Bundles:  []bundles.Bundle{byHand},
	}
	if _, err := c.Import(t.Context(), caller, start, bundles.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	send := func(text string) bundles.CDIReport {
		t.Helper()
		report, err := c.ImportCDI(t.Context(), caller, bundles.Document{Bundles: readCDI(t, text)}, bundles.CDIOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	first := cdi(
		cdiPSP{details: []cdiDetail{{}, {app: "1", channel: "app"}, {channel: "14156_ONUS"}, {kind: "PO", model: "4"}, {kind: "MYBK"}, {kind: "PPAL", app: "1"},
			{kind: "BPAY", bands: band("100.00", "0.29", "0.00", "C1", "C2"), end: "<costoConvenzione>0.10</costoConvenzione>"}}},
		cdiPSP{id: "BPPIITRR", flow: "BPPIITRR_21-11-2026", details: []cdiDetail{{kind: "BPAY"}}},
	)
	if report := send(first); report.Added != 14 || report.Revision != 2 || len(report.Warnings) != 2 {
		t.Errorf("%+v", report)
	}
	if report := send(first); !report.Repeated || report.Revision != 2 {
		t.Errorf("sent twice: %+v", report)
	}
	exported, err := c.Export(t.Context(), bundles.Operator("test"), 0)
	if err != nil {
		t.Fatal(err)
	}
	exported.Bundles = exported.Bundles[:len(exported.Bundles)-1] // all but HAND, which no CDI can say
	var file bytes.Buffer
	if err := format.Write(format.CDI, &file, exported, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readCDI(t, first), readCDI(t, file.String())); diff != "" {
		t.Errorf("exported (-sent +exported):\n%s", diff)
	}
	if report := send(strings.Replace(cdi(cdiPSP{from: "2027-01-01T00:00:00", details: []cdiDetail{{}}}), "ABI14156_21-11-2026", "ABI14156_01-12-2026", 1)); report.Added != 3 || report.Ended != 13 {
		t.Errorf("the next CDI: %+v", report)
	}
	if b, there := c.Current().Bundle("HAND"); !there || b.Validity.To != 0 {
		t.Errorf("made by hand: %+v", b)
	}
}
