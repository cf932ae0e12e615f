package rpc_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
)

// openAPI is what the tests read of the document.
type openAPI struct {
	Paths      map[string]map[string]yaml.Node `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

type schema struct {
	Type        string            `yaml:"type"`
	Format      string            `yaml:"format"`
	Ref         string            `yaml:"$ref"`
	Description string            `yaml:"description"`
	Enum        []string          `yaml:"enum"`
	Items       *schema           `yaml:"items"`
	Properties  map[string]schema `yaml:"properties"`
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	text, err := os.ReadFile("../rest/openapi/gec-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document openAPI
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestOpenAPIPaths holds that the document has the paths and methods that are served.
func TestOpenAPIPaths(t *testing.T) {
	var documented []string
	handler := jsonHandler(t)
	for path, methods := range readOpenAPI(t).Paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, httptest.NewRequest(strings.ToUpper(method), path, nil))
			if response.Code == http.StatusNotFound || response.Code == http.StatusMethodNotAllowed {
				t.Errorf("%s %s is documented and not served", method, path)
			}
		}
	}
	slices.Sort(documented)
	want := []string{"GET /gec/v1/catalogue", "GET /gec/v1/receipt-keys", "POST /gec/v1/explain", "POST /gec/v1/quote", "POST /gec/v1/quotes:batch"}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("paths (-served +documented):\n%s", diff)
	}
}

// TestOpenAPIMessages holds every message and enum of the document to the proto, field by field.
func TestOpenAPIMessages(t *testing.T) {
	schemas := readOpenAPI(t).Components.Schemas
	for _, file := range []protoreflect.FileDescriptor{
		gecv1.File_gec_v1_payment_proto, gecv1.File_gec_v1_quote_proto, gecv1.File_gec_v1_error_proto,
		gecv1.File_gec_v1_explain_proto, gecv1.File_gec_v1_catalogue_service_proto,
	} {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			if file == gecv1.File_gec_v1_catalogue_service_proto && message.Name() != "GetStatusResponse" {
				continue // all else of it is spoken over gRPC only
			}
			checkMessage(t, message, schemas[string(message.Name())])
		}
		for i := range file.Enums().Len() {
			checkEnum(t, file.Enums().Get(i), schemas[string(file.Enums().Get(i).Name())])
		}
	}
}

func checkMessage(t *testing.T, message protoreflect.MessageDescriptor, got schema) {
	t.Helper()
	if got.Description == "" || got.Type != "object" {
		t.Errorf("%s: %+v", message.Name(), got)
	}
	names := map[string]string{}
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		names[field.JSONName()] = schemaKind(field)
	}
	documented := map[string]string{}
	for name, property := range got.Properties {
		if property.Description == "" {
			t.Errorf("%s.%s has no description", message.Name(), name)
		}
		documented[name] = property.kind()
	}
	if diff := cmp.Diff(names, documented); diff != "" {
		t.Errorf("%s (-proto +document):\n%s", message.Name(), diff)
	}
}

func checkEnum(t *testing.T, enum protoreflect.EnumDescriptor, got schema) {
	t.Helper()
	var names []string
	for i := range enum.Values().Len() {
		names = append(names, string(enum.Values().Get(i).Name()))
	}
	if diff := cmp.Diff(names, got.Enum); diff != "" || got.Description == "" {
		t.Errorf("%s (-proto +document):\n%s", enum.Name(), diff)
	}
}

// kind names what a property holds: "string", "Quote list".
func (s schema) kind() string {
	if s.Items != nil {
		return s.Items.kind() + " list"
	}
	if s.Ref != "" {
		return strings.ToLower(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
	}
	if s.Format != "" {
		return s.Format
	}
	return s.Type
}

func schemaKind(field protoreflect.FieldDescriptor) string {
	kind := field.Kind().String()
	switch {
	case field.Kind() == protoreflect.BoolKind:
		kind = "boolean"
	case field.Kind() == protoreflect.EnumKind:
		kind = strings.ToLower(string(field.Enum().Name()))
	case field.Message() != nil && field.Message().FullName() == (&timestamppb.Timestamp{}).ProtoReflect().Descriptor().FullName():
		kind = "date-time"
	case field.Message() != nil:
		kind = strings.ToLower(string(field.Message().Name()))
	}
	if field.IsList() {
		return kind + " list"
	}
	return kind
}
