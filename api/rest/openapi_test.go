package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// ourDocuments are the contracts of this package; the folder also holds one of package rpc.
var ourDocuments = []string{"calculator-v1.yaml", "calculator-v2.yaml"}

type node = map[string]any

// document reads an OpenAPI document as JSON would have it.
func document(t *testing.T, name string) node {
	t.Helper()
	text, err := documents.ReadFile("openapi/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var d node
	if err := json.Unmarshal(asJSON, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows references, which all are inside the document.
func resolve(d node, value any) (node, error) {
	n, _ := value.(node)
	for n["$ref"] != nil {
		var found bool
		at := any(d)
		for _, step := range strings.Split(strings.TrimPrefix(n["$ref"].(string), "#/"), "/") {
			parent, _ := at.(node)
			if at, found = parent[step]; !found {
				return nil, fmt.Errorf("%s leads nowhere", n["$ref"])
			}
		}
		n, _ = at.(node)
	}
	return n, nil
}

// walk visits every object of a document.
func walk(path string, value any, visit func(path string, n node)) {
	switch value := value.(type) {
	case node:
		visit(path, value)
		for name, below := range value {
			walk(path+"/"+name, below, visit)
		}
	case []any:
		for i, below := range value {
			walk(fmt.Sprintf("%s/%d", path, i), below, visit)
		}
	}
}

func TestDocumentsHoldTogether(t *testing.T) {
	for _, name := range ourDocuments {
		d := document(t, name)
		if d["openapi"] != "3.1.0" {
			t.Errorf("%s is OpenAPI %v", name, d["openapi"])
		}
		referred := map[string]bool{}
		walk("", any(d), func(at string, n node) {
			if reference, ok := n["$ref"].(string); ok {
				referred[reference] = true
				if _, err := resolve(d, n); err != nil {
					t.Errorf("%s%s: %v", name, at, err)
				}
			}
		})
		for kind, group := range d["components"].(node) {
			for component := range group.(node) {
				if reference := "#/components/" + kind + "/" + component; kind != "securitySchemes" && !referred[reference] {
					t.Errorf("%s: nothing refers to %s", name, reference)
				}
			}
		}
	}
}

// TestDocumentsSayWhoMayCall holds that every document names the ways to show a key, and every operation that asks for
// one the answer to callers without.
func TestDocumentsSayWhoMayCall(t *testing.T) {
	files, err := documents.ReadDir("openapi")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		d := document(t, file.Name())
		schemes, _ := d["components"].(node)["securitySchemes"].(node)
		if schemes["keyHeader"] == nil || schemes["keyQuery"] == nil || d["security"] == nil {
			t.Errorf("%s: security %v of the schemes %v", file.Name(), d["security"], schemes)
		}
		for at, methods := range d["paths"].(node) {
			for method, operation := range methods.(node) {
				operation, ok := operation.(node)
				if !ok || operation["responses"] == nil {
					continue
				}
				if free, own := operation["security"].([]any); own && len(free) == 0 {
					continue
				}
				if operation["responses"].(node)["401"] == nil {
					t.Errorf("%s: %s %s has no 401", file.Name(), method, at)
				}
			}
		}
	}
}

// TestDocumentsKeepTheirTexts holds that no text of a flow mapping ends at its first comma: what comes after it then is
// a member without a value.
func TestDocumentsKeepTheirTexts(t *testing.T) {
	files, err := documents.ReadDir("openapi")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		walk("", any(document(t, file.Name())), func(at string, n node) {
			for name, value := range n {
				if value == nil && strings.Contains(name, " ") {
					t.Errorf("%s%s: %q has no value: put the text in quotes", file.Name(), at, name)
				}
			}
		})
	}
}

// TestDocumentsAndRoutesAgree compares what the documents describe with what is served, both ways.
func TestDocumentsAndRoutesAgree(t *testing.T) {
	described := map[string]bool{}
	for _, name := range ourDocuments {
		d := document(t, name)
		ids := map[string]bool{}
		for at, item := range d["paths"].(node) {
			item := item.(node)
			servers := d["servers"]
			if own, ok := item["servers"]; ok {
				servers = own
			}
			for method, operation := range item {
				if method == "servers" {
					continue
				}
				checkOperation(t, name+" "+method+" "+at, at, operation.(node), d, ids)
				for _, server := range servers.([]any) {
					described[strings.ToUpper(method)+" "+path.Join(server.(node)["url"].(string), at)] = true
				}
			}
		}
	}
	served := map[string]bool{}
	for _, r := range routes(true) {
		served[r.method+" "+r.path] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(served)), slices.Sorted(maps.Keys(described))); diff != "" {
		t.Errorf("served (-) and described (+) differ:\n%s", diff)
	}
}

