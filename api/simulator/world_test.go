package simulator

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
	"gec/engine/condition"
)

// saturday is 21 November 2026, 11:00 in Rome.
var saturday = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// world is a small catalogue with one bundle per thing that the page has to show.
const world = `
config: {amexAbi: "99340", pspBlacklist: [BLOCKED]}
touchpoints: [IO, CHECKOUT, CHECKOUT_CART, ATM]
paymentTypes: [CP, PPAL, MYBK, RBPS, PO]
bundles:
  - {id: a-low, idPsp: ALFA, pspBusinessName: Banca Alfa, abi: "10001", idBrokerPsp: B, idChannel: C, name: Fino a 50, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 5000, paymentAmount: 50}
  - {id: a-high, idPsp: ALFA, pspBusinessName: Banca Alfa, abi: "10001", idBrokerPsp: B, idChannel: C, name: Oltre 50, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 5000, maxPaymentAmount: 500000, paymentAmount: 120}
  - {id: a-onus, idPsp: ALFA, pspBusinessName: Banca Alfa, abi: "10001", idBrokerPsp: B, idChannel: C, name: Carta Alfa, type: GLOBAL, onUs: true, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 20}
  - {id: a-mybank, idPsp: ALFA, pspBusinessName: Banca Alfa, abi: "10001", idBrokerPsp: B, idChannel: C, name: MyBank, type: GLOBAL, onUs: false, paymentType: MYBK, touchpoint: CHECKOUT, minPaymentAmount: 0, maxPaymentAmount: 500000, fee: {bps: 100, min: 30, max: 200}}
  - {id: b-day, idPsp: BETA, pspBusinessName: Banca Beta, abi: "10002", idBrokerPsp: B, idChannel: C, name: Di giorno, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 50, schedule: [{days: [MON, TUE, WED, THU, FRI, SAT], from: "08:00", to: "20:00"}]}
  - {id: b-night, idPsp: BETA, pspBusinessName: Banca Beta, abi: "10002", idBrokerPsp: B, idChannel: C, name: Di notte, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 10, schedule: [{days: [MON], from: "20:00", to: "08:00"}]}
  - {id: c-any, idPsp: GAMMA, pspBusinessName: Gamma Pay, abi: "10003", idBrokerPsp: B, idChannel: C, name: Tutto, type: GLOBAL, onUs: false, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 80, cart: false}
  - {id: d-io, idPsp: DELTA, pspBusinessName: "=Delta", abi: "10004", idBrokerPsp: B, idChannel: C, name: Solo IO, type: GLOBAL, onUs: false, paymentType: PPAL, touchpoint: IO, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 70}
  - {id: e-tax, idPsp: EPSI, pspBusinessName: Epsilon, abi: "10005", idBrokerPsp: B, idChannel: C, name: Tributi, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 60, transferCategoryList: [0101100IM]}
  - {id: f-stamp, idPsp: ZETA, pspBusinessName: Zeta, abi: "10006", idBrokerPsp: B, idChannel: C, name: Bolli, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 40, digitalStamp: true, digitalStampRestriction: true}
  - {id: g-past, idPsp: ETA, pspBusinessName: Eta, abi: "10007", idBrokerPsp: B, idChannel: C, name: Scaduto, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 5, validityDateTo: "2025-12-31"}
  - {id: g-future, idPsp: ETA, pspBusinessName: Eta, abi: "10007", idBrokerPsp: B, idChannel: C, name: Futuro, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 5, validityDateFrom: "2027-01-01"}
  - {id: h-when, idPsp: THETA, pspBusinessName: Theta, abi: "10008", idBrokerPsp: B, idChannel: C, name: Condizione, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 5, when: 'ec("80000000202")'}
  - {id: i-public, idPsp: IOTA, pspBusinessName: Iota, abi: "10009", idBrokerPsp: B, idChannel: C, name: Convenzione, type: PUBLIC, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 90, subscriptions: [{id: s1, ciFiscalCode: "80000000103", attributes: [{id: x, maxPaymentAmount: 60}]}]}
  - {id: j-private, idPsp: KAPPA, pspBusinessName: Kappa Segreta, abi: "10010", idBrokerPsp: B, idChannel: C, name: Segreto, type: PRIVATE, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 33, subscriptions: [{id: s2, ciFiscalCode: "80000000303", attributes: [{id: x, maxPaymentAmount: 3}]}]}
  - {id: k-blocked, idPsp: BLOCKED, pspBusinessName: Bloccata, abi: "10011", idBrokerPsp: B, idChannel: C, name: Bloccata, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 1}
  - {id: l-amex, idPsp: AMEX, pspBusinessName: Carta Charge, abi: "99340", idBrokerPsp: B, idChannel: C, name: Charge, type: GLOBAL, onUs: true, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, paymentAmount: 150}
  - {id: m-huge, idPsp: MU, pspBusinessName: Mu, abi: "10012", idBrokerPsp: B, idChannel: C, name: Enorme, type: GLOBAL, onUs: false, paymentType: CP, touchpoint: ANY, minPaymentAmount: 0, maxPaymentAmount: 500000, fee: {flat: 100000000, perNotice: 1}}
`

