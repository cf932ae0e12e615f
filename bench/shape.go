package bench

import "gec/engine"

// ListBundles and ListPSPs are the size of the published fee list, whose shape [Generate] gives to its
// catalogues: that many bundles are a whole list, larger catalogues are several, of other PSPs.
const (
	ListBundles = 513
	ListPSPs    = 18
)

// pspShape is one PSP of the list: invented, but with the tariffs of a real one.
type pspShape struct {
	id, abi string
	// names are the business names that the PSP's tariffs carry in turn. Four PSPs of the list spell
	// theirs in more than one way.
	names   []string
	tariffs []tariff
}

// tariff is a ladder of bands that is offered for a payment type at some touchpoints. Every combination
// of touchpoint, on-us flag and step is a bundle.
type tariff struct {
	paymentType, service string
	touchpoints          []string
	onUs                 []bool
	ladder               ladder
}

// ladder is a list of steps in ascending order.
type ladder struct {
	steps []step
	// holes says that each step but the first starts a cent above the one before, as a part of the
	// list has it, so that this one cent falls in no band.
	holes bool
}

// step is a fee for amounts up to toCents, from the step before; noBundle leaves them out.
type step struct{ toCents, feeCents int64 }

const noBundle = -1

// roles of PSPs that the settings of a catalogue name.
const (
	posteID = "PSTEITRR"
	amexABI = "AMREX"
)

// steps makes a ladder of pairs: up to which amount, in cents, which fee.
func steps(pairs ...int64) ladder {
	var l ladder
	for i := 0; i < len(pairs); i += 2 {
		l.steps = append(l.steps, step{pairs[i], pairs[i+1]})
	}
	return l
}

// holed makes a ladder with holes of one cent between its steps.
func holed(pairs ...int64) ladder {
	l := steps(pairs...)
	l.holes = true
	return l
}

// listShape returns the PSPs of the list.
func listShape() []pspShape {
	return append(acquirerShapes(), append(bankShapes(), specialistShapes()...)...)
}

// touchpoint sets of the list: everywhere as one bundle, or a bundle each.
func anywhere() []string   { return []string{engine.Any} }
func eachOnline() []string { return []string{"CHECKOUT_CART", "CHECKOUT", "IO"} }
func web() []string        { return []string{"CHECKOUT"} }
func webAndCart() []string { return []string{"CHECKOUT_CART", "CHECKOUT"} }
func app() []string        { return []string{"IO"} }

func others() []bool { return []bool{false} }
func own() []bool    { return []bool{true} }
func both() []bool   { return []bool{false, true} }

const card = "Carta di debito o credito"

// acquirerShapes are the PSPs with many tariffs: 66, 113, 35, 54 and 65 bundles.
func acquirerShapes() []pspShape {
	mid := steps(5000, 50, 150000, 150, 300000, 400, 500000, 700, 1500000, 1500)
	account := holed(5000, 50, 150000, 150, 300000, 400, 500000, 700, 30000000, 1500)
	return []pspShape{
		{"LINEITRR", "33901", []string{"LINEA SERVIZI MERCANTILI ITALIA S.P.A."}, []tariff{
			{"CP", card, eachOnline(), both(), steps(3000, 28, 5000, 28, 15000, 75, 30000, 95, 50000, 133, 100000, 139,
				150000, 225, 200000, 324, 300000, 399, 400000, 696, 500000, 699)},
		}},
		{"NEXOITMM", "32801", []string{"NEXO PAGAMENTI S.P.A."}, networkTariffs()},
		{"WORLL", "WORLL", []string{"Worldwide Acquiring BV"}, []tariff{
			{"CP", card, anywhere(), others(), fineLadder()},
			{"KLRN", "Paga in tre rate", anywhere(), others(), steps(400000, 149)},
		}},
		{posteID, "07901", []string{"Corriere Postale Spa", "Corriere Postale", "CorrierePostale SPA"}, []tariff{
			{"CP", card, webAndCart(), both(), mid},
			{"CP", card, app(), both(), steps(5000, 50, 150000, 150)},
			{"RBPB", "Conto Impresa", web(), others(), account}, {"RBPB", "Conto Impresa", web(), others(), account},
			{"RBPP", "Paga con la prepagata", web(), others(), mid}, {"RBPP", "Paga con la prepagata", web(), others(), mid},
			{"RBPR", "Conto Postale", web(), others(), mid}, {"RBPR", "Conto Postale", web(), others(), mid},
		}},
		{"PREPITR1", "36901", []string{"PrepagataPay SPA", "Prepagatapay"}, []tariff{
			{"CP", card, eachOnline(), both(), mid},
			{"RBPB", "Conto Impresa", web(), others(), account}, {"RBPB", "Conto Impresa", web(), others(), account},
			{"RBPP", "Paga con la prepagata", anywhere(), others(), mid},
			{"RBPP", "Paga con la prepagata", web(), others(), mid}, {"RBPP", "Paga con la prepagata", web(), others(), mid},
			{"RBPR", "Conto Postale", web(), others(), mid}, {"RBPR", "Conto Postale", web(), others(), mid},
		}},
	}
}

