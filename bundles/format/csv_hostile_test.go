package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"gec/bundles"
	"gec/bundles/format"
)

func foreignHostiles() []hostile {
	const million = 1_000_000
	say := func(text string) func() string { return func() string { return text } }
	repeat := func(before, part string, times int, after string) func() string {
		return func() string { return before + strings.Repeat(part, times) + after }
	}
	const row = "A;GLOBAL;0;10;1;no\n"
	return []hostile{
		{"a billion laughs", format.CDI, say(xmlLaughs()), "1:1: the document has a document type declaration"},
		{"an external entity", format.CDI, say(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><listaInformativePSP>&x;</listaInformativePSP>`), "document type declaration"},
		{"an entity without a declaration", format.CDI, say(`<listaInformativePSP>&lol2;</listaInformativePSP>`), "invalid character entity &lol2;"},
		{"a processing instruction", format.CDI, say(`<?xml version="1.0"?><?php system("id") ?><listaInformativePSP/>`), "1:22: the document has a processing instruction"},
		{"a million elements deep", format.CDI, repeat("<listaInformativePSP>", "<a>", million, ""), "nested deeper than 32"},
		{"a million elements deep where a text is due", format.CDI, repeat("<informativaPSP><identificativoFlusso>", "<a>", million, ""), "nested deeper than 32"},
		{"a million unknown elements", format.CDI, repeat("<listaInformativePSP>", "<a/>", million, "</listaInformativePSP>"), "the rest of the file was not read"},
		{"a million PSPs of nothing", format.CDI, repeat("<listaInformativePSP>", "<informativaPSP/>", million, "</listaInformativePSP>"), "the rest of the file was not read"},
		{"a million attributes", format.CDI, repeat("<listaInformativePSP ", `a="" `, million, "/>"), "1:1: the document has a tag of more than 4096 bytes"},
		{"ten megabytes of a name", format.CDI, repeat("<", "a", 10<<20, "/>"), "a tag of more than 4096 bytes"},
		{"ten megabytes of text", format.CDI, repeat("<informativaPSP><identificativoFlusso>", "A", 10<<20, "</identificativoFlusso></informativaPSP>"), "informativaPSP[0].identificativoFlusso: is too long"},
		{"ten megabytes of a logo that is none", format.CDI, repeat("<informativaPSP><informativaMaster><logoPSP>", "?", 10<<20, "</logoPSP></informativaMaster></informativaPSP>"), "logoPSP: is no base64"},
		{"a second root", format.CDI, say(`<listaInformativePSP/><listaInformativePSP/>`), "1:23: the document has a second root element"},
		{"text after the root", format.CDI, say(`<listaInformativePSP/>x`), "text outside its root element"},
		{"another root", format.CDI, say(`<html/>`), `is no CDI: its root element is "html"`},
		{"no root", format.CDI, say(`<!-- -->`), "has no root element"},
		{"a namespace", format.CDI, say(`<listaInformativePSP xmlns="urn:x"/>`), "is no CDI"},
		{"a NUL", format.CDI, say("<listaInformativePSP>\n\x00</listaInformativePSP>"), "2:1: the document holds a NUL character"},
		{"UTF-16", format.CDI, say("\xFF\xFE<\x00"), "UTF-16"},
		{"UTF-16 declared", format.CDI, say(`<?xml version="1.0" encoding="UTF-16"?><listaInformativePSP/>`), `the encoding "UTF-16" is not read`},
		{"Windows-1252 declared as ISO-8859-1", format.CDI, say("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\x92</a>"), "1:47: the document has a byte that is no character of ISO-8859-1"},
		{"bytes that are no UTF-8", format.CDI, say("<listaInformativePSP>\n\xF2</listaInformativePSP>"), "2:1: the document is not valid UTF-8"},
		{"nothing", format.CDI, say(" \n"), "the file is empty"},

		{"a million columns", format.CSV, repeat("id", ";x", million, ""), "the first row has more than 200 columns"},
		{"a million cells in a row", format.CSV, repeat(csvHeader+"\nA", ";1", million, ""), "has more cells than the 6 columns"},
		{"a million bundles", format.CSV, repeat(csvHeader+"\n", row, million, ""), "the file may hold 200000"},
		{"a million bad rows", format.CSV, repeat(csvHeader+"\n", "A;B;C;D;E;F\n", million, ""), "the rest of the file was not read"},
		{"ten megabytes of a cell", format.CSV, repeat(csvHeader+"\n\"", "x", 10<<20, "\";GLOBAL;0;10;1;no\n"), "2:1: bundles[0]: is 10485760 bytes long"},
		{"ten megabytes of a quote", format.CSV, repeat(csvHeader+"\n\"", "\"\"", 5<<20, ""), "is never closed"},
		{"ten megabytes of a header", format.CSV, repeat("", "x", 10<<20, ""), "bytes long"},
		{"ten megabytes of digits", format.CSV, repeat(csvHeader+"\nA;GLOBAL;0;10;", "9", 1<<20, ";no\n"), "is too large"},
		{"a million steps", format.CSV, repeat(csvHeader+";fee.steps\nA;GLOBAL;0;10;1;no;", "1:1|", 200_000, "*:1\n"), "has too many steps"},
		{"a million time bands", format.CSV, repeat(csvHeader+";schedule\nA;GLOBAL;0;10;1;no;\"", "MON 08:00-09:00;", 60_000, "\"\n"), "is no time band"},
		{"a NUL", format.CSV, say(csvHeader + "\nA\x00;"), "2:2: the file holds a NUL character"},
		{"UTF-16", format.CSV, say("\xFF\xFEi\x00d\x00"), "UTF-16"},
		{"UTF-16 without a mark", format.CSV, say("i\x00d\x00"), "UTF-16"},
		{"UTF-8 that is none", format.CSV, say("\xEF\xBB\xBFid\n\xF2"), "2:1: the file is not valid UTF-8"},
		{"neither UTF-8 nor Windows-1252", format.CSV, say(csvHeader + "\n\x81"), "2:1: the file is neither"},
		{"nothing", format.CSV, say("\uFEFF \n"), "the file is empty"},
		{"no header", format.CSV, say("A;GLOBAL;0;10;1;no\n"), "names no column that is known"},
	}
}

func xmlLaughs() string {
	text := "<!DOCTYPE lolz [<!ENTITY lol \"lol\">"
	for level := range 9 {
		text += fmt.Sprintf("<!ENTITY lol%d \"%s\">", level, strings.Repeat(fmt.Sprintf("&lol%d;", level-1), 10))
	}
	return text + "]><listaInformativePSP>&lol8;</listaInformativePSP>"
}

func TestHostileForeignFilesAreRefused(t *testing.T) {
	for _, test := range foreignHostiles() {
		t.Run(string(test.name)+" "+test.title, func(t *testing.T) {
			text := test.text()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := format.Read(test.name, strings.NewReader(text), format.ReadOptions{})
			runtime.ReadMemStats(&after)
			var faults bundles.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("accepted, or %v", err)
			}
			found := false
			for _, f := range faults {
				found = found || strings.Contains(f.Error(), test.says)
			}
			if !found || len(err.Error()) > 20_000 {
				t.Errorf("%.2000s\nwant %q", err, test.says)
			}
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d MB of text, %d MB allocated", len(text)>>20, allocated>>20)
			if bound := uint64(32<<20 + 16*len(text)); allocated > bound {
				t.Errorf("more than %d MB allocated", bound>>20)
			}
		})
	}
}

func TestCDILogosAreNotKept(t *testing.T) {
	logo := strings.Repeat("iVBORw0KGgo=", 1)
	text := strings.Replace(cdi(cdiPSP{details: []cdiDetail{{}}}), logo, strings.Repeat("AAAA\n", 1<<20), 1)
	if got := readCDI(t, text); len(got) != 3 {
		t.Errorf("%d bundles", len(got))
	}
}

func FuzzCDI(f *testing.F) {
	for _, p := range []cdiPSP{{details: []cdiDetail{{}, {kind: "PO", model: "4"}}}, {stamp: "1", details: []cdiDetail{{kind: "BPAY", bands: band("1.00", "0.29", "0.00", "A", "B"), end: "<costoConvenzione>0.10</costoConvenzione>"}}}} {
		f.Add([]byte(cdi(p)))
	}
	f.Add([]byte(xmlLaughs()))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, ok := readHostile(t, format.CDI, data)
		if !ok {
			return
		}
		var file bytes.Buffer
		if err := format.Write(format.CDI, &file, d, format.WriteOptions{}); err != nil {
			if !errors.As(err, new(bundles.Faults)) {
				t.Fatal(err)
			}
			return
		}
		again, _, err := format.Read(format.CDI, &file, format.ReadOptions{})
		if err != nil || len(again.Bundles) != len(d.Bundles) {
			t.Fatalf("%v\n%+v\n%+v", err, d, again)
		}
		for i := range d.Bundles {
			if !bundles.Same(&d.Bundles[i], &again.Bundles[i]) {
				t.Fatalf("%+v\n%+v", d.Bundles[i], again.Bundles[i])
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(csvHeader + ";name;fee.steps;schedule;descriptions.EN\nA;GLOBAL;0;1.234,50;€ 1,00;no;\"x\"\"y\";50:1|*:2+bps=25;MON 08:00-20:00;'=1\n"))
	f.Add([]byte("sep=,\nid,type,minPaymentAmount (cents),maxPaymentAmount,fee.bps,onUs\r\nA,PRIVATE,1,\"2,00\",1.5%,VERO\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, ok := readHostile(t, format.CSV, data); ok {
			identical(t, format.CSV, d, format.WriteOptions{})
		}
	})
}

// TestCDIOfFiftyMegabytesIsNotCopied reads what all PSPs of the platform could send at once, most of it logos.
func TestCDIOfFiftyMegabytesIsNotCopied(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 50 MB")
	}
	var psps []cdiPSP
	for n := range 1500 {
		id := fmt.Sprintf("PSP%05d", n)
		psps = append(psps, cdiPSP{flow: id + "_21-11-2026", id: id, details: []cdiDetail{{service: "<identificazioneServizio><nomeServizio>Carte</nomeServizio><logoServizio>" + strings.Repeat("AAAA", 8400) + "</logoServizio></identificazioneServizio>"}}})
	}
	var document strings.Builder
	document.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<listaInformativePSP>\n")
	for _, p := range psps {
		document.WriteString(p.String())
	}
	document.WriteString("</listaInformativePSP>\n")
	text := []byte(document.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, _, err := format.Parse(format.CDI, text, format.ReadOptions{Today: 20261121})
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d MB of text, %d bundles, %d MB allocated", len(text)>>20, len(d.Bundles), allocated>>20)
	if err != nil || len(d.Bundles) != 3*len(psps) || len(text) < 50<<20 || allocated > uint64(len(text)) {
		t.Errorf("%.500v", err)
	}
}