// loaded is a catalogue read from a text.
type loaded struct {
	snapshot *engine.Snapshot
	document bundles.Document
}

// Current implements Catalogue.
func (l *loaded) Current() *engine.Snapshot { return l.snapshot }

func load(t testing.TB, name format.Name, text []byte) *loaded {
	t.Helper()
	document, _, err := format.Read(name, bytes.NewReader(text), format.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return fromDocument(t, document)
}

func fromDocument(t testing.TB, document bundles.Document) *loaded {
	t.Helper()
	source := engine.Source{Revision: 7, Settings: *document.Settings}
	for i := range document.Bundles {
		source.Bundles = append(source.Bundles, &document.Bundles[i].Bundle)
	}
	subscriptions := map[string][]engine.Subscription{}
	for _, s := range document.Subscriptions {
		subscriptions[s.CreditorInstitution] = append(subscriptions[s.CreditorInstitution], s.Subscription)
	}
	for ec := range subscriptions {
		source.ECs = append(source.ECs, ec)
	}
	snapshot, err := engine.NewSnapshot(source, engine.Deps{
		Programs:      condition.NewCache(64),
		Subscriptions: func(_ int64, ec string) ([]engine.Subscription, error) { return subscriptions[ec], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &loaded{snapshot, document}
}

// page is a simulator under test.
type page struct {
	*simulator
	catalogue *loaded
}

func newPage(t testing.TB, change ...func(*Options)) *page {
	t.Helper()
	return newPageOn(t, load(t, format.Native, []byte(world)), change...)
}

func newPageOn(t testing.TB, c *loaded, change ...func(*Options)) *page {
	t.Helper()
	o := Options{
		Catalogue: c, Now: func() time.Time { return saturday }, RatePerMinute: 1 << 20, RateBurst: 1 << 20,
		CreditorInstitutions: map[string]string{"80000000103": "Comune di Borgoverde", "80000000202": "Regione Valdoro", "80000000303": "Comune di Borgorosso"},
		Export:               func(context.Context, int64) (bundles.Document, error) { return c.document, nil },
		Published:            func(context.Context, int64) (time.Time, error) { return saturday.AddDate(0, 0, -1), nil },
	}
	for _, f := range change {
		f(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &page{h.(*simulator), c}
}

// get asks as an Italian browser does.
func (p *page) get(t testing.TB, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "it-IT,it;q=0.9")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// ask reads and answers a question as the page does.
func (p *page) ask(t testing.TB, query string) *view {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, nil)
	v, at, err := p.read(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.fill(r, v, at); err != nil {
		t.Fatal(err)
	}
	if v.Answer == nil {
		t.Fatalf("%s: no answer: %+v", query, v.Question.Faults)
	}
	return v
}

func bundleIDs(rows []row) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r.Bundle.ID)
	}
	return ids
}

// parse reads a question of the test catalogue.
func (p *page) parse(t testing.TB, query string) *question {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return readQuestion(values, d.directory, p.lexicons["it"])
}

// shared returns a file of the folder that the specification comes with, beside the module or above it or where
// GEC_SHARED says. The test is skipped without it.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	folders := []string{os.Getenv("GEC_SHARED")}
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		folders = append(folders, filepath.Join(at, "shared"))
	}
	for _, folder := range folders {
		if data, err := os.ReadFile(filepath.Join(folder, name)); err == nil && folder != "" {
			return data
		}
	}
	t.Skipf("%s is not here: set GEC_SHARED to the folder that holds it", name)
	return nil
}

// contains reports a text that should, or should not, be in a page.
func contains(t *testing.T, body, text string, want bool) {
	t.Helper()
	if strings.Contains(body, text) != want {
		t.Errorf("%q in the page: %v, want %v", text, !want, want)
	}
}
