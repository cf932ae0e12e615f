package marketplace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// method is a payment method of a group, with further fields that take the place of the usual ones.
func method(id, group string, fields ...string) string {
	said := strings.Join(fields, ",")
	all := append([]string{fmt.Sprintf(`"paymentMethodId":%q,"group":%q`, id, group)}, fields...)
	for _, usual := range []string{
		`"name":{"IT":"Nome"}`, `"description":{"IT":"Testo"}`, `"status":"ENABLED"`, `"userTouchpoint":["CHECKOUT"]`, `"userDevice":["WEB"]`, `"methodManagement":"REDIRECT"`,
	} {
		if name, _, _ := strings.Cut(usual, ":"); !strings.Contains(said, name+":") {
			all = append(all, usual)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestPaymentMethodsAreTheOperators(t *testing.T) {
	const missing = `{"title":"Payment method not found","status":404,"detail":"Cannot find payment method with id: 'CARDS'"}`
	m := newMarket(t)
	m.tell([]step{
		{bank, get, "/payment-methods/CARDS", "", nil, 404, missing, ""},
		{operator, put, "/payment-methods/CARDS", method("CARDS", "CP"), nil, 404, missing, ""},
		{operator, remove, "/payment-methods/CARDS", "", nil, 404, missing, ""},
		{bank, post, "/payment-methods", method("CARDS", "CP"), nil, 403, ``, ""},
		{operator, post, "/payment-methods", method("CARDS", "MARS", `"status":"ON"`, `"name":{"EN":"Cards"}`), nil, 400, `name.IT`, ""},
		{operator, post, "/payment-methods", method("CARDS", "CP", `"rangeAmount":{"min":5,"max":1}`), nil, 400, `rangeAmount`, ""},
		{operator, post, "/payment-methods", method("CARDS", "CP", `"rangeAmount":{"min":1,"max":500}`), nil, 201, `"rangeAmount":{"min":1,"max":500}`, ""},
		{operator, post, "/payment-methods", method("CARDS", "CP"), nil, 409, `CARDS`, ""},
		{operator, put, "/payment-methods/CARDS", method("OTHER", "CP"), nil, 400, `paymentMethodId`, ""},
		{operator, put, "/payment-methods/CARDS", method("CARDS", "PPAL", `"target":["user"]`), nil, 200, `"target":["user"],"rangeAmount":null`, ""},
		{bank, get, "/payment-methods/CARDS", "", nil, 200, `"id":"CARDS","paymentMethodId":"CARDS"`, ""},
		{bank, get, "/afm/node/calculator-service/v1/payment-methods/CARDS", "", nil, 200, `"group":"PPAL"`, ""},
		{bank, get, "/payment-methods", "", nil, 200, `[{"id":"CARDS"`, ""},
		{bank, remove, "/payment-methods/CARDS", "", nil, 403, ``, ""},
		{operator, remove, "/payment-methods/CARDS", "", nil, 200, ``, ""},
		{bank, get, "/payment-methods", "", nil, 200, `[]`, ""},
	})
}

// searched is what a search says of each method, in its order.
func (m *market) searched(body string) (ids []string, reasons map[string]string, ranges map[string]string) {
	m.t.Helper()
	var answer struct {
		PaymentMethods []struct {
			PaymentMethodID, Status string
			DisabledReason          *string
			FeeRange                *struct{ Min, Max int64 }
		}
	}
	if err := json.Unmarshal([]byte(m.must(200, bank, post, "/afm/calculator-service/v1/payment-methods/search", body)), &answer); err != nil {
		m.t.Fatal(err)
	}
	reasons, ranges = map[string]string{}, map[string]string{}
	for _, p := range answer.PaymentMethods {
		ids = append(ids, p.PaymentMethodID)
		if p.DisabledReason != nil {
			reasons[p.PaymentMethodID] = p.Status + " " + *p.DisabledReason
		}
		if p.FeeRange != nil {
			ranges[p.PaymentMethodID] = fmt.Sprintf("%d-%d", p.FeeRange.Min, p.FeeRange.Max)
		}
	}
	return ids, reasons, ranges
}

// search is the body of a search for a payment of 100 € at Checkout.
func search(fields ...string) string {
	return `{` + strings.Join(append(fields, `"totalAmount":10000`, `"userTouchpoint":"CHECKOUT"`, `"paymentNotice":[{"paymentAmount":10000}]`), ",") + `}`
}

func TestFirstReasonAgainstAMethod(t *testing.T) {
	m := newMarket(t)
	// Each has one reason fewer than the one before.
	reasons := []string{`"target":["beta"]`, `"rangeAmount":{"min":1,"max":9999}`, `"validityDateFrom":"2026-11-22"`, `"status":"DISABLED"`}
	want := map[string]string{
		"M0": "DISABLED TARGET_PREVIEW", "M1": "DISABLED AMOUNT_OUT_OF_BOUND", "M2": "DISABLED NOT_YET_VALID", "M3": "DISABLED METHOD_DISABLED",
		"M4": "MAINTENANCE MAINTENANCE_IN_PROGRESS", "M5": "DISABLED NO_BUNDLE_AVAILABLE",
	}
	for n := range reasons {
		m.must(201, operator, post, "/payment-methods", method(fmt.Sprint("M", n), "BBT", reasons[n:]...))
	}
	m.must(201, operator, post, "/payment-methods", method("M4", "BBT", `"status":"MAINTENANCE"`))
	m.must(201, operator, post, "/payment-methods", method("M5", "BBT"))
	m.must(201, operator, post, "/payment-methods", method("M6", "CP", `"target":["beta","gamma"]`, `"rangeAmount":{"min":10000,"max":10000}`, `"validityDateFrom":"2026-11-21"`))
	m.must(201, operator, post, "/payment-methods", method("ELSEWHERE", "CP", `"userTouchpoint":["IO"]`))
	m.must(201, bank, post, "/psps/BANK/bundles", draft(`"validityDateFrom":"2026-11-21"`))
	_, found, ranges := m.searched(search(`"targetKey":"gamma"`))
	if len(found) != len(want) || ranges["M6"] != "100-100" || len(ranges) != 1 {
		t.Errorf("%v %v", found, ranges)
	}
	for id, reason := range want {
		if found[id] != reason {
			t.Errorf("%s: %s, want %s", id, found[id], reason)
		}
	}
	if _, found, _ := m.searched(search()); found["M6"] != "DISABLED TARGET_PREVIEW" {
		t.Errorf("without a target: %v", found)
	}
	if ids, _, _ := m.searched(search(`"userDevice":"IOS"`)); len(ids) != 0 {
		t.Errorf("for another device: %v", ids)
	}
	if _, found, _ := m.searched(strings.Replace(search(`"targetKey":"beta"`), `"totalAmount":10000`, `"totalAmount":10001`, 1)); found["M6"] != "DISABLED AMOUNT_OUT_OF_BOUND" || found["M0"] != found["M6"] {
		t.Errorf("a cent above: %v", found)
	}
}

func TestOrderOfPaymentMethods(t *testing.T) {
	m := newMarket(t)
	for _, body := range []string{
		method("A", "CP", `"name":{"IT":"Zeta","EN":"Alpha"}`, `"description":{"IT":"carta","DE":"Zahlkarte"}`),
		method("B", "PPAL", `"name":{"IT":"alfa","EN":"Zulu"}`, `"description":{"IT":"Bonifico","DE":"Anweisung"}`),
		method("C", "BBT", `"name":{"IT":"Beta"}`, `"description":{"IT":"Addebito"}`),
		method("D", "BBT", `"name":{"IT":"Beta"}`, `"description":{"IT":"Addebito"}`),
	} {
		m.must(201, operator, post, "/payment-methods", body)
	}
	today := `"validityDateFrom":"2026-11-21"`
	m.must(201, bank, post, "/psps/BANK/bundles", draft(today, `"paymentAmount":90`))
	m.must(201, rival, post, "/psps/RIVAL/bundles", draft(today, `"paymentAmount":200`))
	m.must(201, operator, post, "/psps/POSTE/bundles", draft(today, `"paymentAmount":300`))
	m.must(201, rival, post, "/psps/RIVAL/bundles", draft(today, `"paymentAmount":70`, `"paymentType":"PPAL"`))
	for _, c := range []struct{ name, body, want string }{
		{"cards first, then by description", search(), "A C D B"},
		{"no group first", search(`"priorityGroups":[]`), "C D B A"},
		{"groups in their order", search(`"priorityGroups":["BBT","CP"]`), "C D A B"},
		{"in German, Italian where there is none", search(`"priorityGroups":[]`, `"language":"DE"`), "C D B A"},
		{"by name", search(`"priorityGroups":[]`, `"sortBy":"NAME"`), "B C D A"},
		{"by English name", search(`"priorityGroups":[]`, `"sortBy":"NAME"`, `"language":"EN"`), "A C D B"},
		{"the other way round, ids are not", search(`"priorityGroups":[]`, `"sortBy":"NAME"`, `"sortOrder":"DESC"`), "A C D B"},
		{"by fee, those without one last", search(`"priorityGroups":[]`, `"sortBy":"FEE"`), "B A C D"},
		{"dear first, those without one last", search(`"priorityGroups":[]`, `"sortBy":"FEE"`, `"sortOrder":"DESC"`), "A B C D"},
		{"lower case", search(`"priorityGroups":[]`, `"sortBy":"fee"`, `"sortOrder":"desc"`, `"language":"it"`), "A B C D"},
	} {
		if ids, _, _ := m.searched(c.body); !slices.Equal(ids, strings.Fields(c.want)) {
			t.Errorf("%s: %v, want %s", c.name, ids, c.want)
		}
	}
	for fields, want := range map[string]string{"": "90-200", `"allCCp":null,`: "90-200", `"allCCp":false,`: "90-200", `"allCCp":true,`: "90-300"} {
		if _, _, ranges := m.searched("{" + fields + search()[1:]); ranges["A"] != want {
			t.Errorf("%s: %v, want %s", fields, ranges, want)
		}
	}
}

func TestBadSearches(t *testing.T) {
	m := newMarket(t)
	for name, c := range map[string]struct{ body, want string }{
		"nothing":             {`{}`, "userTouchpoint"},
		"no JSON":             {`{`, "Invalid input format"},
		"a touchpoint":        {strings.Replace(search(), "CHECKOUT", "MARS", 1), "CHECKOUT_CART"},
		"a device":            {search(`"userDevice":"TV"`), "SAFARI"},
		"a language":          {search(`"language":"XX"`), "language"},
		"a sorting":           {search(`"sortBy":"COLOUR"`), "sortBy"},
		"an order":            {search(`"sortOrder":"UP"`), "sortOrder"},
		"no notice":           {strings.Replace(search(), `[{"paymentAmount":10000}]`, `[]`, 1), "paymentNotice"},
		"a notice of nothing": {strings.Replace(search(), `{"paymentAmount":10000}`, `{}`, 1), "paymentNotice[0].paymentAmount"},
		"cents of a cent":     {strings.Replace(search(), `"totalAmount":10000`, `"totalAmount":1.5`, 1), "totalAmount"},
	} {
		if w := m.ask(bank, post, "/payment-methods/search", c.body); w.Code != 400 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
