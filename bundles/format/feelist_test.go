package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

const listFile = "data/elenco-servizi.json"

func TestFeeListPublishedIsWrittenBackByteForByte(t *testing.T) {
	published := shared(t, listFile)
	d, warnings, err := format.Read(format.FeeList, bytes.NewReader(published), format.ReadOptions{})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	var written bytes.Buffer
	if err := format.Write(format.FeeList, &written, d, format.WriteOptions{Today: 20260618}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, written.Bytes()) {
		t.Error(cmp.Diff(strings.Split(string(published), "\n"), strings.Split(written.String(), "\n")))
	}
	var native bytes.Buffer
	if err := format.Write(format.Native, &native, d, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, mustRead(t, format.Native, native.Bytes(), format.ReadOptions{})); diff != "" {
		t.Errorf("through the native format (-want +got):\n%s", diff)
	}
}

func TestFeeListPublishedPassesTheChecks(t *testing.T) {
	d := mustRead(t, format.FeeList, shared(t, listFile), format.ReadOptions{})
	for _, lenient := range []bool{true, false} {
		if faults, warnings := bundles.CheckDocument(&d, nil, 20261121, lenient, nil); len(faults) > 0 || len(warnings) > 0 {
			t.Errorf("lenient %v: %v %v", lenient, faults, warnings)
		}
	}
	touchpoints, psps := map[string]int{}, map[string]bool{}
	for i := range d.Bundles {
		touchpoints[d.Bundles[i].Touchpoint]++
		psps[d.Bundles[i].PSP] = true
	}
	if len(d.Bundles) != 513 || len(psps) != 18 || touchpoints["CHECKOUT_CART"] != 104 || len(touchpoints) != 4 {
		t.Errorf("%d bundles of %d PSPs for %v", len(d.Bundles), len(psps), touchpoints)
	}
}

