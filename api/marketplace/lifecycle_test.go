package marketplace

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAllFaultsOfADraftAtOnce holds that the reader and the checks report together (A2), that a fee without a part
// is none (F1), that nothing is read for null, and that who is not the PSP hears of the reader's faults only.
func TestAllFaultsOfADraftAtOnce(t *testing.T) {
	const mine = "/psps/BANK/bundles"
	m := newMarket(t)
	m.tell([]step{
		{bank, post, mine, `{}`, nil, 400, `abi: is missing; it is mandatory, idBrokerPsp: is missing; it is mandatory, idChannel: is missing; it is mandatory, name: is missing; it is mandatory, pspBusinessName: is missing; it is mandatory, maxPaymentAmount: is missing; it is mandatory, minPaymentAmount: is missing; it is mandatory, onUs: is missing; it is mandatory, paymentAmount: is missing; it is mandatory unless there is a fee, type: is missing`, ""},
		{bank, post, mine + "/massive", `[` + draft(`"paymentType":"PPAL"`) + `,` + draft(`"name":"","onUs2":1,"touchpoint":"CHECKUOT","type":"PUBBLICO"`) + `]`, nil, 400, `"detail":"bundles[1].name: is missing; it is mandatory, bundles[1].touchpoint: \"CHECKUOT\" is not a registered touchpoint; the nearest one is CHECKOUT, bundles[1].type: `, ""},
		{rival, post, mine, `{"type":"GLOBAL"}`, nil, 400, `"detail":"maxPaymentAmount: is missing; it is mandatory, minPaymentAmount: is missing; it is mandatory, onUs: is missing; it is mandatory, paymentAmount: is missing; it is mandatory unless there is a fee"`, ""},
		{bank, post, mine, draft(`"paymentAmount":null,"fee":{"flatt":100}`), nil, 400, `"field":"fee","message":"has no part; give flat,`, ""},
		{bank, post, mine, draft(`"paymentAmount":null,"fee":{"steps":[{"upTo":100,"fee":{"flatt":100}},{"fee":{"flat":200}}]}`), nil, 400, `"field":"fee.steps[0].fee","message":"has no part; give flat,`, ""},
		{bank, post, mine, draft(`"transferCategoryList":[null]`), nil, 400, `"field":"transferCategoryList[0]","message":"is null; leave it out"`, ""},
		{bank, get, mine, "", nil, 200, `"bundles":[]`, ""},

		{bank, post, mine, draft(`"paymentAmount":0,"fee":{"steps":[{"upTo":100,"fee":{"flat":0}},{"fee":{"flat":200}}]}`), nil, 201, ``, "bundle=idBundle"},
		{bank, get, mine + "/$bundle", "", nil, 200, `"fee":{"steps":[{"upTo":100,"fee":{"flat":0}},{"fee":{"flat":200}}]}`, ""}, // as it may be sent back
		{bank, put, mine + "/$bundle", draft(`"type":"PUBBLICO","validityDateFrom":"2026-11-22","name":" "`), nil, 400, `"detail":"name: is missing; it is mandatory, type: \"PUBBLICO\" is no type of bundle; use GLOBAL, PUBLIC or PRIVATE"`, ""},
	})
}

