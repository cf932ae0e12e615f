package format_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// readBundle reads a snapshot of one bundle with these fields besides the mandatory ones.
func readBundle(t *testing.T, fields string) bundles.Document {
	t.Helper()
	text := `{"bundles":[{"id":"a","idPsp":"P","type":"GLOBAL","maxPaymentAmount":100,"paymentAmount":1` + fields + `}]}`
	return mustRead(t, format.Snapshot, []byte(text), format.ReadOptions{})
}

func TestSnapshotTakesWhatIsMet(t *testing.T) {
	base := bundles.Bundle{Bundle: engine.Bundle{ID: "a", PSP: "P", Band: engine.Band{MaxCents: 100}, Fee: engine.Fee{FlatCents: 1}, Touchpoint: engine.Any, Cart: true},
		Origin: bundles.OriginSnapshot}
	for fields, change := range map[string]func(b *bundles.Bundle){
		``:                                  func(*bundles.Bundle) {},
		`,"abi":14156`:                      func(b *bundles.Bundle) { b.ABI = "14156" },
		`,"abi":"07601"`:                    func(b *bundles.Bundle) { b.ABI = "07601" },
		`,"idCdi":12345678901234567890`:     func(b *bundles.Bundle) { b.CDI = "12345678901234567890" },
		`,"unknown":{"a":[1,{"b":null}]}`:   func(*bundles.Bundle) {},
		`,"touchpoint":null`:                func(*bundles.Bundle) {},
		`,"touchpoint":""`:                  func(*bundles.Bundle) {},
		`,"touchpoint":"any"`:               func(*bundles.Bundle) {},
		`,"touchpoint":"io"`:                func(b *bundles.Bundle) { b.Touchpoint = "io" },
		`,"paymentType":null`:               func(*bundles.Bundle) {},
		`,"paymentType":"ANY"`:              func(*bundles.Bundle) {},
		`,"paymentType":"Any"`:              func(*bundles.Bundle) {},
		`,"paymentType":"CP"`:               func(b *bundles.Bundle) { b.PaymentType = "CP" },
		`,"cart":null`:                      func(*bundles.Bundle) {},
		`,"cart":false`:                     func(b *bundles.Bundle) { b.Cart = false },
		`,"onUs":true`:                      func(b *bundles.Bundle) { b.OnUs = true },
		`,"minPaymentAmount":5`:             func(b *bundles.Bundle) { b.Band.MinCents = 5 },
		`,"transferCategoryList":null`:      func(*bundles.Bundle) {},
		`,"transferCategoryList":[]`:        func(*bundles.Bundle) {},
		`,"transferCategoryList":[null]`:    func(*bundles.Bundle) {},
		`,"schedule":null,"fee":null`:       func(*bundles.Bundle) {},
		`,"validityDateFrom":null`:          func(*bundles.Bundle) {},
		`,"validityDateTo":"2026-11-21"`:    func(b *bundles.Bundle) { b.Validity.To = 20261121 },
		`,"validityDateFrom":[2026,11,21]`:  func(b *bundles.Bundle) { b.Validity.From = 20261121 },
		`,"ciBundleList":null,"origin":"x"`: func(b *bundles.Bundle) { b.Origin = "x" },
		`,"transferCategoryList":["9/0102100SA/","0102101SA","x"]`: func(b *bundles.Bundle) {
			b.TransferCategories = []string{"0102100SA", "0102101SA", "x"}
		},
		`,"validityDateFrom":[2026,11,21,10,30,0,5]`:      func(b *bundles.Bundle) { b.Validity.From = 20261121 },
		`,"validityDateFrom":"2026-11-21T00:00:00"`:       func(b *bundles.Bundle) { b.Validity.From = 20261121 },
		`,"validityDateFrom":"2026-11-21T00:00:00.123"`:   func(b *bundles.Bundle) { b.Validity.From = 20261121 },
		`,"validityDateFrom":"2026-11-20T23:00:00Z"`:      func(b *bundles.Bundle) { b.Validity.From = 20261121 }, // midnight in Rome
		`,"validityDateFrom":"2026-11-21T00:00:00+01:00"`: func(b *bundles.Bundle) { b.Validity.From = 20261121 },
	} {
		want := base
		change(&want)
		if diff := cmp.Diff([]bundles.Bundle{want}, readBundle(t, fields).Bundles); diff != "" {
			t.Errorf("%s (-want +got):\n%s", fields, diff)
		}
	}
}

