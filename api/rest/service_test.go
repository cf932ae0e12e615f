package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gec/engine"
)

// call sends a request to a handler in process.
func call(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problemOf reads an answer that must be a problem.
func problemOf(t *testing.T, w *httptest.ResponseRecorder) (title, detail string) {
	t.Helper()
	var p struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code {
		t.Fatalf("no problem: %d %v %s", w.Code, w.Header(), w.Body)
	}
	return p.Title, p.Detail
}

func TestEveryFormOfThePaths(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	v1, v2 := fmt.Sprintf(plainV1, ""), fmt.Sprintf(plainV2, "")
	for _, c := range []struct {
		path, body, member string
		rows               int
	}{
		{"/fees", v1, "idCiBundle", 4},
		{"/fees/", v1, "idCiBundle", 4},
		{"/fees//?maxOccurrences=2", v1, "idCiBundle", 2},
		{"/afm/calculator-service/v1/fees", v1, "idCiBundle", 4},
		{"/afm/node/calculator-service/v1/fees", v1, "idCiBundle", 4},
		{"/psps/P2/fees", v1, "idCiBundle", 2},
		{"/psps/p2/fees/", v1, "idCiBundle", 2},
		{"/psps/%502/fees", v1, "idCiBundle", 2},
		{"/psps/P%2F2/fees", v1, "idCiBundle", 0},
		{"/psps/P%202/fees?allCcp=false", v1, "idCiBundle", 0},
		{"/afm/calculator-service/v1/psps/P2/fees", v1, "idCiBundle", 2},
		{"/afm/node/calculator-service/v1/psps/P2/fees", v1, "idCiBundle", 2},
		{"/fees/multi", v2, "idsCiBundle", 3},
		{"/fees/multi/", v2, "idsCiBundle", 3},
		{"/psps/P2/fees/multi", v2, "idsCiBundle", 1},
		{"/afm/calculator-service/v1/fees/multi", v2, "idsCiBundle", 3},
		{"/afm/node/calculator-service/v1/psps/P2/fees/multi", v2, "idsCiBundle", 1},
		{"/afm/calculator-service/v2/fees", v2, "idsCiBundle", 3},
		{"/afm/node/calculator-service/v2/fees", v2, "idsCiBundle", 3},
		{"/afm/calculator-service/v2/fees/multi", v2, "idsCiBundle", 3},
		{"/afm/calculator-service/v2/psps/P2/fees", v2, "idsCiBundle", 1},
		{"/afm/node/calculator-service/v2/psps/P2/fees/multi", v2, "idsCiBundle", 1},
		{"/afm/node/calculator-service/v2/psps/P2/fees?maxOccurrences=1&subscription-key=k", v2, "idsCiBundle", 1},
	} {
		w := call(a, "POST", c.path, c.body)
		var answer struct{ BundleOptions []map[string]any }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || len(answer.BundleOptions) != c.rows {
			t.Errorf("%s: %d with %d rows: %s", c.path, w.Code, len(answer.BundleOptions), w.Body)
			continue
		}
		for _, row := range answer.BundleOptions {
			if _, ok := row[c.member]; !ok {
				t.Errorf("%s is the other contract: %v", c.path, row)
			}
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	for _, path := range []string{
		"/fee", "/fees/multi/x", "/psps/P2", "/psps//fees", "/psps/a/b/fees", "/psps/P2/fees/other", "/v1/fees", "/v2/fees", "/FEES",
		"/afm/calculator-service/v3/fees", "/afm/calculator-service/fees", "/afm/fees", "/info/x", "/actuator", "/openapi/none.yaml", "/openapi/..%2Fapi.go",
		"/configuration/bundles/add", "/configuration/cache/refresh", "//fees", "/%66ees",
	} {
		if title, _ := problemOf(t, call(a, "POST", path, "")); title != "NOT FOUND" && title != "METHOD NOT ALLOWED" {
			t.Errorf("%s: %s", path, title)
		}
		if title, _ := problemOf(t, call(a, "GET", path, "")); title != "NOT FOUND" {
			t.Errorf("GET %s: %s", path, title)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/fees", "POST"}, {"PUT", "/psps/P/fees/multi", "POST"}, {"DELETE", "/afm/calculator-service/v2/fees", "POST"}, {"OPTIONS", "/fees", "POST"},
		{"POST", "/info", "GET, HEAD"}, {"POST", "/actuator/health/readiness", "GET, HEAD"}, {"PATCH", "/openapi/calculator-v1.yaml", "GET, HEAD"},
	} {
		w := call(a, c.method, c.path, "")
		if title, _ := problemOf(t, w); w.Code != 405 || title != "METHOD NOT ALLOWED" || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestInformationAndHealth(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	for _, prefix := range []string{"", "/afm/calculator-service/v1", "/afm/node/calculator-service/v1", "/afm/calculator-service/v2", "/afm/node/calculator-service/v2"} {
		for path, want := range map[string]string{
			"/info":                      `200 {"name":"gec","version":"1.2.3","environment":"test"}`,
			"/actuator/health":           `503 {"status":"DOWN"}`,
			"/actuator/health/liveness":  `200 {"status":"UP"}`,
			"/actuator/health/readiness": `503 {"status":"DOWN"}`,
		} {
			w := call(a, "GET", prefix+path, "")
			if got := fmt.Sprint(w.Code, " ", w.Body); got != want || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s%s: %s", prefix, path, got)
			}
			if head := call(a, "HEAD", prefix+path+"/", ""); head.Code != w.Code {
				t.Errorf("HEAD %s%s: %d", prefix, path, head.Code)
			}
		}
	}
}

func TestDocumentsAreServed(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	var list struct{ Documents []string }
	if err := json.Unmarshal(call(a, "GET", "/openapi/", "").Body.Bytes(), &list); err != nil || len(list.Documents) < len(ourDocuments) {
		t.Fatalf("%v, %v", list, err)
	}
	for _, path := range list.Documents {
		w := call(a, "GET", path, "")
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "openapi: 3.1.") || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/yaml") {
			t.Errorf("%s: %d, %v, %.40s", path, w.Code, w.Header(), w.Body)
		}
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	w := call(a, "POST", "/fees/multi", fmt.Sprintf(plainV2, ""), "X-Request-Id", "my-own ~id!")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Catalogue-Revision": "7", "X-Content-Type-Options": "nosniff",
		"X-Request-Id": "my-own ~id!", "Content-Length": fmt.Sprint(w.Body.Len()),
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	seed := w.Header().Get("X-Quote-Seed")
	if again := call(a, "POST", "/fees/multi", fmt.Sprintf(plainV2, "")).Header().Get("X-Quote-Seed"); seed == "" || seed != again {
		t.Errorf("the seeds of one payment are %q and %q", seed, again)
	}
	if other := call(a, "POST", "/fees/multi", fmt.Sprintf(plainV2, ""), "X-Iuv", "01").Header().Get("X-Quote-Seed"); seed == other {
		t.Error("the IUV does not take part in the seed (Q22)")
	}
}

func TestRequestIDs(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, id := range []string{"", "", "perché", "tab\there", "new\nline", strings.Repeat("x", 129)} {
		for _, target := range []string{"/fees", "/nowhere", "/info"} {
			got := call(a, "POST", target, "", "X-Request-Id", id).Header().Get("X-Request-Id")
			if !uuid.MatchString(got) || seen[got] {
				t.Errorf("%q became %q", id, got)
			}
			seen[got] = true
		}
	}
	for _, id := range []string{"x", strings.Repeat("x", 128), "a b"} {
		for _, target := range []string{"/fees", "/nowhere", "/info"} {
			if got := call(a, "POST", target, "", "X-Request-Id", id).Header().Get("X-Request-Id"); got != id {
				t.Errorf("%q became %q", id, got)
			}
		}
	}
}

func TestErrorsOfCalls(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	v1, v2 := fmt.Sprintf(plainV1, `,"touchpoint":"MA'RS"`), fmt.Sprintf(plainV2, `,"paymentMethod":"NO\"PE"`)
	for _, c := range []struct {
		name, path, body string
		headers          []string
		status           int
		title, detail    string
	}{
		{"Q2 touchpoint", "/fees", v1, nil, 404, "Touchpoint not found", "Cannot find touchpoint with name: 'MA'RS'"},
		{"Q3 payment type", "/fees/multi", v2, nil, 404, "PaymentType not found", `Cannot find payment type with name: 'NO"PE'`},
		{"Q23 limit", "/fees?maxOccurrences=0", v1, nil, 400, "BAD REQUEST", "Invalid value 0 for property maxOccurrences"},
		{"Q23 limit in a header", "/fees", v1, []string{"maxOccurrences", "many"}, 400, "BAD REQUEST", "Invalid value many for property maxOccurrences"},
		{"empty body", "/fees", "", nil, 400, "BAD REQUEST", "Invalid input format"},
		{"sum too large", "/fees/multi", `{"paymentNotice":[{"paymentAmount":9223372036854775807,` + goodEC + "," + goodTransfer + `},{` + goodNotice + `}]}`, nil, 400, "BAD REQUEST", "paymentNotice[1].paymentAmount: makes the sum of the notices exceed what can be paid at once"},
		{"multipart", "/fees", v1, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "UNSUPPORTED MEDIA TYPE", "The body is said to be multipart/form-data; boundary=x: send application/json"},
		{"XML", "/fees", v1, []string{"Content-Type", "application/xml"}, 415, "UNSUPPORTED MEDIA TYPE", "The body is said to be application/xml: send application/json"},
		{"gzip", "/fees", v1, []string{"Content-Encoding", "gzip"}, 415, "UNSUPPORTED MEDIA TYPE", "The body is encoded as gzip: send it plain"},
		{"large", "/fees", strings.Repeat(" ", BodyBytesMax+1), nil, 413, "REQUEST ENTITY TOO LARGE", "The body is larger than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := call(a, "POST", c.path, c.body, c.headers...)
			title, detail := problemOf(t, w)
			if w.Code != c.status || title != c.title || detail != c.detail {
				t.Errorf("%d %s: %s", w.Code, title, detail)
			}
			if w.Header().Get("X-Catalogue-Revision") != "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", w.Header())
			}
		})
	}
}

func TestContentTypesThatAreTaken(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	for _, contentType := range []string{"", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.pagopa+json", "text/json", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"} {
		w := call(a, "POST", "/fees", fmt.Sprintf(plainV1, ""), "Content-Type", contentType, "Content-Encoding", "identity")
		if w.Code != 200 {
			t.Errorf("%q: %d %s", contentType, w.Code, w.Body)
		}
	}
	if w := call(a, "POST", "/fees", fmt.Sprintf(plainV1, "")+strings.Repeat(" ", BodyBytesMax-len(plainV1)+2)); w.Code != 200 {
		t.Errorf("a body of 64 KiB: %d %s", w.Code, w.Body)
	}
}

// endless is a body that never ends, of a length that nobody says.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBodiesThatDoNotEnd(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	body := &endless{}
	r := httptest.NewRequest("POST", "/fees", body)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != 413 || body.read > 4*BodyBytesMax || w.Header().Get("Connection") != "close" {
		t.Errorf("%d after %d bytes: %v", w.Code, body.read, w.Header())
	}
	for err, status := range map[error]int{io.ErrUnexpectedEOF: 400, os.ErrDeadlineExceeded: 408, errors.New("reset"): 400} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("POST", "/fees", failing{err}))
		if w.Code != status {
			t.Errorf("%v: %d", err, w.Code)
		}
	}
}