// TestLifeOfAPublicBundle goes from its creation to its end, with an EC that asks for it (A1–A5, A11–A17).
func TestLifeOfAPublicBundle(t *testing.T) {
	const (
		mine     = "/psps/BANK/bundles"
		requests = "/cis/" + town + "/requests"
		subs     = "/cis/" + town + "/bundles"
	)
	m := newMarket(t)
	m.tell([]step{
		{bank, post, mine + "?dryRun=true", draft(`"type":"PUBLIC"`), nil, 200, `"idBundle"`, ""},
		{bank, get, mine, "", nil, 200, `{"bundles":[],"pageInfo":{"page":0,"limit":50,"itemsFound":0,"totalPages":0,"total_items":0}}`, ""},
		{bank, post, mine, draft(`"type":"PUBLIC"`), nil, 201, ``, "bundle=idBundle"},
		{bank, post, mine, draft(`"type":"PUBLIC"`), nil, 400, `$bundle`, ""}, // the overlap names the other one
		{bank, get, mine + "/$bundle", "", nil, 200, `"validityDateFrom":"2026-11-22"`, "tag=ETag"},
		{rival, get, mine + "/$bundle", "", nil, 404, ``, ""},
		{rival, put, "/psps/RIVAL/bundles/$bundle", draft(), nil, 404, ``, ""},

		{bank, put, mine + "/$bundle", draft(`"type":"PUBLIC","name":"Carte"`), []string{"If-Match", "$tag"}, 200, `"name":"Carte"`, ""},
		{bank, put, mine + "/$bundle", draft(`"type":"PUBLIC","name":"Late"`), []string{"If-Match", "$tag"}, 409, `read it again`, ""},
		{bank, put, mine + "/$bundle", draft(`"type":"PUBLIC","name":"Mad"`), []string{"If-Match", "yesterday"}, 400, `If-Match`, ""},
		{bank, put, mine + "/$bundle", draft(`"type":"PUBLIC","paymentAmount":-1`), nil, 400, `"field":"paymentAmount"`, ""},
		{bank, put, mine + "/$bundle?forceUpdate=true", draft(`"type":"PUBLIC"`), []string{"If-Match", "*"}, 200, `"name":"Cards"`, ""},

		{town, post, requests, `{"idBundle":"$bundle","attributes":[{"maxPaymentAmount":101}]}`, nil, 400, `attributes[0].maxPaymentAmount`, ""},
		{town, post, requests, `{"idBundle":"$bundle","attributes":[{"maxPaymentAmount":40}]}`, nil, 201, ``, "request=idBundleRequest"},
		{town, post, requests, `{"idBundle":"$bundle"}`, nil, 409, `open request`, ""},
		{town, get, requests, "", nil, 200, `"state":"OPEN"`, ""},
		{village, remove, "/cis/" + village + "/requests/$request", "", nil, 404, ``, ""},
		{town, remove, requests + "/$request", "", nil, 200, ``, ""},
		{town, get, requests, "", nil, 200, `"requests":[]`, ""}, // what is withdrawn is not listed unless asked for
		{town, get, requests + "?state=WITHDRAWN", "", nil, 200, `$request`, ""},
		{bank, post, "/psps/BANK/requests/$request/accept", "", nil, 409, `withdrawn`, ""},

		{town, post, requests, `{"idBundle":"$bundle","attributes":[{"maxPaymentAmount":40}]}`, nil, 201, ``, "request=idBundleRequest"},
		{rival, post, "/psps/RIVAL/requests/$request/accept", "", nil, 404, ``, ""},
		{town, post, "/psps/BANK/requests/$request/accept", "", nil, 404, ``, ""}, // not the one who asked
		{bank, post, "/psps/BANK/requests/$request/accept", "", nil, 200, ``, "subscription=idCiBundle"},
		{bank, post, "/psps/BANK/requests/$request/accept", "", nil, 409, `accepted`, ""},
		{bank, post, "/psps/BANK/requests/$request/reject", "", nil, 409, `accepted`, ""},
		{bank, get, "/psps/BANK/requests?idBundle=$bundle", "", nil, 200, `"state":"ACCEPTED"`, ""},

		{town, get, subs, "", nil, 200, `"idCIBundle":"$subscription"`, ""},
		{town, get, subs + "/$bundle", "", nil, 200, `"ciBundle":{"idBundle":"$bundle","idCIBundle":"$subscription"`, ""},
		{bank, get, mine + "/$bundle/creditorInstitutions", "", nil, 200, `"ciTaxCode":"` + town, ""},
		{bank, get, mine + "/$bundle/creditorInstitutions/" + town, "", nil, 200, `$subscription`, ""},
		{bank, get, mine + "/$bundle/creditorInstitutions/" + village, "", nil, 404, ``, ""},

		{town, get, subs + "/$subscription/attributes", "", nil, 200, `"maxPaymentAmount":40`, "attribute=idBundleAttribute"},
		{town, post, subs + "/$bundle/attributes", `{"maxPaymentAmount":10,"transferCategory":"0102100SA"}`, nil, 400, `attributes`, ""}, // the one without a category stands alone
		{town, put, subs + "/$bundle/attributes/$attribute", `{"maxPaymentAmount":90,"transferCategory":"0102100SA"}`, nil, 200, ``, ""},
		{town, post, subs + "/$bundle/attributes", `{"maxPaymentAmount":10,"transferCategory":"0102101SA"}`, nil, 201, `{"idBundleAttribute":"`, "second=idBundleAttribute"},
		{town, post, subs + "/$bundle/attributes", ` [{"maxPaymentAmount":10,"transferCategory":"0102102SA"}]`, nil, 201, `[{"idBundleAttribute":"`, ""},
		{town, remove, subs + "/$bundle/attributes/$second", "", nil, 200, ``, ""},
		{town, remove, subs + "/$bundle/attributes/$second", "", nil, 404, ``, ""},
		// A fee that goes down takes along what ECs bear above it (A4).
		{bank, put, mine + "/$bundle", draft(`"type":"PUBLIC","paymentAmount":70`), nil, 200, `"paymentAmount":70`, ""},
		{town, get, subs + "/$bundle/attributes", "", nil, 200, `"maxPaymentAmount":70`, ""},

		{village, post, "/cis/" + village + "/requests", `{"idBundle":"$bundle"}`, nil, 201, ``, "open=idBundleRequest"},
		{town, remove, subs + "/$bundle", "", nil, 200, ``, ""},
		{town, remove, subs + "/$bundle", "", nil, 409, `2026-11-21`, ""},
		{bank, remove, mine + "/$bundle", "", []string{"If-Match", "$tag"}, 409, `read it again`, ""},
		{bank, remove, mine + "/$bundle?dryRun=true", "", nil, 200, ``, ""},
		{bank, remove, mine + "/$bundle", "", nil, 200, ``, ""},
		{bank, get, mine + "/$bundle", "", nil, 200, `"validityDateTo":"2026-11-21"`, ""},
		{bank, remove, mine + "/$bundle", "", nil, 409, `ends on 2026-11-21`, ""},
		{bank, post, "/psps/BANK/requests/$open/accept", "", nil, 409, `closed`, ""},
		{village, post, "/cis/" + village + "/requests", `{"idBundle":"$bundle"}`, nil, 409, `ends on`, ""},
		{operator, get, "/gec/v1/bundles/$bundle/history", "", nil, 200, `"operation":"deleteBundle"`, ""},
	})
}

