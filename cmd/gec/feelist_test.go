package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
)

// feeListFile returns the path of the fee list as published on 2026-06-18, beside the project or where
// GEC_SHARED says; without it the test is skipped.
func feeListFile(t *testing.T) string {
	t.Helper()
	shared := cmp.Or(os.Getenv("GEC_SHARED"), "../../../shared")
	file := absolute(t, filepath.Join(shared, "data", "elenco-servizi.json"))
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the fee list is not here: %v", err)
	}
	return file
}

// listRow is what the tests read of a row of the fee list.
type listRow struct {
	PSP       string      `json:"psp_id"`
	Name      string      `json:"psp_rag_soc"`
	ABI       string      `json:"codice_abi"`
	Minimum   json.Number `json:"importo_minimo"`
	Maximum   json.Number `json:"importo_massimo"`
	Fee       json.Number `json:"costo_fisso"`
	Type      string      `json:"tipo_vers_cod"`
	OnUs      bool        `json:"on_us"`
	Carte     bool        `json:"carte"`
	Conto     bool        `json:"conto"`
	AltriWisp bool        `json:"altri_wisp"`
}

// web reports whether the row is offered at CHECKOUT: for the web alone, or for web and app, which is ANY.
func (r *listRow) web() bool { return r.Carte || r.Conto || r.AltriWisp }

func feeList(t *testing.T, file string) []listRow {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Content []listRow }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list.Content
}

// cents reads euro with decimals as the list writes them: "1.33", "300.0".
func cents(t *testing.T, euro json.Number) int64 {
	t.Helper()
	whole, decimals, _ := strings.Cut(euro.String(), ".")
	value, err := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || len(strings.TrimRight(decimals, "0")) > 2 {
		t.Fatalf("%s is no amount: %v", euro, err)
	}
	return value
}

// shown is a row of an answer, without the bundle: the list has no ids.
type shown struct {
	PSP, Name, ABI string
	Fee            int64
}

// fromList works the answer out of the list alone: card, CHECKOUT, no BIN, order fee. Of a PSP whose
// cheapest rows carry several names or ABIs all are returned.
func fromList(t *testing.T, list []listRow, amount int64) map[string][]shown {
	t.Helper()
	best := map[string][]shown{}
	for _, r := range list {
		if r.Type != "CP" || r.OnUs || !r.web() || amount <= cents(t, r.Minimum) || amount > cents(t, r.Maximum) {
			continue
		}
		row := shown{r.PSP, r.Name, r.ABI, cents(t, r.Fee)}
		switch kept := best[r.PSP]; {
		case kept == nil || row.Fee < kept[0].Fee:
			best[r.PSP] = []shown{row}
		case row.Fee == kept[0].Fee:
			best[r.PSP] = append(kept, row)
		}
	}
	return best
}

// compare holds an answer to what the list says.
func compare(t *testing.T, got []shown, want map[string][]shown) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d PSPs, the list has %d", len(got), len(want))
	}
	for _, row := range got {
		if !slices.Contains(want[row.PSP], row) {
			t.Errorf("row %+v, the list says %+v", row, want[row.PSP])
		}
	}
	inOrder := slices.IsSortedFunc(got, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.Fee, b.Fee), cmp.Compare(a.Name, b.Name))
	})
	if !inOrder {
		t.Errorf("not in order of fee, then name: %+v", got)
	}
}

