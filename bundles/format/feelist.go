package format

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// The published fee list, "elenco servizi" (spec 5). Each row is one GLOBAL bundle:
//
//	psp_id, psp_rag_soc             PSP, business name; channel and broker are the PSP id, too
//	codice_abi                      ABI; without one the PSP id
//	nome_servizio, inf_desc_serv    name and description
//	url_informazioni_psp            policy URL
//	importo_minimo, importo_massimo band, in euro
//	costo_fisso                     flat fee, in euro
//	tipo_vers_cod, on_us            payment type, on-us
//
// The touchpoint follows from six flags (see [feeRow.touchpoint]). Validity is open; carts are allowed,
// which is the default (A1). So is that digital stamps are not: the list does not say which PSPs sell
// them, and a payer is better told that nobody does than shown a fee for a payment that then fails.
//
// The remaining fields of a row hold nothing of their own in the published list, and are written back
// as they are there: descrizione_canale_mod_pag repeats the description and inf_url_canale the policy
// URL, canale_mod_pag is "N/A", canale_mod_pag_code 0 and is_duplicated false, and which of the flags
// says web or app follows from the payment type. A row that has anything else there is read all the
// same, with a warning that it will be written otherwise.

// none is how the list writes that a text is absent.
const none = "None"

// feeRow is one row of the list as it stands in the file, amounts in cents.
type feeRow struct {
	psp, pspName, abi                 string
	name, channelDescription, text    string
	channelURL, policyURL             string
	minCents, maxCents, fixedFeeCents int64
	channelCode                       int64
	paymentType, channel              string
	onUs                              bool
	card, account, otherWeb, otherApp bool
	duplicated                        bool
	accountApp, cardApp               bool
}

// feeListFile is a fee list while its fields come in.
type feeListFile struct{ rows []feeRow }

func feeListFields() *table[feeListFile] {
	return newTable(field[feeListFile]{name: "content", mandatory: true, take: func(d *decoder, f *feeListFile) {
		d.elements(BundlesMax, func() {
			_, at := d.peek()
			var r feeRow
			takeObject(d, d.tables.row, &r)
			if r.otherwise() != "" {
				d.warn(at, "has values that no bundle keeps: "+r.otherwise(), "an export writes those of the published list")
			}
			f.rows = append(f.rows, r)
		})
	}})
}

func rowFields() *table[feeRow] {
	must := func(f field[feeRow]) field[feeRow] {
		f.mandatory = true
		return f
	}
	return newTable(
		must(textField("psp_id", func(r *feeRow) *string { return &r.psp })),
		textField("psp_rag_soc", func(r *feeRow) *string { return &r.pspName }),
		textField("codice_abi", func(r *feeRow) *string { return &r.abi }),
		textField("nome_servizio", func(r *feeRow) *string { return &r.name }),
		textField("descrizione_canale_mod_pag", func(r *feeRow) *string { return &r.channelDescription }),
		textField("inf_desc_serv", func(r *feeRow) *string { return &r.text }),
		textField("inf_url_canale", func(r *feeRow) *string { return &r.channelURL }),
		textField("url_informazioni_psp", func(r *feeRow) *string { return &r.policyURL }),
		euroField("importo_minimo", func(r *feeRow) *int64 { return &r.minCents }),
		euroField("importo_massimo", func(r *feeRow) *int64 { return &r.maxCents }),
		euroField("costo_fisso", func(r *feeRow) *int64 { return &r.fixedFeeCents }),
		wholeField("canale_mod_pag_code", false, wholeNumber, func(r *feeRow) *int64 { return &r.channelCode }),
		must(textField("tipo_vers_cod", func(r *feeRow) *string { return &r.paymentType })),
		textField("canale_mod_pag", func(r *feeRow) *string { return &r.channel }),
		truthField("on_us", true, func(r *feeRow) *bool { return &r.onUs }),
		truthField("carte", false, func(r *feeRow) *bool { return &r.card }),
		truthField("conto", false, func(r *feeRow) *bool { return &r.account }),
		truthField("altri_wisp", false, func(r *feeRow) *bool { return &r.otherWeb }),
		truthField("altri_io", false, func(r *feeRow) *bool { return &r.otherApp }),
		truthField("is_duplicated", false, func(r *feeRow) *bool { return &r.duplicated }),
		truthField("conto_app", false, func(r *feeRow) *bool { return &r.accountApp }),
		truthField("carte_app", false, func(r *feeRow) *bool { return &r.cardApp }),
	)
}

// euroField takes an amount in euro, exactly.
func euroField(name string, into func(*feeRow) *int64) field[feeRow] {
	return field[feeRow]{name: name, mandatory: true, take: func(d *decoder, r *feeRow) {
		at, ok := d.take(number)
		if !ok {
			return
		}
		literal, _ := d.scalar()
		cents, reason := parseEuro(literal)
		if reason != "" {
			d.fault(at, bundles.Excerpt(literal)+" "+reason, "write euro with at most two decimals, as in 1.33")
		}
		*into(r) = cents
	}}
}

