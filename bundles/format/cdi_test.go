package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// cdiPSP is one PSP of a CDI, given by what differs from a usual one.
type cdiPSP struct {
	flow, id, abi, from, stamp string
	details                    []cdiDetail
}

type cdiDetail struct {
	channel, kind, model, app  string
	transaction, commission    string
	service, texts, bands, end string
}

func (d cdiDetail) String() string {
	return fmt.Sprintf(`<informativaDetail><identificativoIntermediario>00000014156</identificativoIntermediario><identificativoCanale>%s</identificativoCanale>
<tipoVersamento>%s</tipoVersamento><modelloPagamento>%s</modelloPagamento><priorita>0</priorita><canaleApp>%s</canaleApp>%s
<listaInformazioniServizio>%s</listaInformazioniServizio>
<costiServizio><tipoCostoTransazione>%s</tipoCostoTransazione><tipoCommissione>%s</tipoCommissione><listaFasceCostoServizio>%s</listaFasceCostoServizio>%s</costiServizio></informativaDetail>
`,
		or(d.channel, "14156_01"), or(d.kind, "CP"), or(d.model, "1"), or(d.app, "0"),
		or(d.service, `<identificazioneServizio><nomeServizio>Carte</nomeServizio><logoServizio>AAAA</logoServizio></identificazioneServizio>`),
		or(d.texts, italian), or(d.transaction, "1"), or(d.commission, "0"), or(d.bands, band("1000.00", "1.00", "0.50")), d.end)
}

// or is the first of two texts that is not empty.
func or(value, usual string) string {
	if value == "" {
		return usual
	}
	return value
}

const italian = `<informazioniServizio><codiceLingua>IT</codiceLingua><descrizioneServizio>Pagamento con carta</descrizioneServizio><disponibilitaServizio>24/7/7</disponibilitaServizio></informazioniServizio>`

func band(most, fixed, commission string, agreements ...string) string {
	list := ""
	if len(agreements) > 0 {
		list = "<listaConvenzioniCosti><codiceConvenzione>" + strings.Join(agreements, "</codiceConvenzione><codiceConvenzione>") + "</codiceConvenzione></listaConvenzioniCosti>"
	}
	return fmt.Sprintf(`<fasciaCostoServizio><importoMassimoFascia>%s</importoMassimoFascia><costoFisso>%s</costoFisso><valoreCommissione>%s</valoreCommissione>%s</fasciaCostoServizio>`, most, fixed, commission, list)
}

func (p cdiPSP) String() string {
	text := fmt.Sprintf(`<informativaPSP><identificativoFlusso>%s</identificativoFlusso><identificativoPSP>%s</identificativoPSP><ragioneSociale>Banca Però &amp; C.</ragioneSociale>%s
<informativaMaster><dataPubblicazione>2026-11-01T09:30:00</dataPubblicazione><dataInizioValidita>%s</dataInizioValidita><urlInformazioniPSP>https://psp.example/</urlInformazioniPSP>
<urlInformativaPSP>https://psp.example/fees</urlInformativaPSP><stornoPagamento>0</stornoPagamento><marcaBolloDigitale>%s</marcaBolloDigitale><logoPSP>
iVBORw0KGgo=
</logoPSP></informativaMaster><listaInformativaDetail>`, or(p.flow, "ABI14156_21-11-2026"), or(p.id, "ABI14156"), p.abi, or(p.from, "2026-12-01T00:00:00"), or(p.stamp, "0"))
	for _, d := range p.details {
		text += d.String()
	}
	return text + "</listaInformativaDetail></informativaPSP>\n"
}

// cdi is a document of those PSPs.
func cdi(psps ...cdiPSP) string {
	text := `<?xml version="1.0" encoding="UTF-8"?>` + "\n<listaInformativePSP>\n"
	for _, p := range psps {
		text += p.String()
	}
	return text + "</listaInformativePSP>\n"
}

func readCDI(t testing.TB, text string) []bundles.Bundle {
	t.Helper()
	d, warnings, err := format.Read(format.CDI, strings.NewReader(text), format.ReadOptions{Today: 20261121})
	if err != nil || len(warnings) > 0 || d.Settings != nil || d.Subscriptions != nil {
		t.Fatalf("%v %v", err, warnings)
	}
	return d.Bundles
}