// TestLifeOfAnOffer is about a PRIVATE bundle, which others do not see (A13–A15, A18).
func TestLifeOfAnOffer(t *testing.T) {
	const offers = "/psps/BANK/bundles/$bundle/offers"
	m := newMarket(t)
	m.tell([]step{
		{bank, post, "/psps/BANK/bundles", draft(`"type":"PRIVATE"`), nil, 201, ``, "bundle=idBundle"},
		{town, get, "/bundles/$bundle", "", nil, 404, ``, ""},
		{town, post, "/cis/" + town + "/requests", `{"idBundle":"$bundle"}`, nil, 404, ``, ""},
		{bank, post, offers, `{"ciFiscalCodeList":["12"]}`, nil, 400, `ciFiscalCodeList[0]`, ""},
		{bank, post, offers, `{"ciFiscalCodeList":[]}`, nil, 400, `ciFiscalCodeList`, ""},
		{bank, post, offers, `{"ciFiscalCodeList":["` + town + `"]}`, nil, 201, `[{"ciFiscalCode":"` + town + `","idBundleOffer":"`, "offer=idBundleOffer"},
		{town, get, "/bundles/$bundle", "", nil, 200, `$bundle`, ""},
		{village, get, "/bundles/$bundle", "", nil, 404, ``, ""},
		{rival, get, "/bundles/$bundle", "", nil, 404, ``, ""},
		{bank, post, offers, `{"ciFiscalCodeList":["` + village + `","` + town + `"]}`, nil, 409, town, ""}, // all or none
		{village, get, "/cis/" + village + "/offers", "", nil, 200, `"offers":[]`, ""},
		{rival, remove, "/psps/RIVAL/bundles/$bundle/offers/$offer", "", nil, 404, ``, ""},
		{bank, remove, offers + "/$offer", "", nil, 200, ``, ""},
		{town, post, "/cis/" + town + "/offers/$offer/accept", `[]`, nil, 409, `withdrawn`, ""},
		{town, get, "/bundles/$bundle", "", nil, 404, ``, ""},

		{bank, post, offers, `{"ciFiscalCodeList":["` + town + `"]}`, nil, 201, ``, "offer=idBundleOffer"},
		{village, post, "/cis/" + village + "/offers/$offer/accept", "", nil, 404, ``, ""},
		{town, post, "/cis/" + town + "/offers/$offer/reject", "", nil, 200, ``, ""},
		{town, post, "/cis/" + town + "/offers/$offer/reject", "", nil, 409, `rejected`, ""},
		{bank, get, "/psps/BANK/offers?state=REJECTED&ciFiscalCode=" + town, "", nil, 200, `"rejectionDate":"2026-11-21T09:00:00Z"`, ""},

		{bank, post, offers, `{"ciFiscalCodeList":["` + town + `"]}`, nil, 201, ``, "offer=idBundleOffer"},
		{town, get, "/cis/" + town + "/offers?state=OPEN&idPsp=bank", "", nil, 200, `$offer`, ""},
		{town, post, "/cis/" + town + "/offers/$offer/accept", `[{"maxPaymentAmount":500}]`, nil, 400, `attributes[0].maxPaymentAmount`, ""},
		{town, post, "/cis/" + town + "/offers/$offer/accept", `[{"maxPaymentAmount":60}]`, nil, 201, ``, "subscription=idCiBundle"},
		{town, post, "/cis/" + town + "/offers/$offer/accept", ``, nil, 409, `accepted`, ""},
		{bank, remove, offers + "/$offer", "", nil, 409, `accepted`, ""},
		{town, get, "/cis/" + town + "/bundles/$subscription", "", nil, 200, `"validityDateFrom":"2026-11-22"`, ""},
		{bank, post, offers, `{"ciFiscalCodeList":["` + town + `"]}`, nil, 409, `subscribes`, ""},

		{bank, post, offers, `{"ciFiscalCodeList":["` + village + `"]}`, nil, 201, ``, "offer=idBundleOffer"},
		{village, post, "/cis/" + village + "/offers/$offer/accept", ``, nil, 201, `idCiBundle`, ""}, // no body: nothing is borne
		{bank, get, "/psps/BANK/bundles/$bundle/creditorInstitutions?ciFiscalCode=" + village, "", nil, 200, `"attributes":[]`, ""},
	})
}