// The touchpoints that the list has flags for, and the one of rows without any.
const (
	touchpointWeb  = "CHECKOUT"
	touchpointApp  = "IO"
	touchpointCart = "CHECKOUT_CART"
)

// touchpoint returns the bundle's touchpoint: a row for both web and app is for ANY, one for neither
// for CHECKOUT_CART, the one touchpoint that the list has no flag for.
func (r *feeRow) touchpoint() string {
	web, app := r.card || r.account || r.otherWeb, r.cardApp || r.accountApp || r.otherApp
	switch {
	case web && app:
		return engine.Any
	case web:
		return touchpointWeb
	case app:
		return touchpointApp
	}
	return touchpointCart
}

// setTouchpoint sets the flags of a touchpoint as the published list does for the payment type, and
// reports whether there are any.
func (r *feeRow) setTouchpoint(touchpoint string) bool {
	web, app := &r.otherWeb, &r.otherApp
	switch r.paymentType {
	case "CP":
		web, app = &r.card, &r.cardApp
	case "RBPP": // the published list counts this button among the others in the app only
		web = &r.account
	case "RBPR", "RBPB", "RBPS", "RFPB", "RPIC", "RICO", "MYBK":
		web, app = &r.account, &r.accountApp
	}
	switch touchpoint {
	case engine.Any:
		*web, *app = true, true
	case touchpointWeb:
		*web = true
	case touchpointApp:
		*app = true
	case touchpointCart:
	default:
		return false
	}
	return true
}

// bundle returns the bundle of the row, without an id.
func (r *feeRow) bundle() bundles.Bundle {
	paymentType := present(r.paymentType)
	if strings.EqualFold(paymentType, engine.Any) {
		paymentType = ""
	}
	return bundles.Bundle{
		Bundle: engine.Bundle{
			PSP: r.psp, Channel: r.psp, Broker: r.psp, ABI: cmp.Or(present(r.abi), r.psp), PSPBusinessName: present(r.pspName),
			Name: present(r.name), Description: present(r.text),
			Type: engine.Global, PaymentType: paymentType, Touchpoint: r.touchpoint(),
			Band: engine.Band{MinCents: r.minCents, MaxCents: r.maxCents}, Cart: true, OnUs: r.onUs,
			Fee: engine.Fee{FlatCents: r.fixedFeeCents},
		},
		PolicyURL: present(r.policyURL), Origin: bundles.OriginFeeList,
	}
}

// rowOf returns the row of a bundle that the list can express.
func rowOf(b *bundles.Bundle, band engine.Band, feeCents int64) feeRow {
	r := feeRow{
		psp: b.PSP, pspName: absent(b.PSPBusinessName), abi: absent(b.ABI), name: absent(b.Name),
		channelDescription: absent(b.Description), text: absent(b.Description),
		channelURL: absent(b.PolicyURL), policyURL: absent(b.PolicyURL),
		minCents: band.MinCents, maxCents: band.MaxCents, fixedFeeCents: feeCents,
		paymentType: absent(b.PaymentType), channel: "N/A", onUs: b.OnUs,
	}
	r.setTouchpoint(b.Touchpoint)
	return r
}

// present and absent turn the list's "None" into the empty text, and back.
func present(text string) string {
	if text == none {
		return ""
	}
	return text
}

func absent(text string) string { return cmp.Or(text, none) }

// otherwise names the fields of the row that an export of its bundle would write with other values;
// empty when the row comes back as it is.
func (r *feeRow) otherwise() string {
	b := r.bundle()
	back := rowOf(&b, b.Band, r.fixedFeeCents)
	var names []string
	differ := func(name string, differs bool) {
		if differs {
			names = append(names, name)
		}
	}
	differ("descrizione_canale_mod_pag", present(back.channelDescription) != present(r.channelDescription))
	differ("inf_url_canale", present(back.channelURL) != present(r.channelURL))
	differ("canale_mod_pag_code", back.channelCode != r.channelCode)
	differ("canale_mod_pag", back.channel != cmp.Or(r.channel, "N/A"))
	differ("is_duplicated", r.duplicated)
	differ("carte", back.card != r.card)
	differ("conto", back.account != r.account)
	differ("altri_wisp", back.otherWeb != r.otherWeb)
	differ("altri_io", back.otherApp != r.otherApp)
	differ("conto_app", back.accountApp != r.accountApp)
	differ("carte_app", back.cardApp != r.cardApp)
	return strings.Join(names, ", ")
}

