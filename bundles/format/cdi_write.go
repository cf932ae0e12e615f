package format

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// writeCDI writes the bundles that came from CDIs as one CDI: each again under its flow, detail and band,
// which its id tells. Bundles that a later CDI of their PSP has replaced are left out. What no bundle keeps is written as the schema's presets: logos are empty, the date
// of publication is that of the validity. Every PSP is read back before it is written, and bundles that
// do not come back as they are (made by hand, changed since in a way that a CDI cannot say, or some of a
// detail's left out) are faults.
func writeCDI(w io.Writer, d *bundles.Document) error {
	var faults bundles.Faults
	var out bytes.Buffer
	out.WriteString(xml.Header + "<listaInformativePSP>\n")
	groups, order := map[string][]int{}, []string{}
	begins := latestCDIs(d.Bundles)
	for i := range d.Bundles {
		psp := d.Bundles[i].PSP
		if to := d.Bundles[i].Validity.To; d.Bundles[i].Origin == bundles.OriginCDI && to != 0 && to < begins[psp] {
			continue
		}
		if groups[psp] == nil {
			order = append(order, psp)
		}
		groups[psp] = append(groups[psp], i)
	}
	for _, psp := range order {
		var one bytes.Buffer
		o := &cdiWriter{w: bufio.NewWriter(&one)}
		o.psp(d.Bundles, groups[psp])
		if err := o.w.Flush(); err != nil {
			return err
		}
		lost := notReadBack(one.Bytes(), d.Bundles, groups[psp])
		faults = append(faults, lost...)
		out.Write(one.Bytes())
	}
	if len(faults) > 0 {
		return faults
	}
	out.WriteString("</listaInformativePSP>\n")
	_, err := out.WriteTo(w)
	return err
}

// latestCDIs returns the day on which the last CDI of each PSP begins.
func latestCDIs(all []bundles.Bundle) map[string]engine.Date {
	begins := map[string]engine.Date{}
	for i := range all {
		if b := &all[i]; b.Origin == bundles.OriginCDI {
			begins[b.PSP] = max(begins[b.PSP], b.Validity.From)
		}
	}
	return begins
}

// notReadBack names the bundles that are not what is read from the document, and those that it adds.
func notReadBack(document []byte, all []bundles.Bundle, group []int) (faults bundles.Faults) {
	r := readCDI(document, ReadOptions{Past: true})
	back := map[string]*bundles.Bundle{}
	for i := range r.document.Bundles {
		back[r.document.Bundles[i].ID] = &r.document.Bundles[i]
	}
	for _, i := range group {
		b := &all[i]
		again := back[b.ID]
		if again == nil || !bundles.Same(again, b) {
			faults = append(faults, bundles.Fault{
				Path:   fmt.Sprintf("bundles[%d]", i),
				Reason: fmt.Sprintf("bundle %s did not come from a CDI as it is", bundles.Excerpt(b.ID)),
				Fix:    "leave it out, or use another format",
			})
		}
		delete(back, b.ID)
	}
	if len(faults) == 0 && len(back) > 0 {
		id := slices.Min(slices.Collect(maps.Keys(back)))
		faults = append(faults, bundles.Fault{
			Path:   fmt.Sprintf("bundles[%d]", group[0]),
			Reason: fmt.Sprintf("the CDI of PSP %s would hold the bundle %s, too", bundles.Excerpt(all[group[0]].PSP), bundles.Excerpt(id)),
			Fix:    "export all bundles of a CDI together",
		})
	}
	return faults
}

// cdiWriter writes elements, indented.
type cdiWriter struct {
	w     *bufio.Writer
	depth int
}

func (o *cdiWriter) indent() { o.w.WriteString(strings.Repeat("  ", o.depth+1)) }

// text writes an element with a text.
func (o *cdiWriter) text(name, value string) {
	o.indent()
	o.w.WriteString("<" + name + ">")
	_ = xml.EscapeText(o.w, []byte(value)) // the writer keeps its error for Flush
	o.w.WriteString("</" + name + ">\n")
}

