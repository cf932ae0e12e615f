package format

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// cdiPSPElement is the element of one PSP.
const cdiPSPElement = "informativaPSP"

// cdiMapping gathers the bundles of a CDI and where each came from.
type cdiMapping struct {
	all []bundles.Bundle
	// from are the band, or agreement, that each bundle is made of.
	from []*cdiNode
	// psps are those of the document by id.
	psps map[string]*cdiNode
}

// cdiPSP is what the bundles of a PSP have in common.
type cdiPSP struct {
	flow   string
	bundle bundles.Bundle // with the fields that the PSP states
}

// psp makes bundles of a PSP that was read. Where something is wrong with a detail, the others are made
// all the same, so that they can be checked.
func (r *cdiReader) psp(n *cdiNode) {
	p := cdiPSP{flow: n.value("identificativoFlusso")}
	master := n.child("informativaMaster")
	from, _ := cdiDate(master.value("dataInizioValidita"))
	p.bundle = bundles.Bundle{
		Bundle: engine.Bundle{
			PSP: n.value("identificativoPSP"), PSPBusinessName: strings.TrimSpace(n.value("ragioneSociale")),
			ABI:  cmp.Or(n.value("codiceABI"), n.value("identificativoPSP")),
			Cart: true, DigitalStamp: master.value("marcaBolloDigitale") == "1", Validity: engine.Period{From: from},
		},
		PolicyURL: cmp.Or(master.value("urlInformativaPSP"), master.value("urlInformazioniPSP")),
		CDI:       p.flow, Origin: bundles.OriginCDI,
	}
	before := len(r.faults)
	r.checkPSP(n, &p)
	headerGood := len(r.faults) == before
	for _, c := range n.children {
		headerGood = headerGood && (!c.flawed || c.name == "listaInformativaDetail")
	}
	for i, detail := range n.child("listaInformativaDetail").all("informativaDetail") {
		d := cdiDetailOf(&p, detail, i+1)
		before := len(r.faults)
		r.checkDetail(&d)
		if headerGood && !detail.flawed && len(r.faults) == before {
			r.emit(&d)
		}
	}
}

// checkPSP makes the checks of a PSP that the schema does not.
func (r *cdiReader) checkPSP(n *cdiNode, p *cdiPSP) {
	begin := n.child("informativaMaster").child("dataInizioValidita")
	if from := p.bundle.Validity.From; begin != nil && from != 0 && !r.options.Past && from <= r.options.Today {
		r.flaw(begin, "", begin.at, fmt.Sprintf("is %s, not after today", from), fmt.Sprintf("use %s or later; migrations may import past ones", r.options.Today.AddDays(1)))
	}
	if r.made.psps == nil {
		r.made.psps = map[string]*cdiNode{}
	}
	id := p.bundle.PSP
	if first := r.made.psps[id]; first != nil && id != "" {
		again := n.child("identificativoPSP")
		r.flaw(again, "", again.at, bundles.Excerpt(id)+" is the PSP of "+first.path()+" too", "state each PSP once in a document")
		return
	}
	r.made.psps[id] = n
}

// cdiDetailed is a detail with its values taken out.
type cdiDetailed struct {
	node   *cdiNode
	psp    *cdiPSP
	number int // from 1
	bundle bundles.Bundle
	model  string
	app    bool
	bands  []cdiBand
	// perNotice says that the cost is per notice (tipoCostoTransazione 0), percentage that the
	// commission is one (tipoCommissione 1).
	perNotice, percentage bool
	// agreementCents is what every agreement of the detail costs, nil where that is not stated.
	agreementCents *int64
}

// cdiBand is a band with its amounts in cents.
type cdiBand struct {
	node              *cdiNode
	number            int // from 1
	max, fixed, value int64
	good              bool
	agreements        []cdiAgreed
}

// cdiAgreed is the code of an agreement and what it costs; nil where the band says that.
type cdiAgreed struct {
	node  *cdiNode
	code  string
	cents *int64
}

