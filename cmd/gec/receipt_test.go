package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReceipts takes receipts from the real binary, over both contracts, raises the fees, lets another key sign, and
// redeems them: over HTTP, with the command on the server, and with the command on the folder after a stop.
func TestReceipts(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	s := serve(t, data, "--sample", "--authoring-without-keys")
	const body = `{"touchpoint":"CHECKOUT","paymentMethod":"CP","paymentNotice":[{"paymentAmount":5000,"primaryCreditorInstitution":"80000000103",` +
		`"transferList":[{"creditorInstitution":"80000000103","transferCategory":"0101100IM"}]}]}`
	const native = `{"payment":{"paymentType":"CP","notices":[{"amountCents":"5000"}]},"order":"ORDER_FEE"}`
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	request, nativeRequest := file("request.json", body), file("native.json", native)
	ask := func(path, body, header string) (answer, receipt string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			r.Header.Set("X-Quote-Receipt", header)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v: %s", path, response.Status, err, text)
		}
		return string(text), response.Header.Get("X-Quote-Receipt")
	}
	first, receipt := ask("/fees/multi?orderBy=fee", body, "wanted")
	var answered struct{ Receipt string }
	nativeFirst, _ := ask("/gec/v1/quote", strings.Replace(native, "{", `{"wantReceipt":true,`, 1), "")
	if err := json.Unmarshal([]byte(nativeFirst), &answered); err != nil || receipt == "" || answered.Receipt == "" {
		t.Fatal(receipt, nativeFirst, err)
	}

	drafts := must(t, "bundles", "get", "--server", s.http, "--psp", "ESEMITM1XXX", "esempio-carta-fino-50", "--yaml")
	dearer := strings.Replace(drafts.stdout, "paymentAmount: ", "paymentAmount: 9", 1)
	if dearer == drafts.stdout {
		t.Fatal(drafts.stdout)
	}
	must(t, "bundles", "put", "--server", s.http, "--psp", "ESEMITM1XXX", file("dearer.yaml", dearer))
	if now, _ := ask("/fees/multi?orderBy=fee", body, ""); now == first {
		t.Fatal("the change changed no quote: the test shows nothing")
	}
	again, same := ask("/fees/multi?orderBy=fee", body, receipt)
	if again != first || same != receipt {
		t.Errorf("redeemed:\n%s\nwas:\n%s", again, first)
	}
	verify := func(where ...string) {
		t.Helper()
		v := must(t, append([]string{"receipt", "verify", receipt, "--request", request, "--path", "/fees/multi?orderBy=fee"}, where...)...)
		if !strings.Contains(v.stderr, "The signature holds") || v.stdout != first {
			t.Errorf("%v prints\n%s\nwithout\n%s", where, v.stdout, first)
		}
		v = must(t, append([]string{"receipt", "verify", answered.Receipt, "--request", nativeRequest}, where...)...)
		if !strings.Contains(v.stderr, "gec.v1") || !strings.Contains(v.stdout, `"quotes"`) {
			t.Errorf("%v prints\n%s", where, v.stdout)
		}
	}
	verify("--server", s.http)
	if r := gec(t, "receipt", "verify", receipt, "--request", nativeRequest, "--path", "/fees/multi", "--server", s.http); r.code != 1 {
		t.Errorf("another request: %d %s%s", r.code, r.stdout, r.stderr)
	}
	forged := receipt[:200] + "AAAA" + receipt[204:]
	if r := gec(t, "receipt", "verify", forged, "--server", s.http); r.code != 1 || !strings.Contains(r.stderr, "signature") {
		t.Errorf("a forged one: %d %s%s", r.code, r.stdout, r.stderr)
	}
	s.stop(t)
	must(t, "receipt", "rotate", "--data", data)
	if keys := must(t, "receipt", "keys", "--data", data); strings.Count(keys.stdout, "\n") != 3 {
		t.Errorf("keys: %s", keys.stdout)
	}
	verify("--data", data)
}
