package marketplace

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestFilters looks for bundles of one PSP by what makes them different.
func TestFilters(t *testing.T) {
	m := newMarket(t)
	for _, fields := range [][]string{
		{`"name":"Alpha"`, `"paymentAmount":50`, `"maxPaymentAmount":1000`},
		{`"name":"Beta cards"`, `"type":"PUBLIC"`, `"paymentAmount":150`, `"validityDateFrom":"2026-12-01"`, `"validityDateTo":"2026-12-31"`},
		{`"name":"Gamma"`, `"type":"PRIVATE"`, `"validityDateFrom":"2026-11-21"`, `"maxPaymentAmount":5000`},
		{`"name":"Delta"`, `"paymentType":"PPAL"`, `"pspBusinessName":"Banca Due"`, `"maxPaymentAmount":9000`},
	} {
		m.must(201, bank, post, "/psps/BANK/bundles", strings.Replace(draft(fields...), `"pspBusinessName":"Banca Uno",`, map[bool]string{true: "", false: `"pspBusinessName":"Banca Uno",`}[strings.Contains(strings.Join(fields, ""), "pspBusinessName")], 1))
	}
	for query, want := range map[string]string{
		"":                             "Alpha, Beta cards, Delta, Gamma",
		"types=PUBLIC":                 "Beta cards",
		"types=public,PRIVATE":         "Beta cards, Gamma",
		"types=GLOBAL&types=PRIVATE":   "Alpha, Delta, Gamma",
		"name=CARD":                    "Beta cards",
		"bundleName=alpha":             "Alpha",
		"pspBusinessName=due":          "Delta",
		"idBundle=nothing":             "",
		"active=true":                  "Gamma",
		"active=false":                 "Alpha, Beta cards, Delta",
		"validFrom=2026-12-01":         "Beta cards",
		"validBefore=2026-11-22":       "Gamma",
		"validAfter=2026-11-22":        "Beta cards",
		"expireAt=2026-12-31":          "Beta cards",
		"expireBefore=2027-01-01":      "Beta cards",
		"expireAfter=2026-12-31":       "",
		"paymentAmountMinRange=101":    "Beta cards",
		"paymentAmountMaxRange=100":    "Alpha, Delta, Gamma",
		"maxPaymentAmountOrder=asc":    "Alpha Gamma Delta Beta cards",
		"maxPaymentAmountOrder=DESC":   "Beta cards Delta Gamma Alpha",
		"types=&name=&active=&limit= ": "Alpha, Beta cards, Delta, Gamma",
	} {
		var page struct {
			Bundles []struct{ Name string }
		}
		body := m.must(200, bank, get, "/psps/BANK/bundles?"+strings.ReplaceAll(query, " ", "%20"), "")
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range page.Bundles {
			names = append(names, b.Name)
		}
		separator := " "
		if !strings.Contains(query, "Order") { // ids are by chance
			slices.Sort(names)
			separator = ", "
		}
		if found := strings.Join(names, separator); found != want {
			t.Errorf("%s: %s, want %s", query, found, want)
		}
	}
	// The list of all is of GLOBAL ones unless types are named; a PSP sees its own.
	for caller, want := range map[string][2]string{bank: {"Alpha Delta", "Beta Gamma"}, rival: {"", ""}, town: {"Alpha Delta", "Beta"}, operator: {"Alpha Delta", "Beta Gamma"}} {
		all, others := m.must(200, caller, get, "/bundles", ""), m.must(200, caller, get, "/bundles?types=PUBLIC,PRIVATE", "")
		for _, name := range []string{"Alpha", "Beta", "Gamma", "Delta"} {
			if strings.Contains(all, name) != strings.Contains(want[0], name) {
				t.Errorf("%s sees %s among all: %s", caller, name, all)
			}
			if strings.Contains(others, name) != strings.Contains(want[1], name) {
				t.Errorf("%s sees %s among PUBLIC and PRIVATE: %s", caller, name, others)
			}
		}
	}
}

