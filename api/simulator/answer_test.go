package simulator

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
)

func TestAnswerHasOneRowPerPSPAndMethod(t *testing.T) {
	p := newPage(t)
	for query, want := range map[string][]string{
		"amount=5000&place=CHECKOUT":                   {"a-mybank", "a-low", "b-day", "c-any"},
		"amount=5000&place=CHECKOUT&way=CP":            {"a-low", "b-day", "c-any"},
		"amount=5001&place=CHECKOUT&way=CP":            {"b-day", "c-any", "a-high"},
		"amount=5000&place=CHECKOUT&way=cards":         {"a-low", "b-day", "c-any"},
		"amount=5000&place=CHECKOUT&way=accounts":      {"a-mybank", "c-any"},
		"amount=5000&place=IO&way=apps":                {"c-any", "d-io"},
		"amount=5000&place=IO&way=others":              {"c-any"},
		"amount=5000&way=CP&day=2026-11-23&time=21:00": {"a-low", "b-night", "c-any"},
		"amount=2500&amount=2500&way=CP":               {"a-low", "b-day"},
		"amount=5000&way=CP&bank=10001":                {"a-onus", "b-day", "c-any"},
		"amount=5000&way=CP&bank=99340":                {"l-amex"},
		"amount=5000&way=CP&service=0101100IM":         {"a-low", "b-day", "e-tax", "c-any"},
		"amount=5000&way=CP&service=stamp":             {"f-stamp"},
		"amount=5000&way=CP&ec=80000000103":            {"a-low", "b-day", "c-any", "i-public"},
		"amount=5000&way=CP&ec=80000000202":            {"a-low", "b-day", "c-any", "h-when"},
		"amount=5000&way=CP&ec=80000000303":            {"a-low", "b-day", "c-any", "j-private"},
		"amount=5000&way=CP&day=2027-01-01":            {"a-low", "b-day", "c-any", "g-future"},
		"amount=5000&way=CP&day=2025-12-31":            {"a-low", "b-day", "c-any", "g-past"},
		"amount=600000&way=CP":                         nil,
	} {
		v := p.ask(t, query)
		got, expected := bundleIDs(v.Answer.Rows), slices.Clone(want)
		if !slices.IsSortedFunc(v.Answer.Rows, func(a, b row) int { return int(a.NetCents - b.NetCents) }) {
			t.Errorf("%s: not in order of fee: %v", query, got)
		}
		slices.Sort(got)
		slices.Sort(expected)
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s:\n%s", query, diff)
		}
	}
}

func TestAnswerSplitsTheFee(t *testing.T) {
	v := newPage(t).ask(t, "amount=5000&way=CP&ec=80000000103")
	i := slices.IndexFunc(v.Answer.Rows, func(r row) bool { return r.Bundle.ID == "i-public" })
	r := v.Answer.Rows[i]
	if r.GrossCents != 90 || r.BorneCents() != 60 || r.NetCents != 30 || r.TotalCents != 5030 || r.Contributions[0].CreditorInstitution != "80000000103" {
		t.Errorf("%+v", r)
	}
}

func TestAnswerOffersOnUsFees(t *testing.T) {
	p := newPage(t)
	v := p.ask(t, "amount=5000&way=CP")
	if diff := cmp.Diff([]string{"a-onus", "l-amex"}, bundleIDs(v.Answer.Offers)); diff != "" {
		t.Error(diff)
	}
	if v.Answer.Offers[0].Bank != "Banca Alfa" {
		t.Errorf("valid for cards of %q", v.Answer.Offers[0].Bank)
	}
	for _, query := range []string{"amount=5000&way=CP&bank=10001", "amount=5000&way=MYBK"} {
		if v := p.ask(t, query); len(v.Answer.Offers) > 0 {
			t.Errorf("%s offers %v", query, bundleIDs(v.Answer.Offers))
		}
	}
}