// within writes an element around what inner writes.
func (o *cdiWriter) within(name string, inner func()) {
	o.indent()
	o.w.WriteString("<" + name + ">\n")
	o.depth++
	inner()
	o.depth--
	o.indent()
	o.w.WriteString("</" + name + ">\n")
}

// cdiPlace is where in its CDI a bundle comes from, all from 1; agreement is 0 for none.
type cdiPlace struct{ detail, band, agreement int }

// placeOf reads the id that emit made.
func placeOf(b *bundles.Bundle) (p cdiPlace, ok bool) {
	rest, found := strings.CutPrefix(b.ID, b.CDI+"-"+b.PSP+"-")
	parts := strings.Split(rest, "-")
	if !found || len(parts) != 3 && len(parts) != 4 {
		return p, false
	}
	var errs [3]error
	p.detail, errs[0] = strconv.Atoi(parts[0])
	p.band, errs[1] = strconv.Atoi(parts[1])
	if len(parts) == 4 {
		p.agreement, errs[2] = strconv.Atoi(strings.TrimPrefix(parts[3], "C"))
	}
	return p, errs == [3]error{}
}

// psp writes the bundles of a PSP; those whose ids tell no place are left out.
func (o *cdiWriter) psp(all []bundles.Bundle, group []int) {
	details := map[int]map[cdiPlace][]*bundles.Bundle{}
	for _, i := range group {
		if place, ok := placeOf(&all[i]); ok {
			if details[place.detail] == nil {
				details[place.detail] = map[cdiPlace][]*bundles.Bundle{}
			}
			details[place.detail][place] = append(details[place.detail][place], &all[i])
		}
	}
	b := &all[group[0]]
	o.within(cdiPSPElement, func() {
		o.text("identificativoFlusso", b.CDI)
		o.text("identificativoPSP", b.PSP)
		o.text("ragioneSociale", b.PSPBusinessName)
		if b.ABI != b.PSP {
			o.text("codiceABI", b.ABI)
		}
		o.within("informativaMaster", func() {
			begin := b.Validity.From.String() + "T00:00:00"
			o.text("dataPubblicazione", begin)
			o.text("dataInizioValidita", begin)
			o.text("urlInformazioniPSP", b.PolicyURL)
			o.text("stornoPagamento", "0")
			o.text("marcaBolloDigitale", zeroOne(b.DigitalStamp))
			o.text("logoPSP", "")
		})
		o.within("listaInformativaDetail", func() {
			for _, number := range slices.Sorted(maps.Keys(details)) {
				o.detail(details[number])
			}
		})
	})
}

func zeroOne(value bool) string {
	if value {
		return "1"
	}
	return "0"
}

// detail writes a detail from its bundles by place.
func (o *cdiWriter) detail(at map[cdiPlace][]*bundles.Bundle) {
	places := slices.SortedFunc(maps.Keys(at), func(a, b cdiPlace) int {
		return cmp.Or(cmp.Compare(a.band, b.band), cmp.Compare(a.agreement, b.agreement))
	})
	b := at[places[0]][0]
	model, app := cdiChannel(b.PaymentType, at[places[0]])
	name, _ := agreementOf(b)
	o.within(cdiDetailElement, func() {
		o.text("identificativoIntermediario", b.Broker)
		o.text("identificativoCanale", b.Channel)
		o.text("tipoVersamento", b.PaymentType)
		o.text("modelloPagamento", model)
		o.text("priorita", "0")
		o.text("canaleApp", zeroOne(app))
		if name != b.PSPBusinessName {
			o.within("identificazioneServizio", func() {
				o.text("nomeServizio", name)
				o.text("logoServizio", "")
			})
		}
		o.within("listaInformazioniServizio", func() { o.descriptions(b) })
		o.within("costiServizio", func() { o.costs(places, at) })
	})
}