func cdiDetailOf(p *cdiPSP, n *cdiNode, number int) cdiDetailed {
	costs := n.child("costiServizio")
	d := cdiDetailed{
		node: n, psp: p, number: number, bundle: p.bundle, model: n.value("modelloPagamento"), app: n.value("canaleApp") == "1",
		perNotice: costs.value("tipoCostoTransazione") == "0", percentage: costs.value("tipoCommissione") == "1",
	}
	b := &d.bundle
	b.Broker, b.Channel = strings.TrimSpace(n.value("identificativoIntermediario")), strings.TrimSpace(n.value("identificativoCanale"))
	b.PaymentType, b.OnUs = n.value("tipoVersamento"), strings.HasSuffix(b.Channel, "_ONUS")
	b.Name = cmp.Or(strings.TrimSpace(n.child("identificazioneServizio").value("nomeServizio")), b.PSPBusinessName)
	for _, texts := range n.child("listaInformazioniServizio").all("informazioniServizio") {
		description := strings.TrimSpace(texts.value("descrizioneServizio"))
		switch language := texts.value("codiceLingua"); {
		case description == "" || language == "":
		case language == cdiItalian:
			b.Description = description
		default:
			if b.Descriptions == nil {
				b.Descriptions = map[string]string{}
			}
			b.Descriptions[language] = description
		}
	}
	if cents, ok := cdiCents(costs.value("costoConvenzione")); ok {
		d.agreementCents = &cents
	}
	for i, band := range costs.child("listaFasceCostoServizio").all("fasciaCostoServizio") {
		d.bands = append(d.bands, cdiBandOf(band, i+1))
	}
	return d
}

func cdiBandOf(n *cdiNode, number int) cdiBand {
	b := cdiBand{node: n, number: number}
	var ok [3]bool
	b.max, ok[0] = cdiCents(n.value("importoMassimoFascia"))
	b.fixed, ok[1] = cdiCents(n.value("costoFisso"))
	b.value, ok[2] = cdiCents(n.value("valoreCommissione"))
	b.good = ok == [3]bool{true, true, true}
	if list := n.child("listaConvenzioniCosti"); list != nil {
		for _, c := range list.children {
			if cents, ok := cdiCents(c.text); c.name == "costoConvenzione" && ok && len(b.agreements) > 0 {
				b.agreements[len(b.agreements)-1].cents = &cents
			} else if c.name == "codiceConvenzione" {
				b.agreements = append(b.agreements, cdiAgreed{node: c, code: strings.TrimSpace(c.text)})
			}
		}
	}
	return b
}

// checkDetail makes the checks of a detail that the schema does not.
func (r *cdiReader) checkDetail(d *cdiDetailed) {
	for _, name := range []string{"identificativoIntermediario", "identificativoCanale"} {
		if c := d.node.child(name); c != nil && !c.flawed && strings.TrimSpace(c.text) == "" {
			r.flaw(c, "", c.at, "is empty", "it is mandatory")
		}
	}
	model, kind := d.node.child("modelloPagamento"), d.bundle.PaymentType
	if model != nil && d.model != "" && kind != "" && (d.model == "4") != (kind == "PO") {
		r.flaw(model, "", model.at, fmt.Sprintf("is %s with tipoVersamento %s", d.model, kind), "model 4 is for PO, and PO for model 4")
	}
	r.checkLanguages(d)
	r.checkCosts(d)
	r.checkBands(d)
}

func (r *cdiReader) checkLanguages(d *cdiDetailed) {
	list := d.node.child("listaInformazioniServizio")
	if list == nil {
		return
	}
	seen, unread := map[string]bool{}, false
	for _, texts := range list.all("informazioniServizio") {
		language := texts.child("codiceLingua")
		if language == nil || language.text == "" {
			unread = true
			continue
		}
		if seen[language.text] {
			r.flaw(language, "", language.at, language.text+" is stated twice", "write one text per language")
		}
		seen[language.text] = true
	}
	if !seen[cdiItalian] && !unread {
		r.flaw(list, "", list.at, "has no Italian text", "add an informazioniServizio with codiceLingua IT")
	}
}

