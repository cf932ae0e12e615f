package main

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// failingBundle asks more than any fee may for a payment above 999 000 €, and fails there (Q15).
const failingBundle = `{"bundles": [{"id": "TOO-DEAR", "idPsp": "FAILS", "idChannel": "FAILS", "idBrokerPsp": "FAILS", "abi": "99998",
	"pspBusinessName": "Fails", "name": "too dear", "type": "GLOBAL", "touchpoint": "CHECKOUT", "paymentType": "CP", "cart": false, "onUs": false,
	"minPaymentAmount": 0, "maxPaymentAmount": 200000000, "fee": {"flat": 99999999, "bps": 10000}}]}`

var (
	metricNamed = regexp.MustCompile(`\b(?:gec|go|process)_[a-z_]+\b|\bup\b`)
	metricShown = regexp.MustCompile(`(?m)^# TYPE ([a-z_]+) `)
)

// TestFailingBundleIsTold holds that a bundle that fails while running is counted, and that its PSP can see it.
func TestFailingBundleIsTold(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys")
	if r := must(t, "bundles", "lint", "--server", s.http, "--psp", "FAILS"); strings.Contains(r.stdout, "failed") {
		t.Errorf("before anything failed: %s", r.stdout)
	}
	failOnce(t, s)
	if r := must(t, "bundles", "lint", "--server", s.http, "--psp", "FAILS"); !strings.Contains(r.stdout, "failed TOO-DEAR 1 time since the server was started") ||
		!strings.Contains(r.stdout, "fee exceeds 1 000 000 €") {
		t.Errorf("the PSP is not told: %s", r.stdout)
	}
}

// failOnce uploads a bundle that fails and asks for a quote on which it does.
func failOnce(t *testing.T, s *server) {
	t.Helper()
	if status, text := post(t, s.http+"/gec/v1/psps/FAILS/uploads", jsonText(failingBundle)); status != http.StatusOK {
		t.Fatalf("upload: %d %s", status, text)
	}
	large := map[string]any{"payment": map[string]any{"paymentType": "CP", "notices": []any{map[string]any{"amountCents": 150_000_000}}},
		"at": time.Now().AddDate(0, 0, 3).Format(time.RFC3339)} // it begins tomorrow
	if status, text := post(t, s.http+"/gec/v1/quote", large); status != http.StatusOK {
		t.Fatalf("quote: %d %s", status, text)
	}
}

// TestDashboardAndAlerts holds that every metric that the dashboard and the alerts name is one that a node shows,
// and that every metric of its own that it shows is in docs/operations.md.
func TestDashboardAndAlerts(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys", "--ops", "127.0.0.1:0")
	failOnce(t, s)
	_, text := get(t, opsOf(t, s)+"/metrics")
	shown := []string{"up"} // which is Prometheus's own
	for _, m := range metricShown.FindAllStringSubmatch(text, -1) {
		shown = append(shown, m[1])
	}
	base := func(name string) string {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if histogram, ok := strings.CutSuffix(name, suffix); ok && slices.Contains(shown, histogram) {
				return histogram
			}
		}
		return name
	}
	for _, file := range []string{"grafana.json", "alerts.yaml"} {
		named := metricNamed.FindAllString(expressions(t, "../../docs/operations/"+file), -1)
		if len(named) < 8 {
			t.Errorf("%s names %d metrics", file, len(named))
		}
		for _, name := range named {
			if !slices.Contains(shown, base(name)) {
				t.Errorf("%s: no node shows %s", file, name)
			}
		}
	}
	manual := read(t, "../../docs/operations.md")
	for _, name := range shown {
		if strings.HasPrefix(name, "gec_") && !strings.Contains(manual, strings.TrimPrefix(name, "gec_")) && !abbreviated(manual, name) {
			t.Errorf("docs/operations.md does not tell of %s", name)
		}
	}
}

// abbreviated reports whether the manual has the end of a metric's name behind an ellipsis, in a row of its family.
func abbreviated(manual, name string) bool {
	for at := strings.LastIndexByte(name, '_'); at > len("gec_"); at = strings.LastIndexByte(name[:at], '_') {
		if strings.Contains(manual, "`…"+name[at:]+"`") {
			return true
		}
	}
	return false
}

// expressions returns the lines of a file that hold what Prometheus is asked.
func expressions(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "expr") || strings.Contains(line, "label_values") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
