package simulator

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/bundles/format"
	"gec/engine"
)

func TestPageSaysWhatWasAskedAndFound(t *testing.T) {
	w := newPage(t).get(t, "/?amount=5000&way=CP&place=CHECKOUT&ec=80000000103")
	body := strings.ReplaceAll(w.Body.String(), noBreak, " ")
	if w.Code != http.StatusOK {
		t.Fatalf("%d", w.Code)
	}
	for _, text := range []string{
		`<html lang="it">`, "<title>50,00 € – Simulatore", `value="50,00"`, "4 commissioni per 50,00 €", "Sul web · Carta · sab 21 novembre 2026, 11:00",
		"Comune di Borgoverde (80000000103) paga 0,60 € al posto tuo", `<option value="CHECKOUT" selected>`, "A parità di commissione",
		"Dati: revisione 7 del catalogo, del 20 novembre 2026", `role="status"`, `<svg viewBox="0 0 400 250" role="img"`,
		`href="/data.csv?amount=5000&amp;ec=80000000103&amp;place=CHECKOUT&amp;way=CP"`, `href="/?amount=5000&amp;ec=80000000103&amp;place=CHECKOUT&amp;way=CP&amp;lang=de"`,
		"valida se la tua carta è di Banca Alfa", "Dichiarazione di accessibilità", "Segnala una barriera",
	} {
		contains(t, body, text, true)
	}
	for _, text := range []string{"<script>", "style=", "onclick", "{amount}", "ZgotmplZ", "pagopa.gov"} {
		contains(t, body, text, false)
	}
}

// TestPageHasSoundStructure holds what a reader of the source of every state relies on: ids once, labels for every
// field, references that lead somewhere, one h1.
func TestPageHasSoundStructure(t *testing.T) {
	p := newPage(t)
	ids := regexp.MustCompile(`\bid="([^"]+)"`)
	refs := regexp.MustCompile(`(?:for|list|aria-labelledby|aria-describedby)="([^"]+)"`)
	fields := regexp.MustCompile(`<(?:input|select)[^>]*>`)
	for _, query := range []string{
		"", "lang=sl", "amount=5000", "amount=5000&amount=100&ec=80000000103&service=stamp&sort=name&day=2026-12-25&time=20:30&bank=10001", "euro=x&ec=borgo",
		"amount=5000&why=ALFA&chart=BETA", "amount=600000&way=CP", "euro=1&add=1", "amount=5000&place=ATM&way=PPAL",
	} {
		body := p.get(t, "/?"+query).Body.String()
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s: id %s twice", query, m[1])
			}
			seen[m[1]] = true
		}
		for _, m := range refs.FindAllStringSubmatch(body, -1) {
			for id := range strings.FieldsSeq(m[1]) {
				if !seen[id] {
					t.Errorf("%s: %s leads nowhere", query, m[0])
				}
			}
		}
		for _, m := range fields.FindAllString(body, -1) {
			id := ids.FindStringSubmatch(m)
			if !strings.Contains(m, `type="hidden"`) && (id == nil || !strings.Contains(body, `<label for="`+id[1]+`"`)) {
				t.Errorf("%s: no label for %s", query, m)
			}
		}
		if n := strings.Count(body, "<h1"); n != 1 {
			t.Errorf("%s: %d h1", query, n)
		}
	}
}

func TestPageEscapesWhatOthersWrote(t *testing.T) {
	evil := `<script>alert(1)</script>`
	text := strings.ReplaceAll(world, `"=Delta"`, `"`+evil+`"`)
	p := newPageOn(t, load(t, "native", []byte(text)))
	for _, target := range []string{"/?amount=5000&place=IO", "/?amount=5000&why=DELTA", "/?euro=" + evil, "/?amount=1&ec=" + evil, "/?amount=1&day=" + evil} {
		contains(t, p.get(t, strings.ReplaceAll(target, " ", "+")).Body.String(), evil, false)
	}
}

func TestPageInFiveLanguages(t *testing.T) {
	p := newPage(t)
	for lang, title := range map[string]string{"it": "Simulatore delle commissioni", "en": "Fee simulator", "de": "Gebührenrechner", "fr": "Simulateur de commissions", "sl": "Simulator provizij"} {
		for _, w := range []*httptest.ResponseRecorder{
			p.get(t, "/?amount=5000&lang="+lang), p.get(t, "/"+lang+"?amount=5000"), p.get(t, "/"+lang+"/?amount=5000"), p.get(t, "/?amount=5000", "Accept-Language", lang),
		} {
			contains(t, w.Body.String(), title+" – GEC</title>", true)
			if got := w.Header().Get("Content-Language"); got != lang {
				t.Errorf("%s: Content-Language %s", lang, got)
			}
			for key := range p.lexicons[lang].table {
				contains(t, w.Body.String(), ">"+key+"<", false)
			}
		}
	}
	if vary := p.get(t, "/").Header().Values("Vary"); !strings.Contains(strings.Join(vary, ","), "Accept-Language") {
		t.Errorf("Vary: %v", vary)
	}
}

