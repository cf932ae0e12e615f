package format_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/internal/draw"
	"gec/bundles/store/badger"
	"gec/engine"
	"gec/fixtures"
)

// csvHeader are the columns that a bundle needs to be read.
const csvHeader = "id;type;minPaymentAmount;maxPaymentAmount;paymentAmount;onUs"

// readRow reads a CSV of one row with the mandatory columns and some more.
func readRow(t testing.TB, columns, cells string) bundles.Bundle {
	t.Helper()
	d := mustRead(t, format.CSV, []byte(csvHeader+";"+columns+"\nA;GLOBAL;0;10;1;no;"+cells+"\n"), format.ReadOptions{})
	if len(d.Bundles) != 1 {
		t.Fatalf("%d bundles", len(d.Bundles))
	}
	return d.Bundles[0]
}

func TestA9CSVGoldenFile(t *testing.T) {
	want := everyFeature()
	want.Settings, want.Subscriptions = nil, nil
	var file bytes.Buffer
	if err := format.Write(format.CSV, &file, want, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "csv/every-feature.csv", file.Bytes())
	got := mustRead(t, format.CSV, file.Bytes(), format.ReadOptions{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

// anySheet draws a document that a CSV can hold.
func anySheet(t *rapid.T) bundles.Document {
	d := draw.Document(false).Draw(t, "document")
	d.Settings, d.Subscriptions = nil, nil
	clean := func(s string) string { return strings.ReplaceAll(s, "\x00", "") }
	for i := range d.Bundles {
		b := &d.Bundles[i]
		b.ID, b.Channel, b.Broker, b.ABI, b.PSP = fmt.Sprint(i, clean(b.ID)), clean(b.Channel), clean(b.Broker), clean(b.ABI), clean(b.PSP)
		b.PSPBusinessName, b.Name, b.Description, b.When = clean(b.PSPBusinessName), clean(b.Name), clean(b.Description), clean(b.When)
		b.PaymentType, b.Touchpoint, b.PolicyURL, b.CDI, b.Origin = clean(b.PaymentType), clean(b.Touchpoint), clean(b.PolicyURL), clean(b.CDI), clean(b.Origin)
		if b.Touchpoint == "" {
			b.Touchpoint = engine.Any
		}
		armed := rapid.SampledFrom([]string{"", "'", "=", "'=1", "''-", "@", "\t", "\r\n", "+39", "＝"})
		b.Name, b.Description = armed.Draw(t, "before")+b.Name, armed.Draw(t, "before")+b.Description
		for n := range b.TransferCategories {
			b.TransferCategories[n] = "0102100SA"
		}
		descriptions := map[string]string{}
		for _, text := range b.Descriptions {
			if text = clean(text); text != "" {
				descriptions[rapid.StringMatching("[A-Z]{2}").Draw(t, "language")] = text
			}
		}
		b.Descriptions = nil
		if len(descriptions) > 0 {
			b.Descriptions = descriptions
		}
	}
	return d
}

// JSON ⇄ YAML ⇄ CSV ⇄ the form of the store.
func TestA9FormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anySheet(t)
		d := want
		for _, form := range []struct {
			name format.Name
			o    format.WriteOptions
		}{{format.CSV, format.WriteOptions{}}, {format.Native, format.WriteOptions{}}, {format.CSV, format.WriteOptions{}}, {format.Native, format.WriteOptions{YAML: true}}, {format.CSV, format.WriteOptions{}}} {
			var file bytes.Buffer
			if err := format.Write(form.name, &file, d, form.o); err != nil {
				t.Fatal(err)
			}
			text := file.String()
			var err error
			if d, _, err = format.Read(form.name, &file, format.ReadOptions{}); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for i := range d.Bundles {
				stored, err := bundles.DecodeBundle(bundles.EncodeBundle(&d.Bundles[i]))
				if err != nil {
					t.Fatal(err)
				}
				d.Bundles[i] = stored
			}
			if diff := cmp.Diff(want.Bundles, d.Bundles); diff != "" {
				t.Fatalf("%s: %q\nread back (-want +got):\n%s", form.name, text, diff)
			}
		}
	})
}

