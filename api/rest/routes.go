package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// serve answers one request. What it returns is shown as the problem that package problem makes of it.
type serve func(*API, *exchange) error

// route is one operation at one path. A path has at most one part in braces, which stands for one segment.
type route struct {
	method, path string
	// operation is the name in logs, that of the event journal where it has one (spec 6).
	operation string
	serve     serve
	// journaled says that its calls are events of the journal. Questions about the service itself are not.
	journaled bool
}

// routes is the table of everything that is served here. The OpenAPI documents are tested against it.
func routes(testEndpoints bool) []route {
	bare := []string{""}
	v1 := []string{"", "/afm/calculator-service/v1", "/afm/node/calculator-service/v1"}
	v2 := []string{"/afm/calculator-service/v2", "/afm/node/calculator-service/v2"}
	all := slices.Concat(v1, v2)
	const get, post = http.MethodGet, http.MethodPost

	var table []route
	journaled := true
	add := func(prefixes []string, method, path, operation string, serve serve) {
		for _, prefix := range prefixes {
			table = append(table, route{method, prefix + path, operation, serve, journaled})
		}
	}
	add(v1, post, "/fees", "getFees", (*API).feesV1)
	add(v1, post, "/psps/{idPsp}/fees", "getFeesByPsp", (*API).feesV1)
	add(v2, post, "/fees", "getFeesMulti", (*API).feesV2)
	add(v2, post, "/psps/{idPsp}/fees", "getFeesByPspMulti", (*API).feesV2)
	add(all, post, "/fees/multi", "getFeesMulti", (*API).feesV2)
	add(all, post, "/psps/{idPsp}/fees/multi", "getFeesByPspMulti", (*API).feesV2)

	journaled = false
	all = append(all, "/afm/marketplace-service/v1", "/afm/utils/v1")
	add(all, get, "/info", "info", (*API).info)
	add(all, get, "/actuator/health", "health", (*API).readiness)
	add(all, get, "/actuator/health/liveness", "liveness", (*API).liveness)
	add(all, get, "/actuator/health/readiness", "readiness", (*API).readiness)

	add(bare, get, "/", "index", (*API).index)
	add(bare, get, "/openapi", "listDocuments", (*API).listDocuments)
	add(bare, get, "/openapi/{document}", "getDocument", (*API).getDocument)

	journaled = true
	if testEndpoints {
		add(v1, post, "/configuration/bundles/add", "testAddBundles", (*API).addBundles)
		add(v1, post, "/configuration/bundles/delete", "testDeleteBundles", (*API).deleteBundles)
		add(v1, post, "/configuration/touchpoint/add", "testAddTouchpoints", (*API).addTouchpoints)
		add(v1, post, "/configuration/touchpoint/delete", "testDeleteTouchpoints", (*API).deleteTouchpoints)
		add(v1, post, "/configuration/paymenttypes/add", "testAddPaymentTypes", (*API).addPaymentTypes)
		add(v1, post, "/configuration/paymenttypes/delete", "testDeletePaymentTypes", (*API).deletePaymentTypes)
		add(v1, get, "/configuration/cache/refresh", "testRefresh", (*API).refresh)
	}
	return table
}

// mux finds the route of a request without allocating. It is immutable once made.
type mux struct {
	// plain holds the paths without a part in braces, braced the others.
	plain  map[string]*endpoint
	braced []bracedPath
	mounts []mount
}

type bracedPath struct {
	before, after string
	endpoint      *endpoint
}

// endpoint is everything at one path.
type endpoint struct {
	routes []*route
	// allow is the value of the Allow header.
	allow string
}

// mount is a foreign handler for everything below a prefix, which ends in a slash.
type mount struct {
	prefix  string
	handler http.Handler
}

// newMux makes a mux of routes and mounts. A mount at "/" replaces the index. Errors: a route or a mount given
// twice, a mount whose prefix is not of the form "/…/".
func newMux(table []route, mounts map[string]http.Handler) (*mux, error) {
	m := &mux{plain: map[string]*endpoint{}}
	paths := map[string]*endpoint{}
	for i := range table {
		r := &table[i]
		if _, replaced := mounts["/"]; replaced && r.path == "/" {
			continue
		}
		e := paths[r.path]
		if e == nil {
			e = &endpoint{}
			paths[r.path] = e
			m.place(r.path, e)
		}
		if e.find(r.method) != nil {
			return nil, fmt.Errorf("%s %s is routed twice", r.method, r.path)
		}
		e.add(r)
	}
	for prefix, handler := range mounts {
		if !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") || handler == nil {
			return nil, fmt.Errorf("mount %q: needs a handler and a prefix that starts and ends with a slash", prefix)
		}
		m.mounts = append(m.mounts, mount{prefix, handler})
	}
	slices.SortFunc(m.mounts, func(a, b mount) int { return len(b.prefix) - len(a.prefix) }) // the longest first
	return m, nil
}

func (m *mux) place(path string, e *endpoint) {
	before, rest, braced := strings.Cut(path, "{")
	if !braced {
		m.plain[trimSlashes(path)] = e
		return
	}
	_, after, _ := strings.Cut(rest, "}")
	m.braced = append(m.braced, bracedPath{before, after, e})
}

func (e *endpoint) add(r *route) {
	e.routes = append(e.routes, r)
	if e.allow != "" {
		e.allow += ", "
	}
	e.allow += r.method
	if r.method == http.MethodGet {
		e.allow += ", " + http.MethodHead
	}
}

// find returns the route of a method, nil for none. HEAD is answered as GET is.
func (e *endpoint) find(method string) *route {
	for _, r := range e.routes {
		if r.method == method || method == http.MethodHead && r.method == http.MethodGet {
			return r
		}
	}
	return nil
}

// find returns what is at the path of a URL and the text of its part in braces; nil when no route is there.
// Slashes at the end are ignored. An encoded slash in a part is a character of it, not a separator.
func (m *mux) find(u *url.URL) (e *endpoint, part string) {
	path := u.Path
	if u.RawPath != "" {
		path = u.RawPath
	}
	path = trimSlashes(path)
	if e := m.plain[path]; e != nil {
		return e, ""
	}
	for i := range m.braced {
		b := &m.braced[i]
		rest, ok := strings.CutPrefix(path, b.before)
		if !ok {
			continue
		}
		part, ok := strings.CutSuffix(rest, b.after)
		if !ok || part == "" || strings.Contains(part, "/") {
			continue
		}
		if u.RawPath != "" {
			decoded, err := url.PathUnescape(part)
			if err != nil {
				continue
			}
			part = decoded
		}
		return b.endpoint, part
	}
	return nil, ""
}

// mounted returns the foreign handler for a path, nil for none.
func (m *mux) mounted(path string) http.Handler {
	for _, mount := range m.mounts {
		if strings.HasPrefix(path, mount.prefix) || path == strings.TrimSuffix(mount.prefix, "/") {
			return mount.handler
		}
	}
	return nil
}

func trimSlashes(path string) string { return strings.TrimRight(path, "/") }