func TestSecurityHeaders(t *testing.T) {
	p := newPage(t)
	for _, target := range []string{"/", "/?amount=5000", "/results?amount=5000", "/data.csv?amount=1", "/assets/favicon.svg", "/nowhere", "/gec/v1/open-data/fee-list.json"} {
		h := p.get(t, target).Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%s: %s", target, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", target, h)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	p := newPage(t)
	post := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("amount=1"))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, post)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
	for target, want := range map[string]int{
		"/nowhere": 404, "/assets/": 404, "/assets/../go.mod": 404, "/xx/": 404, "/data.csv": 400, "/data.json?euro=x": 400,
		"/?amount=" + strings.Repeat("1", queryBytesMax): 414, "/?euro=x": 422, "/?%zz=1": 200,
	} {
		if w := p.get(t, target); w.Code != want {
			t.Errorf("%.40s: %d, want %d", target, w.Code, want)
		}
	}
	stray := httptest.NewRecorder()
	p.ServeHTTP(stray, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/nowhere", nil))
	if got, want := stray.Body.String(), `{"title":"NOT FOUND","status":404,"detail":"There is nothing at /nowhere: see /openapi for what there is"}`; got != want {
		t.Errorf("/nowhere: %s, want %s", got, want)
	}
	empty := newPageOn(t, &loaded{})
	if w := empty.get(t, "/"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("without a catalogue: %d", w.Code)
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a page without a catalogue is made")
	}
	if _, err := New(Options{Catalogue: &loaded{}, RateBurst: -1}); err == nil {
		t.Error("a negative burst is taken")
	}
}

func TestETagFollowsRevisionQuestionAndTime(t *testing.T) {
	now := saturday
	c := load(t, format.Native, []byte(world))
	p := newPageOn(t, c, func(o *Options) { o.Now = func() time.Time { return now } })
	tagOf := func(target string, headers ...string) string {
		return p.get(t, target, headers...).Header().Get("ETag")
	}
	first := tagOf("/?amount=5000")
	if w := p.get(t, "/?amount=5000", "If-None-Match", `"other", `+first); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("asked again: %d with %d bytes", w.Code, w.Body.Len())
	}
	for _, other := range []string{tagOf("/?amount=5001"), tagOf("/?amount=5000&lang=de"), tagOf("/?amount=5000", "Accept-Language", "fr"), tagOf("/results?amount=5000")} {
		if other == first || other == "" {
			t.Errorf("another answer has the tag %q", other)
		}
	}
	at := tagOf("/?amount=5000&day=2026-12-24&time=09:00")
	now = now.Add(time.Minute)
	if tagOf("/?amount=5000") == first {
		t.Error("a minute later, where fees vary by time, the tag is the same")
	}
	if tagOf("/?amount=5000&day=2026-12-24&time=09:00") != at {
		t.Error("the tag of a question about another instant moves with the clock")
	}
	next, err := c.snapshot.With(engine.Change{Revision: 8})
	if err != nil {
		t.Fatal(err)
	}
	c.snapshot = next
	if tagOf("/?amount=5000&day=2026-12-24&time=09:00") == at {
		t.Error("the next revision has the same tag")
	}
	if w := p.get(t, "/?euro=x"); w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
		t.Errorf("a fault is cached: %v", w.Header())
	}
}