// A catalogue that is exported as CSV and imported again is the same, and nothing is written.
func TestA9CSVAndStore(t *testing.T) {
	d, _, err := format.Read(format.Native, bytes.NewReader(fixtures.Catalogue()), format.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c, err := bundles.Open(t.Context(), store, bundles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	caller := bundles.Operator("test")
	if _, err := c.Import(t.Context(), caller, d, bundles.ImportOptions{Lenient: true}); err != nil {
		t.Fatal(err)
	}
	exported, err := c.Export(t.Context(), bundles.Operator("test"), 0)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := format.Write(format.CSV, &file, exported, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	report, err := c.Import(t.Context(), caller, mustRead(t, format.CSV, file.Bytes(), format.ReadOptions{}), format.ImportDefaults(format.CSV))
	if err != nil || report.Revision != 1 || report.Unchanged != len(d.Bundles) || len(d.Bundles) == 0 {
		t.Errorf("%+v %v", report, err)
	}
}

func TestCSVAsSpreadsheetsWriteIt(t *testing.T) {
	want := readRow(t, "name;cart", "Però;false")
	for title, text := range map[string]string{
		"commas":            "id,type,minPaymentAmount,maxPaymentAmount,paymentAmount,onUs,name,cart\nA,GLOBAL,0.00,10.00,1.00,false,Però,FALSE\n",
		"tabs":              "id\ttype\tminPaymentAmount\tmaxPaymentAmount\tpaymentAmount\tonUs\tname\tcart\nA\tGLOBAL\t0\t10\t1\t0\tPerò\t0",
		"decimal commas":    "id,type,minPaymentAmount,maxPaymentAmount,paymentAmount,onUs,name,cart\nA,GLOBAL,\"0,00\",\"10,00\",\"1,00\",no,Però,no\n",
		"CRLF":              csvHeader + ";name;cart\r\nA;GLOBAL;0,00;10,00;1,00;FALSO;Però;FALSO\r\n",
		"CR":                csvHeader + ";name;cart\rA;GLOBAL;0,00;10,00;1,00;FALSO;Però;FALSO\r",
		"byte order mark":   "\uFEFF" + csvHeader + ";name;cart\nA;GLOBAL;0;10;1;no;Però;no\n",
		"all in quotes":     "\"id\";\"type\";\"minPaymentAmount\";\"maxPaymentAmount\";\"paymentAmount\";\"onUs\";\"name\";\"cart\"\r\n\"A\";\"GLOBAL\";\"0\";\"10\";\"1\";\"no\";\"Però\";\"no\"",
		"separator named":   "sep=,\r\nid,type,minPaymentAmount,maxPaymentAmount,paymentAmount,onUs,name,cart\r\nA,GLOBAL,0,10,1,no,Però,no\r\n",
		"empty rows":        csvHeader + ";name;cart;;\n;;;;;;\n\nA;GLOBAL;0;10;1;no;Però;no;;;\n;\n",
		"empty rows first":  "\uFEFF\r\n;;\r\n" + csvHeader + ";name;cart\r\nA;GLOBAL;0;10;1;no;Però;no\r\n",
		"separator later":   "\n,,\nid,type,minPaymentAmount,maxPaymentAmount,paymentAmount,onUs,name,cart\nA,GLOBAL,0,10,1,no,Però,no\n",
		"case and Italian":  "ID;Tipo;Importo minimo;IMPORTO MASSIMO (EUR);Commissione;ONUS;Nome;Cart\nA;global;0;10;1;no;Però;no\n",
		"cents":             "id;type;minPaymentAmount (cents);maxPaymentAmount (cent);paymentAmount (centesimi);onUs;name;cart\nA;GLOBAL;0;1000;100;no;Però;no\n",
		"Windows-1252":      csvHeader + ";name;cart\nA;GLOBAL;0;10;1;no;Per\xF2;no\n",
		"currency and NBSP": csvHeader + ";name;cart\nA;GLOBAL;0;10,00\u00A0€;€ 1,00;no;Però;no\n",
	} {
		d, warnings, err := format.Read(format.CSV, strings.NewReader(text), format.ReadOptions{})
		if err != nil || (len(warnings) > 0) != (title == "Windows-1252") {
			t.Errorf("%s: %v %v", title, err, warnings)
			continue
		}
		if diff := cmp.Diff([]bundles.Bundle{want}, d.Bundles); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
	}
	if b := readRow(t, "name", "\"a \"\"b\"\";\r\nc\""); b.Name != "a \"b\";\r\nc" {
		t.Errorf("%q", b.Name)
	}
	if b := mustRead(t, format.CSV, []byte(csvHeader+";name\nA;GLOBAL;0;10;1;no;\x80 \x92"), format.ReadOptions{}).Bundles[0]; b.Name != "€ ’" {
		t.Errorf("%q", b.Name)
	}
}

func TestCSVAmountsAreExact(t *testing.T) {
	for text, want := range map[string]int64{
		"0,29": 29, "0.29": 29, "1": 100, "1,5": 150, "1.5": 150, "1.234,56": 123456, "1,234.56": 123456, "1.234.567,89": 123456789, "12345": 1234500,
		"€ 1,50": 150, "1,50 €": 150, " 7 ": 700, "-1,50": -150, "'-1,50": -150, "92233720368547758,07": 1<<63 - 1, "0001,00": 100,
	} {
		if b := readRow(t, "fee.min", `"`+text+`"`); *b.Fee.MinCents != want {
			t.Errorf("%s: %d, want %d", text, *b.Fee.MinCents, want)
		}
	}
	for text, says := range map[string]string{
		"1.000": "may be thousands", "1,000": "may be thousands", "1,2345": "fractions", "1E+05": "is no amount", "": "", "x": "is no amount", "1,": "is no amount", ",5": "is no amount",
		"12.34,56": "is no amount", "1,234,56": "is no amount", "1234.567,00": "is no amount", "92233720368547758,08": "too large", "１": "is no amount", "- 1": "is no amount", "--1": "is no amount",
	} {
		_, _, err := format.Read(format.CSV, strings.NewReader(csvHeader+";fee.min\nA;GLOBAL;0;10;1;no;\""+text+"\""), format.ReadOptions{})
		if says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "2:20: bundles[0].fee.min")) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for cents := range int64(1000) {
		text := fmt.Sprintf("%d,%02d", cents/100, cents%100)
		if b := readRow(t, "fee.max", text); *b.Fee.MaxCents != cents {
			t.Errorf("%s: %d", text, *b.Fee.MaxCents)
		}
	}
}

func TestCSVNestedFields(t *testing.T) {
	b := readRow(t, "fee.perNotice;fee.bps;fee.steps;schedule;transferCategoryList;description.en;validityDateFrom;validityDateTo;paymentType;touchpoint",
		`0,10;1,5 %;50:1|100,00 : 1,5+bps=25+max=9|*:0+perNotice=0,1;"LUN,MAR 08:00-20:00; sat 22:00-06:00";9/0102100SA/|0102101SA 0102102SA;Card;1/12/2026;2027-12-31;any;`)
	want := bundles.Bundle{Bundle: engine.Bundle{
		ID: "A", Touchpoint: engine.Any, Cart: true, Band: engine.Band{MaxCents: 1000},
		Fee: engine.Fee{FlatCents: 100, PerNoticeCents: 10, BasisPoints: 150, Steps: []engine.FeeStep{
			{UpToCents: ptr(5000), Fee: engine.Fee{FlatCents: 100}}, {UpToCents: ptr(10000), Fee: engine.Fee{FlatCents: 150, BasisPoints: 25, MaxCents: ptr(900)}}, {Fee: engine.Fee{PerNoticeCents: 10}},
		}},
		Schedule:           engine.Schedule{{Days: 1<<1 | 1<<2, FromMinute: 480, ToMinute: 1200}, {Days: 1 << 6, FromMinute: 1320, ToMinute: 360}},
		TransferCategories: []string{"0102100SA", "0102101SA", "0102102SA"}, Validity: engine.Period{From: 20261201, To: 20271231},
	}, Descriptions: map[string]string{"EN": "Card"}}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a spreadsheet would run is written so that it does not.
func TestCSVFormulaCellsAreNeutralised(t *testing.T) {
	d := everyFeature()
	d.Bundles = d.Bundles[:1]
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1", "'=1", "''=1"} {
		d.Bundles[0].Name = text
		var file bytes.Buffer
		if err := format.Write(format.CSV, &file, d, format.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		reader := csv.NewReader(bytes.NewReader(file.Bytes()[3:]))
		reader.Comma = ';'
		rows, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range rows[1] {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("%q is written as %q", text, cell)
			}
		}
		if back := mustRead(t, format.CSV, file.Bytes(), format.ReadOptions{}).Bundles[0].Name; back != text {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
	if b := readRow(t, "name", "'Ndrangheta no"); b.Name != "'Ndrangheta no" {
		t.Errorf("%q", b.Name)
	}
}

func TestCSVCannotSay(t *testing.T) {
	d := everyFeature()
	d.Bundles[0].TransferCategories = []string{"01 02"}
	d.Bundles[0].Descriptions = map[string]string{"en": "x"}
	d.Bundles[1].Name = "a\x00"
	err := format.Write(format.CSV, new(bytes.Buffer), d, format.WriteOptions{})
	var faults bundles.Faults
	if !errors.As(err, &faults) || len(faults) != 3 || faults[0].Path != "bundles[0].descriptions" || faults[2].Path != "bundles[1].name" {
		t.Errorf("%v", err)
	}
}

func TestLocateInForeignFiles(t *testing.T) {
	faults := []bundles.Fault{{Path: "bundles[1].paymentAmount"}, {Path: "bundles[0].fee.steps[0]"}, {Path: "bundles[7].id"}, {Path: "x"}}
	format.Locate(format.CSV, []byte(csvHeader+";fee.steps\nA;GLOBAL;0;10;1;no;*:1\n\nB;GLOBAL;0;10;1;no\n"), faults)
	want := []bundles.Fault{{Path: "bundles[1].paymentAmount", Line: 4, Column: 15}, {Path: "bundles[0].fee.steps[0]", Line: 2, Column: 20}, {Path: "bundles[7].id"}, {Path: "x"}}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	faults = []bundles.Fault{{Path: "bundles[1].paymentAmount"}, {Path: "bundles[0].touchpoint"}, {Path: "bundles[0]"}}
	format.Locate(format.CDI, []byte(cdi(cdiPSP{details: []cdiDetail{{}}})), faults)
	want = []bundles.Fault{
		{Path: "informativaPSP[0].informativaDetail[0].costiServizio.fasciaCostoServizio[0].costoFisso", Line: 12, Column: 189},
		{Path: "informativaPSP[0].informativaDetail[0].touchpoint", Line: 8, Column: 39}, {Path: "informativaPSP[0].informativaDetail[0].costiServizio.fasciaCostoServizio[0]", Line: 12, Column: 122},
	}
	for i := range faults {
		if faults[i].Path != want[i].Path || faults[i].Line == 0 {
			t.Errorf("%+v, want %+v", faults[i], want[i])
		}
	}
}
