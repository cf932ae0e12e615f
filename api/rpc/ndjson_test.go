package rpc_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"gec/api/gecv1"
	"gec/api/rpc"
)

// batch sends lines in one body and returns the lines of the answer.
func batch(t *testing.T, handler http.Handler, body string) []string {
	t.Helper()
	response := post(handler, "/gec/v1/quotes:batch", body)
	if response.Code != http.StatusOK || response.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d %s", response.Code, response.Header().Get("Content-Type"))
	}
	text := response.Body.String()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("the answer ends within a line: %q", text)
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// TestLinesAnswerInOrder holds that every line has its answer, equal to that of a single request, and
// that a line that is wrong does not end the batch.
func TestLinesAnswerInOrder(t *testing.T) {
	handler := jsonHandler(t)
	line := func(id string) string { return jsonOf(t, &gecv1.QuoteRequest{Id: id, Payment: cardPayment()}) }
	single := func(id string) string {
		return strings.TrimSuffix(post(handler, "/gec/v1/quote", line(id)).Body.String(), "\n")
	}
	lines := []string{line("1"), "", line("2"), `{"id":"3","payment":{"notices":[{"amount_cents":0}]}}`, `{"id":`, "\t \r", line("4")}
	got := batch(t, handler, strings.Join(lines, "\r\n"))
	want := []string{
		single("1"), single("2"),
		`{"id":"3","error":{"code":3,"message":"payment.notices[0].amountCents: is 0; use cents above 0",` +
			`"violations":[{"field":"payment.notices[0].amountCents","description":"is 0; use cents above 0"}]}}`,
		`{"error":{"code":3,"message":"id: unexpected EOF; send one JSON object","violations":[{"field":"id","description":"unexpected EOF; send one JSON object"}]}}`,
		single("4"),
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d: %s\nwant %s", i+1, got[i], want[i])
		}
	}
	if got := batch(t, handler, ""); got[0] != "" {
		t.Errorf("an empty body: %q", got)
	}
}

// TestLineTooLong holds the bound of a line, which ends the batch after the lines before it.
func TestLineTooLong(t *testing.T) {
	handler := jsonHandler(t)
	fit := `{"id":"` + strings.Repeat("x", rpc.RequestBytesMax-9) + `"}`
	got := batch(t, handler, fit+"\n"+fit[:8]+"x"+fit[8:]+" \n{}\n")
	if len(got) != 2 || !strings.Contains(got[0], "longer than 128 characters") ||
		got[1] != `{"error":{"code":8,"message":"A line is longer than 65536 bytes: the batch ends here"}}` {
		t.Errorf("lines %.200q", got)
	}
}

// TestLinesAreAnsweredAtOnce holds, over a real connection, that an answer comes before the next line
// is sent, and that one connection serves other requests afterwards.
func TestLinesAreAnsweredAtOnce(t *testing.T) {
	server := httptest.NewServer(jsonHandler(t))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	for range 2 {
		body, lines := io.Pipe()
		defer func() { _ = lines.Close() }()
		response, err := client.Post(server.URL+"/gec/v1/quotes:batch", "application/x-ndjson", body)
		if err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(response.Body)
		for i := range 100 {
			if _, err := fmt.Fprintln(lines, jsonOf(t, &gecv1.QuoteRequest{Id: fmt.Sprint(i), Payment: cardPayment()})); err != nil {
				t.Fatal(err)
			}
			line, err := answers.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var got gecv1.QuoteResponse
			if err := protojson.Unmarshal(line, &got); err != nil || got.GetId() != fmt.Sprint(i) || len(got.GetQuotes()) != 4 {
				t.Fatalf("answer %d: %v %s", i, err, line)
			}
		}
		if err := lines.Close(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
			t.Errorf("after the last answer: %q %v", rest, err)
		}
		_ = response.Body.Close()
	}
}

// TestLinesPanic holds that a batch that broke inside does not look complete.
func TestLinesPanic(t *testing.T) {
	handler := rpc.JSON(rpc.Options{Catalogue: panicking{newHistory(t)}})
	server := httptest.NewServer(handler)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	response, err := client.Post(server.URL+"/gec/v1/quotes:batch", "application/x-ndjson",
		strings.NewReader(`{"payment":{"notices":[{"amountCents":1}]},"revision":1}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if rest, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("the answer looks complete: %q", rest)
	}
}
