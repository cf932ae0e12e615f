package rpc_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/rpc"
)

// Every case is a file: the requests, and what the JSON form answers. The gRPC server must answer the
// same message. `go test ./api/rpc -update` rewrites the answers.
type caseFile struct {
	Description string          `json:"description"`
	Path        string          `json:"path"`
	Request     json.RawMessage `json:"request"`
	Status      int             `json:"status"`
	Answer      json.RawMessage `json:"answer"`
}

// TestCases holds the answers of both forms to those written down (Q1 to Q25 as the contract shows
// them, P6).
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	options := rpc.Options{Catalogue: newHistory(t), Now: fixedNow}
	handler := rpc.JSON(options)
	_, connection := dial(t, options)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			var c caseFile
			readJSON(t, file, &c)
			response := post(handler, rpc.JSONPrefix+c.Path, string(c.Request))
			if *update {
				c.Status, c.Answer = response.Code, response.Body.Bytes()
				writeJSON(t, file, c)
				return
			}
			if response.Code != c.Status {
				t.Errorf("status %d, want %d", response.Code, c.Status)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, c.Answer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String()+"\n", response.Body.String()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if c.Status == http.StatusOK {
				checkGRPC(t, gecv1.NewQuoteServiceClient(connection), c)
			} else {
				checkGRPCError(t, gecv1.NewQuoteServiceClient(connection), c)
			}
		})
	}
}

// call sends a case over gRPC; want is an empty answer of its kind.
func callGRPC(t *testing.T, client gecv1.QuoteServiceClient, c caseFile) (got, want proto.Message, err error) {
	t.Helper()
	if c.Path == "explain" {
		in := &gecv1.ExplainRequest{}
		if err := protojson.Unmarshal(c.Request, in); err != nil {
			t.Skip("the request has no binary form")
		}
		got, err = client.Explain(t.Context(), in)
		return got, &gecv1.ExplainResponse{}, err
	}
	in := &gecv1.QuoteRequest{}
	if err := protojson.Unmarshal(c.Request, in); err != nil {
		t.Skip("the request has no binary form")
	}
	got, err = client.Quote(t.Context(), in)
	return got, &gecv1.QuoteResponse{}, err
}

func checkGRPC(t *testing.T, client gecv1.QuoteServiceClient, c caseFile) {
	got, want, err := callGRPC(t, client, c)
	if err != nil {
		t.Fatalf("gRPC: %v", err)
	}
	if err := protojson.Unmarshal(c.Answer, want); err != nil {
		t.Fatalf("the answer is no message of the contract: %v", err)
	}
	if !proto.Equal(got, want) {
		t.Errorf("gRPC answers %v\nwant %v", got, want)
	}
}

func checkGRPCError(t *testing.T, client gecv1.QuoteServiceClient, c caseFile) {
	_, _, err := callGRPC(t, client, c)
	want := map[int]codes.Code{http.StatusBadRequest: codes.InvalidArgument, http.StatusNotFound: codes.NotFound}[c.Status]
	if status.Code(err) != want {
		t.Errorf("gRPC: %v, want %v", err, want)
	}
}

// post sends a body to a handler.
func post(handler http.Handler, path, body string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return response
}

func readJSON(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func writeJSON(t *testing.T, file string, value any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