// checkCosts checks the kinds of cost of older catalogues.
func (r *cdiReader) checkCosts(d *cdiDetailed) {
	if !d.perNotice {
		return
	}
	kind := d.node.child("costiServizio").child("tipoCostoTransazione")
	if d.percentage {
		r.flaw(kind, "", kind.at, "is 0, a cost per notice, with tipoCommissione 1, a percentage", "use one of the two")
	}
	for i, b := range d.bands {
		if i > 0 && b.max != d.bands[0].max {
			r.flaw(b.node, "", b.node.at, "is a second band, but the cost is per notice (tipoCostoTransazione 0)", "state one band only")
		}
		if b.good && b.fixed != 0 {
			fixed := b.node.child("costoFisso")
			r.flaw(fixed, "", fixed.at, bundles.Excerpt(fixed.text)+" is not 0, but the cost is per notice (tipoCostoTransazione 0)", "write 0.00, and the cost of a notice as valoreCommissione")
		}
	}
}

// checkBands refuses two costs for the same payments: two bands of one maximum, but for agreements, and
// an agreement that is named twice for one maximum.
func (r *cdiReader) checkBands(d *cdiDetailed) {
	type agreed struct {
		max  int64
		code string
	}
	first, codes := map[int64]*cdiBand{}, map[agreed]bool{}
	for i := range d.bands {
		b := &d.bands[i]
		if !b.good {
			continue
		}
		if d.standard(b) {
			at := b.node.child("importoMassimoFascia")
			if other := first[b.max]; other != nil {
				r.flaw(at, "", at.at, bundles.Excerpt(at.text)+" is the maximum of "+other.node.path()+" too", "give each band a maximum of its own")
			}
			first[b.max] = b
		}
		for _, a := range b.agreements {
			if a.node.flawed {
				continue
			}
			if a.code == "" || codes[agreed{b.max, a.code}] {
				r.flaw(a.node, "", a.node.at, bundles.Excerpt(a.code)+" is empty, or named twice for the same band", "name each agreement once")
			}
			codes[agreed{b.max, a.code}] = true
		}
	}
}

// standard reports whether the band states what everybody pays. One that lists agreements states what
// they pay, unless their cost is stated apart (costoConvenzione) and no other band has the same maximum.
func (d *cdiDetailed) standard(b *cdiBand) bool {
	if len(b.agreements) == 0 {
		return true
	}
	if d.agreementCents == nil && !slices.ContainsFunc(b.agreements, func(a cdiAgreed) bool { return a.cents != nil }) {
		return false
	}
	return !slices.ContainsFunc(d.bands, func(other cdiBand) bool { return len(other.agreements) == 0 && other.max == b.max })
}

// minimum is the largest maximum of the detail's bands below that of the band.
func (d *cdiDetailed) minimum(b *cdiBand) (cents int64) {
	for _, other := range d.bands {
		if other.max < b.max {
			cents = max(cents, other.max)
		}
	}
	return cents
}

func (d *cdiDetailed) fee(b *cdiBand) engine.Fee {
	switch {
	case d.perNotice:
		return engine.Fee{PerNoticeCents: b.value}
	case d.percentage: // 1.25 % is 125 hundredths of a percent
		return engine.Fee{FlatCents: b.fixed, BasisPoints: b.value}
	}
	return engine.Fee{FlatCents: b.fixed + b.value}
}

// touchpoints are those of a detail (spec 5).
func (d *cdiDetailed) touchpoints() []string {
	switch kind := d.bundle.PaymentType; {
	case kind == "PO":
		return []string{"PSP"}
	case kind == "PPAL" && d.app:
		return []string{touchpointApp}
	case d.app:
		return []string{"WISP"}
	case kind == "CP" && d.model == "1":
		return []string{"WISP", touchpointApp, touchpointWeb}
	case kind == "BBT" || kind == "BP" || kind == "MYBK" || kind == "AD":
		return []string{"WISP"}
	}
	return []string{engine.Any}
}

// agreementNote comes between the name of a service and the code of an agreement in the name of its
// bundles, so that the PSP can tell whom to offer them to.
const agreementNote = " (convenzione "