// networkTariffs are those of the PSP with most bundles, whose high bands are the same everywhere.
func networkTariffs() []tariff {
	// 50.01 to 1 500 € and 2 000 to 6 000 € are tariffs of each touchpoint; the others hold everywhere.
	all := holed(150000, noBundle, 200000, 400, 600000, noBundle, 700000, 1375, 800000, 1575, 900000, 1775, 1000000, 1975,
		1100000, 2075, 1200000, 2175, 1300000, 2375, 1400000, 2475, 1500000, 2675, 1600000, 2775, 1700000, 2975,
		1800000, 3175, 1900000, 3275, 2000000, 3475)
	webOthers := holed(5000, noBundle, 10000, 75, 20000, 195, 30000, 250, 50000, 295, 150000, 350, 200000, noBundle, 250000, 515,
		300000, 620, 350000, 700, 400000, 780, 500000, 990, 600000, 1075)
	webOwn := holed(5000, 95, 10000, 150, 20000, 195, 30000, 250, 50000, 295, 150000, 350, 200000, noBundle, 300000, 500,
		350000, 700, 400000, 750, 500000, 850, 600000, 1075)
	inApp := []int64{10000, 75, 20000, 150, 30000, 150, 50000, 200, 100000, 250, 150000, 300, 200000, noBundle, 300000, 500,
		350000, 700, 400000, 750, 500000, 850, 600000, 1075}
	appOthers, appOwn := holed(append([]int64{5000, noBundle}, inApp...)...), holed(append([]int64{5000, 28}, inApp...)...)
	wallet := steps(70000, 150)
	return []tariff{
		{"APPL", "Portafoglio A", webAndCart(), others(), wallet}, {"APPL", "Portafoglio A", app(), others(), holed(25000, 150, 100000, 250)},
		{"CP", card, anywhere(), others(), steps(5000, 28)}, {"CP", card, anywhere(), both(), all},
		{"CP", card, webAndCart(), others(), webOthers}, {"CP", card, webAndCart(), own(), webOwn},
		{"CP", card, app(), others(), appOthers}, {"CP", card, app(), own(), appOwn},
		{"GOOG", "Portafoglio G", webAndCart(), others(), wallet}, {"GOOG", "Portafoglio G", app(), others(), holed(25000, 150, 70000, 250)},
		{"PPAL", "Portafoglio P", webAndCart(), others(), holed(24850, 150, 2000000, 250)},
		{"PPAL", "Portafoglio P", app(), others(), holed(2, 150, 24850, 150, 2000000, 250)},
	}
}

// fineLadder has 34 steps, narrow ones below 150 €.
func fineLadder() ladder {
	l := holed(1000, 28, 1500, 28, 3000, 28, 5000, 28, 6000, 75, 8500, 75, 9500, 75, 13000, 75, 15000, 75, 20000, 75, 30000, 95,
		50000, 133, 60000, 138, 100000, 139)
	for i := int64(1); i <= 20; i++ {
		l.steps = append(l.steps, step{100000 + 20000*i, 139 + 43*i})
	}
	return l
}

