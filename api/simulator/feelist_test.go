package simulator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles/format"
)

// listRow is a row of the published list as this test reads it, on its own.
type listRow struct {
	PSP       string      `json:"psp_id"`
	ABI       string      `json:"codice_abi"`
	Minimum   json.Number `json:"importo_minimo"`
	Maximum   json.Number `json:"importo_massimo"`
	Fee       json.Number `json:"costo_fisso"`
	Type      string      `json:"tipo_vers_cod"`
	OnUs      bool        `json:"on_us"`
	Carte     bool        `json:"carte"`
	CarteApp  bool        `json:"carte_app"`
	Conto     bool        `json:"conto"`
	ContoApp  bool        `json:"conto_app"`
	AltriWisp bool        `json:"altri_wisp"`
	AltriIO   bool        `json:"altri_io"`
}

// at reports whether the row is offered on the web, in the app, or, where it is for neither, in a cart.
func (r *listRow) at(place string) bool {
	web, app := r.Carte || r.Conto || r.AltriWisp, r.CarteApp || r.ContoApp || r.AltriIO
	switch place {
	case "CHECKOUT":
		return web
	case "IO":
		return app
	}
	return !web && !app || web && app
}

func listCents(t *testing.T, euro json.Number) int64 {
	t.Helper()
	whole, decimals, _ := strings.Cut(euro.String(), ".")
	cents, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || len(strings.TrimRight(decimals, "0")) > 2 {
		t.Fatalf("%s is no amount: %v", euro, err)
	}
	return cents
}

// fromList works out of the list alone what each PSP asks for each way of paying.
func fromList(t *testing.T, list []listRow, amount int64, place, way, bank string) map[string]int64 {
	best := map[string]int64{}
	for i := range list {
		r := &list[i]
		own := bank != "" && r.ABI == bank
		switch {
		case way != "" && r.Type != way, !r.at(place), amount <= listCents(t, r.Minimum), amount > listCents(t, r.Maximum):
			continue
		case r.OnUs != own: // Q10: an own card gets the on-us fee, any other card every other fee
			continue
		}
		key := r.PSP + " " + r.Type
		if fee, known := best[key]; !known || listCents(t, r.Fee) < fee {
			best[key] = listCents(t, r.Fee)
		}
	}
	return best
}

// shownFee is a fee in the table of the page.
var shownFee = regexp.MustCompile(`<td class="number fee">([0-9.,]+)`)

// TestTwentyQuestionsOnThePublishedList is what the issue asks to be shown: with the published list loaded the page shows
// exactly the fees of the list.
func TestTwentyQuestionsOnThePublishedList(t *testing.T) {
	text := shared(t, "data/elenco-servizi.json")
	var list struct{ Content []listRow }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	p := newPageOn(t, load(t, format.FeeList, text))
	dice := rand.New(rand.NewPCG(20260618, 5))
	amounts := []int64{1, 2500, 5000, 5001, 9999, 15000, 15001, 30000, 99999, 100000, 150001, 300000, 500001, 1000000}
	for i := range 20 {
		amount := amounts[dice.IntN(len(amounts))]
		if i%2 == 1 {
			amount = 1 + dice.Int64N(500_000)
		}
		place := []string{"CHECKOUT", "IO", "CHECKOUT_CART"}[dice.IntN(3)]
		way := []string{"", "CP", "CP", "PPAL", "RBPP", "SATY", "MYBK"}[dice.IntN(7)]
		bank := []string{"", "", "32875", "36081", "33111"}[dice.IntN(5)]
		query := fmt.Sprintf("amount=%d&place=%s&way=%s&bank=%s", amount, place, way, bank)
		t.Run(query, func(t *testing.T) {
			want := fromList(t, list.Content, amount, place, way, bank)
			var d download
			if err := json.Unmarshal(p.get(t, "/data.json?"+query).Body.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			got, ordered := map[string]int64{}, []int64{}
			for _, row := range d.Quotes {
				got[row.PSP+" "+row.PaymentType] = row.Net
				ordered = append(ordered, row.Net)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the list and the answer differ:\n%s", diff)
			}
			body := p.get(t, "/?"+query).Body.String()
			if end := strings.Index(body, `id="offers"`); end > 0 {
				body = body[:end]
			}
			shown := []int64{}
			for _, m := range shownFee.FindAllStringSubmatch(body, -1) {
				cents, _ := parseAmount(m[1])
				shown = append(shown, cents)
			}
			if diff := cmp.Diff(ordered, shown); diff != "" {
				t.Errorf("the page shows other fees than the answer:\n%s", diff)
			}
			t.Logf("%d rows", len(shown))
		})
	}
}

// TestPublishedListComesBack holds that the open data is the list that was loaded.
func TestPublishedListComesBack(t *testing.T) {
	text := shared(t, "data/elenco-servizi.json")
	c := load(t, format.FeeList, text)
	w := newPageOn(t, c).get(t, pathFeeList)
	var loadedList, served struct{ Content []map[string]any }
	if err := json.Unmarshal(text, &loadedList); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &served); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(loadedList, served); diff != "" || w.Header().Get("Gec-Bundles-Left-Out") != "0" {
		t.Errorf("%.2000s", diff)
	}
}