func TestManyBundlesAreStoredOnceOrNotAtAll(t *testing.T) {
	const massive = "/psps/BANK/bundles/massive"
	m := newMarket(t)
	two := "[" + draft(`"maxPaymentAmount":5000`) + "," + strings.Replace(draft(`"paymentAmount":150`), `"minPaymentAmount":0`, `"minPaymentAmount":5000`, 1) + "]"
	clash := "[" + draft(`"maxPaymentAmount":5000`) + "," + draft() + "]"
	start := m.catalogue.Head().Revision
	for _, c := range []struct {
		name, body, key, query string
		status                 int
		want                   string
		revisions              int64
	}{
		{"against each other", clash, "k0", "", 400, "overlaps bundles[0] of this upload", 0},
		{"one faulty", "[" + draft() + `,{"name":7}]`, "k0", "", 400, "bundles[1].type", 0},
		{"no list", draft(), "k0", "", 400, "bundles", 0},
		{"a dry run", two, "k1", "?dryRun=true", 200, "idBundle", 0},
		{"stored", two, "k1", "", 201, "idBundle", 1},
		{"again with the key", two, "k1", "", 201, "idBundle", 1},
		{"the key for something else", "[" + draft(`"paymentType":"PPAL"`) + "]", "k1", "", 409, "key", 1},
		{"again without it", two, "", "", 400, "bundles[0]", 1},
		{"a long key", two, strings.Repeat("k", 256), "", 400, "Idempotency-Key", 1},
		{"a bad flag", two, "", "?dryRun=perhaps", 400, "Invalid value perhaps for property dryRun", 1},
	} {
		w := m.ask(bank, post, massive+c.query, c.body, "Idempotency-Key", c.key)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if made := m.catalogue.Head().Revision - start; made != c.revisions {
			t.Errorf("%s: %d revisions were made, want %d", c.name, made, c.revisions)
		}
	}
	first := m.must(201, bank, post, massive, two, "Idempotency-Key", "k1")
	if again := m.must(201, bank, post, massive, two, "Idempotency-Key", "k1"); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	// Another PSP's keys are its own.
	m.must(201, rival, post, "/psps/RIVAL/bundles/massive", two, "Idempotency-Key", "k1")
}

