package rpc_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"gec/api/gecv1"
	"gec/api/rpc"
)

// FuzzJSONQuote holds, for any body: an answer is a message of the contract that reads back and says
// the same again, everything else a problem with its status; nothing is an internal error.
func FuzzJSONQuote(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		var c caseFile
		readJSON(f, file, &c)
		f.Add([]byte(c.Request))
	}
	for _, body := range []string{"", "{", `{"id":"a"}{}`, "{\"id\":\"\xff\"}", `{"payment":{"notices":[{"amountCents":1e2}]}}`, "{\n\"è\":[{\"x\":1}]}"} {
		f.Add([]byte(body))
	}
	handler := jsonHandler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		response := post(handler, "/gec/v1/quote", string(body))
		again := post(handler, "/gec/v1/quote", string(body))
		if response.Code != again.Code || !bytes.Equal(response.Body.Bytes(), again.Body.Bytes()) {
			t.Fatalf("two answers:\n%s\n%s", response.Body, again.Body)
		}
		if response.Code == http.StatusOK {
			var answer gecv1.QuoteResponse
			if err := protojson.Unmarshal(response.Body.Bytes(), &answer); err != nil {
				t.Fatalf("%v: %s", err, response.Body)
			}
			checkStrict(t, body)
			return
		}
		if p := readProblem(t, response); p.Status != response.Code || response.Code >= 500 {
			t.Fatalf("%d %s", response.Code, response.Body)
		}
	})
}

// checkStrict holds what was accepted to an independent reader of JSON: one document, valid UTF-8, no
// key twice in one object.
func checkStrict(t *testing.T, body []byte) {
	t.Helper()
	if !json.Valid(body) {
		t.Fatalf("accepted, but no JSON: %q", body)
	}
	type object struct {
		array    bool
		wantKey  bool
		seenKeys map[string]bool
	}
	var open []*object
	tokens := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.Token()
		if err != nil {
			return
		}
		var top *object
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		if key, ok := token.(string); ok && top != nil && top.wantKey {
			if top.seenKeys[key] {
				t.Fatalf("accepted with %q twice: %q", key, body)
			}
			top.seenKeys[key], top.wantKey = true, false
			continue
		}
		if top != nil && token != json.Delim('}') && token != json.Delim(']') {
			top.wantKey = !top.array
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &object{wantKey: true, seenKeys: map[string]bool{}})
		case json.Delim('['):
			open = append(open, &object{array: true})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}

// FuzzJSONBatch holds, for any body: an answer or an error for every line that is not blank, in order,
// each of one line.
func FuzzJSONBatch(f *testing.F) {
	f.Add([]byte("{}\n\n{\"id\":\"2\"}\r\n{"))
	f.Add([]byte(`{"id":"1","payment":{"notices":[{"amountCents":1}]}}`))
	handler := jsonHandler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > rpc.RequestBytesMax {
			t.Skip("a line may be too long: see TestLineTooLong")
		}
		lines := 0
		for line := range bytes.Lines(body) {
			if len(bytes.TrimSpace(line)) > 0 {
				lines++
			}
		}
		answers := strings.Split(post(handler, "/gec/v1/quotes:batch", string(body)).Body.String(), "\n")
		if len(answers) != lines+1 || answers[lines] != "" {
			t.Fatalf("%d lines, answers %q", lines, answers)
		}
		for _, answer := range answers[:lines] {
			if err := protojson.Unmarshal([]byte(answer), &gecv1.QuoteResponse{}); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
		}
	})
}