func TestSnapshotTypeInAnyCase(t *testing.T) {
	for spelling, want := range map[string]engine.BundleType{"global": engine.Global, "Public": engine.Public, "PRIVATE": engine.Private} {
		text := `{"bundles":[{"id":"a","type":"` + spelling + `","maxPaymentAmount":100,"paymentAmount":1}]}`
		if d := mustRead(t, format.Snapshot, []byte(text), format.ReadOptions{}); d.Bundles[0].Type != want {
			t.Errorf("%s became %v", spelling, d.Bundles[0].Type)
		}
	}
}

func TestSnapshotSubscriptions(t *testing.T) {
	d := readBundle(t, `,"ciBundleList":[{"id":"s","ciFiscalCode":77777777777,"validityDateFrom":"2026-11-21","x":1,"attributes":null},
		{"id":"t","attributes":[{"id":"a","maxPaymentAmount":5,"transferCategory":null,"transferCategoryRelation":null},
		{"maxPaymentAmount":6,"transferCategory":"9/0102100SA/","transferCategoryRelation":"not_equal"}]}]`)
	want := []bundles.Subscription{
		{Subscription: engine.Subscription{ID: "s", BundleID: "a", CreditorInstitution: "77777777777", Validity: engine.Period{From: 20261121}}},
		{Subscription: engine.Subscription{ID: "t", BundleID: "a", Attributes: []engine.Attribute{
			{ID: "a", MaxPaymentAmountCents: 5}, {MaxPaymentAmountCents: 6, TransferCategory: "0102100SA", NotEqual: true}}}},
	}
	if diff := cmp.Diff(want, d.Subscriptions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSnapshotSettingsDoNotLookAtThoseInForce(t *testing.T) {
	d := mustRead(t, format.Snapshot, []byte(`{"config":{"amountThreshold":5,"pspBlacklist":null},"issuers":[{"low":1,"high":2,"abi":3}]}`),
		format.ReadOptions{Settings: &engine.Settings{AmexABI: "AMREX", Touchpoints: []string{"IO"}}})
	want := &engine.Settings{ThresholdCents: 5, Issuers: []engine.IssuerRange{{Low: 1, High: 2, ABI: "3"}}}
	if diff := cmp.Diff(want, d.Settings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d := mustRead(t, format.Snapshot, []byte(`{"bundles":[]}`), format.ReadOptions{}); d.Settings != nil {
		t.Errorf("a snapshot without settings has %v", d.Settings)
	}
}

func TestSnapshotHasNoPlaceForStraySubscriptions(t *testing.T) {
	d := bundles.Document{Subscriptions: []bundles.Subscription{{Subscription: engine.Subscription{ID: "s", BundleID: "gone"}}}}
	var file bytes.Buffer
	err := format.Write(format.Snapshot, &file, d, format.WriteOptions{})
	if err == nil || !strings.Contains(err.Error(), `subscriptions[0]: is for bundle "gone", which is not in the document`) || file.Len() > 0 {
		t.Errorf("%v, %q", err, file.String())
	}
}

// The catalogues of the conformance cases are snapshots: a round trip changes nothing in them, and they
// pass the lenient checks.
func TestSnapshotConformanceCatalogues(t *testing.T) {
	catalogues := 0
	for line := range bytes.Lines(shared(t, "conformance/quotes.jsonl")) {
		if !bytes.HasPrefix(line, []byte(`{"config"`)) {
			continue
		}
		catalogues++
		d := mustRead(t, format.Snapshot, line, format.ReadOptions{})
		if len(d.Bundles) != bytes.Count(line, []byte(`"idPsp":`)) || len(d.Subscriptions) != bytes.Count(line, []byte(`"ciFiscalCode":`)) {
			t.Errorf("catalogue %d: %d bundles, %d subscriptions", catalogues, len(d.Bundles), len(d.Subscriptions))
		}
		if faults, _ := bundles.CheckDocument(&d, nil, 20261121, true, nil); len(faults) > 0 {
			t.Errorf("catalogue %d: %v", catalogues, faults)
		}
		for name, o := range map[format.Name]format.WriteOptions{format.Snapshot: {}, format.Native: {YAML: true}} {
			var file bytes.Buffer
			if err := format.Write(name, &file, d, o); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(d, mustRead(t, name, file.Bytes(), format.ReadOptions{})); diff != "" {
				t.Errorf("catalogue %d as %s (-want +got):\n%s", catalogues, name, diff)
			}
		}
	}
	if catalogues == 0 {
		t.Error("no catalogue found")
	}
}
