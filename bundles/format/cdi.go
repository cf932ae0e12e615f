package format

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gec/engine"
)

// CDI, "Catalogo Dati Informativi": the XML in which a PSP states its channels and costs (spec 5). This
// file has its schema, CatalogoDatiInformativiPSP.xsd 1.0.14, as tables; cdi_read.go takes a document
// apart by them and cdi_map.go makes bundles of it.
//
// The schema is held to, with these exceptions, all towards documents that are met in practice: elements
// may come in any order; tipoCostoTransazione may be 0 and tipoCommissione 1, as in older catalogues; an
// agreement may state its costoConvenzione beside its codiceConvenzione, not only once per detail.

// cdiElement says what an element holds: a text, or other elements.
type cdiElement struct {
	text     *cdiText
	children []cdiChild
}

// cdiChild is one kind of element within another, and how many of it there are; most is 0 where any
// number may be.
type cdiChild struct {
	name        string
	least, most int
	of          *cdiElement
}

// cdiText is a simple type.
type cdiText struct {
	ok  func(string) bool
	fix string
	// collapse says that white space around the text is no part of it.
	collapse bool
	// preset stands for an empty text.
	preset string
	// logo texts are looked at and dropped.
	logo bool
}

// must, may and many are children that are there once, at most once, and at least once.
func must(name string, of *cdiElement) cdiChild { return cdiChild{name, 1, 1, of} }
func may(name string, of *cdiElement) cdiChild  { return cdiChild{name, 0, 1, of} }
func many(name string, of *cdiElement) cdiChild { return cdiChild{name, 1, 0, of} }

func elements(children ...cdiChild) *cdiElement { return &cdiElement{children: children} }

// cdiSchema returns the document's root elements: the list, and a single PSP.
func cdiSchema() []cdiChild {
	psp := elements(
		must("identificativoFlusso", cdiPattern("[0-9A-Z]{6,14}_[0-9]{2}-[0-9]{2}-[0-9]{4}", "write 6 to 14 capital letters and digits, _, and day-month-year, as in ABI14156_21-11-2026")),
		must("identificativoPSP", cdiPattern("[A-Z0-9]{6,14}", "write 6 to 14 capital letters and digits")),
		must("ragioneSociale", cdiString(70)),
		may("codiceABI", cdiPattern("[0-9]{5}", "write five digits")),
		may("codiceBIC", cdiPattern("[0-9A-Z]{8,11}", "write 8 to 11 capital letters and digits")),
		may("mybankIDVS", cdiPattern("[0-9A-Z]{1,15}", "write 1 to 15 capital letters and digits")),
		must("informativaMaster", cdiMaster()),
		must("listaInformativaDetail", elements(many("informativaDetail", cdiDetail()))),
	)
	return []cdiChild{
		{"listaInformativePSP", 1, 1, elements(cdiChild{"informativaPSP", 0, 0, psp})},
		{"informativaPSP", 1, 1, psp},
	}
}

func cdiMaster() *cdiElement {
	return elements(
		must("dataPubblicazione", cdiInstant()),
		must("dataInizioValidita", cdiInstant()),
		must("urlInformazioniPSP", cdiURL()),
		may("urlInformativaPSP", cdiURL()),
		may("urlConvenzioniPSP", cdiURL()),
		must("stornoPagamento", cdiOneOf("", "0", "1")),
		must("marcaBolloDigitale", cdiOneOf("", "0", "1")),
		must("logoPSP", cdiLogo()),
	)
}

func cdiDetail() *cdiElement {
	return elements(
		must("identificativoIntermediario", cdiString(35)),
		must("identificativoCanale", cdiString(35)),
		must("tipoVersamento", cdiOneOf("PO", "BBT", "BP", "AD", "CP", "PO", "OBEP", "JIF", "MYBK", "PPAL", "RPIC", "RBPS", "RBPR", "RBPP", "RBPB", "BPAY", "APPL", "PPAY")),
		must("modelloPagamento", cdiOneOf("4", "0", "1", "2", "4")),
		must("priorita", cdiInt("0")),
		must("canaleApp", cdiOneOf("0", "0", "1")),
		may("servizioAlleImprese", cdiOneOf("", "0", "1")),
		may("identificazioneServizio", elements(must("nomeServizio", cdiString(35)), must("logoServizio", cdiLogo()))),
		must("listaInformazioniServizio", elements(many("informazioniServizio", cdiTexts()))),
		may("listaParoleChiave", elements(cdiChild{"paroleChiave", 1, 5, cdiOneOf("", "American Express", "Diners", "Maestro", "Mastercard", "MyBank", "PagoBancomat", "PayPal", "Visa", "Visa Electron", "V-Pay", "Wallet")})),
		must("costiServizio", cdiCosts()),
		may("listaConvenzioni", elements(many("codiceConvenzione", cdiAgreement()))),
	)
}