func TestWithoutACatalogue(t *testing.T) {
	a, err := New(Options{Name: "gec", TestEndpoints: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/fees", "/psps/P/fees/multi", "/configuration/touchpoint/add", "/configuration/bundles/delete"} {
		w := call(a, "POST", path, fmt.Sprintf(plainV1, ""))
		if title, _ := problemOf(t, w); w.Code != 503 || title != "SERVICE UNAVAILABLE" || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	handler := http.NotFoundHandler()
	for name, o := range map[string]Options{
		"no name": {}, "bytes": {Name: "x", BodyBytesMax: -1}, "mount without a slash": {Name: "x", Mounts: map[string]http.Handler{"/gec": handler}},
		"relative mount": {Name: "x", Mounts: map[string]http.Handler{"gec/": handler}}, "no handler": {Name: "x", Mounts: map[string]http.Handler{"/gec/": nil}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestMounts(t *testing.T) {
	echo := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := http.NewResponseController(w).Flush() // through the recorder of the status
			fmt.Fprintf(w, "%s %s %s %v", name, r.URL.Path, r.Header.Get("X-Request-Id"), err)
		})
	}
	a := serviceOf(t, smallWorld(t), func(o *Options) {
		o.Mounts = map[string]http.Handler{"/gec/v1/": echo("native"), "/": echo("page"), "/gec/v1/deep/": echo("deep")}
	})
	for path, want := range map[string]string{
		"/": "page /", "/index.html": "page /index.html", "/gec/v1/quotes": "native /gec/v1/quotes", "/gec/v1": "native /gec/v1", "/gec/v1/deep/x": "deep /gec/v1/deep/x", "/gec/v2/": "page /gec/v2/",
	} {
		w := call(a, "POST", path, "", "X-Request-Id", "id")
		if w.Body.String() != want+" id <nil>" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	made := call(a, "GET", "/index.html", "")
	if id := made.Header().Get("X-Request-Id"); id == "" || made.Body.String() != "page /index.html "+id+" <nil>" {
		t.Errorf("the request id %q is not handed on: %s", id, made.Body)
	}
	if w := call(a, "GET", "/info", ""); !strings.Contains(w.Body.String(), `"gec"`) {
		t.Errorf("a mount hides the service's own path: %s", w.Body)
	}
}

func TestPanicsAreContained(t *testing.T) {
	var log bytes.Buffer
	a := serviceOf(t, smallWorld(t), func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		o.Mounts = map[string]http.Handler{
			"/before/": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }),
			"/after/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(200)
				panic("secret")
			}),
		}
	})
	healthy := a.calculator
	a.calculator = NewCalculator(func() *engine.Snapshot { panic("secret") }, at(noon))
	for _, path := range []string{"/fees", "/before/x"} {
		log.Reset()
		w := call(a, "POST", path, "the body", "X-Request-Id", "the-id")
		title, detail := problemOf(t, w)
		if w.Code != 500 || title != "INTERNAL SERVER ERROR" || strings.Contains(w.Body.String(), "secret") || strings.Contains(detail, "goroutine") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		var p struct{ Instance string }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || !strings.Contains(log.String(), p.Instance) || !strings.Contains(log.String(), "the-id") || !strings.Contains(log.String(), "secret") {
			t.Errorf("%s: the log lacks the cause or the instance %q: %s", path, p.Instance, log.String())
		}
		if strings.Contains(log.String(), "the body") {
			t.Errorf("%s: the log has the body", path)
		}
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("a panic after the head of the answer does not end the connection")
			}
		}()
		call(a, "GET", "/after/x", "")
	}()
	a.calculator = healthy
	if w := call(a, "POST", "/fees", fmt.Sprintf(plainV1, "")); w.Code != 200 {
		t.Errorf("after the panics: %d %s", w.Code, w.Body)
	}
}