func TestPages(t *testing.T) {
	m := newMarket(t)
	for n := range 7 {
		m.must(201, operator, post, "/touchpoints", fmt.Sprintf(`{"name":"T%d"}`, n))
	}
	for query, want := range map[string]string{ // of the four registered ones and seven more
		"":                           `{"page":0,"limit":50,"itemsFound":11,"totalPages":1,"total_items":11}`,
		"limit=4":                    `{"page":0,"limit":4,"itemsFound":4,"totalPages":3,"total_items":11}`,
		"limit=4&page=2":             `{"page":2,"limit":4,"itemsFound":3,"totalPages":3,"total_items":11}`,
		"limit=4&page=3":             `{"page":3,"limit":4,"itemsFound":0,"totalPages":3,"total_items":11}`,
		"limit=11&page=1":            `{"page":1,"limit":11,"itemsFound":0,"totalPages":1,"total_items":11}`,
		"limit=5000":                 `{"page":0,"limit":1000,"itemsFound":11,"totalPages":1,"total_items":11}`,
		"page=9223372036854775807":   `{"page":9223372036854775807,"limit":50,"itemsFound":0,"totalPages":1,"total_items":11}`,
		"limit=9223372036854775807":  `{"page":0,"limit":1000,"itemsFound":11,"totalPages":1,"total_items":11}`,
		"limit=1&page=10&unknown=xy": `{"page":10,"limit":1,"itemsFound":1,"totalPages":11,"total_items":11}`,
	} {
		if body := m.must(200, bank, get, "/touchpoints?"+query, ""); !strings.HasSuffix(strings.TrimSpace(body), `"pageInfo":`+want+`}`) {
			t.Errorf("%s: %s, want %s", query, body, want)
		}
	}
}

// TestRevisionsTellTheHash holds that the hash of each revision is that of the history, by which nodes are compared.
func TestRevisionsTellTheHash(t *testing.T) {
	m := newMarket(t)
	for _, name := range []string{"ONE", "TWO"} {
		m.must(201, operator, post, "/touchpoints", fmt.Sprintf(`{"name":%q}`, name))
	}
	var answer struct{ Revisions []RevisionView }
	if err := json.Unmarshal([]byte(m.must(200, operator, get, "/gec/v1/revisions", "")), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Revisions) < 3 {
		t.Fatalf("%d revisions", len(answer.Revisions))
	}
	for _, r := range answer.Revisions {
		want, err := m.catalogue.HistorySHA256(t.Context(), r.Revision)
		if err != nil || r.HistorySHA256 != fmt.Sprintf("%x", want) {
			t.Errorf("revision %d: %s, want %x (%v)", r.Revision, r.HistorySHA256, want, err)
		}
	}
}