func cdiTexts() *cdiElement {
	text := cdiString(140)
	preset := func(value string) *cdiElement {
		other := *text.text
		other.preset = value
		return &cdiElement{text: &other}
	}
	return elements(
		must("codiceLingua", cdiOneOf(cdiItalian, cdiItalian, "EN", "DE", "FR", "SL")),
		may("descrizioneServizio", preset("Pagamento con CBILL")),
		must("disponibilitaServizio", preset("24/7/7")),
		may("limitazioniServizio", text),
		may("urlInformazioniCanale", cdiURL()),
	)
}

// cdiItalian is the language that every detail is described in.
const cdiItalian = "IT"

func cdiCosts() *cdiElement {
	band := elements(
		must("importoMassimoFascia", cdiAmount(1)),
		must("costoFisso", cdiAmount(0)),
		must("valoreCommissione", cdiAmount(0)),
		may("listaConvenzioniCosti", elements(many("codiceConvenzione", cdiAgreement()), cdiChild{"costoConvenzione", 0, 0, cdiAmount(0)})),
	)
	return elements(
		must("tipoCostoTransazione", cdiOneOf("", "0", "1")),
		must("tipoCommissione", cdiOneOf("", "0", "1")),
		may("tipoCanaleServizio", cdiOneOf("", "0", "1", "2", "3", "4")),
		may("plateaErogazioneServizio", cdiOneOf("", "0", "1", "2")),
		must("listaFasceCostoServizio", elements(many("fasciaCostoServizio", band))),
		may("costoConvenzione", cdiAmount(0)),
	)
}

// The simple types of the schema.

func cdiPattern(pattern, fix string) *cdiElement {
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	return &cdiElement{text: &cdiText{ok: whole.MatchString, fix: fix}}
}

func cdiString(runesMax int) *cdiElement {
	return &cdiElement{text: &cdiText{
		ok:  func(s string) bool { return s != "" && utf8.RuneCountInString(s) <= runesMax },
		fix: fmt.Sprintf("write 1 to %d characters", runesMax),
	}}
}

// agreementRunesMax bounds the code of an agreement, which the schema does not.
const agreementRunesMax = 70

func cdiAgreement() *cdiElement { return cdiString(agreementRunesMax) }

// cdiOneOf is one of some texts; preset, where not empty, stands for an empty element.
func cdiOneOf(preset string, texts ...string) *cdiElement {
	return &cdiElement{text: &cdiText{
		ok:  func(s string) bool { return slices.Contains(texts, s) },
		fix: "use one of " + strings.Join(texts, ", "), collapse: true, preset: preset,
	}}
}

func cdiInt(preset string) *cdiElement {
	return &cdiElement{text: &cdiText{
		ok: func(s string) bool {
			_, err := strconv.ParseInt(s, 10, 32)
			return err == nil
		},
		fix: wholeNumber, collapse: true, preset: preset,
	}}
}

// cdiAmount is an amount in euro with exactly two decimals, from a least number of cents to 999999999.99.
func cdiAmount(leastCents int64) *cdiElement {
	const mostCents = 99_999_999_999
	fix := "write euro with two decimals and a point, as in 1.50"
	if leastCents > 0 {
		fix += ", above 0.00"
	}
	return &cdiElement{text: &cdiText{
		ok: func(s string) bool {
			cents, ok := cdiCents(s)
			return ok && leastCents <= cents && cents <= mostCents
		},
		fix: fix, collapse: true,
	}}
}

// cdiCents reads an amount of the schema's pattern as cents, exactly: 0.29 is 29.
func cdiCents(s string) (cents int64, ok bool) {
	whole, fraction, found := strings.Cut(s, ".")
	if !found || len(fraction) != 2 || whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, false
	}
	cents, err := strconv.ParseInt(whole+fraction, 10, 64)
	return cents, err == nil
}

func cdiURL() *cdiElement {
	return &cdiElement{text: &cdiText{
		ok:  func(s string) bool { return utf8.RuneCountInString(s) <= 255 },
		fix: "write at most 255 characters", collapse: true,
	}}
}

func cdiInstant() *cdiElement {
	return &cdiElement{text: &cdiText{
		ok: func(s string) bool {
			_, ok := cdiDate(s)
			return ok
		},
		fix: "write date and time without zone, as in 2026-11-21T00:00:00", collapse: true,
	}}
}

// cdiDate returns the date of a date and time as it is written.
func cdiDate(s string) (engine.Date, bool) {
	const form = "2006-01-02T15:04:05"
	if _, err := time.Parse(form, s); err != nil || len(s) != len(form) {
		return 0, false
	}
	date, err := engine.ParseDate(s[:len(time.DateOnly)])
	return date, err == nil
}

// cdiLogo is base64, whose alphabet is checked and which is not kept.
func cdiLogo() *cdiElement {
	return &cdiElement{text: &cdiText{logo: true, fix: "write base64"}}
}

// isBase64 reports whether the text is base64 with white space anywhere, as schemas allow, without
// decoding or copying it.
func isBase64(text []byte) bool {
	digits, padding := 0, 0
	for _, b := range text {
		switch {
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
		case b == '=':
			padding++
		case padding == 0 && ('A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '+' || b == '/'):
			digits++
		default:
			return false
		}
	}
	return padding <= 2 && (digits+padding)%4 == 0
}