func TestOneLinePerRequest(t *testing.T) {
	var log bytes.Buffer
	level := &slog.LevelVar{}
	a := serviceOf(t, smallWorld(t), func(o *Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: level}))
		o.RequestLevel = slog.LevelDebug
		o.Mounts = map[string]http.Handler{"/m/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) })}
	})
	if call(a, "POST", "/fees", fmt.Sprintf(plainV1, "")); log.Len() > 0 {
		t.Errorf("logged below its level: %s", &log)
	}
	level.Set(slog.LevelDebug)
	for _, c := range []struct {
		method, target, operation string
		status, rows              int
	}{
		{"POST", "/fees?subscription-key=secret&maxOccurrences=2", "getFees", 200, 2},
		{"POST", "/nowhere", "", 404, 0},
		{"GET", "/info", "info", 200, 0},
		{"GET", "/m/x", "mounted", 418, 0},
	} {
		log.Reset()
		call(a, c.method, c.target, fmt.Sprintf(plainV1, ""), "X-Request-Id", "r-1", "Ocp-Apim-Subscription-Key", "secret")
		var line struct {
			Operation string
			RequestID string `json:"request_id"`
			Status    int
			Rows      int
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Operation != c.operation || line.Status != c.status || line.Rows != c.rows || line.RequestID != "r-1" {
			t.Errorf("%s: %v: %s", c.target, err, &log)
		}
		if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "77777777777") {
			t.Errorf("%s: the line tells too much: %s", c.target, &log)
		}
	}
}