// TestOthersThingsAreAnsweredAsMissingOnes holds that nobody learns what there is of others (A18).
func TestOthersThingsAreAnsweredAsMissingOnes(t *testing.T) {
	m := newMarket(t)
	kept := m.tell([]step{
		{bank, post, "/psps/BANK/bundles", draft(`"type":"PRIVATE"`), nil, 201, ``, "bundle=idBundle"},
		{bank, post, "/psps/BANK/bundles", draft(`"type":"PUBLIC"`), nil, 201, ``, "public=idBundle"},
		{bank, post, "/psps/BANK/bundles/$bundle/offers", `{"ciFiscalCodeList":["` + town + `"]}`, nil, 201, ``, "offer=idBundleOffer"},
		{town, post, "/cis/" + town + "/requests", `{"idBundle":"$public"}`, nil, 201, ``, "request=idBundleRequest"},
	})
	bundle, offer, request := kept["bundle"], kept["offer"], kept["request"]
	for _, c := range []struct{ caller, method, path, missing string }{
		{rival, get, "/bundles/" + bundle, "/bundles/no"},
		{village, get, "/bundles/" + bundle, "/bundles/no"},
		{rival, get, "/psps/BANK/bundles", "/psps/NO/bundles"},
		{rival, get, "/psps/BANK/bundles/" + bundle, "/psps/NO/bundles/no"},
		{rival, get, "/psps/RIVAL/bundles/" + bundle, "/psps/RIVAL/bundles/no"},
		{rival, remove, "/psps/BANK/bundles/" + bundle, "/psps/NO/bundles/no"},
		{rival, remove, "/psps/RIVAL/bundles/" + bundle, "/psps/RIVAL/bundles/no"},
		{rival, get, "/psps/BANK/offers", "/psps/NO/offers"},
		{rival, get, "/psps/BANK/requests", "/psps/NO/requests"},
		{rival, post, "/psps/RIVAL/requests/" + request + "/accept", "/psps/RIVAL/requests/no/accept"},
		{rival, post, "/psps/RIVAL/requests/" + request + "/reject", "/psps/RIVAL/requests/no/reject"},
		{village, post, "/cis/" + village + "/offers/" + offer + "/reject", "/cis/" + village + "/offers/no/reject"},
		{village, get, "/cis/" + town + "/bundles", "/cis/00000000000/bundles"},
		{village, get, "/cis/" + town + "/offers", "/cis/00000000000/offers"},
		{village, remove, "/cis/" + village + "/requests/" + request, "/cis/" + village + "/requests/no"},
		{rival, get, "/gec/v1/psps/BANK/lint", "/gec/v1/psps/NO/lint"},
		{rival, get, "/gec/v1/bundles/" + bundle + "/history", "/gec/v1/bundles/no/history"},
		{rival, remove, "/psps/BANK/cdis/C", "/psps/NO/cdis/C"},
	} {
		others, missing := m.ask(c.caller, c.method, c.path, ""), m.ask(c.caller, c.method, c.missing, "")
		if others.Code != http.StatusNotFound || others.Body.String() != missing.Body.String() {
			t.Errorf("%s %s: %d %s\n%s: %d %s", c.method, c.path, others.Code, others.Body, c.missing, missing.Code, missing.Body)
		}
	}
	if body := m.must(404, rival, post, "/gec/v1/psps/BANK/uploads?format=csv", "nonsense"); strings.Contains(body, "nonsense") || strings.Contains(body, "column") {
		t.Errorf("the faults of another PSP's upload are told: %s", body)
	}
}

