package rpc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/api/rpc"
)

func jsonHandler(t testing.TB) http.Handler {
	t.Helper()
	return rpc.JSON(rpc.Options{Catalogue: newHistory(t), Now: fixedNow})
}

// jsonProblem is problem+json as a client reads it.
type jsonProblem struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	Errors   []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
	} `json:"errors"`
}

// TestHostileJSON holds that nothing but one strict document is read, and that the answer says where
// it is wrong (spec 7, hostile files).
func TestHostileJSON(t *testing.T) {
	handler := jsonHandler(t)
	deep := strings.Repeat("[", 60_000)
	for _, c := range []struct {
		name, body string
		status     int
		field      string // of the first error
		message    string // contained in the first error's message, or in the detail without errors
	}{
		{"nothing", "", 400, "", "the body is empty; send one JSON object"},
		{"spaces", " \n\t", 400, "", "the body is empty"},
		{"null", "null", 400, "", "unexpected token null; send one JSON object"},
		{"list", "[]", 400, "", "unexpected token [; send one JSON object"},
		{"text", `"x"`, 400, "", "unexpected token"},
		{"number", "1e999999999", 400, "", "unexpected token"},
		{"half a document", `{"payment":{"notices":[{"amountCents":1`, 400, "payment.notices[0]", "unexpected EOF; send one JSON object"},
		{"two documents", `{"id":"a"}{"id":"b"}`, 400, "", "unexpected token {; send one JSON object"},
		{"text after the document", `{"id":"a"} x`, 400, "", "invalid value x"},
		{"field given twice", `{"id":"a","id":"b"}`, 400, "id", `duplicate field "id"; send it once`},
		{"field given under both names", `{"payment":{"notices":[{"amountCents":1,"amount_cents":2}]}}`, 400, "payment.notices[0].amount_cents", "duplicate field"},
		{"other case", `{"Payment":{}}`, 400, "Payment", "is no field of the message; use payment"},
		{"unknown field", `{"payment":{"fee":1}}`, 400, "payment.fee", "use allCcp, bin, notices, paymentType, psps, reference, touchpoint"},
		{"unknown field with a bomb", `{"x":` + deep + `}`, 400, "x", "is no field"},
		{"prototype", `{"__proto__":{}}`, 400, "__proto__", "is no field"},
		{"byte order mark", "\ufeff{}", 400, "", "the body begins with a byte order mark; send UTF-8 without one"},
		{"UTF-16", "{\x00\"\x00i\x00d\x00", 400, "", "invalid value"},
		{"no UTF-8 in a text", "{\"id\":\"\xff\"}", 400, "id", "invalid UTF-8 in string; send UTF-8"},
		{"no UTF-8 in a name", "{\"\xff\":1}", 400, "\ufffd", "invalid UTF-8"},
		{"half a surrogate", `{"id":"\ud800"}`, 400, "", "a text of the body ends in half a character; send both halves of a surrogate pair"},
		{"trailing comma", `{"id":"a",}`, 400, "", "unexpected token }"},
		{"comment", `{/**/}`, 400, "", "invalid value"},
		{"single quotes", `{'id':1}`, 400, "", "invalid value"},
		{"nested lists", deep, 400, "", "unexpected token ["},
		{"nested objects", strings.Repeat(`{"payment":`, 5_000), 400, "payment.payment", "is no field"},
		{"list for an object", `{"payment":[]}`, 400, "payment", "unexpected token [; send an object"},
		{"object for a list", `{"payment":{"notices":{}}}`, 400, "payment.notices", "unexpected token {; send a list"},
		{"null in a list", `{"payment":{"notices":[null]}}`, 400, "payment.notices[0]", "unexpected token null; send an object"},
		{"fraction of a cent", `{"payment":{"notices":[{"amountCents":1.5}]}}`, 400, "payment.notices[0].amountCents", "1.5; send a whole number, at most 9223372036854775807"},
		{"not a number", `{"payment":{"notices":[{"amountCents":NaN}]}}`, 400, "payment.notices[0].amountCents", "invalid value NaN"},
		{"beyond int64", `{"payment":{"notices":[{"amountCents":9223372036854775808}]}}`, 400, "payment.notices[0].amountCents", "invalid value for int64"},
		{"beyond int64 by far", `{"payment":{"notices":[{"amountCents":1e400}]}}`, 400, "payment.notices[0].amountCents", "invalid value for int64"},
		{"hexadecimal", `{"payment":{"notices":[{"amountCents":0x10}]}}`, 400, "payment.notices[0].amountCents", "invalid value 0x10"},
		{"text for a short number", `{"maxOccurrences":"ten"}`, 400, "maxOccurrences", `"ten"; send a whole number, at most 2147483647`},
		{"text for a flag", `{"payment":{"allCcp":"true"}}`, 400, "payment.allCcp", `"true"; send true or false`},
		{"number for a text", `{"id":7}`, 400, "id", "7; send a text"},
		{"unknown order", `{"order":"FEE"}`, 400, "order", `"FEE"; use one of ORDER_UNSPECIFIED, ORDER_RANDOM, ORDER_FEE, ORDER_PSP_NAME, ORDER_FEE_RANDOM`},
		{"negative seed", `{"seed":-1}`, 400, "seed", "-1; send a whole number from 0 to 18446744073709551615"},
		{"no instant", `{"at":"yesterday"}`, 400, "at", `value "yesterday"; send an instant as 2026-11-21T10:30:00Z`},
		{"year 10000", `{"at":"10000-01-01T00:00:00Z"}`, 400, "at", "invalid google.protobuf.Timestamp"},
		{"second line", "{\n \"id\":\"è\", \"è\":1}", 400, "è", "is no field"},
		{"NUL in a name", `{"payment":{"touchpoint":"\u0000","notices":[{"amountCents":1}]}}`, 404, "", "Cannot find touchpoint"},
		{"too large", `{"id":"` + strings.Repeat("x", rpc.RequestBytesMax) + `"}`, 413, "", "larger than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			response := post(handler, "/gec/v1/quote", c.body)
			got := readProblem(t, response)
			if response.Code != c.status || got.Status != c.status {
				t.Fatalf("status %d, %+v", response.Code, got)
			}
			field, message := "", got.Detail
			if len(got.Errors) > 0 {
				field, message = got.Errors[0].Field, got.Errors[0].Message
			}
			if field != c.field || !strings.Contains(message, c.message) {
				t.Errorf("field %q: %q\nwant  %q: …%q…", field, message, c.field, c.message)
			}
			if len(message) > 600 {
				t.Errorf("a message of %d bytes", len(message))
			}
		})
	}
}