// TestManyClients sends requests of every kind at once over real connections.
func TestManyClients(t *testing.T) {
	server := httptest.NewUnstartedServer(serviceOf(t, smallWorld(t), nil))
	server.Config = Server("", server.Config.Handler, nil)
	server.Start()
	defer server.Close()
	v2 := fmt.Sprintf(plainV2, "")
	want := call(server.Config.Handler, "POST", "/fees/multi?orderBy=fee", v2).Body.String()
	var wait sync.WaitGroup
	for client := range 8 {
		wait.Go(func() {
			for i := range 50 {
				id := fmt.Sprintf("%d-%d", client, i)
				body, target, status := v2, "/fees/multi?orderBy=fee", 200
				if i%5 == 4 {
					body, target, status = "{", "/psps/"+id+"/fees", 400
				}
				r, err := http.NewRequest("POST", server.URL+target, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("X-Request-Id", id)
				answer, err := server.Client().Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if err != nil || answer.StatusCode != status || answer.Header.Get("X-Request-Id") != id || status == 200 && string(got) != want {
					t.Errorf("%s: %d %v %s %v", id, answer.StatusCode, answer.Header, got, err)
				}
			}
		})
	}
	wait.Wait()
}

// quiet is a ResponseWriter that keeps nothing, so that what the service allocates can be told from what a
// recorder does.
type quiet struct{ header http.Header }

func (q *quiet) Header() http.Header         { return q.header }
func (q *quiet) Write(p []byte) (int, error) { return len(p), nil }
func (q *quiet) WriteHeader(int)             {}

// TestServingAllocatesTwice: the values of the headers, which net/http may read after the handler is done.
func TestServingAllocatesTwice(t *testing.T) {
	if !countable || testing.CoverMode() != "" {
		t.Skip("allocations cannot be counted in this build")
	}
	a, w := serviceOf(t, many(t, 513), nil), &quiet{header: http.Header{}}
	body := strings.NewReader("")
	r := httptest.NewRequest("POST", "/afm/calculator-service/v2/fees?maxOccurrences=10", io.NopCloser(body))
	r.Header.Set("X-Request-Id", "the-id")
	r.ContentLength = int64(len(request400))
	if allocations := testing.AllocsPerRun(200, func() {
		body.Reset(request400)
		a.ServeHTTP(w, r)
	}); allocations > 2 {
		t.Errorf("%v allocations", allocations)
	}
	if w.header.Get("X-Catalogue-Revision") != "7" {
		t.Errorf("%v", w.header)
	}
}

func BenchmarkServe(b *testing.B) {
	a, w := serviceOf(b, many(b, 513), nil), &quiet{header: http.Header{}}
	body := strings.NewReader("")
	r := httptest.NewRequest("POST", "/afm/calculator-service/v2/fees?maxOccurrences=10", io.NopCloser(body))
	r.ContentLength = int64(len(request400))
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(request400)
		a.ServeHTTP(w, r)
	}
}