func TestWithoutAKey(t *testing.T) {
	m := newMarket(t)
	for _, r := range Routes() {
		path := strings.NewReplacer("{", "", "}", "").Replace(r.Path)
		if w := m.ask(nobody, r.Method, path, "{}"); w.Code != http.StatusUnauthorized || w.Body.Len() > 0 {
			t.Errorf("%s %s: %d %q", r.Method, path, w.Code, w.Body)
		}
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	m := newMarket(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodPatch, "/psps/BANK/bundles", 405, "GET, HEAD, POST"},
		{http.MethodPost, "/psps/BANK/bundles/b", 405, "GET, HEAD, PUT, DELETE"},
		{http.MethodGet, "/psps/BANK/bundles/massive/x", 404, ""},
		{http.MethodGet, "/afm/marketplace-service/v1/psps/BANK/bundles/", 200, ""},
		{http.MethodGet, "/afm/marketplace-service/v1/nothing", 404, ""},
		{http.MethodPut, "/gec/v1/lint", 405, "POST"},
		{http.MethodDelete, "/configuration", 405, "GET, HEAD"},
		{http.MethodPatch, "/afm/utils/v1/cdis/sync", 405, "DELETE, GET, HEAD, POST"},
	} {
		w := m.ask(operator, c.method, c.path, "")
		allow := w.Header().Get("Allow")
		if w.Code != c.status || !sameWords(allow, c.allow) {
			t.Errorf("%s %s: %d, Allow %q: %s", c.method, c.path, w.Code, allow, w.Body)
		}
	}
	if w := m.ask(operator, http.MethodHead, "/configuration", ""); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	if w := m.ask(bank, post, "/psps/BANK/bundles", draft(), "Content-Encoding", "gzip"); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a compressed body: %d", w.Code)
	}
	if w := m.ask(bank, post, "/psps/BANK/bundles", strings.Repeat(" ", bodyBytesMax+1)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", w.Code)
	}
	if w := m.ask(bank, post, "/psps/BANK/bundles", " "); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "empty") {
		t.Errorf("no body: %d %s", w.Code, w.Body)
	}
}

func sameWords(a, b string) bool {
	words := func(text string) map[string]bool {
		set := map[string]bool{}
		for word := range strings.SplitSeq(text, ", ") {
			set[word] = true
		}
		return set
	}
	left, right := words(a), words(b)
	for word := range left {
		if !right[word] {
			return false
		}
	}
	return len(left) == len(right)
}

// TestARequestStartsTomorrow holds that the day of the calendar decides, not the start of the process.
func TestARequestStartsTomorrow(t *testing.T) {
	m := newMarket(t)
	kept := m.tell([]step{{bank, post, "/psps/BANK/bundles", draft(`"type":"PUBLIC"`), nil, 201, ``, "bundle=idBundle"}})
	ask := func(day string) int {
		return m.ask(town, post, "/cis/"+town+"/requests", `{"idBundle":"`+kept["bundle"]+`","validityDateFrom":"`+day+`"}`).Code
	}
	*m.now = m.now.Add(48 * time.Hour) // the 23rd
	for _, c := range []struct {
		day    string
		status int
	}{{"2026-11-22", 400}, {"2026-11-23", 400}, {"tomorrow", 400}, {"2026-11-24", 201}} {
		if status := ask(c.day); status != c.status {
			t.Errorf("from %s: %d", c.day, status)
		}
	}
}
