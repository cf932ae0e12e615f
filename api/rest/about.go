package rest

import (
	"embed"
	"net/http"
	"strconv"

	"github.com/go-faster/jx"

	"gec/api/problem"
)

// documents are the contracts that the service fulfils, in OpenAPI 3.1.
//
//go:embed openapi/*.yaml
var documents embed.FS

// documentPaths returns where the documents are served, sorted.
func documentPaths() ([]string, error) {
	entries, err := documents.ReadDir("openapi")
	paths := make([]string, len(entries))
	for i, entry := range entries {
		paths[i] = "/openapi/" + entry.Name()
	}
	return paths, err
}

// info tells who is answering.
func (a *API) info(x *exchange) error {
	x.out = object(x.out, "name", a.options.Name, "version", a.options.Version, "environment", a.options.Environment)
	x.json(http.StatusOK)
	return nil
}

// liveness says that the process answers at all.
func (a *API) liveness(x *exchange) error {
	x.out = object(x.out, "status", "UP")
	x.json(http.StatusOK)
	return nil
}

// readiness says whether calls should be sent here.
func (a *API) readiness(x *exchange) error {
	if a.ready.Load() && a.catalogue.Load() != nil {
		pairs := []string{"status", "UP"}
		if a.options.Details != nil {
			pairs = append(pairs, a.options.Details()...)
		}
		x.out = object(x.out, pairs...)
		x.json(http.StatusOK)
		return nil
	}
	x.out = object(x.out, "status", "DOWN")
	x.json(http.StatusServiceUnavailable)
	return nil
}

// index is the page at the root where nothing is mounted there: what there is, and where.
func (a *API) index(x *exchange) error {
	x.out = object(x.out, "name", a.options.Name, "info", "/info", "health", "/actuator/health", "documents", "/openapi/")
	x.json(http.StatusOK)
	return nil
}

// listDocuments tells where the documents of the contracts are.
func (a *API) listDocuments(x *exchange) error {
	paths, err := documentPaths()
	if err != nil {
		return err
	}
	var e jx.Encoder
	e.SetBytes(x.out[:0])
	e.ObjStart()
	e.FieldStart("documents")
	e.ArrStart()
	for _, path := range paths {
		e.Str(path)
	}
	e.ArrEnd()
	e.ObjEnd()
	x.out = e.Bytes()
	x.json(http.StatusOK)
	return nil
}

// getDocument sends one document.
func (a *API) getDocument(x *exchange) error {
	text, err := documents.ReadFile("openapi/" + x.part)
	if err != nil {
		return problem.NothingAt(x.r.URL.Path)
	}
	x.w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.out = append(x.out[:0], text...)
	x.write(http.StatusOK)
	return nil
}

// object writes an object of texts over dst: name, value, name, value.
func object(dst []byte, pairs ...string) []byte {
	var e jx.Encoder
	e.SetBytes(dst[:0])
	e.ObjStart()
	for i := 0; i+1 < len(pairs); i += 2 {
		e.FieldStart(pairs[i])
		e.Str(pairs[i+1])
	}
	e.ObjEnd()
	return e.Bytes()
}