// feeList reads a fee list.
func (d *decoder) feeList(o ReadOptions) bundles.Document {
	var f feeListFile
	takeObject(d, d.tables.feeList, &f)
	document := bundles.Document{Bundles: make([]bundles.Bundle, len(f.rows))}
	for i := range f.rows {
		document.Bundles[i] = f.rows[i].bundle()
	}
	nameBundles(document.Bundles)
	if o.CloseHoles {
		closeHoles(document.Bundles)
	}
	document.Settings = settingsFor(document.Bundles, o.Settings)
	return document
}

// nameBundles gives every bundle an id that is made of its own conditions, so that the same list gives
// the same ids whatever the order of its rows and whatever became of fees and minima meanwhile:
//
//	BNLIITRR-CP-CHECKOUT-ONUS-50000
//
// that is the PSP, payment type, touchpoint, ONUS where it is, and the maximum in cents. Rows that
// agree in all of these are told apart by -2, -3 and so on, in order of the rest of their content.
func nameBundles(all []bundles.Bundle) {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &all[i], &all[j]
		return cmp.Or(
			cmp.Compare(a.Band.MinCents, b.Band.MinCents), cmp.Compare(a.Fee.FlatCents, b.Fee.FlatCents),
			cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.PSPBusinessName, b.PSPBusinessName),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Description, b.Description), cmp.Compare(a.PolicyURL, b.PolicyURL),
		)
	})
	taken := make(map[string]bool, len(all))
	count := make(map[string]int, len(all))
	for _, i := range order {
		base := conditionsOf(&all[i])
		id := base
		for taken[id] {
			count[base]++
			id = fmt.Sprintf("%s-%d", base, count[base]+1)
		}
		taken[id] = true
		all[i].ID = id
	}
}

func conditionsOf(b *bundles.Bundle) string {
	parts := []string{b.PSP, cmp.Or(b.PaymentType, engine.Any), b.Touchpoint}
	if b.OnUs {
		parts = append(parts, "ONUS")
	}
	id := fmt.Sprintf("%s-%d", strings.Join(parts, "-"), b.Band.MaxCents)
	return strings.NewReplacer("/", "_", `\`, "_", "?", "_", "#", "_").Replace(id)
}

// closeHoles lowers minima by the one cent by which they miss the band below (A10).
func closeHoles(all []bundles.Bundle) {
	type edge struct {
		psp, paymentType, touchpoint string
		onUs                         bool
		cents                        int64
	}
	at := func(b *bundles.Bundle, cents int64) edge {
		return edge{b.PSP, b.PaymentType, b.Touchpoint, b.OnUs, cents}
	}
	maxima := make(map[edge]bool, len(all))
	for i := range all {
		maxima[at(&all[i], all[i].Band.MaxCents)] = true
	}
	for i := range all {
		if b := &all[i]; maxima[at(b, b.Band.MinCents-1)] {
			b.Band.MinCents--
		}
	}
}

// settingsFor returns the settings in force with the names that the bundles use added; nil when all
// are registered. An empty catalogue also gets the platform's usual names, so that it can be asked for
// a touchpoint that no row happens to name.
func settingsFor(all []bundles.Bundle, inForce *engine.Settings) *engine.Settings {
	var s engine.Settings
	if inForce != nil {
		s = *inForce
	}
	touchpoints, paymentTypes := len(s.Touchpoints), len(s.PaymentTypes)
	if touchpoints == 0 {
		s.Touchpoints = usualTouchpoints()
	}
	if paymentTypes == 0 {
		s.PaymentTypes = usualPaymentTypes()
	}
	s.Touchpoints, s.PaymentTypes = slices.Clip(s.Touchpoints), slices.Clip(s.PaymentTypes)
	for i := range all {
		if all[i].Touchpoint != engine.Any {
			s.Touchpoints = withName(s.Touchpoints, all[i].Touchpoint)
		}
		if all[i].PaymentType != "" {
			s.PaymentTypes = withName(s.PaymentTypes, all[i].PaymentType)
		}
	}
	if len(s.Touchpoints) == touchpoints && len(s.PaymentTypes) == paymentTypes {
		return nil
	}
	return &s
}

func withName(names []string, name string) []string {
	if slices.ContainsFunc(names, func(known string) bool { return strings.EqualFold(known, name) }) {
		return names
	}
	return append(names, name)
}

// usualTouchpoints and usualPaymentTypes are those of the platform (spec 1).
func usualTouchpoints() []string {
	return []string{touchpointApp, touchpointWeb, touchpointCart, "WISP", "PSP", "ATM", "POS", "HB", "TS", "BETTING"}
}

func usualPaymentTypes() []string {
	return []string{"CP", "PPAL", "BPAY", "MYBK", "APPL", "GOOG", "SATY", "KLRN", "RPIC", "RICO", "RBPR", "RBPP", "RBPB", "RBPS", "RFPB",
		"BBT", "BP", "AD", "OBEP", "JIF", "PO"}
}
