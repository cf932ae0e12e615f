package rest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gec/api/fragment"
	"gec/api/receipt"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
)

// till is a node that gives and takes receipts, with a clock of its own.
type till struct {
	*API
	catalogue *bundles.Catalogue
	desk      *receipt.Desk
	now       *time.Time
}

// evening is a quarter to midnight in Rome, of the day of the other tests.
var evening = time.Date(2026, 9, 14, 21, 45, 0, 0, time.UTC)

func openTill(t testing.TB, store bundles.Store, vault string, now *time.Time) till {
	t.Helper()
	clock := func() time.Time { return *now }
	c, err := bundles.Open(t.Context(), store, bundles.Options{Annotate: fragment.Of, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	key, err := receipt.OpenVault(vault)
	if err != nil {
		t.Fatal(err)
	}
	desk := receipt.NewDesk(receipt.Options{
		Catalogue: c, Vault: key, Caller: bundles.Operator("test"), Now: clock, Failed: func(err error) { t.Error(err) },
	})
	a, err := New(Options{Name: "gec", Catalogue: c, Receipts: desk, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return till{a, c, desk, now}
}

func tillStore(t testing.TB) bundles.Store {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// newTill has bundles with a night tariff, with a last day, and one that an EC bears a share of.
func newTill(t testing.TB) till {
	t.Helper()
	now := evening
	w := openTill(t, tillStore(t), t.TempDir(), &now)
	w.put(t, w.bundles()...)
	return w
}

func (w till) bundles() []bundles.Bundle {
	return []bundles.Bundle{
		tillBundle("day", "P1", 150, func(b *engine.Bundle) {
			b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: 360, ToMinute: 1440}}
		}),
		tillBundle("night", "P1", 50, func(b *engine.Bundle) { b.Schedule = engine.Schedule{{Days: engine.EveryDay, ToMinute: 360}} }),
		tillBundle("last-day", "P2", 120, func(b *engine.Bundle) { b.Validity = engine.Period{From: 20260101, To: 20260914} }),
		tillBundle("from-tomorrow", "P2", 130, func(b *engine.Bundle) { b.Validity = engine.Period{From: 20260915} }),
		tillBundle("shared", "P3", 200, func(b *engine.Bundle) { b.Type = engine.Public }),
	}
}

func tillBundle(id, psp string, fee int64, change func(*engine.Bundle)) bundles.Bundle {
	b := bundles.Bundle{Bundle: engine.Bundle{
		ID: id, PSP: psp, Channel: psp + "_01", Broker: "B" + psp, ABI: "14156", PSPBusinessName: "Banca " + psp, Name: id,
		PaymentType: "CP", Touchpoint: "IO", Band: engine.Band{MaxCents: 1_000_000}, Cart: true, Fee: engine.Fee{FlatCents: fee},
		Validity: engine.Period{From: 20260101},
	}}
	if change != nil {
		change(&b.Bundle)
	}
	return b
}

const tillEC = "77777777777"

func subscription(cents int64, to engine.Date) bundles.Subscription {
	return bundles.Subscription{Subscription: engine.Subscription{
		ID: "s-1", BundleID: "shared", CreditorInstitution: tillEC, Validity: engine.Period{From: 20260101, To: to},
		Attributes: []engine.Attribute{{ID: "a-1", MaxPaymentAmountCents: cents}},
	}}
}

// put makes the catalogue one of these bundles, in one revision.
func (w till) put(t testing.TB, all ...bundles.Bundle) {
	t.Helper()
	w.document(t, bundles.Document{Bundles: all, Subscriptions: []bundles.Subscription{subscription(80, 0)}})
}

func (w till) document(t testing.TB, d bundles.Document) {
	t.Helper()
	d.Settings = &engine.Settings{Touchpoints: []string{"IO"}, PaymentTypes: []string{"CP"}}
	_, err := w.catalogue.Import(t.Context(), bundles.Operator("test"), d, bundles.ImportOptions{Mode: bundles.ImportReplaceAll, Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	tillV1 = `{"paymentAmount":10000,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777","transferCategory":"9/0102100SA/"}],"touchpoint":"IO","paymentMethod":"CP","bin":"403500"}`
	tillV2 = `{"paymentNotice":[{"paymentAmount":10000,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777","transferCategory":"9/0102100SA/"}]}],"touchpoint":"IO","paymentMethod":"CP","bin":"403500"}`
)

// given asks with the header and returns the answer, which must be one with a receipt.
func (w till) given(t testing.TB, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	answer := call(w, "POST", path, body, append(headers, "X-Quote-Receipt", "wanted")...)
	if answer.Code != 200 || len(answer.Header().Get("X-Quote-Receipt")) != receipt.TextBytes {
		t.Fatalf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	return answer
}

// holds redeems the receipt of an answer and holds the two to each other, byte for byte.
func (w till) holds(t testing.TB, first *httptest.ResponseRecorder, path, body string, headers ...string) {
	t.Helper()
	again := call(w, "POST", path, body, append(headers, "X-Quote-Receipt", first.Header().Get("X-Quote-Receipt"))...)
	if again.Code != 200 || !bytes.Equal(again.Body.Bytes(), first.Body.Bytes()) {
		t.Fatalf("%d %s\nwas\n%s", again.Code, again.Body, first.Body)
	}
	for _, name := range []string{"X-Catalogue-Revision", "X-Quote-Seed", "X-Quote-Receipt", "Content-Type"} {
		if got, want := again.Header().Get(name), first.Header().Get(name); got != want || got == "" {
			t.Errorf("%s is %q, was %q", name, got, want)
		}
	}
}

// TestReceiptsHoldAcrossMidnightAndChanges takes a receipt before midnight, lets the day and the catalogue change in
// every way, and wants the same answer after each.
func TestReceiptsHoldAcrossMidnightAndChanges(t *testing.T) {
	w := newTill(t)
	firsts := map[string]*httptest.ResponseRecorder{}
	bodies := map[string]string{"/fees": tillV1, "/fees/multi": tillV2, "/psps/P3/fees": tillV1, "/psps/P3/fees/multi": tillV2, "/afm/calculator-service/v2/fees": tillV2}
	for path, body := range bodies {
		firsts[path] = w.given(t, path+"?orderBy=fee", body)
	}
	plain := func() string { return call(w, "POST", "/fees/multi?orderBy=fee", tillV2).Body.String() }
	check := func(what string, moves bool) {
		t.Helper()
		if moved := plain() != firsts["/fees/multi"].Body.String(); moved != moves {
			t.Errorf("%s: a plain quote moved: %v", what, moved)
		}
		for path, first := range firsts {
			w.holds(t, first, path+"?orderBy=fee", bodies[path])
		}
	}
	check("at once", false)
	*w.now = evening.Add(20 * time.Minute)
	check("after midnight", true)
	raised := w.bundles()
	for i := range raised {
		raised[i].Fee.FlatCents += 100
	}
	w.put(t, raised...)
	check("fees raised", true)
	w.put(t, w.bundles()[0], w.bundles()[4])
	check("bundles gone", true)
	w.document(t, bundles.Document{Bundles: w.bundles(), Subscriptions: []bundles.Subscription{subscription(10, 0)}})
	check("attribute changed", true)
	w.document(t, bundles.Document{Bundles: w.bundles(), Subscriptions: []bundles.Subscription{subscription(80, 20260914)}})
	check("subscription ended", true)
	if _, err := w.catalogue.RetireBundle(t.Context(), bundles.Operator("test"), "P1", "night", nil, bundles.AuthorOptions{}); err != nil {
		t.Fatal(err)
	}
	*w.now = w.now.Add(23 * time.Hour)
	check("bundle retired", true)
	if _, err := w.desk.Rotate(t.Context(), bundles.Operator("test")); err != nil {
		t.Fatal(err)
	}
	check("key rotated", true)
	if fees := strings.Count(firsts["/fees/multi"].Body.String(), `"taxPayerFee"`); fees != 3 {
		t.Errorf("%d rows: %s", fees, firsts["/fees/multi"].Body)
	}
}

// TestReceiptsHoldAfterARestartAndOnAnotherNode opens the same store once more, with the key of the first node and
// with another one.
func TestReceiptsHoldAfterARestartAndOnAnotherNode(t *testing.T) {
	store, vault, now := tillStore(t), t.TempDir(), evening
	w := openTill(t, store, vault, &now)
	w.put(t, w.bundles()...)
	first := w.given(t, "/fees/multi", tillV2)
	w.put(t, w.bundles()[1:]...)
	openTill(t, store, vault, &now).holds(t, first, "/fees/multi", tillV2)
	other := openTill(t, store, t.TempDir(), &now)
	other.holds(t, first, "/fees/multi", tillV2)
	second := other.given(t, "/fees/multi", tillV2)
	if err := w.catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.holds(t, second, "/fees/multi", tillV2)
}

// TestReceiptsOfARevisionThatIsOnItsWay brings a receipt to a node that is behind the one that gave it: it hears that it
// should come again, and gets the identical answer once the revision is there. No other revision's fee is told instead.
func TestReceiptsOfARevisionThatIsOnItsWay(t *testing.T) {
	store, now := tillStore(t), evening
	behind := openTill(t, store, t.TempDir(), &now)
	behind.put(t, behind.bundles()...)
	behind.given(t, "/fees/multi", tillV2) // so that its key is in the catalogue
	ahead := openTill(t, store, t.TempDir(), &now)
	ahead.put(t, ahead.bundles()[1:]...)
	first := ahead.given(t, "/fees/multi", tillV2)
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	request := httptest.NewRequestWithContext(hurried, http.MethodPost, "/fees/multi", strings.NewReader(tillV2))
	request.Header.Set("X-Quote-Receipt", first.Header().Get("X-Quote-Receipt"))
	answer := httptest.NewRecorder()
	behind.ServeHTTP(answer, request)
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || strings.Contains(answer.Body.String(), "bundleOptions") {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	if err := behind.catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind.holds(t, first, "/fees/multi", tillV2)
}

// TestReceiptsAtTheLimitOfRows holds that the first and the last number of rows that may be asked for (Q23) have receipts
// of their own, which hold after a change that would bring other rows.
func TestReceiptsAtTheLimitOfRows(t *testing.T) {
	w := newTill(t)
	one, all := "/fees/multi?orderBy=fee&maxOccurrences=1", "/fees/multi?orderBy=fee&maxOccurrences=2147483647"
	first, last := w.given(t, one, tillV2), w.given(t, all, tillV2)
	w.put(t, append(w.bundles(), tillBundle("cheap", "P9", 1, nil))...)
	w.holds(t, first, one, tillV2)
	w.holds(t, last, all, tillV2)
	answer := call(w, "POST", all, tillV2, "X-Quote-Receipt", first.Header().Get("X-Quote-Receipt"))
	if got, _ := problemOf(t, answer); answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), "maxOccurrences") {
		t.Errorf("%s %d %s", got, answer.Code, answer.Body)
	}
	for _, rows := range []string{"0", "-1", "2147483648"} {
		if answer := call(w, "POST", "/fees/multi?maxOccurrences="+rows, tillV2, "X-Quote-Receipt", "wanted"); answer.Code != http.StatusBadRequest || answer.Header().Get("X-Quote-Receipt") != "" {
			t.Errorf("%s rows: %d %v", rows, answer.Code, answer.Header())
		}
	}
}

// TestSameRequestsOnTheWire writes one request in many ways, and others that are not it.
func TestSameRequestsOnTheWire(t *testing.T) {
	w := newTill(t)
	first := w.given(t, "/fees/multi?maxOccurrences=10", tillV2)
	text := first.Header().Get("X-Quote-Receipt")
	for _, same := range [][]string{
		{"/fees/multi", strings.ReplaceAll(tillV2, `,"`, " ,\n\t\"")},
		{"/fees/multi?allCcp=&onUsFirst=TRUE&orderBy=anything", tillV2},
		{"/fees/multi", `{"bin":"403500","idPspList":[],"unknown":{"a":[1]},"touchpoint":"io","paymentMethod":"Cp","paymentNotice":[{"transferList":[{"digitalStamp":false,"transferCategory":"0102100SA","creditorInstitution":"77777777777"}],"primaryCreditorInstitution":"77777777777","paymentAmount":10000}]}`},
		{"/afm/node/calculator-service/v2/fees", tillV2}, {"/fees/multi", tillV2, "Maxoccurrences", "10"},
	} {
		w.holds(t, first, same[0], same[1], same[2:]...)
	}
	for name, c := range map[string]struct {
		request []string
		named   string
	}{
		"v1":             {[]string{"/fees", tillV1}, "the contract, which was v2"},
		"limit":          {[]string{"/fees/multi?maxOccurrences=3", tillV2}, "maxOccurrences, which was 10"},
		"order":          {[]string{"/fees/multi?orderBy=fee", tillV2}, "orderBy, which was random"},
		"Poste":          {[]string{"/fees/multi?allCcp=false", tillV2}, "allCcp, which was true"},
		"on us first":    {[]string{"/fees/multi?onUsFirst=no", tillV2}, "onUsFirst, which was true"},
		"PSP":            {[]string{"/psps/P1/fees/multi", tillV2}, ""},
		"IUV":            {[]string{"/fees/multi", tillV2, "X-Iuv", "1"}, ""},
		"amount":         {[]string{"/fees/multi", strings.Replace(tillV2, "10000", "10001", 1)}, ""},
		"EC":             {[]string{"/fees/multi", strings.Replace(tillV2, "77777777777", "77777777778", 1)}, ""},
		"category":       {[]string{"/fees/multi", strings.Replace(tillV2, "0102100SA", "0102100SB", 1)}, ""},
		"stamp":          {[]string{"/fees/multi", strings.Replace(tillV2, `SA/"`, `SA/","digitalStamp":true`, 1)}, ""},
		"touchpoint":     {[]string{"/fees/multi", strings.Replace(tillV2, `"IO"`, `"ANY"`, 1)}, ""},
		"payment method": {[]string{"/fees/multi", strings.Replace(tillV2, `"CP"`, `null`, 1)}, ""},
		"BIN":            {[]string{"/fees/multi", strings.Replace(tillV2, "403500", "403501", 1)}, ""},
	} {
		answer := call(w, "POST", c.request[0], c.request[1], append(c.request[2:], "X-Quote-Receipt", text)...)
		title, detail := problemOf(t, answer)
		if answer.Code != 409 || title != "Receipt of another request" || !strings.Contains(detail, c.named) || answer.Header().Get("X-Catalogue-Revision") != "" {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
	// The PSP of a path and the same one in the list ask the same.
	byPath := w.given(t, "/psps/P1/fees/multi", strings.Replace(tillV2, `"bin"`, `"idChannel":"p1_01","bin"`, 1))
	w.holds(t, byPath, "/fees/multi", strings.Replace(tillV2, `"bin"`, `"idPspList":[{"idPsp":"p1","idChannel":"P1_01"}],"bin"`, 1))
}

func TestReceiptsThatAreRefused(t *testing.T) {
	w := newTill(t)
	text := w.given(t, "/fees", tillV1).Header().Get("X-Quote-Receipt")
	refused := func(text string, status int, title string) {
		t.Helper()
		answer := call(w, "POST", "/fees", tillV1, "X-Quote-Receipt", text)
		if got, _ := problemOf(t, answer); answer.Code != status || got != title || answer.Header().Get("X-Quote-Receipt") != "" {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
	refused("", 422, "Receipt malformed")
	refused("yes", 422, "Receipt malformed")
	refused("B"+text[1:], 422, "Receipt malformed")
	refused(text[:60]+"x"+text[61:], 422, "Receipt signature wrong")
	r, err := receipt.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r.Key[0]++
	refused(r.String(), 422, "Receipt key unknown")
	if answer := call(w, "POST", "/fees", `{`, "X-Quote-Receipt", text); answer.Code != 400 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	*w.now = w.now.Add(receipt.ValidityDefault - time.Second)
	w.holds(t, w.given(t, "/fees", tillV1), "/fees", tillV1)
	*w.now = w.now.Add(time.Second)
	refused(text, 410, "Receipt too old")
}

// TestRedeemedIsTheOriginal draws catalogues, requests and changes.
func TestRedeemedIsTheOriginal(t *testing.T) {
	w := newTill(t)
	rapid.Check(t, func(rt *rapid.T) {
		draw := func() (all []bundles.Bundle) {
			for i := range rapid.IntRange(0, 6).Draw(rt, "bundles") {
				all = append(all, tillBundle(fmt.Sprint("b", i), fmt.Sprint("P", rapid.IntRange(1, 3).Draw(rt, "psp")), rapid.Int64Range(0, 3).Draw(rt, "fee")*50, func(b *engine.Bundle) {
					b.Fee.BasisPoints = rapid.Int64Range(0, 2).Draw(rt, "bps") * 25
					b.Cart = rapid.Bool().Draw(rt, "cart")
					if rapid.Bool().Draw(rt, "night") {
						b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: 1320, ToMinute: rapid.IntRange(1, 1300).Draw(rt, "until")}}
					}
				}))
			}
			return append(all, w.bundles()[4])
		}
		*w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(rt, "passes")))
		w.put(t, draw()...)
		query := url.Values{}
		for name, values := range map[string][]string{"orderBy": {"fee", "random", "pspname", "feerandom"}, "maxOccurrences": {"1", "2", "10"}, "allCcp": {"true", "false"}, "onUsFirst": {"true", "false"}} {
			query.Set(name, rapid.SampledFrom(values).Draw(rt, name))
		}
		path := rapid.SampledFrom([]string{"/fees", "/fees/multi", "/psps/P1/fees", "/psps/p2/fees/multi"}).Draw(rt, "path")
		body := tillV1
		if strings.HasSuffix(path, "multi") {
			body = tillV2
		}
		body = strings.Replace(body, "10000", fmt.Sprint(rapid.IntRange(1, 20000).Draw(rt, "amount")), 1)
		path += "?" + query.Encode()
		first := w.given(t, path, body)
		*w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Hour)).Draw(rt, "later")))
		for range rapid.IntRange(0, 2).Draw(rt, "changes") {
			w.put(t, draw()...)
		}
		w.holds(t, first, path, body)
	})
}

// TestPlainQuotesDoNotPayForReceipts compares the allocations of a call with and without a desk.
func TestPlainQuotesDoNotPayForReceipts(t *testing.T) {
	if !countable || testing.CoverMode() != "" {
		t.Skip("allocations cannot be counted in this build")
	}
	w := newTill(t)
	without, err := New(Options{Name: "gec", Catalogue: w.catalogue, Now: at(evening)})
	if err != nil {
		t.Fatal(err)
	}
	count := func(a *API) float64 {
		return testing.AllocsPerRun(200, func() {
			if call(a, "POST", "/fees/multi", tillV2).Code != 200 {
				t.Fatal("no answer")
			}
		})
	}
	if with, bare := count(w.API), count(without); with != bare {
		t.Errorf("%v allocations, %v without a desk", with, bare)
	}
}

func BenchmarkReceipts(b *testing.B) {
	w := newTill(b)
	text := w.given(b, "/fees/multi", tillV2).Header().Get("X-Quote-Receipt")
	for _, c := range []struct{ name, header string }{{"plain", ""}, {"wanted", "wanted"}, {"redeemed", text}} {
		b.Run(c.name, func(b *testing.B) {
			headers := slices.Repeat([]string{"X-Quote-Receipt", c.header}, min(len(c.header), 1))
			b.ReportAllocs()
			for b.Loop() {
				if call(w, "POST", "/fees/multi", tillV2, headers...).Code != 200 {
					b.Fatal("no answer")
				}
			}
		})
	}
}