// readProblem checks that an answer is a well-formed problem and returns it.
func readProblem(t *testing.T, response *httptest.ResponseRecorder) jsonProblem {
	t.Helper()
	if got := response.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var p jsonProblem
	if err := json.Unmarshal(response.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, response.Body)
	}
	return p
}

// TestJSONFaultPlace holds line and column, which count characters.
func TestJSONFaultPlace(t *testing.T) {
	got := readProblem(t, post(jsonHandler(t), "/gec/v1/quote", "{\n \"id\":\"è\", \"è\":1}"))
	if len(got.Errors) != 1 || got.Errors[0].Line != 2 || got.Errors[0].Column != 12 {
		t.Errorf("errors %+v", got.Errors)
	}
}

// TestTooLargeWithoutLength holds the bound on a body that does not state its length.
func TestTooLargeWithoutLength(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"id":"`), endlessReader{})
	response := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/gec/v1/explain", endless)
	request.ContentLength = -1
	jsonHandler(t).ServeHTTP(response, request)
	if response.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", response.Code)
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) { return copy(p, strings.Repeat("x", 4096)), nil }

// TestBodyCutShort holds the answer to a body that breaks off.
func TestBodyCutShort(t *testing.T) {
	response := httptest.NewRecorder()
	broken := io.MultiReader(strings.NewReader(`{"id":`), failingReader{errors.New("connection reset")})
	jsonHandler(t).ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/gec/v1/quote", broken))
	if got := readProblem(t, response); response.Code != 400 || strings.Contains(response.Body.String(), "reset") {
		t.Errorf("%d %+v", response.Code, got)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// TestJSONRoutes holds paths and methods.
func TestJSONRoutes(t *testing.T) {
	handler := jsonHandler(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodGet, "/gec/v1/quote", 405, "POST"},
		{http.MethodPost, "/gec/v1/catalogue", 405, "GET"},
		{http.MethodHead, "/gec/v1/catalogue", 200, ""},
		{http.MethodPost, "/gec/v1/quote/", 404, ""},
		{http.MethodPost, "/gec/v1/quotes", 404, ""},
		{http.MethodGet, "/gec/v1/", 404, ""},
		{http.MethodPost, "/gec/v1/../v1/quote", 404, ""},
	} {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequest(c.method, c.path, nil))
		if response.Code != c.status || response.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, response.Code, response.Header().Get("Allow"))
		}
	}
}

// TestJSONHeaders holds the headers of an answer (P6).
func TestJSONHeaders(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "/gec/v1/quote", strings.NewReader(`{"payment":{"notices":[{"amountCents":"1"}]},"revision":1}`))
	request.Header.Set("X-Request-Id", "header-1")
	response := httptest.NewRecorder()
	jsonHandler(t).ServeHTTP(response, request)
	for name, want := range map[string]string{
		"X-Request-Id": "header-1", "X-Catalogue-Revision": "1", "Content-Type": "application/json",
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := response.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	request.Header.Set("X-Request-Id", "forged\r\nSet-Cookie: x")
	response = httptest.NewRecorder()
	jsonHandler(t).ServeHTTP(response, request)
	if got := response.Header().Get("X-Request-Id"); len(got) != 36 {
		t.Errorf("an id with a line break came back as %q", got)
	}
}

// TestJSONStatus holds the status of the catalogue.
func TestJSONStatus(t *testing.T) {
	response := httptest.NewRecorder()
	jsonHandler(t).ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/gec/v1/catalogue", nil))
	want := `{"revision":"2","revisionAt":"2026-11-10T09:00:00Z","bundles":9,"unusableBundles":0,` +
		`"touchpoints":["CHECKOUT","IO"],"paymentTypes":["CP","PPAL"]}` + "\n"
	if diff := cmp.Diff(want, response.Body.String()); diff != "" || response.Header().Get("X-Catalogue-Revision") != "2" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestJSONInternalErrorsAreNotShown holds errors of the store and panics to the instance.
func TestJSONInternalErrorsAreNotShown(t *testing.T) {
	for name, h := range map[string]rpc.Catalogue{"error": failing(t), "panic": panicking{newHistory(t)}} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			handler := rpc.JSON(rpc.Options{Catalogue: h, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			response := httptest.NewRecorder()
			body := strings.NewReader(`{"payment":{"notices":[{"amountCents":1}]},"revision":1}`)
			handler.ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/gec/v1/quote", body))
			got := readProblem(t, response)
			if response.Code != 500 || got.Instance == "" || strings.Contains(response.Body.String(), "secret") {
				t.Errorf("%d %+v", response.Code, got)
			}
			if !strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), got.Instance) {
				t.Errorf("log %s", &log)
			}
		})
	}
}
