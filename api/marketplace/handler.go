package marketplace

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/access"
	"gec/api/failing"
	"gec/api/journal"
	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/format"
)

// Options are what the handler needs from outside.
type Options struct {
	// Catalogue returns the catalogue, nil while there is none.
	Catalogue func() *bundles.Catalogue
	// Gate says who calls, and may.
	Gate access.Gate
	// Internal is told of errors whose causes are not shown, and the instance that the answer names; nil:
	// nobody is.
	Internal func(r *http.Request, instance string, cause error)
	// Failing returns the bundles of a PSP that failed while running (Q14); nil: nobody knows.
	Failing func(psp string) []failing.Bundle
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Handler serves the marketplace. It is safe for concurrent use.
type Handler struct {
	options Options
	mux     *http.ServeMux
	// wondering holds the what-if that is being answered.
	wondering chan struct{}
}

// endpoint is everything at one path.
type endpoint []Route

// dispatch lets the route of the method answer. HEAD is answered as GET is.
func (h *Handler) dispatch(w http.ResponseWriter, r *http.Request, e endpoint) {
	allowed := make([]string, 0, len(e)+1)
	for _, route := range e {
		if route.Method == r.Method || route.Method == http.MethodGet && r.Method == http.MethodHead {
			h.serve(w, r, route)
			return
		}
		if allowed = append(allowed, route.Method); route.Method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	allow := strings.Join(allowed, ", ")
	w.Header().Set("Allow", allow)
	h.fail(w, r, problem.NotTaken(r.Method, allow))
}

// New makes the handler. Errors: a missing option.
func New(o Options) (*Handler, error) {
	if o.Catalogue == nil || o.Gate == nil {
		return nil, errors.New("marketplace: Catalogue and Gate are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Internal == nil {
		o.Internal = func(*http.Request, string, error) {}
	}
	h := &Handler{options: o, mux: http.NewServeMux(), wondering: make(chan struct{}, 1)}
	endpoints := map[string]endpoint{}
	for _, r := range Routes() {
		endpoints[r.Path] = append(endpoints[r.Path], r)
	}
	for path, e := range endpoints {
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { h.dispatch(w, r, e) })
	}
	h.mux.HandleFunc("/", h.nothing)
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = withoutLastSlash(r)
	if unclean(r.URL.EscapedPath()) {
		h.nothing(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// nothing answers a request for a path that is not served.
func (h *Handler) nothing(w http.ResponseWriter, r *http.Request) {
	h.fail(w, r, problem.NothingAt(r.URL.Path))
}

// unclean reports whether a path has an empty part, . or .. in it. net/http would redirect such a call to another
// path, with which it may mean somebody else: /psps//bundles has lost its PSP.
func unclean(escaped string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(escaped, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return true
		}
	}
	return false
}

// withoutLastSlash returns the request with the slashes at the end of its path left out, which clients add.
func withoutLastSlash(r *http.Request) *http.Request {
	path := strings.TrimRight(r.URL.Path, "/")
	if path == r.URL.Path || path == "" {
		return r
	}
	clone := *r
	clone.URL = new(url.URL)
	*clone.URL = *r.URL
	clone.URL.Path, clone.URL.RawPath = path, strings.TrimRight(r.URL.RawPath, "/")
	return &clone
}

// serve lets a route answer, for a caller that may ask it.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, route Route) {
	if named, ok := w.(interface{ Operation(name string) }); ok {
		named.Operation(route.Operation) // for the log, the metrics and the journal of whoever mounts this
	}
	if told, ok := w.(interface{ Facts(journal.Facts) }); ok {
		told.Facts(journal.Facts{PSP: r.PathValue("idPsp"), CreditorInstitution: r.PathValue("ciFiscalCode")})
	}
	c := &call{h: h, w: w, r: r, operation: route.Operation}
	if c.catalogue = h.options.Catalogue(); c.catalogue == nil {
		h.fail(w, r, problem.New(http.StatusServiceUnavailable, codes.Unavailable, "The catalogue is not loaded yet: repeat the request in a moment"))
		return
	}
	var err error
	c.grant, err = h.options.Gate.HTTP(r, route.Operation)
	if named, ok := w.(interface{ Caller(name string) }); ok {
		named.Caller(c.grant.Name())
	}
	if err == nil {
		c.caller = c.grant.Caller
		err = route.serve(c)
	}
	if err != nil {
		h.fail(w, r, err)
	}
}

// fail answers with the problem that an error is.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var malformed *format.MalformedError
	if errors.As(err, &malformed) { // the contract has one detail for all of these
		err = problem.Malformed(malformed.Error())
	}
	p := problem.Of(err)
	if p.Instance != "" {
		h.options.Internal(r, p.Instance, p.Cause)
	}
	p.Write(w, r)
}