// TestFirstLight is what the first issue asks to be shown: the published fee list imported, and quotes over
// HTTP v2, gRPC, JSON and the command line that are what the list says.
func TestFirstLight(t *testing.T) {
	file := feeListFile(t)
	list := feeList(t, file)
	data := t.TempDir()
	imported := must(t, "import", "--data", data, "--format", "feelist", file)
	if want := fmt.Sprintf("revision 1: %d bundles (%[1]d added, 0 changed, 0 removed, 0 unchanged), 0 subscriptions\n", len(list)); imported.stdout != want {
		t.Errorf("import prints %q, want %q", imported.stdout, want)
	}
	s := serve(t, data)
	if !strings.HasSuffix(s.ready, fmt.Sprintf(" revision=1 bundles=%d\n", len(list))) {
		t.Errorf("ready line is %q", s.ready)
	}
	for amount, lowest := range map[int64]int64{2500: 28, 10000: 75, 50000: 133, 100000: 139} {
		t.Run(fmt.Sprint(amount), func(t *testing.T) {
			want := fromList(t, list, amount)
			overHTTP, overGRPC := quoteHTTP(t, s, amount), quoteGRPC(t, s, amount)
			compare(t, overHTTP, want)
			if diff := gocmp.Diff(overHTTP, overGRPC); diff != "" {
				t.Errorf("HTTP and gRPC differ:\n%s", diff)
			}
			if len(overHTTP) == 0 || overHTTP[0].Fee != lowest {
				t.Errorf("rows %+v, want the lowest at %d cents", overHTTP, lowest)
			}
		})
	}
	fromServer := must(t, "quote", "--server", s.http, "--cents", "2500", "--type", "CP", "--touchpoint", "CHECKOUT", "--order", "fee", "--limit", "100", "--json", "--at", quoteInstant)
	s.stop(t)
	fromFolder := must(t, "quote", "--data", data, "--amount", "25.00", "--type", "CP", "--touchpoint", "CHECKOUT", "--order", "fee", "--limit", "100", "--json", "--at", quoteInstant)
	if diff := gocmp.Diff(fromServer.stdout, fromFolder.stdout); diff != "" {
		t.Errorf("a server and its folder answer differently:\n%s", diff)
	}
	var answer gecv1.QuoteResponse
	if err := protojson.Unmarshal([]byte(fromFolder.stdout), &answer); err != nil {
		t.Fatal(err)
	}
	compare(t, rows(&answer), fromList(t, list, 2500))
}

// quoteInstant is after everything that the tests import, so that the current revision answers.
const quoteInstant = "2190-01-01T12:00:00Z"

// quoteHTTP asks calculator v2, as Checkout does.
func quoteHTTP(t *testing.T, s *server, amount int64) []shown {
	t.Helper()
	status, body := post(t, s.http+"/fees/multi?maxOccurrences=100&orderBy=fee", map[string]any{
		"touchpoint": "CHECKOUT", "paymentMethod": "CP",
		"paymentNotice": []any{map[string]any{
			"paymentAmount": amount, "primaryCreditorInstitution": "77777777777",
			"transferList": []any{map[string]any{"creditorInstitution": "77777777777", "transferCategory": nil}},
		}},
	})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var answer struct {
		BundleOptions []struct {
			IDPsp, PSPBusinessName, ABI, PaymentMethod string
			TaxPayerFee, ActualPayerFee                int64
			OnUs                                       bool
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	var got []shown
	for _, o := range answer.BundleOptions {
		if o.OnUs || o.PaymentMethod != "CP" || o.TaxPayerFee != o.ActualPayerFee {
			t.Errorf("row %+v", o)
		}
		got = append(got, shown{o.IDPsp, o.PSPBusinessName, o.ABI, o.TaxPayerFee})
	}
	return got
}

// quoteGRPC asks the same over gRPC.
func quoteGRPC(t *testing.T, s *server, amount int64) []shown {
	t.Helper()
	answer, err := gecv1.NewQuoteServiceClient(connect(t, s)).Quote(t.Context(), &gecv1.QuoteRequest{
		Payment: &gecv1.Payment{
			Touchpoint: "CHECKOUT", PaymentType: "CP",
			Notices: []*gecv1.Notice{{
				AmountCents: amount, CreditorInstitution: "77777777777",
				Transfers: []*gecv1.Transfer{{CreditorInstitution: "77777777777"}},
			}},
		},
		Order: gecv1.Order_ORDER_FEE, MaxOccurrences: proto.Int32(100),
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows(answer)
}

func rows(answer *gecv1.QuoteResponse) []shown {
	var got []shown
	for _, q := range answer.GetQuotes() {
		got = append(got, shown{q.GetPsp(), q.GetPspBusinessName(), q.GetAbi(), q.GetNetCents()})
	}
	return got
}
