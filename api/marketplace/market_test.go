package marketplace

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"gec/api/access/accesstest"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
)

// The parties of the tests. A caller is one of them, the operator, or nobody.
const (
	bank     = "BANK"
	rival    = "RIVAL"
	town     = "77777777777"
	village  = "88888888888"
	operator = "operator"
	nobody   = ""
)

// market is a handler over a catalogue in a folder of the test's own, with a calendar.
type market struct {
	t testing.TB
	http.Handler
	catalogue *bundles.Catalogue
	now       *time.Time
}

// newMarket opens a market with registered names and no bundle, on Saturday 21 November 2026.
func newMarket(t testing.TB) *market {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	day := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	m := &market{t: t, now: &day}
	now := func() time.Time { return *m.now }
	if m.catalogue, err = bundles.Open(t.Context(), store, bundles.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	s := &engine.Settings{Touchpoints: []string{"CHECKOUT", "IO", "WISP", "PSP"}, PaymentTypes: []string{"CP", "PPAL", "BBT", "PO"}, PostePSP: "POSTE"}
	if _, err := m.catalogue.SetSettings(t.Context(), bundles.Operator("test"), s, "settings"); err != nil {
		t.Fatal(err)
	}
	m.Handler, err = New(Options{
		Catalogue: func() *bundles.Catalogue { return m.catalogue }, Now: now,
		Gate: accesstest.Gate{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask sends a request; headers are names and values in turn.
func (m *market) ask(caller, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	m.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set(accesstest.Header, caller)
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

// must is ask for what has to be answered with a status; it returns the body.
func (m *market) must(status int, caller, method, path, body string, headers ...string) string {
	m.t.Helper()
	w := m.ask(caller, method, path, body, headers...)
	if w.Code != status {
		m.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w.Body.String()
}

// draft is a bundle as a PSP sends it: a flat fee of 100 cents for cards at Checkout, up to 1 000 €, with
// further fields that take the place of those.
func draft(fields ...string) string {
	return `{"idChannel":"CH","idBrokerPsp":"BR","abi":"14156","pspBusinessName":"Banca Uno","onUs":false,"minPaymentAmount":0,` + strings.Join(append(fields, ``), ",") + fallbacks(fields) + `}`
}

// fallbacks are the usual values of what a draft does not say.
func fallbacks(fields []string) string {
	said, rest := strings.Join(fields, ","), []string{}
	for _, usual := range []string{`"name":"Cards"`, `"type":"GLOBAL"`, `"paymentType":"CP"`, `"touchpoint":"CHECKOUT"`, `"maxPaymentAmount":100000`, `"paymentAmount":100`} {
		if name, _, _ := strings.Cut(usual, ":"); !strings.Contains(said, name+":") {
			rest = append(rest, usual)
		}
	}
	return strings.Join(append(rest, `"cart":true`), ",")
}

// step is one request of a story. $names in its path, body and headers stand for what steps before kept.
type step struct {
	caller, method, path, body string
	headers                    []string
	status                     int
	// want is a part of the answer; keep names what is kept of it: "bundle=idBundle" is the first text of
	// the field idBundle, "tag=ETag" the header.
	want, keep string
}

// tell plays a story.
func (m *market) tell(steps []step) map[string]string {
	m.t.Helper()
	kept := map[string]string{}
	fill := func(text string) string {
		return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(text, func(name string) string {
			value, there := kept[name[1:]]
			if !there {
				m.t.Fatalf("%s was not kept", name)
			}
			return value
		})
	}
	for n, s := range steps {
		var headers []string
		for _, h := range s.headers {
			headers = append(headers, fill(h))
		}
		w := m.ask(s.caller, s.method, fill(s.path), fill(s.body), headers...)
		if w.Code != s.status || !strings.Contains(w.Body.String(), fill(s.want)) {
			m.t.Fatalf("step %d, %s %s %s: %d %s, want %d %s", n, s.caller, s.method, s.path, w.Code, w.Body, s.status, fill(s.want))
		}
		if name, field, keeps := strings.Cut(s.keep, "="); keeps {
			kept[name] = w.Header().Get(field)
			if found := regexp.MustCompile(`"` + field + `":"([^"]+)"`).FindStringSubmatch(w.Body.String()); found != nil {
				kept[name] = found[1]
			}
		}
	}
	return kept
}
