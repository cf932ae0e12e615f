package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKilledJournal kills the server again and again while eight clients ask for quotes: the journal is whole each
// time, tells every start after a crash, and has all calls but those of the last instants.
func TestKilledJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server several times")
	}
	t.Parallel()
	data, kills := filled(t, 200), parameter(t, killsEnv, 3)
	var answered atomic.Int64
	for range kills {
		s, _ := reopen(t, data)
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				for asks(t, s.http) {
					answered.Add(1)
				}
			})
		}
		<-time.After(time.Duration(20+rand.IntN(300)) * time.Millisecond) // the instant of the kill is the test
		s.kill(t)
		asking.Wait()
		must(t, "journal", "verify", "--data", data)
	}
	s, _ := reopen(t, data)
	s.stop(t)
	out := must(t, "journal", "verify", "--data", data).stdout
	if !strings.Contains(out, "whole: ") || !strings.Contains(out, fmt.Sprintf("%d start", kills)) {
		t.Error(out)
	}
	records := int64(strings.Count(must(t, "journal", "export", "--data", data, "--calls-only").stdout, `"sottoTipoEvento":"rsp"`))
	// What is in the queue dies with the process: a few milliseconds of calls.
	if records < answered.Load()/2 || records == 0 {
		t.Errorf("%d calls were answered, %d are in the journal", answered.Load(), records)
	}
	t.Logf("%d kills, %d calls answered, %d in the journal\n%s", kills, answered.Load(), records, out)
}

// asks asks for a quote, and reports whether it was answered.
func asks(t *testing.T, address string) bool {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/fees/multi",
		strings.NewReader(`{"paymentNotice":[{"paymentAmount":5000,"primaryCreditorInstitution":"80000000103","transferList":[{"creditorInstitution":"80000000103"}]}]}`))
	if err != nil {
		t.Error(err)
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false // killed
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// TestJournalOfANode asks a node in every way and reads what it journaled.
func TestJournalOfANode(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data, "--sample", "--authoring-without-keys", "--watermark-mib", "16")
	const secret = "800001" // a BIN
	send := func(method, path, body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.http+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Request-Id", "id-of-"+path)
		request.Header.Set("X-Iuv", "=IUV")
		request.Header.Set("X-Ccp", "CCP")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body) // a batch lasts until its last line
		response.Body.Close()
	}
	send("POST", "/fees/multi", `{"touchpoint":"CHECKOUT","paymentMethod":"CP","bin":"`+secret+`","paymentNotice":[{"paymentAmount":5000,"primaryCreditorInstitution":"80000000103","transferList":[{"creditorInstitution":"80000000103"}]}]}`)
	send("POST", "/psps/ESEMITM1XXX/fees", `{"paymentAmount":1,`)
	send("POST", "/gec/v1/quote", `{"payment":{"paymentType":"CP","notices":[{"amountCents":700}]}}`)
	send("POST", "/gec/v1/quotes:batch", `{"payment":{"notices":[{"amountCents":1}]}}`+"\n"+`{"payment":{"notices":[{"amountCents":2}]}}`)
	send("DELETE", "/psps/ESEMITM1XXX/bundles/none", "")
	send("POST", "/touchpoints", `{"name":"NUOVO"}`)
	send("GET", "/actuator/health", "")
	s.stop(t)

	out := must(t, "journal", "export", "--data", data).stdout
	if strings.Contains(out, secret) {
		t.Error("the journal has a BIN")
	}
	var got []string
	for line := range strings.Lines(out) {
		var r map[string]string
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{
			r["categoriaEvento"], r["tipoEvento"], r["sottoTipoEvento"], r["identificativoDominio"], r["identificativoPrestatoreServiziPagamento"],
			r["tipoVersamento"], r["canalePagamento"], r["identificativoUnivocoVersamento"], r["codiceContestoPagamento"], r["identificativoFruitore"], r["esito"],
		}, "|"))
	}
	want := []string{
		"INTERNO|import sample|rsp|N/A|N/A|||N/A|N/A|gec serve --sample|OK",
		"INTERFACCIA|getFeesMulti|req|80000000103|N/A|CP|CHECKOUT|=IUV|CCP|loopback|",
		"INTERFACCIA|getFeesMulti|rsp|80000000103|N/A|CP|CHECKOUT|=IUV|CCP|loopback|OK",
		"INTERFACCIA|getFeesByPsp|req|N/A|ESEMITM1XXX|||=IUV|CCP|loopback|",
		"INTERFACCIA|getFeesByPsp|rsp|N/A|ESEMITM1XXX|||=IUV|CCP|loopback|KO 400",
		"INTERFACCIA|quote|req|N/A|N/A|CP||=IUV|CCP|loopback|",
		"INTERFACCIA|quote|rsp|N/A|N/A|CP||=IUV|CCP|loopback|OK",
		"INTERFACCIA|batchQuote|req|N/A|N/A|||=IUV|CCP|loopback|",
		"INTERFACCIA|batchQuote|rsp|N/A|N/A|||=IUV|CCP|loopback|OK",
		"INTERFACCIA|batchQuote|req|N/A|N/A|||=IUV|CCP|loopback|",
		"INTERFACCIA|batchQuote|rsp|N/A|N/A|||=IUV|CCP|loopback|OK",
		"INTERFACCIA|deleteBundle|req|N/A|ESEMITM1XXX|||=IUV|CCP|loopback|",
		"INTERFACCIA|deleteBundle|rsp|N/A|ESEMITM1XXX|||=IUV|CCP|loopback|KO 404",
		"INTERNO|createTouchpoint|rsp|N/A|N/A|||N/A|N/A|loopback|OK",
		"INTERFACCIA|createTouchpoint|req|N/A|N/A|||=IUV|CCP|loopback|",
		"INTERFACCIA|createTouchpoint|rsp|N/A|N/A|||=IUV|CCP|loopback|OK",
	}
	slices.Sort(got) // a call may be over before the one before it is noted
	slices.Sort(want)
	if text, expected := strings.Join(got, "\n"), strings.Join(want, "\n"); text != expected {
		t.Errorf("got\n%s\nwant\n%s", text, expected)
	}
	if table := must(t, "journal", "export", "--data", data, "--format", "csv", "--operation", "getFeesMulti").stdout; strings.Count(table, ",'=IUV,") != 2 {
		t.Error(table)
	}
	edited(t, data)
}

// edited changes a byte of the journal and expects to be told where.
func edited(t *testing.T, data string) {
	t.Helper()
	if r := gec(t, "journal", "verify", "--data", data); r.code != 0 || !strings.Contains(r.stdout, ": whole: ") {
		t.Fatalf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	names, err := filepath.Glob(filepath.Join(data, "journal", "*.gde"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(names[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := gec(t, "journal", "verify", "--data", data); r.code != 1 || !strings.Contains(r.stderr, "segment "+filepath.Base(names[0])+", entry ") {
		t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
	}
}