func TestBadParameters(t *testing.T) {
	m := newMarket(t)
	for _, c := range []struct{ path, name, value string }{
		{"/psps/BANK/bundles", "limit", "x"}, {"/psps/BANK/bundles", "limit", "0"}, {"/psps/BANK/bundles", "page", "-1"}, {"/psps/BANK/bundles", "page", "1.5"},
		{"/psps/BANK/bundles", "limit", "9223372036854775808"}, {"/psps/BANK/bundles", "types", "FREE"}, {"/psps/BANK/bundles", "active", "yes"},
		{"/psps/BANK/bundles", "validFrom", "01/12/2026"}, {"/psps/BANK/bundles", "expireAfter", "2026-02-30"}, {"/psps/BANK/bundles", "maxPaymentAmountOrder", "UP"},
		{"/psps/BANK/bundles", "paymentAmountMinRange", "1,00"}, {"/psps/BANK/bundles", "paymentAmountMaxRange", "-1"},
		{"/bundles", "types", "ALL"}, {"/touchpoints", "limit", "x"}, {"/paymenttypes", "page", "x"}, {"/psps/BANK/offers", "limit", "x"}, {"/psps/BANK/requests", "page", "x"},
		{"/cis/" + town + "/bundles", "types", "x"}, {"/cis/" + town + "/offers", "limit", "x"}, {"/cis/" + town + "/requests", "limit", "x"},
		{"/gec/v1/revisions", "from", "x"}, {"/gec/v1/diff", "to", "x"},
	} {
		w := m.ask(operator, get, c.path+"?"+url.Values{c.name: {c.value}}.Encode(), "")
		want := fmt.Sprintf(`{"title":"BAD REQUEST","status":400,"detail":"Invalid value %s for property %s","hint":"send `, c.value, c.name)
		if w.Code != 400 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s?%s=%s: %d %s", c.path, c.name, c.value, w.Code, w.Body)
		}
	}
	if w := m.ask(operator, get, "/psps/BANK/offers?state=DONE", ""); w.Code != 400 || !strings.Contains(w.Body.String(), `"field":"state"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTouchpointsAndPaymentTypes(t *testing.T) {
	m := newMarket(t)
	m.tell([]step{
		{bank, post, "/touchpoints", `{"name":"KIOSK"}`, nil, 403, ``, ""},
		{operator, post, "/touchpoints", `{"name":"KIOSK"}`, nil, 201, `"name":"KIOSK","createdDate":"2026-11-21T09:00:00Z"}`, "id=id"},
		{operator, post, "/touchpoints", `{"name":"kiosk"}`, nil, 409, `is registered`, ""},
		{operator, post, "/touchpoints", `{}`, nil, 400, `name`, ""},
		{operator, post, "/touchpoints", `{"name":""}`, nil, 400, ``, ""},
		{bank, get, "/touchpoints/$id", "", nil, 200, `KIOSK`, ""},
		{bank, get, "/touchpoints/MARS", "", nil, 404, ``, ""},
		{bank, post, "/psps/BANK/bundles", draft(`"touchpoint":"KIOSK"`, `"validityDateFrom":"2026-11-21"`), nil, 201, ``, "bundle=idBundle"},
		{operator, remove, "/touchpoints/$id", "", nil, 409, `$bundle`, ""},
		{bank, remove, "/psps/BANK/bundles/$bundle", "", nil, 200, ``, ""},
		{operator, remove, "/touchpoints/$id", "", nil, 409, `$bundle`, ""},

		{operator, post, "/paymenttypes/create", `{"paymentType":"MYBK"}`, nil, 201, `{"paymentType":"MYBK","used":false}`, ""},
		{operator, post, "/paymenttypes/create", `{"paymentType":"MYBK"}`, nil, 409, ``, ""},
		{bank, get, "/paymenttypes/mybk", "", nil, 200, `"used":false`, ""},
		{bank, get, "/paymenttypes/NO", "", nil, 404, ``, ""},
		{bank, post, "/psps/BANK/bundles", draft(`"paymentType":"MYBK"`, `"validityDateFrom":"2026-11-21"`), nil, 201, ``, "mybk=idBundle"},
		{bank, get, "/paymenttypes/MYBK", "", nil, 200, `"used":true`, ""},
		{operator, remove, "/paymenttypes/delete/MYBK", "", nil, 409, `$mybk`, ""},
		{operator, post, "/paymenttypes", `[{"name":"CP"}]`, nil, 409, `MYBK`, ""},
		{bank, post, "/paymenttypes", `[{"name":"CP"}]`, nil, 403, ``, ""},
		{operator, post, "/paymenttypes", `[{"name":"CP"},{"name":"MYBK"},{"name":"NEW"}]`, nil, 200, ``, ""},
		{bank, get, "/paymenttypes", "", nil, 200, `"total_items":3`, ""},
		{operator, remove, "/paymenttypes/delete/NEW", "", nil, 200, ``, ""},
		{operator, remove, "/paymenttypes/delete/NEW", "", nil, 404, ``, ""},
		{bank, remove, "/psps/BANK/bundles/$mybk", "", nil, 200, ``, ""},
	})
	*m.now = m.now.AddDate(0, 0, 1) // retired ones are quoted until midnight
	m.tell([]step{
		{operator, get, "/paymenttypes/MYBK", "", nil, 200, `"used":false`, ""},
		{operator, remove, "/paymenttypes/delete/MYBK", "", nil, 200, ``, ""},
		{operator, remove, "/touchpoints/KIOSK", "", nil, 200, ``, ""},
	})
}

// TestUncleanPaths holds that a path which has lost a part is nothing, and no other path.
func TestUncleanPaths(t *testing.T) {
	m := newMarket(t)
	for _, path := range []string{"/psps//bundles", "/psps/BANK//bundles", "/psps/../bundles", "/cis/./bundles", "//bundles"} {
		for _, method := range []string{get, post} {
			if w := m.ask(operator, method, path, ""); w.Code != 404 || !strings.Contains(w.Body.String(), `"detail":"There is nothing at `+path) {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	m.must(200, operator, get, "/psps/BANK/bundles//", "")
}