// cdiBundle is the bundle of the first band of the usual detail at a touchpoint.
func cdiBundle(touchpoint string) bundles.Bundle {
	return bundles.Bundle{
		Bundle: engine.Bundle{
			ID: "ABI14156_21-11-2026-ABI14156-1-1-" + touchpoint, PSP: "ABI14156", Channel: "14156_01", Broker: "00000014156", ABI: "ABI14156",
			PSPBusinessName: "Banca Però & C.", Name: "Carte", Description: "Pagamento con carta", PaymentType: "CP", Touchpoint: touchpoint,
			Band: engine.Band{MaxCents: 100000}, Cart: true, Validity: engine.Period{From: 20261201}, Fee: engine.Fee{FlatCents: 150},
		},
		PolicyURL: "https://psp.example/fees", CDI: "ABI14156_21-11-2026", Origin: bundles.OriginCDI,
	}
}

func TestCDIEveryFieldOfTheTable(t *testing.T) {
	texts := italian + `<informazioniServizio><codiceLingua>DE</codiceLingua><descrizioneServizio>Kartenzahlung</descrizioneServizio><disponibilitaServizio>24/7/7</disponibilitaServizio></informazioniServizio>`
	got := readCDI(t, cdi(cdiPSP{abi: "<codiceABI>14156</codiceABI>", stamp: "1", details: []cdiDetail{
		{channel: "14156_01_ONUS", texts: texts, bands: band("1000.00", "1.00", "0.50") + band("50.00", "0.29", "0.00") + band("100.00", "0.00", "0.00")},
		{kind: "PO", model: "4", service: " ", bands: band("999999999.99", "0.00", "2.00")},
	}}))
	var want []bundles.Bundle
	for i, b := range []engine.Band{{MinCents: 10000, MaxCents: 100000}, {MinCents: 0, MaxCents: 5000}, {MinCents: 5000, MaxCents: 10000}} {
		for _, touchpoint := range []string{"WISP", "IO", "CHECKOUT"} {
			w := cdiBundle(touchpoint)
			w.ID = fmt.Sprintf("ABI14156_21-11-2026-ABI14156-1-%d-%s", i+1, touchpoint)
			w.Band, w.Fee.FlatCents = b, []int64{150, 29, 0}[i]
			w.ABI, w.Channel, w.OnUs, w.DigitalStamp = "14156", "14156_01_ONUS", true, true
			w.Descriptions = map[string]string{"DE": "Kartenzahlung"}
			want = append(want, w)
		}
	}
	po := cdiBundle("PSP")
	po.ID, po.Name, po.PaymentType, po.ABI, po.DigitalStamp = "ABI14156_21-11-2026-ABI14156-2-1-PSP", "Banca Però & C.", "PO", "14156", true
	po.Band.MaxCents, po.Fee.FlatCents = 99_999_999_999, 200
	if diff := cmp.Diff(append(want, po), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCDITouchpointsOfADetail(t *testing.T) {
	for _, kind := range []string{"BBT", "BP", "AD", "CP", "PO", "OBEP", "JIF", "MYBK", "PPAL", "RPIC", "RBPS", "RBPR", "RBPP", "RBPB", "BPAY", "APPL", "PPAY"} {
		for _, model := range []string{"0", "1", "2", "4"} {
			for _, app := range []string{"0", "1"} {
				if (model == "4") != (kind == "PO") {
					continue
				}
				want := "ANY"
				switch { // spec 5, word by word
				case kind == "PO":
					want = "PSP"
				case kind == "CP" && app == "0" && model == "1":
					want = "WISP IO CHECKOUT"
				case kind == "CP" && app == "0":
				case (kind == "BBT" || kind == "BP" || kind == "MYBK" || kind == "AD") && app == "0":
					want = "WISP"
				case kind != "PPAL" && app == "1":
					want = "WISP"
				case kind == "PPAL" && app == "1":
					want = "IO"
				}
				var got []string
				for _, b := range readCDI(t, cdi(cdiPSP{details: []cdiDetail{{kind: kind, model: model, app: app}}})) {
					got = append(got, b.Touchpoint)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%s, model %s, app %s: %v, want %s", kind, model, app, got, want)
				}
			}
		}
	}
}

func TestCDICentsAreExact(t *testing.T) {
	lost := 0
	var bands strings.Builder
	const most = 1000
	for cents := 1; cents < most; cents++ {
		text := fmt.Sprintf("%d.%02d", cents/100, cents%100)
		if float, _ := strconv.ParseFloat(text, 64); int(float*100) != cents {
			lost++
		}
		bands.WriteString(band(fmt.Sprintf("%d.00", cents), text, "0.00"))
	}
	if lost == 0 {
		t.Error("floats lose none of these amounts: use others")
	}
	t.Logf("floats lose %d of %d amounts", lost, most-1)
	for i, b := range readCDI(t, cdi(cdiPSP{details: []cdiDetail{{kind: "BPAY", bands: bands.String()}}})) {
		if want := int64(i + 1); b.Fee.FlatCents != want || b.Band.MinCents != 100*(want-1) || b.Band.MaxCents != 100*want {
			t.Errorf("%d cents: %+v %+v", want, b.Fee, b.Band)
		}
	}
	for _, sum := range [][2]string{{"0.29", "0.00"}, {"0.00", "0.29"}, {"0.10", "0.19"}, {"0.28", "0.01"}} {
		if b := readCDI(t, cdi(cdiPSP{details: []cdiDetail{{kind: "BPAY", bands: band("1.00", sum[0], sum[1])}}})); b[0].Fee.FlatCents != 29 {
			t.Errorf("%v: %d cents", sum, b[0].Fee.FlatCents)
		}
	}
}

func TestCDIOlderCosts(t *testing.T) {
	for _, test := range []struct {
		title  string
		detail cdiDetail
		want   engine.Fee
	}{
		{"per notice", cdiDetail{transaction: "0", bands: band("50.00", "0.00", "1.10")}, engine.Fee{PerNoticeCents: 110}},
		{"percentage", cdiDetail{commission: "1", bands: band("50.00", "0.30", "1.25")}, engine.Fee{FlatCents: 30, BasisPoints: 125}},
	} {
		test.detail.kind = "BPAY"
		if got := readCDI(t, cdi(cdiPSP{details: []cdiDetail{test.detail}})); len(got) != 1 || !cmp.Equal(got[0].Fee, test.want) {
			t.Errorf("%s: %+v", test.title, got)
		}
	}
}

func TestCDIAgreementsBecomePrivateBundles(t *testing.T) {
	const stated = "<costoConvenzione>0.70</costoConvenzione>"
	beside := strings.Replace(band("50.00", "1.00", "0.00", "CONV1", "CONV2"), "CONV2</codiceConvenzione>", "CONV2</codiceConvenzione><costoConvenzione>0.30</costoConvenzione>", 1)
	for _, test := range []struct {
		title, bands, end string
		want              []string
	}{
		{"a cost of their own", band("50.00", "1.00", "0.00", "CONV1", "CONV2"), stated, []string{"GLOBAL 0-5000 100 Carte", "PRIVATE 0-5000 70 Carte (convenzione CONV1)", "PRIVATE 0-5000 70 Carte (convenzione CONV2)"}},
		{"a cost beside a code", beside, stated, []string{"GLOBAL 0-5000 100 Carte", "PRIVATE 0-5000 70 Carte (convenzione CONV1)", "PRIVATE 0-5000 30 Carte (convenzione CONV2)"}},
		{"a band of their own", band("50.00", "1.00", "0.00") + band("50.00", "0.40", "0.10", "CONV1") + band("90.00", "2.00", "0.00"), "",
			[]string{"GLOBAL 0-5000 100 Carte", "PRIVATE 0-5000 50 Carte (convenzione CONV1)", "GLOBAL 5000-9000 200 Carte"}},
		{"a band of their own with a cost", band("50.00", "1.00", "0.00") + band("50.00", "0.40", "0.10", "CONV1"), stated, []string{"GLOBAL 0-5000 100 Carte", "PRIVATE 0-5000 70 Carte (convenzione CONV1)"}},
		{"nothing but agreements", band("50.00", "0.40", "0.10", "CONV1"), "", []string{"PRIVATE 0-5000 50 Carte (convenzione CONV1)"}},
	} {
		t.Run(test.title, func(t *testing.T) {
			all := readCDI(t, cdi(cdiPSP{details: []cdiDetail{{kind: "BPAY", bands: test.bands, end: test.end}}}))
			var got []string
			for _, b := range all {
				got = append(got, fmt.Sprintf("%s %d-%d %d %s", b.Type, b.Band.MinCents, b.Band.MaxCents, b.Fee.FlatCents, b.Name))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			roundTripCDI(t, bundles.Document{Bundles: all})
		})
	}
}

func TestCDIEncodings(t *testing.T) {
	text := cdi(cdiPSP{details: []cdiDetail{{}}})
	want := readCDI(t, text)
	latin := func(label string) string {
		declared := strings.Replace(text, "UTF-8", label, 1)
		var b strings.Builder
		for _, r := range declared {
			b.WriteByte(byte(r))
		}
		return b.String()
	}
	for title, text := range map[string]string{
		"byte order mark": "\uFEFF" + text, "no declaration": text[strings.Index(text, "\n"):], "utf-8": strings.Replace(text, "UTF-8", "utf-8", 1),
		"ISO-8859-1": latin("ISO-8859-1"), "iso-8859-1": latin("iso-8859-1"), "latin1": latin("latin1"),
		"one PSP without a list": cdiPSP{details: []cdiDetail{{}}}.String(),
		"schema instance":        strings.Replace(text, "<listaInformativePSP>", `<listaInformativePSP xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="CatalogoDatiInformativiPSP.xsd">`, 1),
		"comments":               strings.Replace(text, "<informativaMaster>", "<!-- > --><informativaMaster>", 1),
		"character data section": strings.Replace(text, "Banca Però &amp; C.", "<![CDATA[Banca Però & C.]]>", 1),
	} {
		if diff := cmp.Diff(want, readCDI(t, text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
	}
}

func TestCDISeveralPSPs(t *testing.T) {
	got := readCDI(t, cdi(cdiPSP{details: []cdiDetail{{}}}, cdiPSP{id: "BPPIITRR", flow: "BPPIITRR_01-12-2026", from: "2027-01-01T00:00:00", details: []cdiDetail{{kind: "BPAY"}}}))
	if len(got) != 4 || got[3].ID != "BPPIITRR_01-12-2026-BPPIITRR-1-1-ANY" || got[3].Validity.From != 20270101 {
		t.Errorf("%+v", got)
	}
	if none := readCDI(t, "<listaInformativePSP/>"); len(none) != 0 {
		t.Errorf("%+v", none)
	}
}

func TestCDIPastOnlyWithTheFlag(t *testing.T) {
	for from, refused := range map[string]bool{"2026-11-20": true, "2026-11-21": true, "2026-11-22": false} {
		text := cdi(cdiPSP{from: from + "T00:00:00", details: []cdiDetail{{}}})
		if _, _, err := format.Read(format.CDI, strings.NewReader(text), format.ReadOptions{Today: 20261121}); (err != nil) != refused {
			t.Errorf("%s: %v", from, err)
		}
		if _, _, err := format.Read(format.CDI, strings.NewReader(text), format.ReadOptions{Today: 20261121, Past: true}); err != nil {
			t.Errorf("%s with the flag: %v", from, err)
		}
	}
}

// Each file of testdata/cdi and testdata/csv is read with the checks on; beside it stands the report.
func TestA2ForeignFaultReports(t *testing.T) {
	settings := &engine.Settings{Touchpoints: []string{"IO", "CHECKOUT", "WISP", "PSP"}, PaymentTypes: []string{"CP", "PPAL", "PO", "BPAY"}}
	for _, name := range []format.Name{format.CDI, format.CSV} {
		files, err := filepath.Glob(filepath.Join("testdata", string(name), "faults-*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, ".golden") {
				continue
			}
			t.Run(filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				_, warnings, err := format.Read(name, bytes.NewReader(data), format.ReadOptions{Today: 20261121, Check: func(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
					return bundles.CheckDocument(d, settings, 20261121, false, nil)
				}})
				var faults bundles.Faults
				if !errors.As(err, &faults) {
					t.Fatalf("no faults: %v", err)
				}
				var report strings.Builder
				for _, f := range faults {
					report.WriteString(f.Error() + "\n")
				}
				for _, w := range warnings {
					report.WriteString("warning: " + w.Error() + "\n")
				}
				golden(t, filepath.Join(string(name), filepath.Base(file)+".golden"), []byte(report.String()))
			})
		}
	}
}

// roundTripCDI requires that what came from a CDI comes back from an export.
func roundTripCDI(t testing.TB, d bundles.Document) {
	t.Helper()
	var file bytes.Buffer
	if err := format.Write(format.CDI, &file, d, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	again, _, err := format.Read(format.CDI, bytes.NewReader(file.Bytes()), format.ReadOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, file.String())
	}
	if diff := cmp.Diff(d.Bundles, again.Bundles); diff != "" {
		t.Fatalf("%s\nread back (-want +got):\n%s", file.String(), diff)
	}
}

func TestA9CDIRoundTripChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var psps []cdiPSP
		for i := range rapid.IntRange(1, 3).Draw(t, "PSPs") {
			p := cdiPSP{id: fmt.Sprintf("ABI0000%d", i), flow: fmt.Sprintf("ABI0000%d_01-12-2026", i), stamp: rapid.SampledFrom([]string{"0", "1"}).Draw(t, "stamp")}
			for range rapid.IntRange(1, 3).Draw(t, "details") {
				p.details = append(p.details, anyDetail(t))
			}
			psps = append(psps, p)
		}
		d, _, err := format.Read(format.CDI, strings.NewReader(cdi(psps...)), format.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := format.Write(format.CDI, &file, d, format.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		again, _, err := format.Read(format.CDI, &file, format.ReadOptions{})
		if diff := cmp.Diff(d, again); err != nil || diff != "" {
			t.Fatalf("%v, read back (-want +got):\n%s", err, diff)
		}
	})
}

func anyDetail(t *rapid.T) cdiDetail {
	d := cdiDetail{
		kind: rapid.SampledFrom([]string{"CP", "PPAL", "BPAY", "MYBK", "PO"}).Draw(t, "type"), app: rapid.SampledFrom([]string{"0", "1"}).Draw(t, "app"),
		model: rapid.SampledFrom([]string{"0", "1", "2"}).Draw(t, "model"), channel: rapid.SampledFrom([]string{"CH", "CH_ONUS"}).Draw(t, "channel"),
		service: rapid.SampledFrom([]string{" ", "<identificazioneServizio><nomeServizio> A &amp; B </nomeServizio><logoServizio/></identificazioneServizio>"}).Draw(t, "service"),
	}
	if d.kind == "PO" {
		d.model = "4"
	}
	amount := func(least int) string {
		cents := rapid.IntRange(least, 30000).Draw(t, "cents")
		return fmt.Sprintf("%d.%02d", cents/100, cents%100)
	}
	kind := rapid.IntRange(0, 2).Draw(t, "costs")
	if kind == 2 {
		d.transaction, d.bands = "0", band(amount(1), "0.00", amount(0))
		return d
	}
	if kind == 1 {
		d.commission = "1"
	}
	seen := map[string]bool{}
	for range rapid.IntRange(1, 3).Draw(t, "bands") {
		most := amount(1)
		if seen[most] {
			continue
		}
		seen[most] = true
		agreements := []string{"C1", "C2"}[:rapid.IntRange(0, 2).Draw(t, "agreements")]
		value := amount(0)
		d.bands += band(most, amount(0), value, agreements...)
		if len(agreements) > 0 && rapid.Bool().Draw(t, "plain") {
			d.bands += band(most, amount(0), value)
		}
	}
	if rapid.Bool().Draw(t, "stated") {
		d.end = "<costoConvenzione>" + amount(0) + "</costoConvenzione>"
	}
	return d
}

func TestA9CDICannotSay(t *testing.T) {
	all := readCDI(t, cdi(cdiPSP{details: []cdiDetail{{}, {kind: "BPAY"}}}))
	byHand := cdiBundle("IO")
	byHand.ID, byHand.CDI, byHand.Origin = "hand", "", ""
	changed := all[0]
	changed.When = "weekend()"
	for title, d := range map[string][]bundles.Bundle{
		"made by hand": {byHand}, "changed": {changed, all[1], all[2], all[3]}, "a touchpoint left out": all[1:], "a detail left out": all[3:], "an end": {withEnd(all[3])},
	} {
		err := format.Write(format.CDI, new(bytes.Buffer), bundles.Document{Bundles: d}, format.WriteOptions{})
		if !errors.As(err, new(bundles.Faults)) || !strings.Contains(err.Error(), "did not come from a CDI as it is") {
			t.Errorf("%s: %v", title, err)
		}
	}
	replaced := readCDI(t, cdi(cdiPSP{flow: "ABI14156_01-01-2026", details: []cdiDetail{{kind: "PPAL"}}, from: "2026-11-25T00:00:00"}))
	replaced[0].Validity.To = 20261130
	var file bytes.Buffer
	if err := format.Write(format.CDI, &file, bundles.Document{Bundles: append(replaced, all...)}, format.WriteOptions{}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(all, readCDI(t, file.String())); diff != "" {
		t.Errorf("with a CDI that was replaced (-want +got):\n%s", diff)
	}
}

func withEnd(b bundles.Bundle) bundles.Bundle {
	b.Validity.To = 20281231
	return b
}
