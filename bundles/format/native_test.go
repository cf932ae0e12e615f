package format_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// A person's YAML: no quotes, comments, the published form of a code, defaults left out.
const handwritten = `# fees of Banca Uno
bundles:
- id: evening
  idPsp: ABI14156
  idChannel: 14156_01
  idBrokerPsp: 00000014156
  abi: 07601
  pspBusinessName: Banca Uno
  name: Evening # cheaper
  type: PUBLIC
  onUs: false
  minPaymentAmount: 0
  maxPaymentAmount: 5000
  paymentAmount: 100
  fee: {perNotice: 5}
  transferCategoryList: [9/0102100SA/]
  validityDateFrom: 2026-11-21
  schedule: [{days: [mon, SUN], from: 20:00, to: 06:00}]
  when: |
    notices == 1
    && weekend()
  subscriptions:
  - {id: s, ciFiscalCode: 01234567890}
`

func TestNativeHandwrittenYAML(t *testing.T) {
	want := bundles.Document{
		Bundles: []bundles.Bundle{{Bundle: engine.Bundle{
			ID: "evening", PSP: "ABI14156", Channel: "14156_01", Broker: "00000014156", ABI: "07601", PSPBusinessName: "Banca Uno", Name: "Evening",
			Type: engine.Public, Touchpoint: engine.Any, Band: engine.Band{MaxCents: 5000}, Cart: true, TransferCategories: []string{"0102100SA"},
			Fee: engine.Fee{FlatCents: 100, PerNoticeCents: 5}, Validity: engine.Period{From: 20261121},
			Schedule: engine.Schedule{{Days: 1<<1 | 1<<7, FromMinute: 20 * 60, ToMinute: 6 * 60}}, When: "notices == 1\n&& weekend()\n",
		}}},
		Subscriptions: []bundles.Subscription{{Subscription: engine.Subscription{ID: "s", BundleID: "evening", CreditorInstitution: "01234567890"}}},
	}
	got := mustRead(t, format.Native, []byte(handwritten), format.ReadOptions{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if faults, _ := bundles.CheckDocument(&got, &engine.Settings{}, 20261121, false, nil); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestNativeSettingsInPartKeepTheRest(t *testing.T) {
	inForce := &engine.Settings{ThresholdCents: 5, AmexABI: "AMREX", Touchpoints: []string{"IO"}, PaymentTypes: []string{"CP"}, Issuers: []engine.IssuerRange{{Low: 1, High: 2, ABI: "3"}}}
	for text, want := range map[string]*engine.Settings{
		`{}`:                                   nil,
		`{"bundles":[]}`:                       nil,
		`{"config":{"amountThreshold":6}}`:     {ThresholdCents: 6, AmexABI: "AMREX", Touchpoints: inForce.Touchpoints, PaymentTypes: inForce.PaymentTypes, Issuers: inForce.Issuers},
		`{"touchpoints":["POS"],"issuers":[]}`: {ThresholdCents: 5, AmexABI: "AMREX", Touchpoints: []string{"POS"}, PaymentTypes: inForce.PaymentTypes},
	} {
		got := mustRead(t, format.Native, []byte(text), format.ReadOptions{Settings: inForce}).Settings
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	if inForce.ThresholdCents != 5 || inForce.Touchpoints[0] != "IO" {
		t.Errorf("the settings in force became %v", inForce)
	}
}

func TestNativeIsJSONByItsFirstCharacter(t *testing.T) {
	for _, text := range []string{"{}", " \n\t{}", "{\"bundles\": []}\r\n"} {
		mustRead(t, format.Native, []byte(text), format.ReadOptions{})
	}
	_, _, err := format.Read(format.Native, strings.NewReader("{bundles: []}"), format.ReadOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "1:2: invalid character 'b'") {
		t.Errorf("a YAML flow mapping: %v", err)
	}
}

func TestReadReportsAllFaultsWithTheChecksOfTheCaller(t *testing.T) {
	text := "{\n \"bundles\": [\n  {\"id\": 5, \"idPsp\": \"P\"},\n  {\"id\": \"x\", \"idPsp\": \"Q\"}]}"
	check := func(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
		if len(d.Bundles) != 2 {
			t.Errorf("%d bundles are checked", len(d.Bundles))
		}
		return bundles.Faults{{Path: "bundles[0].id", Reason: "is missing"}, {Path: "bundles[1].idPsp", Reason: "is not yours"}, {Path: "bundles[1].fee.bps", Reason: "?"}},
			[]bundles.Fault{{Path: "bundles[1].id", Reason: "is short"}}
	}
	_, warnings, err := format.Read(format.Native, strings.NewReader(text), format.ReadOptions{Check: check})
	report := err.Error()
	for _, want := range []string{"3:10: bundles[0].id: is a number, not text", "4:24: bundles[1].idPsp: is not yours", "4:3: bundles[1].fee.bps: ?"} {
		if !strings.Contains(report, want) {
			t.Errorf("%q is not in\n%s", want, report)
		}
	}
	if strings.Contains(report, "bundles[0].id: is missing") {
		t.Errorf("what could not be read was judged:\n%s", report)
	}
	if diff := cmp.Diff([]bundles.Fault{{Path: "bundles[1].id", Line: 4, Column: 10, Reason: "is short"}}, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestReadPassesErrorsOfTheReaderOn(t *testing.T) {
	broken := errors.New("the line is dead")
	if _, _, err := format.Read(format.Native, iotest.ErrReader(broken), format.ReadOptions{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, _, err := format.Read("xls", strings.NewReader("{}"), format.ReadOptions{}); !errors.Is(err, format.ErrUnknownFormat) {
		t.Error(err)
	}
	if err := format.Write("xls", new(bytes.Buffer), bundles.Document{}, format.WriteOptions{}); !errors.Is(err, format.ErrUnknownFormat) {
		t.Error(err)
	}
}

// failing refuses to be written to.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestWritePassesErrorsOfTheWriterOn(t *testing.T) {
	d := everyFeature()
	for _, o := range []format.WriteOptions{{}, {YAML: true}} {
		if err := format.Write(format.Native, failing{}, d, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if err := format.Write(format.FeeList, failing{}, bundles.Document{}, format.WriteOptions{}); err == nil {
		t.Error("fee list: no error")
	}
}

func TestWriteOfNothing(t *testing.T) {
	for _, name := range format.Names() {
		for _, yaml := range []bool{false, true} {
			var file bytes.Buffer
			if err := format.Write(name, &file, bundles.Document{}, format.WriteOptions{YAML: yaml}); err != nil {
				t.Fatal(err)
			}
			d := mustRead(t, name, file.Bytes(), format.ReadOptions{})
			if len(d.Bundles) > 0 || name != format.FeeList && d.Settings != nil {
				t.Errorf("%s %v: %+v", name, yaml, d)
			}
		}
	}
}

// TestA9ExportSaysThatItIsOne holds that a native file tells where it was exported from, and that reading
// it gives that back, so that it is taken in with the dates that it has.
func TestA9ExportSaysThatItIsOne(t *testing.T) {
	d := bundles.Document{
		Export: &bundles.Export{Revision: 7, At: time.Date(2026, 11, 21, 10, 0, 0, 123_000_000, time.UTC)},
	}
	for _, yaml := range []bool{false, true} {
		var text bytes.Buffer
		if err := format.Write(format.Native, &text, d, format.WriteOptions{YAML: yaml}); err != nil {
			t.Fatal(err)
		}
		read, _, err := format.Read(format.Native, bytes.NewReader(text.Bytes()), format.ReadOptions{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		if diff := cmp.Diff(d.Export, read.Export); diff != "" {
			t.Errorf("%s\n%s", diff, text.String())
		}
	}
	_, _, err := format.Read(format.Native, strings.NewReader(`{"export": {"revision": 7, "at": "yesterday"}, "bundles": []}`), format.ReadOptions{})
	if err == nil || !strings.Contains(err.Error(), "export.at") {
		t.Errorf("an instant that is none: %v", err)
	}
}