func checkOperation(t *testing.T, where, at string, operation, d node, ids map[string]bool) {
	t.Helper()
	id, _ := operation["operationId"].(string)
	if id == "" || ids[id] {
		t.Errorf("%s: operationId %q is missing or taken", where, id)
	}
	ids[id] = true
	for _, member := range []string{"summary", "tags", "responses"} {
		if operation[member] == nil {
			t.Errorf("%s has no %s", where, member)
		}
	}
	inPath := 0
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		p, err := resolve(d, p)
		if err != nil || p["schema"] == nil || p["description"] == nil {
			t.Errorf("%s: parameter %v is not described: %v", where, p["name"], err)
		}
		if p["in"] == "path" {
			inPath++
			if !strings.Contains(at, fmt.Sprintf("{%v}", p["name"])) {
				t.Errorf("%s: %v is not in the path", where, p["name"])
			}
		}
	}
	if inPath != strings.Count(at, "{") {
		t.Errorf("%s: parts of the path are not described", where)
	}
	for status, response := range operation["responses"].(node) {
		if r, err := resolve(d, response); err != nil || r["description"] == nil {
			t.Errorf("%s %s is not described: %v", where, status, err)
		}
	}
}

// TestExamplesFitTheirSchemas also reads the examples of requests as requests.
func TestExamplesFitTheirSchemas(t *testing.T) {
	for _, name := range ourDocuments {
		d, count := document(t, name), 0
		walk("", any(d), func(at string, n node) {
			if n["schema"] == nil || n["in"] != nil {
				return
			}
			for example, value := range examplesOf(n) {
				count++
				for _, fault := range validate(d, n["schema"], value, example) {
					t.Errorf("%s%s: %s", name, at, fault)
				}
				if strings.Contains(at, "/requestBody/") && !strings.Contains(at, "/configuration") {
					readExample(t, name+at, value)
				}
			}
		})
		if count < 10 {
			t.Errorf("%s has %d examples only", name, count)
		}
	}
}

// examplesOf returns the examples of a media type by name.
func examplesOf(media node) map[string]any {
	examples := map[string]any{}
	if value, ok := media["example"]; ok {
		examples["example"] = value
	}
	named, _ := media["examples"].(node)
	for name, example := range named {
		examples[name] = example.(node)["value"]
	}
	return examples
}

func readExample(t *testing.T, where string, value any) {
	t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	c, psp := contractV1, ""
	if strings.Contains(where, "v2.yaml") {
		c = contractV2
	}
	if strings.Contains(where, "{idPsp}") {
		psp = "P"
	}
	p, err := read(string(body), c, psp)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	if psp != "" && (p.PSPs[0].Channel == "" || p.PSPs[0].Broker == "") {
		t.Errorf("%s: the channel or the broker was not read: %+v", where, p.PSPs)
	}
}