// emit makes the bundles of a detail: one per band and touchpoint, and one per agreement and touchpoint
// of each band. Ids say where in which CDI a bundle comes from:
//
//	ABI14156_21-11-2026-ABI14156-2-3-CHECKOUT-C1
//
// is for the first agreement of the third band of the second detail.
func (r *cdiReader) emit(d *cdiDetailed) {
	for i := range d.bands {
		band := &d.bands[i]
		for _, touchpoint := range d.touchpoints() {
			b := d.bundle
			b.ID = fmt.Sprintf("%s-%s-%d-%d-%s", d.psp.flow, b.PSP, d.number, band.number, touchpoint)
			b.Touchpoint = touchpoint
			b.Band = engine.Band{MinCents: d.minimum(band), MaxCents: band.max}
			b.Fee = d.fee(band)
			if d.standard(band) {
				r.add(b, band.node)
			}
			for n, a := range band.agreements {
				agreed := b
				agreed.ID = fmt.Sprintf("%s-C%d", b.ID, n+1)
				agreed.Type, agreed.Name = engine.Private, b.Name+agreementNote+a.code+")"
				if cents := cmp.Or(a.cents, d.agreementCents); cents != nil {
					agreed.Fee = engine.Fee{FlatCents: *cents}
				}
				r.add(agreed, band.node)
			}
		}
	}
}

func (r *cdiReader) add(b bundles.Bundle, from *cdiNode) {
	if len(r.made.all) == BundlesMax {
		if !r.stopped {
			r.stop(from.at, fmt.Sprintf("makes more than %d bundles", BundlesMax), "split it")
		}
		return
	}
	r.made.all, r.made.from = append(r.made.all, b), append(r.made.from, from)
}

// cdiElements are the elements that the fields of a bundle come from, below the PSP, the detail or the
// band; empty for what comes from several.
func cdiElements() map[string][]string {
	return map[string][]string{
		"idPsp": {cdiPSPElement, "identificativoPSP"}, "pspBusinessName": {cdiPSPElement, "ragioneSociale"}, "abi": {cdiPSPElement, "codiceABI"},
		"idCdi":        {cdiPSPElement, "identificativoFlusso"},
		"urlPolicyPsp": {cdiPSPElement, "informativaMaster", "urlInformativaPSP"}, "validityDateFrom": {cdiPSPElement, "informativaMaster", "dataInizioValidita"},
		"digitalStamp":     {cdiPSPElement, "informativaMaster", "marcaBolloDigitale"},
		"idBrokerPsp":      {cdiDetailElement, "identificativoIntermediario"},
		"idChannel":        {cdiDetailElement, "identificativoCanale"},
		"onUs":             {cdiDetailElement, "identificativoCanale"},
		"paymentType":      {cdiDetailElement, "tipoVersamento"},
		"name":             {cdiDetailElement, "identificazioneServizio", "nomeServizio"},
		"description":      {cdiDetailElement, "listaInformazioniServizio"},
		"touchpoint":       {cdiDetailElement},
		"minPaymentAmount": {cdiBandElement, "importoMassimoFascia"}, "maxPaymentAmount": {cdiBandElement, "importoMassimoFascia"},
		"paymentAmount": {cdiBandElement, "costoFisso"}, "fee": {cdiBandElement, "valoreCommissione"},
	}
}

const (
	cdiDetailElement = "informativaDetail"
	cdiBandElement   = "fasciaCostoServizio"
)

// locate gives faults of the bundles the elements that they come from.
func (m *cdiMapping) locate(text []byte, faults []bundles.Fault) {
	elements := cdiElements()
	marks := make([]mark, len(faults))
	for i := range faults {
		marks[i] = -1
		index, field := bundlePath(faults[i].Path)
		if index < 0 || index >= len(m.from) {
			continue
		}
		name := strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' })
		var way []string
		if len(name) > 0 {
			way = elements[name[0]]
		}
		n := m.from[index]
		if len(way) > 0 {
			for n.name != way[0] {
				n = n.parent
			}
			for _, below := range way[1:] {
				if c := n.child(below); c != nil {
					n = c
				}
			}
			field = ""
			if len(way) == 1 {
				field = name[0]
			}
		}
		marks[i] = n.at
		faults[i].Path = strings.TrimSuffix(n.path()+"."+field, ".")
	}
	placeAt(text, faults, marks)
}