// bankShapes are the PSPs that are banks: 8, 29, 16, 18, 14, 22 and 19 bundles.
func bankShapes() []pspShape {
	group := holed(3000, 95, 5000, 130, 10000, 130, 15000, 130, 30000, 130, 50000, 200, 100000, 250, 150000, 320)
	island := holed(3000, 95, 5000, 130, 10000, 130, 15000, 130, 30000, 130, 50000, 200, 100000, 250)
	return []pspShape{
		{"PONTITMM", "03901", []string{"Banca del Ponte S.P.A."}, []tariff{{"CP", card, anywhere(), others(), group}}},
		{"PAOLITMM", "03902", []string{"Banca San Paolino S.p.A.", "Banca San Paolino S.p.A"}, []tariff{
			{"CP", card, eachOnline(), both(), steps(5000, 50, 15000, 100, 50000, 150, 150000, 250)},
			{"BPAY", "Conto sul telefono", anywhere(), others(), steps(150000, 50)},
			{"MYBK", "Bonifico immediato", anywhere(), others(), steps(99999999999, 50)},
			{"PPAL", "Portafoglio P", anywhere(), others(), holed(25000, 150, 99999999999, 250)},
			{"RPIC", "Conto San Paolino", web(), others(), steps(99999999999, 0)},
		}},
		{"EMILIT22", "05901", []string{"Banca Emilia S.p.A."}, []tariff{{"CP", card, anywhere(), both(), group}}},
		{"SIENITMM", "01901", []string{"Banca del Campo di Siena S.p.A"}, []tariff{
			{"CP", card, eachOnline(), both(), steps(10000, 100, 50000, 200, 150000, 275)},
		}},
		{"ISOLIT31", "01902", []string{"Banco dell'Isola S.p.A."}, []tariff{{"CP", card, anywhere(), both(), island}}},
		{"SELLIT2B", "03903", []string{"BANCA DI BIELLA S.P.A."}, []tariff{
			{"CP", card, anywhere(), both(), steps(3000, 28, 5000, 28, 15000, 75, 30000, 95, 50000, 134, 100000, 139, 150000, 225,
				200000, 325, 300000, 450, 400000, 697, 499000, 848)},
		}},
		{"CREDITMM", "02901", []string{"Credito Unito S.p.A."}, []tariff{
			{"CP", card, eachOnline(), both(), steps(5000, 95, 30000, 120, 100000, 300)},
			{"MYBK", "Bonifico immediato", anywhere(), others(), steps(9999999999999, 50)},
		}},
	}
}

// specialistShapes are the PSPs of few tariffs: 6, 32, 8, 3, 4 and 1 bundles.
func specialistShapes() []pspShape {
	return []pspShape{
		{"AMRXIT19", amexABI, []string{"American Card Payment Services"}, []tariff{
			{"CP", card, eachOnline(), own(), steps(50000, 150, 900000, 250)},
		}},
		{"ICNTIT21", "36902", []string{"ILCONTO SRL"}, []tariff{
			{"CP", card, eachOnline(), others(), steps(5000, 45, 14999, 90, 29999, 100, 49999, 140, 99999, 300, 149999, 400, 249999, 600,
				299999, 800, 399999, 950, 498849, 1150)},
			{"RICO", "Pago in conto", web(), others(), steps(9999999900, 0)}, {"RICO", "Pago in conto", web(), others(), steps(9999999900, 60)},
		}},
		{"MUNIITMM", "32901", []string{"Munita S.p.A."}, []tariff{
			{"APPL", "Portafoglio A", webAndCart(), others(), steps(499900, 150)},
			{"PPAL", "Portafoglio P", eachOnline(), others(), steps(24850, 150, 499999, 250)},
		}},
		{"SODDLUL1", "SODDLUL1", []string{"Soddis Europe SA"}, []tariff{
			{"SATY", "Soddis", anywhere(), others(), holed(2, 100, 4, 0, 99999900, 100)},
		}},
		{"ABI36903", "36903", []string{"Flusso | una società del circuito", "Flusso SRL"}, []tariff{
			{"BPAY", "Conto sul telefono", anywhere(), others(), steps(2, 50)},
			{"BPAY", "Conto sul telefono", eachOnline(), others(), steps(1000000, 50)},
		}},
		{"ABI36904", "36904", []string{"Fabbrica dei Pagamenti S.p.A."}, []tariff{
			{"RFPB", "Paga con la banca", anywhere(), others(), steps(999999, 50)},
		}},
	}
}
