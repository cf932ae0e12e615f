package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gec/api/fragment"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/store/badger"
)

// openCatalogue opens an empty catalogue in a folder of the test.
func openCatalogue(t *testing.T) *bundles.Catalogue {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := bundles.Open(t.Context(), store, bundles.Options{Annotate: fragment.Of, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// importSnapshot takes a platform snapshot in, as gec import does.
func importSnapshot(t *testing.T, c *bundles.Catalogue, text string) {
	t.Helper()
	document, _, err := format.Read(format.Snapshot, strings.NewReader(text), format.ReadOptions{})
	if err == nil {
		_, err = c.Import(t.Context(), bundles.Operator("test"), document, bundles.ImportOptions{Mode: bundles.ImportReplaceAll, Origin: bundles.OriginSnapshot, Lenient: true})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// suite is a service with test endpoints on a small catalogue.
func suite(t *testing.T) *API {
	t.Helper()
	c := openCatalogue(t)
	importSnapshot(t, c, `{"config":{"amountThreshold":0},"touchpoints":["IO"],"paymentTypes":["CP"],"issuers":[],"bundles":[`+snapshotBundle("b-1", 100, "")+`]}`)
	a, err := New(Options{Name: "gec", Catalogue: c, TestEndpoints: true, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func snapshotBundle(id string, fee int, ciBundles string) string {
	return fmt.Sprintf(`{"id":%q,"idPsp":"P-%s","abi":14156,"pspBusinessName":"x","idChannel":"c","idBrokerPsp":"b","name":"n","paymentAmount":%d,"minPaymentAmount":0,"maxPaymentAmount":100000,"type":"GLOBAL","paymentType":"CP","touchpoint":"IO","onUs":false,"cart":true,"ciBundleList":[%s]}`, id, id, fee, ciBundles)
}

// quoted are the bundles of an answer with their net fees.
func quoted(t *testing.T, a *API, more string) map[string]int64 {
	t.Helper()
	w := call(a, "POST", "/fees/multi", fmt.Sprintf(plainV2, more))
	var answer struct {
		BundleOptions []struct {
			IDBundle       string `json:"idBundle"`
			ActualPayerFee int64  `json:"actualPayerFee"`
		} `json:"bundleOptions"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	rows := map[string]int64{}
	for _, row := range answer.BundleOptions {
		rows[row.IDBundle] = row.ActualPayerFee
	}
	return rows
}

func TestTestEndpointsChangeBundles(t *testing.T) {
	a := suite(t)
	const add, del = "/configuration/bundles/add", "/afm/calculator-service/v1/configuration/bundles/delete"
	contribution := `{"id":"s-1","ciFiscalCode":"77777777777","attributes":[{"id":"a","maxPaymentAmount":30,"transferCategory":null,"transferCategoryRelation":null}]}`
	for _, step := range []struct {
		path, body string
		status     int
		want       map[string]int64
	}{
		{add, `[` + snapshotBundle("b-2", 200, contribution) + `,` + snapshotBundle("b-3", 300, "") + `]`, 201, map[string]int64{"b-1": 100, "b-2": 170, "b-3": 300}},
		{add, `[` + snapshotBundle("b-2", 150, "") + `]`, 201, map[string]int64{"b-1": 100, "b-2": 150, "b-3": 300}},
		{add, `[` + snapshotBundle("b-1", 10, "") + `,` + strings.Replace(snapshotBundle("b-4", 10, ""), `"minPaymentAmount":0`, `"minPaymentAmount":100000`, 1) + `]`, 400, map[string]int64{"b-1": 100, "b-2": 150, "b-3": 300}},
		{del, `[` + snapshotBundle("b-3", 300, "") + `,{"id":"b-none"}]`, 200, map[string]int64{"b-1": 100, "b-2": 150}},
		{del, `[]`, 200, map[string]int64{"b-1": 100, "b-2": 150}},
		{del, `[{"idPsp":"x"}]`, 400, map[string]int64{"b-1": 100, "b-2": 150}},
		{add, `{"id":"b-9"}`, 400, map[string]int64{"b-1": 100, "b-2": 150}},
		{add, `[`, 400, map[string]int64{"b-1": 100, "b-2": 150}},
	} {
		w := call(a, "POST", step.path, step.body)
		if w.Code != step.status {
			t.Fatalf("%s %s: %d %s", step.path, step.body, w.Code, w.Body)
		}
		if step.status < 300 && w.Body.String() != fmt.Sprintf(`{"revision":%s}`, w.Header().Get("X-Catalogue-Revision")) {
			t.Errorf("%s: %s %v", step.path, w.Body, w.Header())
		}
		if got := quoted(t, a, ""); fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("after %s %s: %v", step.path, step.body, got)
		}
	}
}

func TestTestEndpointsSayWhereABundleIsWrong(t *testing.T) {
	a := suite(t)
	for body, want := range map[string]string{
		``:                                `"hint":"the body is no JSON document: send a list of bundles"`,
		`[],"touchpoints":[]`:             `"hint":"the body is no JSON document: send a list of bundles"`,
		`{}`:                              `{"field":"bundles","message":"is an object, not a list","line":1,"column":1}`,
		`[{"id":7,"onUs":"yes"}]`:         `"line":1,"column":17}`,
		"[{\"id\":7,\n\"onUs\":\"yes\"}]": `"line":2,"column":8}`,
	} {
		if w := call(a, "POST", "/configuration/bundles/add", body); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
}

func TestTestEndpointsChangeNames(t *testing.T) {
	a := suite(t)
	for _, kind := range []struct{ path, member string }{{"touchpoint", "touchpoint"}, {"paymenttypes", "paymentMethod"}} {
		ask := func() int {
			return call(a, "POST", "/fees/multi", fmt.Sprintf(plainV2, `,"`+kind.member+`":"new one"`)).Code
		}
		for _, step := range []struct {
			operation, body string
			status, after   int
		}{
			{"add", `[{"id":"1","name":"New One"},{"name":"other"}]`, 201, 200},
			{"add", `[{"name":"NEW ONE"},{"id":"9","name":"Any"}]`, 201, 200},
			{"delete", `[{"name":"new ONE","createdDate":null},{"name":"never there"}]`, 200, 404},
			{"delete", `[{"name":"new one"}]`, 200, 404},
			{"add", `[{"id":"1"}]`, 400, 404},
			{"add", `["new one"]`, 400, 404},
		} {
			if w := call(a, "POST", "/configuration/"+kind.path+"/"+step.operation, step.body); w.Code != step.status {
				t.Fatalf("%s %s: %d %s", kind.path, step.body, w.Code, w.Body)
			}
			if got := ask(); got != step.after {
				t.Errorf("after %s %s %s: %d", kind.path, step.operation, step.body, got)
			}
		}
	}
	settings := a.catalogue.Load().Current().Settings()
	if !slices.Equal(settings.Touchpoints, []string{"IO", "other"}) || !slices.Equal(settings.PaymentTypes, []string{"CP", "other"}) {
		t.Errorf("%v", settings)
	}
	if w := call(a, "GET", "/configuration/cache/refresh", ""); w.Code != 200 {
		t.Errorf("refresh: %d", w.Code)
	}
}

func TestReadinessFollowsTheCatalogueAndTheSwitch(t *testing.T) {
	a, err := New(Options{Name: "gec", Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want int) {
		t.Helper()
		for _, path := range []string{"/actuator/health/readiness", "/actuator/health"} {
			if w := call(a, "GET", path, ""); w.Code != want {
				t.Errorf("%s: %d for %d", path, w.Code, want)
			}
		}
		if w := call(a, "GET", "/actuator/health/liveness", ""); w.Code != 200 {
			t.Errorf("liveness: %d", w.Code)
		}
	}
	expect(503)
	a.Ready(true)
	expect(503)
	a.Attach(openCatalogue(t))
	expect(200)
	a.Ready(false)
	expect(503)
	if w := call(a, "POST", "/fees", fmt.Sprintf(plainV1, "")); w.Code != http.StatusOK {
		t.Errorf("calls are not answered any more: %d", w.Code)
	}
}
