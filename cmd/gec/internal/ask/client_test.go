package ask

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gec/api/gecv1"
	"gec/api/problem"
)

// serve answers every call with a status and a body and returns what the Client made of it.
func serve(t *testing.T, status int, body string) (*gecv1.QuoteResponse, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/gec/v1/quote" || r.Method != http.MethodPost || !strings.Contains(string(asked), `"amountCents"`) {
			t.Errorf("%s %s %q, %v", r.Method, r.URL.Path, asked, err)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	defer server.Close()
	remote, err := NewRemote(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return remote.Quote(t.Context(), plain(nil))
}

func TestClientReadsAnswersOfNewerServers(t *testing.T) {
	got, err := serve(t, http.StatusOK, `{"revision":"7","seed":"9","quotes":[{"bundleId":"B","netCents":"28","new":1}],"newer":true}`)
	if err != nil || got.GetRevision() != 7 || got.GetSeed() != 9 || got.GetQuotes()[0].GetNetCents() != 28 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestClientErrors(t *testing.T) {
	for _, test := range []struct {
		status     int
		body, want string
	}{
		{404, `{"title":"Touchpoint not found","status":404,"detail":"Cannot find touchpoint with name: 'x'"}`,
			"Touchpoint not found: Cannot find touchpoint with name: 'x'"},
		{400, `{"title":"BAD REQUEST","detail":"Invalid input format","hint":"offset 3"}`, "BAD REQUEST: Invalid input format: offset 3"},
		{500, `{"title":"INTERNAL SERVER ERROR","detail":"x","instance":"urn:uuid:1"}`, "INTERNAL SERVER ERROR: x (urn:uuid:1 in the server's log)"},
		{502, `<html>`, "the server answers 502 Bad Gateway"},
		{200, `<html>`, "does not answer as gec does"},
	} {
		_, err := serve(t, test.status, test.body)
		if err == nil || !strings.Contains(Describe(err).Error(), test.want) {
			t.Errorf("%d %s: %v, want %q", test.status, test.body, err, test.want)
		}
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	remote, err := NewRemote(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Quote(t.Context(), plain(nil)); err == nil || !strings.Contains(err.Error(), "start one with gec serve") {
		t.Error(err)
	}
	for _, address := range []string{"", "127.0.0.1:8080", "ftp://x", "http://"} {
		if _, err := NewRemote(address); err == nil {
			t.Errorf("%q is taken as a server", address)
		}
	}
}

func TestLocalClientAsksTheHandler(t *testing.T) {
	client := NewLocal(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/gec/v1/quote" {
			w.WriteHeader(http.StatusNotFound)
		}
		io.WriteString(w, `{"revision":"3"}`)
		w.WriteHeader(http.StatusTeapot) // too late, as on a socket
	}))
	if got, err := client.Quote(t.Context(), plain(nil)); err != nil || got.GetRevision() != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := client.Explain(t.Context(), &gecv1.ExplainRequest{}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
}

func TestDescribeShowsTheCauseKnownHere(t *testing.T) {
	cause := errors.New("disk on fire")
	if got := Describe(&problem.Problem{Title: "INTERNAL SERVER ERROR", Instance: "urn:uuid:1", Cause: cause}); !errors.Is(got, cause) {
		t.Error(got)
	}
}
