package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"gec/api/gecv1"
)

// receiptKeys are the ids of the keys that sign receipts, and of those that did.
func (s *server) receiptKeys(t *testing.T) (inUse, ended []string) {
	t.Helper()
	status, text := s.request(t, http.MethodGet, s.http+"/gec/v1/receipt-keys", "")
	var set struct{ Keys []struct{ Kid, Ended string } }
	if err := json.Unmarshal([]byte(text), &set); err != nil || status != http.StatusOK {
		t.Fatal(status, text, err)
	}
	for _, k := range set.Keys {
		if k.Ended == "" {
			inUse = append(inUse, k.Kid)
		} else {
			ended = append(ended, k.Kid)
		}
	}
	return inUse, ended
}

// request sends a request and returns the answer's status and body.
func (s *server) request(t *testing.T, method, url, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, request)
}

// nativeReceipt takes a receipt.
func (s *server) nativeReceipt(t *testing.T) string {
	t.Helper()
	status, text := s.request(t, http.MethodPost, s.http+"/gec/v1/quote", `{"payment":{"notices":[{"amountCents":5000}]},"wantReceipt":true}`)
	var answer struct{ Receipt string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || answer.Receipt == "" {
		t.Fatal(status, text, err)
	}
	return answer.Receipt
}

// redeems asks again with a receipt.
func (s *server) redeems(t *testing.T, receipt, amount string) (status int, text string) {
	t.Helper()
	return s.request(t, http.MethodPost, s.http+"/gec/v1/quote", `{"payment":{"notices":[{"amountCents":`+amount+`}]},"receipt":"`+receipt+`"}`)
}

// TestReceiptKeysOfTheOperator rotates and ends the key that signs receipts on the operator's listener and by its age:
// what was signed before is redeemed after, for its own payment and for no other.
func TestReceiptKeysOfTheOperator(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data, "--sample", "--ops", "127.0.0.1:0")
	operator := opsOf(t, s)
	first := s.nativeReceipt(t)
	before, _ := s.receiptKeys(t)
	if len(before) != 1 {
		t.Fatal(before)
	}
	status, text := s.request(t, http.MethodPost, operator+"/receipt-keys", "")
	after, ended := s.receiptKeys(t)
	if status != http.StatusOK || len(after) != 1 || after[0] == before[0] || !slices.Equal(ended, before) || !strings.Contains(text, after[0]) {
		t.Errorf("rotated: %d %s, in use %v, ended %v", status, text, after, ended)
	}
	second := s.nativeReceipt(t)
	if status, _ := s.request(t, http.MethodPost, s.http+"/receipt-keys", ""); status != http.StatusNotFound {
		t.Errorf("the public listener rotates: %d", status)
	}
	if status, _ := s.request(t, http.MethodDelete, operator+"/receipt-keys/"+after[0], ""); status != http.StatusOK {
		t.Errorf("ended: %d", status)
	}
	for path, want := range map[string]int{"/receipt-keys/x": 400, "/receipt-keys/" + strings.Repeat("a", len(after[0])): 404} {
		if status, text := s.request(t, http.MethodDelete, operator+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	third := s.nativeReceipt(t) // with a key that the node makes, as its own has ended
	s.stop(t)

	s = serve(t, data, "--receipt-key-age", "1ns", "--ops", "127.0.0.1:0")
	s.stderr.await(t, "another key signs receipts")
	for n, receipt := range []string{first, second, third, s.nativeReceipt(t)} {
		if status, text := s.redeems(t, receipt, "5000"); status != http.StatusOK || !strings.Contains(text, `"quotes"`) {
			t.Errorf("receipt %d: %d %s", n, status, text)
		}
		if status, text := s.redeems(t, receipt, "5001"); status < 400 || status > 499 {
			t.Errorf("receipt %d for another payment: %d %s", n, status, text)
		}
	}
}

// TestJournalOfGRPC calls a node over gRPC in every way, refusals among them, and reads what it journaled.
func TestJournalOfGRPC(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data, "--sample")
	connection := connect(t, s)
	payment := &gecv1.Payment{PaymentType: "CP", Touchpoint: "CHECKOUT", Notices: []*gecv1.Notice{{AmountCents: 700, CreditorInstitution: "80000000103"}}}
	ask := func(method string, in any) {
		t.Helper()
		// What it is answered is in the journal, and held there.
		_ = connection.Invoke(t.Context(), method, in, new(emptypb.Empty))
	}
	ask("/gec.v1.QuoteService/Quote", &gecv1.QuoteRequest{Payment: payment})
	ask("/gec.v1.QuoteService/Quote", &gecv1.QuoteRequest{})
	ask("/gec.v1.QuoteService/Explain", &gecv1.ExplainRequest{Quote: &gecv1.QuoteRequest{Payment: payment}})
	ask("/gec.v1.CatalogueService/GetStatus", &gecv1.GetStatusRequest{})
	ask("/gec.v1.BundleService/ListBundles", &gecv1.ListBundlesRequest{Psp: "ESEMITM1XXX"})
	ask("/gec.v1.BundleService/RetireBundle", &gecv1.RetireBundleRequest{Psp: "ESEMITM1XXX", Id: "x"})
	ask("/gec.v1.SubscriptionService/ListOffers", &gecv1.ListOffersRequest{CreditorInstitution: "80000000103"})
	ask("/grpc.health.v1.Health/Check", new(emptypb.Empty))
	stream, err := gecv1.NewQuoteServiceClient(connection).BatchQuote(t.Context(), grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*gecv1.QuoteRequest{{Payment: payment}, {}} {
		if err := stream.Send(in); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	var got []string
	for line := range strings.Lines(must(t, "journal", "export", "--data", data, "--calls-only").stdout) {
		var r map[string]string
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{r["tipoEvento"], r["sottoTipoEvento"], r["identificativoDominio"],
			r["identificativoPrestatoreServiziPagamento"], r["tipoVersamento"], r["canalePagamento"], r["identificativoFruitore"], r["esito"]}, "|"))
	}
	var want []string
	for _, call := range []struct{ facts, outcome string }{
		{"quote|%|80000000103|N/A|CP|CHECKOUT|anonymous|", "OK"},
		{"quote|%|N/A|N/A|||anonymous|", "KO 400"},
		{"explain|%|80000000103|N/A|CP|CHECKOUT|anonymous|", "OK"},
		{"getStatus|%|N/A|N/A|||anonymous|", "OK"},
		{"listBundles|%|N/A|ESEMITM1XXX|||UNKNOW|", "KO 401"},
		{"retireBundle|%|N/A|ESEMITM1XXX|||UNKNOW|", "KO 401"},
		{"listOffers|%|80000000103|N/A|||UNKNOW|", "KO 401"},
		{"batchQuote|%|80000000103|N/A|CP|CHECKOUT|anonymous|", "OK"},
		{"batchQuote|%|N/A|N/A|||anonymous|", "KO 400"},
	} {
		want = append(want, strings.Replace(call.facts, "%", "req", 1), strings.Replace(call.facts, "%", "rsp", 1)+call.outcome)
	}
	slices.Sort(got)
	slices.Sort(want)
	if text, expected := strings.Join(got, "\n"), strings.Join(want, "\n"); text != expected {
		t.Errorf("got\n%s\nwant\n%s", text, expected)
	}
}

// TestJournalIsBackedUp copies the journal of a node at work as docs/operations.md says, the head first, and again
// what came since: the copy is whole, and a node on the restored folder goes on with it.
func TestJournalIsBackedUp(t *testing.T) {
	data, copied := t.TempDir(), t.TempDir()
	s := serve(t, data, "--sample", "--journal-sync", "0s")
	folder := filepath.Join(copied, "journal")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, stop := keepQuoting(t, s)
		for range 20 { // so that there is something in it
			post(t, s.http+"/gec/v1/quote", healthyQuote())
		}
		head, err := os.ReadFile(filepath.Join(data, "journal", "head"))
		if err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(data, "journal", "*.gde"))
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, "head"), head, 0o600); err != nil {
			t.Fatal(err)
		}
		stop()
	}
	s.stop(t)
	backup := filepath.Join(t.TempDir(), "full.gec")
	must(t, "backup", "--data", data, "-o", backup)
	restored := filepath.Join(t.TempDir(), "restored")
	must(t, "restore", "--data", restored, backup)
	copies, err := os.ReadDir(folder)
	if err != nil || len(copies) != 2 {
		t.Fatal(copies, err)
	}
	if err := os.Rename(folder, filepath.Join(restored, "journal")); err != nil {
		t.Fatal(err)
	}
	s = serve(t, restored)
	if status, text := post(t, s.http+"/gec/v1/quote", healthyQuote()); status != http.StatusOK {
		t.Fatal(status, text)
	}
	s.stop(t)
	if out := must(t, "journal", "verify", "--data", restored).stdout; !strings.Contains(out, "whole: ") || !strings.Contains(out, "2 segments") {
		t.Error(out)
	}
}