func (o *cdiWriter) descriptions(b *bundles.Bundle) {
	one := func(language, description string) {
		o.within("informazioniServizio", func() {
			o.text("codiceLingua", language)
			if description != "" {
				o.text("descrizioneServizio", description)
			}
			o.text("disponibilitaServizio", "24/7/7")
		})
	}
	one(cdiItalian, b.Description)
	for _, language := range slices.Sorted(maps.Keys(b.Descriptions)) {
		one(language, b.Descriptions[language])
	}
}

// cdiChannel returns the model and the kind of channel that have the touchpoints of the bundles; where
// none has, the bundles do not come back and are refused.
func cdiChannel(paymentType string, same []*bundles.Bundle) (model string, app bool) {
	var want []string
	for _, b := range same {
		want = append(want, b.Touchpoint)
	}
	slices.Sort(want)
	for _, model := range []string{"4", "0", "1"} {
		for _, app := range []bool{false, true} {
			d := cdiDetailed{model: model, app: app, bundle: bundles.Bundle{Bundle: engine.Bundle{PaymentType: paymentType}}}
			if (model == "4") == (paymentType == "PO") && slices.Equal(slices.Sorted(slices.Values(d.touchpoints())), want) {
				return model, app
			}
		}
	}
	return "0", false
}

// agreementOf splits the name of an agreement's bundle into that of the service and the code.
func agreementOf(b *bundles.Bundle) (name, code string) {
	at := strings.LastIndex(b.Name, agreementNote)
	if b.Type != engine.Private || at < 0 || !strings.HasSuffix(b.Name, ")") {
		return b.Name, ""
	}
	return b.Name[:at], strings.TrimSuffix(b.Name[at+len(agreementNote):], ")")
}

// costs writes what the bands of a detail cost.
func (o *cdiWriter) costs(places []cdiPlace, at map[cdiPlace][]*bundles.Bundle) {
	perNotice, percentage, apart := false, false, (*int64)(nil)
	for _, p := range places {
		fee := &at[p][0].Fee
		perNotice, percentage = perNotice || fee.PerNoticeCents != 0, percentage || fee.BasisPoints != 0
		if at[cdiPlace{p.detail, p.band, 0}] != nil && p.agreement > 0 && apart == nil {
			apart = &fee.FlatCents
		}
	}
	o.text("tipoCostoTransazione", zeroOne(!perNotice))
	o.text("tipoCommissione", zeroOne(percentage))
	o.within("listaFasceCostoServizio", func() {
		for i := 0; i < len(places); {
			next := i + 1
			for next < len(places) && places[next].band == places[i].band {
				next++
			}
			o.within(cdiBandElement, func() { o.band(places[i:next], at, apart) })
			i = next
		}
	})
	if apart != nil {
		o.text("costoConvenzione", cdiEuro(*apart))
	}
}

// band writes one band: what everybody pays, if it says that, then the agreements.
func (o *cdiWriter) band(places []cdiPlace, at map[cdiPlace][]*bundles.Bundle, apart *int64) {
	b := at[places[0]][0]
	fixed, value := b.Fee.FlatCents, b.Fee.PerNoticeCents+b.Fee.BasisPoints
	o.text("importoMassimoFascia", cdiEuro(b.Band.MaxCents))
	o.text("costoFisso", cdiEuro(fixed))
	o.text("valoreCommissione", cdiEuro(value))
	if places[len(places)-1].agreement == 0 {
		return
	}
	o.within("listaConvenzioniCosti", func() {
		for _, p := range places {
			if p.agreement == 0 {
				continue
			}
			_, code := agreementOf(at[p][0])
			o.text("codiceConvenzione", code)
			if cents := at[p][0].Fee.FlatCents; apart != nil && cents != *apart {
				o.text("costoConvenzione", cdiEuro(cents))
			}
		}
	})
}

// cdiEuro writes cents as the schema has amounts.
func cdiEuro(cents int64) string { return strings.Replace(amountText(cents), ",", ".", 1) }