func TestFeeListHolesAreKeptUnlessTheyAreClosed(t *testing.T) {
	published := shared(t, listFile)
	kept, closed := mustRead(t, format.FeeList, published, format.ReadOptions{}), mustRead(t, format.FeeList, published, format.ReadOptions{CloseHoles: true})
	changed, maxima := 0, map[int64]bool{}
	for i := range kept.Bundles {
		maxima[kept.Bundles[i].Band.MaxCents] = true
	}
	for i := range kept.Bundles {
		a, b := kept.Bundles[i], closed.Bundles[i]
		if a.Band == b.Band {
			continue
		}
		changed++
		if a.Band.MinCents-1 != b.Band.MinCents || a.Band.MaxCents != b.Band.MaxCents || !maxima[b.Band.MinCents] {
			t.Errorf("%s: %v became %v", a.ID, a.Band, b.Band)
		}
		if a.ID != b.ID {
			t.Errorf("closing a hole made %s of %s", b.ID, a.ID)
		}
	}
	if changed == 0 {
		t.Error("nothing was closed")
	}
	t.Logf("%d of %d minima", changed, len(kept.Bundles))
	var again bytes.Buffer
	if err := format.Write(format.FeeList, &again, closed, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(closed, mustRead(t, format.FeeList, again.Bytes(), format.ReadOptions{})); diff != "" {
		t.Errorf("closed, written and read (-want +got):\n%s", diff)
	}
}

// row is one row of a list, with the given fields besides the mandatory ones or in their place.
func row(fields string) string {
	return `{"psp_id":"ABI1","importo_minimo":0.0,"importo_massimo":50.0,"costo_fisso":1.33,"tipo_vers_cod":"CP","on_us":false` + fields + `}`
}

func list(rows ...string) []byte {
	return []byte(`{"last_Run":"20260618","content":[` + strings.Join(rows, ",") + `]}`)
}

func TestFeeListTouchpointOfARow(t *testing.T) {
	for flags, want := range map[string]string{
		`"carte":true`: "CHECKOUT", `"conto":true`: "CHECKOUT", `"altri_wisp":true`: "CHECKOUT",
		`"carte_app":true`: "IO", `"conto_app":true`: "IO", `"altri_io":true`: "IO",
		`"carte":true,"carte_app":true`: "ANY", `"conto":true,"altri_io":true`: "ANY", `"conto":true,"carte":true`: "CHECKOUT",
		`"carte":false`: "CHECKOUT_CART", `"carte":null`: "CHECKOUT_CART",
	} {
		if b := mustRead(t, format.FeeList, list(row(","+flags)), format.ReadOptions{}).Bundles[0]; b.Touchpoint != want {
			t.Errorf("%s is for %s, want %s", flags, b.Touchpoint, want)
		}
	}
}

func TestFeeListRow(t *testing.T) {
	d := mustRead(t, format.FeeList, list(row(`,"psp_rag_soc":"Uno","codice_abi":7601,"nome_servizio":"Carta","inf_desc_serv":"None",
		"url_informazioni_psp":"https://uno.example","inf_url_canale":"https://uno.example","carte":true,"extra":[1]`)), format.ReadOptions{})
	want := bundles.Bundle{
		Bundle: engine.Bundle{ID: "ABI1-CP-CHECKOUT-5000", PSP: "ABI1", Channel: "ABI1", Broker: "ABI1", ABI: "7601", PSPBusinessName: "Uno", Name: "Carta",
			PaymentType: "CP", Touchpoint: "CHECKOUT", Band: engine.Band{MaxCents: 5000}, Cart: true, Fee: engine.Fee{FlatCents: 133}},
		PolicyURL: "https://uno.example", Origin: bundles.OriginFeeList,
	}
	if diff := cmp.Diff(want, d.Bundles[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b := mustRead(t, format.FeeList, list(row(`,"codice_abi":"None"`)), format.ReadOptions{}).Bundles[0]; b.ABI != "ABI1" {
		t.Errorf("without an ABI it is %q", b.ABI)
	}
}

func TestFeeListIDsOfRowsThatAgree(t *testing.T) {
	d := mustRead(t, format.FeeList, list(row(``), row(`,"on_us2":1`), row(`,"nome_servizio":"A"`), row(`,"carte":true`)), format.ReadOptions{})
	var got []string
	for i := range d.Bundles {
		got = append(got, d.Bundles[i].ID)
	}
	want := []string{"ABI1-CP-CHECKOUT_CART-5000", "ABI1-CP-CHECKOUT_CART-5000-2", "ABI1-CP-CHECKOUT_CART-5000-3", "ABI1-CP-CHECKOUT-5000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	on := mustRead(t, format.FeeList, []byte(`{"content":[{"psp_id":"A/B?","importo_minimo":0,"importo_massimo":1,"costo_fisso":0,"tipo_vers_cod":"CP","on_us":true}]}`), format.ReadOptions{})
	if on.Bundles[0].ID != "A_B_-CP-CHECKOUT_CART-ONUS-100" {
		t.Error(on.Bundles[0].ID)
	}
}

func TestFeeListWarnsOfWhatNoBundleKeeps(t *testing.T) {
	for fields, want := range map[string]string{
		`,"descrizione_canale_mod_pag":"x","inf_desc_serv":"y"`: "descrizione_canale_mod_pag",
		`,"inf_url_canale":"https://x"`:                         "inf_url_canale",
		`,"is_duplicated":true`:                                 "is_duplicated",
		`,"canale_mod_pag":"1","canale_mod_pag_code":5`:         "canale_mod_pag_code, canale_mod_pag",
		`,"conto":true`:                                         "carte, conto",
		`,"altri_io":true`:                                      "altri_io, carte_app",
	} {
		_, warnings, err := format.Read(format.FeeList, bytes.NewReader(list(row(``), row(fields))), format.ReadOptions{})
		if err != nil || len(warnings) != 1 || warnings[0].Path != "content[1]" || warnings[0].Line != 1 || !strings.HasSuffix(warnings[0].Reason, ": "+want) {
			t.Errorf("%s: %v, %v; want a warning of %s", fields, err, warnings, want)
		}
	}
}

func TestFeeListSettings(t *testing.T) {
	read := func(inForce *engine.Settings) *engine.Settings {
		return mustRead(t, format.FeeList, list(row(``), strings.Replace(row(``), `"CP"`, `"NEW"`, 1)), format.ReadOptions{Settings: inForce}).Settings
	}
	fresh := read(nil)
	if diff := cmp.Diff(fresh, read(&engine.Settings{})); diff != "" {
		t.Error(diff)
	}
	if len(fresh.Touchpoints) != 10 || len(fresh.PaymentTypes) != 22 || fresh.PaymentTypes[21] != "NEW" {
		t.Errorf("an empty catalogue gets %v", fresh)
	}
	inForce := &engine.Settings{ThresholdCents: 5, Touchpoints: []string{"POS"}, PaymentTypes: []string{"new"}}
	want := &engine.Settings{ThresholdCents: 5, Touchpoints: []string{"POS", "CHECKOUT_CART"}, PaymentTypes: []string{"new", "CP"}}
	if diff := cmp.Diff(want, read(inForce)); diff != "" {
		t.Errorf("extended (-want +got):\n%s", diff)
	}
	if got := read(want); got != nil {
		t.Errorf("nothing is new, but the document has settings %v", got)
	}
}

func TestFeeListCannotSay(t *testing.T) {
	good := bundles.Bundle{Bundle: engine.Bundle{ID: "x", PSP: "P", Name: "n", PaymentType: "CP", Touchpoint: "IO", Band: engine.Band{MaxCents: 100}, Cart: true}}
	for path, change := range map[string]func(b *bundles.Bundle){
		"type":                 func(b *bundles.Bundle) { b.Type = engine.Private },
		"paymentType":          func(b *bundles.Bundle) { b.PaymentType = "" },
		"touchpoint":           func(b *bundles.Bundle) { b.Touchpoint = "POS" },
		"transferCategoryList": func(b *bundles.Bundle) { b.TransferCategories = []string{"0102100SA"} },
		"cart":                 func(b *bundles.Bundle) { b.Cart = false },
		"digitalStamp":         func(b *bundles.Bundle) { b.DigitalStamp = true },
		"validityDateFrom":     func(b *bundles.Bundle) { b.Validity.From = 20260101 },
		"schedule":             func(b *bundles.Bundle) { b.Schedule = engine.Schedule{{}} },
		"when":                 func(b *bundles.Bundle) { b.When = "true" },
		"fee":                  func(b *bundles.Bundle) { b.Fee.BasisPoints = 1 },
		"minPaymentAmount":     func(b *bundles.Bundle) { b.Band.MinCents = -1 },
	} {
		b := good
		change(&b)
		var file bytes.Buffer
		err := format.Write(format.FeeList, &file, bundles.Document{Bundles: []bundles.Bundle{good, b}}, format.WriteOptions{})
		var faults bundles.Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != "bundles[1]."+path || !strings.HasPrefix(faults[0].Reason, `bundle "x" `) || file.Len() > 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFeeListOfADay(t *testing.T) {
	day := func(id string, validity engine.Period) bundles.Bundle {
		return bundles.Bundle{Bundle: engine.Bundle{ID: id, PSP: id, PaymentType: "CP", Touchpoint: "IO", Band: engine.Band{MaxCents: 100}, Cart: true, Validity: validity}}
	}
	d := bundles.Document{Bundles: []bundles.Bundle{
		day("running", engine.Period{From: 20260101}), day("over", engine.Period{To: 20260617}), day("coming", engine.Period{From: 20260619}), day("last", engine.Period{To: 20260618})}}
	var file bytes.Buffer
	if err := format.Write(format.FeeList, &file, d, format.WriteOptions{Today: 20260618}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range mustRead(t, format.FeeList, file.Bytes(), format.ReadOptions{}).Bundles {
		got = append(got, b.PSP)
	}
	if diff := cmp.Diff([]string{"running", "last"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestF2StepsBecomeOneRowPerBand(t *testing.T) {
	b := bundles.Bundle{Bundle: engine.Bundle{ID: "x", PSP: "P", PaymentType: "CP", Touchpoint: "IO", Band: engine.Band{MinCents: 50, MaxCents: 1000}, Cart: true,
		Fee: engine.Fee{FlatCents: 10, MaxCents: ptr(300), Steps: []engine.FeeStep{
			{UpToCents: ptr(50), Fee: engine.Fee{FlatCents: 1}}, {UpToCents: ptr(100), Fee: engine.Fee{FlatCents: 20}},
			{UpToCents: ptr(500), Fee: engine.Fee{FlatCents: 5, MinCents: ptr(200)}}, {Fee: engine.Fee{FlatCents: 900}}}}}}
	var file bytes.Buffer
	if err := format.Write(format.FeeList, &file, bundles.Document{Bundles: []bundles.Bundle{b}}, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	rows := mustRead(t, format.FeeList, file.Bytes(), format.ReadOptions{}).Bundles
	var got []string
	for i := range rows {
		got = append(got, fmt.Sprintf("%d-%d: %d", rows[i].Band.MinCents, rows[i].Band.MaxCents, rows[i].Fee.FlatCents))
	}
	if diff := cmp.Diff([]string{"50-100: 30", "100-500: 210", "500-1000: 300"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for amount := int64(51); amount <= 1000; amount++ { // the rows cost what the bundle costs
		for i := range rows {
			if rows[i].Band.Holds(amount) {
				want, _ := b.Fee.Cents(amount, 1)
				if got, _ := rows[i].Fee.Cents(amount, 1); got != want {
					t.Fatalf("%d cents cost %d, want %d", amount, got, want)
				}
			}
		}
	}
}
