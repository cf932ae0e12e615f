package marketplace

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"gec/api/access"
	"gec/bundles"
)

type node = map[string]any

// openAPI reads the document of this package.
func openAPI(t *testing.T) node {
	t.Helper()
	text, err := os.ReadFile("../rest/openapi/marketplace-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d node
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows references, which all are inside the document; nil where one leads nowhere.
func resolve(d node, value any) node {
	n, _ := value.(node)
	for n["$ref"] != nil {
		at := any(d)
		for step := range strings.SplitSeq(strings.TrimPrefix(n["$ref"].(string), "#/"), "/") {
			parent, _ := at.(node)
			at = parent[step]
		}
		n, _ = at.(node)
	}
	return n
}

// TestDocumentAndRoutesAgree compares what is described with what is served, both ways, prefix by prefix.
func TestDocumentAndRoutesAgree(t *testing.T) {
	d := openAPI(t)
	described, ids := map[string]string{}, map[string]bool{}
	for at, item := range d["paths"].(node) {
		for method, operation := range item.(node) {
			if method == "servers" {
				continue
			}
			operation := operation.(node)
			servers := d["servers"]
			for _, own := range []node{item.(node), operation} {
				if own["servers"] != nil {
					servers = own["servers"]
				}
			}
			id := fmt.Sprint(operation["operationId"])
			if ids[id] {
				t.Errorf("operationId %s is taken", id)
			}
			ids[id] = true
			checkDescribed(t, d, method+" "+at, at, operation)
			for _, server := range servers.([]any) {
				described[strings.ToUpper(method)+" "+strings.TrimSuffix(server.(node)["url"].(string), "/")+at] = id
			}
		}
	}
	served := map[string]string{}
	for _, r := range Routes() {
		if served[r.Method+" "+r.Path] != "" {
			t.Errorf("%s %s is served twice", r.Method, r.Path)
		}
		if r.Operation != "whatIf" { // has a document of its own
			served[r.Method+" "+r.Path] = r.Operation
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("served (-) and described (+) differ:\n%s", diff)
	}
}

// checkDescribed checks that an operation says what it takes and answers.
func checkDescribed(t *testing.T, d node, where, at string, operation node) {
	t.Helper()
	inPath := 0
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		p := resolve(d, p)
		if p["schema"] == nil || p["description"] == nil {
			t.Errorf("%s: parameter %v is not described", where, p["name"])
		}
		if p["in"] == "path" {
			if inPath++; !strings.Contains(at, fmt.Sprintf("{%v}", p["name"])) || p["required"] != true {
				t.Errorf("%s: %v is not in the path, or not said to be required", where, p["name"])
			}
		}
	}
	if inPath != strings.Count(at, "{") {
		t.Errorf("%s: parts of the path are not described", where)
	}
	responses := operation["responses"].(node)
	if operation["summary"] == nil || operation["tags"] == nil || responses["401"] == nil {
		t.Errorf("%s has no summary, tags or 401", where)
	}
	for status, response := range responses {
		if resolve(d, response)["description"] == nil {
			t.Errorf("%s: %s is not described", where, status)
		}
	}
}

func TestRoutesAreBelowThePrefixes(t *testing.T) {
	for _, r := range Routes() {
		if !slices.ContainsFunc(Prefixes(), func(prefix string) bool { return strings.HasPrefix(r.Path+"/", prefix) }) {
			t.Errorf("%s %s is below none of the prefixes", r.Method, r.Path)
		}
	}
}

// TestReferencesLeadSomewhere also finds components that nothing refers to.
func TestReferencesLeadSomewhere(t *testing.T) {
	d := openAPI(t)
	referred := map[string]bool{}
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch value := value.(type) {
		case node:
			if reference, is := value["$ref"].(string); is {
				if referred[reference] = true; resolve(d, value) == nil {
					t.Errorf("%s: %s leads nowhere", at, reference)
				}
			}
			for name, below := range value {
				walk(at+"/"+name, below)
			}
		case []any:
			for n, below := range value {
				walk(fmt.Sprint(at, "/", n), below)
			}
		}
	}
	walk("", any(d))
	for kind, group := range d["components"].(node) {
		for name := range group.(node) {
			if reference := "#/components/" + kind + "/" + name; kind != "securitySchemes" && !referred[reference] {
				t.Errorf("nothing refers to %s", reference)
			}
		}
	}
}

// TestMessagesAreDocumented compares the schemas with the messages, field by field.
func TestMessagesAreDocumented(t *testing.T) {
	d := openAPI(t)
	for name, message := range map[string]any{
		"Bundle": bundleView{}, "Fee": feeView{}, "FeeStep": stepView{}, "TimeBand": bandView{}, "Attribute": attributeView{}, "Subscription": subscriptionView{},
		"Offer": offerView{}, "Request": requestView{}, "PageInfo": pageInfo{}, "Touchpoint": touchpointView{}, "PaymentType": paymentTypeView{},
		"PaymentMethod": wholeMethodView{}, "OfferedMethod": offeredView{}, "Range": bundles.Range{}, "Upload": UploadView{}, "UploadRow": RowView{}, "Fault": FaultView{},
		"Finding": FindingView{}, "Sync": syncView{}, "IdBundle": idBundle{}, "IdCiBundle": idSubscription{}, "IdAttribute": idAttribute{},
		"Revision": RevisionView{}, "Change": ChangeView{}, "ChangedField": FieldView{},
		"Key": KeyView{}, "NewKey": NewKeyView{}, "Access": AccessView{}, "Delegation": access.Delegation{},
	} {
		all, always := fieldsOf(reflect.TypeOf(message))
		properties, required := schemaOf(d, node{"$ref": "#/components/schemas/" + name})
		if diff := cmp.Diff(all, properties); diff != "" {
			t.Errorf("fields of %s (-) and its schema (+) differ:\n%s", name, diff)
		}
		if diff := cmp.Diff(always, required); diff != "" {
			t.Errorf("fields of %s that are always there (-) and required ones (+) differ:\n%s", name, diff)
		}
	}
}

// fieldsOf returns the names of a message's fields, and of those that are always there, both sorted.
func fieldsOf(message reflect.Type) (all, always []string) {
	for field := range message.Fields() {
		if field.Anonymous {
			below, belowAlways := fieldsOf(field.Type)
			all, always = append(all, below...), append(always, belowAlways...)
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if all = append(all, name); !strings.HasPrefix(options, "omit") {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}

// schemaOf returns the properties of a schema and its required ones, with those of its parts.
func schemaOf(d node, schema any) (properties, required []string) {
	s := resolve(d, schema)
	names, musts := map[string]bool{}, map[string]bool{}
	own, _ := s["properties"].(node)
	for name := range own {
		names[name] = true
	}
	listed, _ := s["required"].([]any)
	for _, name := range listed {
		musts[name.(string)] = true
	}
	parts, _ := s["allOf"].([]any)
	for _, part := range parts {
		below, belowRequired := schemaOf(d, part)
		for _, name := range below {
			names[name] = true
		}
		for _, name := range belowRequired {
			musts[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(musts))
}