func TestRateLimitPerAddress(t *testing.T) {
	now := saturday
	p := newPage(t, func(o *Options) { o.RatePerMinute, o.RateBurst, o.Now = 60, 2, func() time.Time { return now } })
	from := func(address, target string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	for i, want := range []int{200, 200, 429, 429} {
		if w := from("192.0.2.1:1234", "/"); w.Code != want {
			t.Errorf("request %d: %d, want %d", i+1, w.Code, want)
		} else if want == 429 && w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
	if w := from("192.0.2.2:1", "/"); w.Code != 200 {
		t.Errorf("another address: %d", w.Code)
	}
	if w := from("192.0.2.1:1", "/assets/favicon.svg"); w.Code != 200 {
		t.Errorf("an asset: %d", w.Code)
	}
	now = now.Add(time.Second)
	if w := from("192.0.2.1:9", "/"); w.Code != 200 {
		t.Errorf("a second later: %d", w.Code)
	}
	for i := range 3 {
		w := from(fmt.Sprintf("[2001:db8:1:2::%d]:1", i+1), "/")
		if limited := i == 2; (w.Code == 429) != limited {
			t.Errorf("address %d of one /64: %d", i+1, w.Code)
		}
	}
	l, err := newLimiter(60, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		l.take(fmt.Sprint(i), now)
	}
	if n := l.buckets.Len(); n != 100 {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestDownloads(t *testing.T) {
	p := newPage(t)
	w := p.get(t, "/data.json?amount=5000&place=IO&way=PPAL")
	var d download
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	want := download{
		Revision: 7, Published: "2026-11-20T10:00:00Z", At: "2026-11-21T10:00:00Z", Question: "/?amount=5000&place=IO&way=PPAL", Amount: 5000, Offers: []downloadRow{},
		Quotes: []downloadRow{
			{PSP: "DELTA", Name: "=Delta", Bundle: "d-io", BundleName: "Solo IO", PaymentType: "PPAL", Touchpoint: "IO", ABI: "10004", Gross: 70, Net: 70, Total: 5070, Shares: []ecFees{}},
			{PSP: "GAMMA", Name: "Gamma Pay", Bundle: "c-any", BundleName: "Tutto", PaymentType: "ANY", Touchpoint: "ANY", ABI: "10003", Gross: 80, Net: 80, Total: 5080, Shares: []ecFees{}},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="gec-5000.json"` {
		t.Error(got)
	}
	body := strings.TrimPrefix(p.get(t, "/data.csv?amount=5000&place=IO&way=PPAL").Body.String(), "\ufeff")
	records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 3 || records[1][1] != "'=Delta" || records[1][11] != "0.70" || records[1][12] != "50.70" {
		t.Errorf("%q", records)
	}
	for cell, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "Banca": "Banca", "": "", "a=b": "a=b"} {
		if got := harmless(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}

func TestSuggestedECs(t *testing.T) {
	p := newPage(t)
	w := p.get(t, "/creditor-institutions.json?q=comune+borgo")
	if got := strings.TrimSpace(w.Body.String()); got != `[{"label":"Comune di Borgorosso (80000000303)"},{"label":"Comune di Borgoverde (80000000103)"}]` {
		t.Error(got)
	}
	if got := strings.TrimSpace(p.get(t, "/creditor-institutions.json").Body.String()); got != "[]" {
		t.Error(got)
	}
}

func TestCompression(t *testing.T) {
	p := newPage(t)
	whole := p.get(t, "/?amount=5000").Body.String()
	w := p.get(t, "/?amount=5000", "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if string(unzipped) != whole || w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the compressed page is another one")
	}
	if w := p.get(t, "/?amount=5000", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed against the caller's will")
	}
}

func TestPlainPageWithoutTheBuild(t *testing.T) {
	p := newPage(t)
	p.assets.Built, p.assets.Script, p.assets.Style, p.assets.Font = false, "", "/assets/plain.css", ""
	body := p.get(t, "/?amount=5000").Body.String()
	contains(t, body, "npm ci &amp;&amp; npm run build", true)
	contains(t, body, "<script", false)
	contains(t, body, "commissioni per", true)
	if w := p.get(t, "/assets/plain.css"); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestBuiltAssets(t *testing.T) {
	p := newPage(t)
	if !p.assets.Built {
		t.Skip("the page is not built: run npm ci && npm run build in api/simulator")
	}
	total := 0
	for _, name := range []string{p.assets.Style, p.assets.Script, p.assets.Font} {
		w := p.get(t, name, "Accept-Encoding", "gzip")
		if w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		total += w.Body.Len()
		if again := p.get(t, name, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", name, again.Code)
		}
	}
	for _, f := range p.assets.files {
		if f.contentType == "font/woff2" {
			total += len(f.body)
		}
	}
	total += p.get(t, "/?amount=5000", "Accept-Encoding", "gzip").Body.Len()
	if total > 150<<10 {
		t.Errorf("the first view takes %d bytes", total)
	}
	t.Logf("first view: %d bytes compressed", total)
}

func TestOpenData(t *testing.T) {
	p := newPage(t)
	w := p.get(t, pathFeeList)
	if w.Code != 200 || w.Header().Get("Gec-Revision") != "7" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	document, _, err := format.Read(format.FeeList, w.Body, format.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, b := range document.Bundles {
		ids = append(ids, b.PSP)
	}
	if diff := cmp.Diff([]string{"ALFA", "ALFA", "ALFA", "DELTA", "AMEX"}, ids); diff != "" {
		t.Error(diff)
	}
	if got := w.Header().Get("Gec-Bundles-Left-Out"); got != "10" {
		t.Errorf("%s bundles left out", got)
	}
	if again := p.get(t, pathFeeList, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("asked again: %d", again.Code)
	}
	closed := newPage(t, func(o *Options) { o.Export = nil })
	if w := closed.get(t, pathFeeList); w.Code != 404 {
		t.Errorf("without Export: %d", w.Code)
	}
	contains(t, closed.get(t, "/").Body.String(), pathFeeList, false)
}