// TestAnswersFitTheirSchemas holds the documents against what the service really answers.
func TestAnswersFitTheirSchemas(t *testing.T) {
	a := serviceOf(t, smallWorld(t), nil)
	for _, c := range []struct {
		document, method, path, body string
		status                       int
	}{
		{"calculator-v1.yaml", "POST", "/fees", fmt.Sprintf(plainV1, ""), 200},
		{"calculator-v1.yaml", "POST", "/psps/{idPsp}/fees", fmt.Sprintf(plainV1, ""), 200},
		{"calculator-v1.yaml", "POST", "/fees", `{}`, 400},
		{"calculator-v1.yaml", "POST", "/fees", `{`, 400},
		{"calculator-v1.yaml", "POST", "/fees", fmt.Sprintf(plainV1, `,"touchpoint":"MARS"`), 404},
		{"calculator-v1.yaml", "GET", "/info", "", 200},
		{"calculator-v1.yaml", "GET", "/actuator/health/liveness", "", 200},
		{"calculator-v1.yaml", "GET", "/actuator/health/readiness", "", 503},
		{"calculator-v1.yaml", "GET", "/", "", 200},
		{"calculator-v1.yaml", "GET", "/openapi", "", 200},
		{"calculator-v1.yaml", "GET", "/openapi/{document}", "", 404},
		{"calculator-v2.yaml", "POST", "/fees/multi", fmt.Sprintf(plainV2, ""), 200},
		{"calculator-v2.yaml", "POST", "/psps/{idPsp}/fees/multi", fmt.Sprintf(plainV2, ""), 200},
		{"calculator-v2.yaml", "POST", "/fees/multi", `{}`, 400},
		{"calculator-v2.yaml", "POST", "/fees/multi", strings.Repeat(" ", BodyBytesMax+1), 413},
		{"calculator-v2.yaml", "POST", "/fees/multi", fmt.Sprintf(plainV2, `,"paymentMethod":"NOPE"`), 404},
	} {
		where := fmt.Sprintf("%s %s %s %d", c.document, c.method, c.path, c.status)
		d := document(t, c.document)
		operation := d["paths"].(node)[c.path].(node)[strings.ToLower(c.method)].(node)
		response, err := resolve(d, operation["responses"].(node)[fmt.Sprint(c.status)])
		if err != nil || response == nil {
			t.Errorf("%s: not described: %v", where, err)
			continue
		}
		got := httptest.NewRecorder()
		a.ServeHTTP(got, httptest.NewRequest(c.method, strings.ReplaceAll(c.path, "{idPsp}", "P1"), bytes.NewReader([]byte(c.body))))
		media, ok := response["content"].(node)[got.Header().Get("Content-Type")].(node)
		if got.Code != c.status || !ok {
			t.Errorf("%s: answered %d, %s", where, got.Code, got.Header())
			continue
		}
		var value any
		if err := json.Unmarshal(got.Body.Bytes(), &value); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		for _, fault := range validate(d, media["schema"], value, "answer") {
			t.Errorf("%s: %s", where, fault)
		}
		headers, _ := response["headers"].(node)
		for name, h := range headers {
			if h, err := resolve(d, h); err != nil || h["required"] == true && got.Header().Get(name) == "" {
				t.Errorf("%s: header %s is missing: %v", where, name, err)
			}
		}
	}
}

// validate checks a value against the part of JSON Schema that the documents use.
func validate(d node, schema, value any, at string) (faults []string) {
	s, err := resolve(d, schema)
	if err != nil {
		return []string{at + ": " + err.Error()}
	}
	all, _ := s["allOf"].([]any)
	for _, part := range all {
		faults = append(faults, validate(d, part, value, at)...)
	}
	if types := typesOf(s); len(types) > 0 && !slices.Contains(types, typeOf(value)) && !(typeOf(value) == "integer" && slices.Contains(types, "number")) {
		return append(faults, fmt.Sprintf("%s is of type %s, not %v", at, typeOf(value), types))
	}
	if options, ok := s["enum"].([]any); ok && !slices.Contains(options, value) {
		faults = append(faults, fmt.Sprintf("%s: %v is none of %v", at, value, options))
	}
	switch value := value.(type) {
	case float64:
		if low, ok := s["minimum"].(float64); ok && value < low {
			faults = append(faults, fmt.Sprintf("%s: %v is below %v", at, value, low))
		}
		if high, ok := s["maximum"].(float64); ok && value > high {
			faults = append(faults, fmt.Sprintf("%s: %v is above %v", at, value, high))
		}
	case string:
		if shortest, ok := s["minLength"].(float64); ok && len(value) < int(shortest) {
			faults = append(faults, at+" is too short")
		}
	case []any:
		if fewest, ok := s["minItems"].(float64); ok && len(value) < int(fewest) {
			faults = append(faults, at+" has too few items")
		}
		for i, item := range value {
			faults = append(faults, validate(d, s["items"], item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case node:
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := value[name.(string)]; !ok {
				faults = append(faults, fmt.Sprintf("%s.%s is missing", at, name))
			}
		}
		properties, _ := s["properties"].(node)
		for name, below := range properties {
			if member, ok := value[name]; ok {
				faults = append(faults, validate(d, below, member, at+"."+name)...)
			}
		}
	}
	return faults
}

func typesOf(schema node) (types []string) {
	switch declared := schema["type"].(type) {
	case string:
		return []string{declared}
	case []any:
		for _, name := range declared {
			types = append(types, name.(string))
		}
	}
	return types
}

func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	}
	return "object"
}
