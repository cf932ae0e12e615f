package marketplace

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"gec/api/access/accesstest"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/bundles/whatif"
	"gec/engine"
)

// whatIfServer serves a catalogue with one PUBLIC and two GLOBAL bundles to whoever the header names.
func whatIfServer(t *testing.T) http.Handler {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	now := func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }
	c, err := bundles.Open(t.Context(), store, bundles.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	stored := func(psp, id string, kind engine.BundleType, fee int64) bundles.Bundle {
		return bundles.Bundle{Bundle: engine.Bundle{
			ID: id, PSP: psp, Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: psp, Name: id, Type: kind, PaymentType: "CP", Touchpoint: "CHECKOUT",
			Band: engine.Band{MaxCents: 100_000}, Cart: true, Fee: engine.Fee{FlatCents: fee},
		}}
	}
	d := bundles.Document{
		Settings: &engine.Settings{Touchpoints: []string{"CHECKOUT"}, PaymentTypes: []string{"CP"}},
		Bundles:  []bundles.Bundle{stored("ONE", "G1", engine.Global, 100), stored("TWO", "G2", engine.Global, 90), stored("TWO", "PUB", engine.Public, 80)},
	}
	if _, err := c.Import(t.Context(), bundles.Operator("tester"), d, bundles.ImportOptions{Lenient: true}); err != nil {
		t.Fatal(err)
	}
	h, err := New(Options{
		Catalogue: func() *bundles.Catalogue { return c }, Now: now,
		Gate: accesstest.Gate{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func asked(t *testing.T, h http.Handler, caller, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/gec/v1/whatif", strings.NewReader(body))
	r.Header.Set("X-Test-Caller", caller)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// bundleOne is the draft of ONE, with a fee of so much.
const bundleOne = `{"bundles": [{"idChannel": "CH", "idBrokerPsp": "BR", "abi": "1", "pspBusinessName": "One", "name": "Low", "type": "GLOBAL", "onUs": false,
	"paymentType": "CP", "touchpoint": "CHECKOUT", "minPaymentAmount": 0, "maxPaymentAmount": 1000, "paymentAmount": 80, "when": "weekend()"}]}`

func TestWhatIfOfAPSP(t *testing.T) {
	w := asked(t, whatIfServer(t), "ONE", `{"idPsp": "ONE", "draft": `+bundleOne+`, "day": "2026-11-22", "sample": {"payments": [{"amountCents": 700, "count": 10}]}}`)
	var answer whatif.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body, err)
	}
	if y := answer.Yields[0]; y.Before.Won != 0 || y.After.Won != 10 || y.After.FeesWonCents != 800 {
		t.Errorf("%+v", y)
	}
	if r := answer.Ranks[0]; r.Bundle != "draft-1" || r.Before.Rank != 2 || r.After.Rank != 1 || r.After.GapCents != -10 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(w.Body.String(), `"warnings":[{`) {
		t.Errorf("the overlap of a condition is not told: %s", w.Body)
	}
}

func TestWhatIfOfAnEC(t *testing.T) {
	w := asked(t, whatIfServer(t), "77777777777", `{"ciFiscalCode": "77777777777", "idsBundle": ["PUB"], "attributes": [{"maxPaymentAmount": 30}], "sample": {"payments": [{"amountCents": 700, "count": 10}]}}`)
	var cost whatif.Cost
	if err := json.Unmarshal(w.Body.Bytes(), &cost); err != nil || w.Code != http.StatusOK || cost.Total.ExpectedCents != 300 || cost.Total.PayersSaveCents != 400 {
		t.Error(w.Code, w.Body, err)
	}
}

func TestWhatIfRefusals(t *testing.T) {
	h := whatIfServer(t)
	for _, c := range []struct {
		name, caller, body string
		status             int
		text               string
	}{
		{"nobody", "", `{}`, 401, ""},
		{"another PSP", "TWO", `{"idPsp": "ONE", "draft": {"bundles": [{}]}}`, 404, ""},
		{"another EC", "ONE", `{"ciFiscalCode": "77777777777", "idsBundle": ["PUB"]}`, 404, ""},
		{"no JSON", "ONE", `{"idPsp": `, 400, "Invalid input format"},
		{"two documents", "ONE", `{"idPsp": "ONE", "draft": {}} {}`, 400, "after the document"},
		{"an unknown field", "ONE", `{"psp": "ONE"}`, 400, "psp"},
		{"neither", "ONE", `{}`, 400, "idPsp and ciFiscalCode"},
		{"no draft", "ONE", `{"idPsp": "ONE"}`, 400, "draft"},
		{"no bundle in it", "ONE", `{"idPsp": "ONE", "draft": {"bundles": []}}`, 400, "drafts"},
		{"a faulty draft", "ONE", `{"idPsp": "ONE", "draft": ` + strings.Replace(bundleOne, "1000", "-1", 1) + `}`, 400, "draft.bundles[0].maxPaymentAmount"},
		{"a draft that is none", "ONE", `{"idPsp": "ONE", "draft": {"bundles": [{"name": 7}]}}`, 400, "draft.bundles[0].name"},
		{"a bad day", "ONE", `{"idPsp": "ONE", "draft": ` + bundleOne + `, "day": "tomorrow"}`, 400, "day"},
		{"a bad sample", "ONE", `{"idPsp": "ONE", "draft": ` + bundleOne + `, "sample": {"payments": [{"amountCents": 0}]}}`, 400, "sample[0].amountCents"},
		{"two samples", "ONE", `{"idPsp": "ONE", "draft": ` + bundleOne + `, "sample": {}}`, 400, "payments and mix"},
		{"a mix of many", "ONE", `{"idPsp": "ONE", "draft": ` + bundleOne + `, "sample": {"mix": {"count": 1000000000}}}`, 400, "mix.count"},
		{"a bad relation", "77777777777", `{"ciFiscalCode": "77777777777", "idsBundle": ["PUB"], "attributes": [{"maxPaymentAmount": 1, "transferCategoryRelation": "LIKE"}]}`, 400, "attributes[0].transferCategoryRelation"},
	} {
		w := asked(t, h, c.caller, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

// TestOneWhatIfAtATime holds that one waits for another, that who goes away while waiting is not answered, and that
// the turn comes back whatever became of a question.
func TestOneWhatIfAtATime(t *testing.T) {
	h := whatIfServer(t).(*Handler)
	questions := []string{`{"idPsp": "ONE", "draft": ` + bundleOne + `, "sample": {"payments": [{"amountCents": 700}]}}`, `{"ciFiscalCode": "77777777777", "idsBundle": ["PUB"]}`}
	callers := []string{"ONE", "77777777777"}
	h.wondering <- struct{}{}
	for i, question := range questions {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/gec/v1/whatif", strings.NewReader(question))
		r.Header.Set("X-Test-Caller", callers[i])
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", callers[i], w.Code, w.Body)
		}
	}
	waiting := make(chan *httptest.ResponseRecorder)
	go func() { waiting <- asked(t, h, callers[0], questions[0]) }()
	<-h.wondering
	if w := <-waiting; w.Code != http.StatusOK {
		t.Errorf("after its turn: %d %s", w.Code, w.Body)
	}
	for range 2 { // one turn after the other, of refused questions too
		if w := asked(t, h, callers[0], strings.Replace(questions[0], "700", "0", 1)); w.Code != http.StatusBadRequest {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if w := asked(t, h, callers[0], questions[0]); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestWhatIfIsDocumented compares the OpenAPI document with the messages, field by field.
func TestWhatIfIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../rest/openapi/whatif-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if document.Paths["/gec/v1/whatif"]["post"] == nil || len(document.Paths) != 1 {
		t.Errorf("paths %v", document.Paths)
	}
	for name, message := range map[string]any{
		"Request": WhatIfRequest{}, "Sample": WhatIfSample{}, "Mix": WhatIfMix{}, "Payment": whatif.Payment{}, "Attribute": whatif.AttributeWire{},
		"Answer": whatif.Answer{}, "Rank": whatif.Rank{}, "Rival": whatif.Rival{}, "Standing": whatif.Standing{}, "Shadow": whatif.Shadow{},
		"Yield": whatif.Yield{}, "Earnings": whatif.Earnings{}, "Moved": whatif.Moved{}, "Cost": whatif.Cost{}, "Line": whatif.Line{},
	} {
		var fields []string
		for n := range reflect.TypeOf(message).NumField() {
			if field, _, _ := strings.Cut(reflect.TypeOf(message).Field(n).Tag.Get("json"), ","); field != "-" {
				fields = append(fields, field)
			}
		}
		if name == "Answer" {
			fields = append(fields, "warnings")
		}
		slices.Sort(fields)
		if documented := slices.Sorted(maps.Keys(document.Components.Schemas[name].Properties)); !slices.Equal(documented, fields) {
			t.Errorf("%s has %v, documented are %v", name, fields, documented)
		}
	}
}