func TestAnswerSortsByName(t *testing.T) {
	v := newPage(t).ask(t, "amount=5000&sort=name&place=IO")
	var names []string
	for _, r := range v.Answer.Rows {
		names = append(names, r.Name)
	}
	if diff := cmp.Diff([]string{"=Delta", "Banca Alfa", "Banca Beta", "Gamma Pay"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestQ22EqualFeesStandInFairOrder holds that equal fees keep their order for one payment, whatever is asked about
// methods, and that over many payments each PSP is first about equally often.
func TestQ22EqualFeesStandInFairOrder(t *testing.T) {
	p := newPage(t)
	const payments = 400
	first := 0
	for amount := range payments {
		q := &question{Minute: -1, Way: "CP", Notices: []asked{{Cents: int64(1000 + amount)}}}
		d, err := p.current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.quoters.answer(d.directory, q, saturday)
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.quoters.answer(d.directory, q, saturday)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(bundleIDs(a.Rows), bundleIDs(again.Rows)); diff != "" {
			t.Fatal(diff)
		}
		if a.Rows[0].Bundle.PSP == "ALFA" {
			first++
		}
	}
	if first < payments*2/5 || first > payments*3/5 { // 4 standard deviations from a half
		t.Errorf("of two equal fees the same comes first in %d of %d payments", first, payments)
	}
}

// TestAnswerIsTheCatalogues holds that the made-up card ranges of the page change nothing: a bank's quotes are those of
// a card of that bank on the catalogue itself.
func TestAnswerIsTheCatalogues(t *testing.T) {
	text := strings.Replace(world, "bundles:", `issuers: [{low: 8000010000000000000, high: 8000019999999999999, abi: "10001"}, {low: 8000020000000000000, high: 8000029999999999999, abi: "99340"}, {low: 8000030000000000000, high: 8000039999999999999, abi: "10002"}]
bundles:`, 1)
	p := newPageOn(t, load(t, "native", []byte(text)))
	for abi, bin := range map[string]string{"10001": "80000100", "99340": "80000200", "10002": "80000300"} {
		v := p.ask(t, "amount=5000&way=CP&bank="+abi)
		answer, err := engine.Plain(p.catalogue.snapshot, &engine.Payment{
			PaymentType: "CP", BIN: bin, At: saturday, Notices: []engine.Notice{{AmountCents: 5000, Transfers: []engine.Transfer{{}}}},
		}, engine.Options{Order: engine.OrderFee, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		for _, quote := range answer.Quotes {
			want[quote.Bundle.ID] = quote.NetCents
		}
		got := map[string]int64{}
		for _, r := range v.Answer.Rows {
			got[r.Bundle.ID] = r.NetCents
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ABI %s:\n%s", abi, diff)
		}
	}
}

func TestWhyNotSaysTheRule(t *testing.T) {
	p := newPage(t)
	for query, want := range map[string]string{
		"amount=600000&way=CP&why=GAMMA":                "Q1: vale per importi sopra 0,00 € e fino a 5.000,00 €; il tuo è 6.000,00 €.",
		"amount=5000&place=CHECKOUT&way=PPAL&why=DELTA": "Q2: si può usare soltanto qui: Nell’app IO.",
		"amount=5000&way=MYBK&why=BETA":                 "Q3: è per chi paga in un altro modo: Carta.",
		"amount=5000&place=IO&way=accounts&why=DELTA":   "Q3: è per chi paga in un altro modo: PayPal.",
		"amount=5000&way=CP&why=BLOCKED":                "Q4: il gestore del servizio ha escluso questo PSP.",
		"amount=5000&way=CP&why=EPSI":                   "Q5: vale solo per alcuni servizi: Imposte comunali (0101100IM).",
		"amount=5000&way=CP&why=IOTA":                   "Q6: è riservata agli enti che hanno aderito: indica a chi paghi.",
		"amount=5000&way=CP&why=IOTA&ec=80000000202":    "Q6: è riservata agli enti che hanno aderito; quello che paghi non vi aderisce in quel giorno.",
		"amount=2500&amount=2500&way=CP&why=GAMMA":      "Q7: non vale per più avvisi insieme.",
		"amount=1600&service=stamp&way=CP&why=GAMMA":    "Q8: non permette di comprare marche da bollo digitali.",
		"amount=1600&way=CP&why=ZETA":                   "Q8: serve solo a comprare marche da bollo digitali.",
		"amount=5000&way=CP&why=AMEX":                   "Q10: vale solo per le carte di Carta Charge; non hai detto di quale banca è la tua.",
		"amount=5000&way=CP&bank=10001&why=AMEX":        "Q10: vale solo per le carte di Carta Charge.",
		"amount=5000&way=CP&bank=10001&why=ALFA":        "Q10: con una carta di Banca Alfa vale invece la commissione per i suoi clienti.",
		"amount=5000&way=CP&bank=99340&why=GAMMA":       "Q11: le carte di Carta Charge sono servite soltanto da chi le emette.",
		"amount=5000&way=CP&why=ETA":                    "Q12: vale dal 1 gennaio 2027.",
		"amount=5000&way=CP&day=2027-01-02&why=ETA":     "Q12: è valsa fino al 31 dicembre 2025.",
		"amount=5000&way=CP&day=2026-11-22&why=BETA":    "Q13: vale solo in questi orari: lun, mar, mer, gio, ven, sab 08:00–20:00.",
		"amount=5000&way=CP&why=THETA":                  `Q14: ha una condizione che qui non è soddisfatta: ec("80000000202")`,
		"amount=5000&way=CP&why=MU":                     "Q15: la sua commissione non si può calcolare per questo importo.",
		"amount=5000&way=CP&why=ALFA":                   ": è nell’elenco qui sopra.",
	} {
		v := p.ask(t, query)
		var got []string
		for _, r := range v.Why.Reasons {
			got = append(got, r.Rule+": "+strings.ReplaceAll(r.Why, noBreak, " "))
		}
		if !slices.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", query, strings.Join(got, "\n     "), want)
		}
	}
}

// TestWhyNotIsTheEngines holds that the reasons of a PSP, which are worked out without the other PSPs, are those that the
// engine gives on the whole catalogue.
func TestWhyNotIsTheEngines(t *testing.T) {
	p := newPage(t)
	for _, query := range []string{"amount=5000&way=CP", "amount=600000&way=CP&bank=10001", "amount=1600&service=stamp&way=CP", "amount=5000&way=CP&ec=80000000103&day=2026-11-23&time=21:00"} {
		for psp := range p.ask(t, query).Directory.psps {
			v := p.ask(t, query+"&why="+psp)
			payment := v.Directory.payment(v.Question, v.Question.at(saturday, p.zone))
			payment.PaymentType = "CP"
			whole, err := engine.Explain(v.Directory.snapshot, payment, engine.Options{Order: engine.OrderFee, Limit: rowsMax}, engine.Asking{})
			if err != nil {
				t.Fatal(err)
			}
			want, got := map[string]bool{}, map[string]bool{}
			for _, verdict := range whole.Verdicts {
				if verdict.Bundle.PSP == psp {
					want[verdict.Rule] = true
				}
			}
			for _, r := range v.Why.Reasons {
				got[r.Rule] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s:\n%s", query, psp, diff)
			}
		}
	}
}

// TestWhyNotPutsNearReasonsFirst holds that a fee that only the hour keeps out comes before one of another method.
func TestWhyNotPutsNearReasonsFirst(t *testing.T) {
	v := newPage(t).ask(t, "amount=5000&way=CP&day=2026-11-22&why=ALFA")
	if len(v.Why.Reasons) != 4 || !v.Why.Shown || v.Why.Reasons[0].Rule != "" || v.Why.Reasons[1].Rule != "Q10" || v.Why.Reasons[2].Rule != "Q1" || v.Why.Reasons[3].Rule != "Q3" {
		t.Errorf("%+v", v.Why)
	}
}

// TestA18PrivateTermsStayPrivate holds that nobody learns of a PRIVATE bundle but those whose payment it is for.
func TestA18PrivateTermsStayPrivate(t *testing.T) {
	p := newPage(t)
	for _, target := range []string{"/?amount=5000&way=CP", "/?amount=5000&way=CP&why=KAPPA", "/?amount=5000&ec=80000000103&why=KAPPA", "/data.json?amount=5000", "/data.csv?amount=5000", "/gec/v1/open-data/fee-list.json"} {
		body := p.get(t, target).Body.String()
		contains(t, body, "Segret", false)
		contains(t, body, "KAPPA", false)
	}
	contains(t, p.get(t, "/?amount=5000&way=CP&ec=80000000303").Body.String(), "Kappa Segreta", true)
}

// TestChartIsTheEngines holds that every point of the chart is the engine's own quote.
func TestChartIsTheEngines(t *testing.T) {
	p := newPage(t)
	for _, query := range []string{
		"amount=5000&way=CP&chart=ALFA&chart=BETA&chart=GAMMA", "amount=12000&place=CHECKOUT&chart=ALFA&chart=DELTA",
		"amount=5000&way=accounts&chart=ALFA", "amount=100&amount=200&way=CP&chart=ALFA&chart=GAMMA", "amount=5000&ec=80000000103&chart=IOTA&way=CP",
		"amount=49999999999&way=CP&chart=ALFA",
	} {
		r := p.get(t, "/?"+query)
		if r.Code != 200 {
			t.Fatalf("%s: %d", query, r.Code)
		}
		v := p.ask(t, query)
		c := v.Chart
		for _, l := range c.Lines {
			for i, cents := range c.Amounts {
				want := p.bestOf(t, v, l.PSP, cents)
				if l.Fees[i] != want {
					t.Errorf("%s: %s asks %d for %d, want %d", query, l.PSP, l.Fees[i], cents, want)
				}
			}
		}
		asked, found := slices.BinarySearch(c.Amounts, v.Question.Cents())
		if !found || c.Lines[0].Asked != c.Lines[0].Fees[asked] || c.Cents > c.MaxCents {
			t.Errorf("%s: the asked amount is not in the chart", query)
		}
		for i, row := range c.Rows {
			if i > 0 && row.FromCents <= c.Rows[i-1].ToCents {
				t.Errorf("%s: the rows of the table overlap: %+v", query, c.Rows)
			}
		}
	}
}

// bestOf is the lowest fee of a PSP for an amount, on the plain path, one payment type after the other.
func (p *page) bestOf(t *testing.T, v *view, psp string, cents int64) int64 {
	t.Helper()
	best := int64(noFee)
	payment := v.Directory.payment(v.Question, saturday)
	payment.PSPs = []engine.PSPFilter{{PSP: psp}}
	setAmount(payment, cents)
	for _, payment.PaymentType = range v.Directory.typesOf(v.Question.Way) {
		answer, err := engine.Plain(v.Directory.snapshot, payment, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, quote := range answer.Quotes {
			if best == noFee || quote.NetCents < best {
				best = quote.NetCents
			}
		}
	}
	return best
}

// TestChartShowsJumpsToTheCent holds that the edge of a band is where the table of the chart says.
func TestChartShowsJumpsToTheCent(t *testing.T) {
	c := newPage(t).ask(t, "amount=5000&way=CP&chart=ALFA").Chart
	want := []chartRow{{FromCents: 1, ToCents: 5000, Fees: []int64{50}, Asked: true}, {FromCents: 5001, ToCents: c.MaxCents, Fees: []int64{120}}}
	if diff := cmp.Diff(want, c.Rows); diff != "" {
		t.Error(diff)
	}
	if got := c.Graphic.Paths[0]; strings.Count(got, "L") != 3 || strings.Count(got, "M") != 1 {
		t.Errorf("a step is drawn as %s", got)
	}
}

func TestNiceScales(t *testing.T) {
	for cents, want := range map[int64]int64{1: 5_000, 5_000: 5_000, 5_001: 10_000, 10_001: 20_000, 20_001: 50_000, 40_000: 50_000, 99_999_999_999: 100_000_000_000} {
		if got := niceAbove(cents); got != want {
			t.Errorf("above %d: %d, want %d", cents, got, want)
		}
	}
	for highest, want := range map[int64]int64{1: 10, 50: 10, 51: 20, 110: 50, 1000: 200, 100_000_000: 20_000_000} {
		if got := stepFor(highest, 5); got != want {
			t.Errorf("step for %d: %d, want %d", highest, got, want)
		}
	}
}

// TestWeekIsTheEngines holds that the map of the week shows what a question about that hour is answered.
func TestWeekIsTheEngines(t *testing.T) {
	p := newPage(t)
	v := p.ask(t, "amount=5000&way=CP")
	if v.Week == nil {
		t.Fatal("no map, though fees vary by time")
	}
	if v.Week.Lowest != 10 || v.Week.Highest != 50 || v.Week.Level(10) != 0 || v.Week.Level(50) != levels-1 {
		t.Errorf("%+v", v.Week)
	}
	for _, band := range v.Week.Bands {
		for i, cents := range band.Cents {
			asked := p.ask(t, "amount=5000&way=CP&day="+v.Week.Days[i].Date.String()+"&time="+engine.FormatMinute(band.FromMinute))
			if got := asked.Answer.Lowest; got != cents {
				t.Errorf("%s %s: the map has %d, the list %d", v.Week.Days[i].Date, engine.FormatMinute(band.FromMinute), cents, got)
			}
		}
	}
	if !v.Week.Bands[1].Now[0] {
		t.Error("the present is not marked")
	}
	if v := p.ask(t, "amount=5000&way=PPAL&place=IO"); v.Week != nil {
		t.Error("a map of fees that do not vary")
	}
}
