package format_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", path, diff)
	}
}

func ptr(n int64) *int64 { return &n }

// everyFeature is a document that uses every field of the formats.
func everyFeature() bundles.Document {
	return bundles.Document{
		Settings: &engine.Settings{
			ThresholdCents: 5000, PostePSP: "BPPIITRRXXX", AmexABI: "AMREX", BlockedPSPs: []string{"BADPSP"},
			Touchpoints: []string{"IO", "CHECKOUT"}, PaymentTypes: []string{"CP", "PPAL"},
			Issuers: []engine.IssuerRange{{Low: 4000000000000000000, High: 4009999999999999999, ABI: "07601"}, {Low: 5, High: 9, ABI: "14156"}},
		},
		Bundles: []bundles.Bundle{
			{
				Bundle: engine.Bundle{
					ID: "B1", PSP: "ABI14156", Channel: "14156_01", Broker: "00000014156", ABI: "14156", PSPBusinessName: `Banca "Uno" S.p.A.`,
					Name: "Carte: sera", Description: "Carta di credito, la sera è più conveniente", Type: engine.Private, PaymentType: "CP", Touchpoint: "IO",
					Band: engine.Band{MinCents: 5000, MaxCents: 100000}, TransferCategories: []string{"0102100SA", "0102101SA"},
					Cart: true, DigitalStamp: true, DigitalStampOnly: true, OnUs: true,
					Validity: engine.Period{From: 20261121, To: 20271231},
					Schedule: engine.Schedule{{Days: 1<<1 | 1<<5, FromMinute: 22 * 60, ToMinute: 6*60 + 30}, {Days: engine.EveryDay, FromMinute: 0, ToMinute: 24 * 60}},
					When:     `notices == 1 && category("01021*")`,
					Fee: engine.Fee{FlatCents: 50, PerNoticeCents: 10, BasisPoints: 25, MinCents: ptr(60), MaxCents: ptr(900), Steps: []engine.FeeStep{
						{UpToCents: ptr(10000), Fee: engine.Fee{FlatCents: 5}}, {Fee: engine.Fee{BasisPoints: 10, MaxCents: ptr(100)}}}},
				},
				PolicyURL: "https://psp.example/fees", CDI: "CDI-1", Descriptions: map[string]string{"EN": "Credit card", "DE": "Kreditkarte"}, Origin: bundles.OriginFeeList,
			},
			{Bundle: engine.Bundle{
				ID: "B2", PSP: "NO", Channel: "NO", Broker: "0x10", ABI: "07601", PSPBusinessName: "1e3", Name: "~", Type: engine.Global, Touchpoint: engine.Any,
				Band: engine.Band{MaxCents: 100}, Fee: engine.Fee{FlatCents: 150},
			}},
		},
		Subscriptions: []bundles.Subscription{
			{Subscription: engine.Subscription{ID: "S1", BundleID: "B1", CreditorInstitution: "77777777777", Validity: engine.Period{From: 20261122, To: 20270101},
				Attributes: []engine.Attribute{{ID: "A1", MaxPaymentAmountCents: 60, TransferCategory: "0102100SA"}, {ID: "A2", TransferCategory: "0102101SA", NotEqual: true}}}},
			{Subscription: engine.Subscription{ID: "S2", BundleID: "B1", CreditorInstitution: "00000000001", Attributes: []engine.Attribute{{MaxPaymentAmountCents: 1}}}},
			{Subscription: engine.Subscription{ID: "S1", BundleID: "elsewhere", CreditorInstitution: "77777777777"}},
		},
	}
}

func TestA9GoldenFiles(t *testing.T) {
	for _, test := range []struct {
		file string
		name format.Name
		o    format.WriteOptions
	}{
		{"every-feature.json", format.Native, format.WriteOptions{}},
		{"every-feature.yaml", format.Native, format.WriteOptions{YAML: true}},
		{"snapshot.json", format.Snapshot, format.WriteOptions{}},
	} {
		t.Run(test.file, func(t *testing.T) {
			want := everyFeature()
			if test.name == format.Snapshot { // has no place for subscriptions of other bundles, and gives each bundle an origin
				want.Subscriptions = want.Subscriptions[:2]
				want.Bundles[1].Origin = bundles.OriginSnapshot
			}
			var file bytes.Buffer
			if err := format.Write(test.name, &file, want, test.o); err != nil {
				t.Fatal(err)
			}
			golden(t, test.file, file.Bytes())
			got := mustRead(t, test.name, file.Bytes(), format.ReadOptions{})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

// Each file of testdata/faults is read with the checks on; beside it stands the report.
func TestA2FaultReports(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.*")
	if err != nil {
		t.Fatal(err)
	}
	settings := &engine.Settings{Touchpoints: []string{"IO", "CHECKOUT"}, PaymentTypes: []string{"CP", "PPAL"}}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := format.Native
			if base := filepath.Base(file); strings.HasPrefix(base, "snapshot") {
				name = format.Snapshot
			} else if strings.HasPrefix(base, "feelist") {
				name = format.FeeList
			}
			_, _, err = format.Read(name, bytes.NewReader(data), format.ReadOptions{Settings: settings, Check: func(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
				return bundles.CheckDocument(d, settings, 20261121, name != format.Native, nil)
			}})
			var faults bundles.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("no faults: %v", err)
			}
			var report strings.Builder
			for _, f := range faults {
				report.WriteString(f.Error() + "\n")
			}
			golden(t, filepath.Join("faults", filepath.Base(file)+".golden"), []byte(report.String()))
		})
	}
}
