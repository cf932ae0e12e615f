package simulator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
	"gec/engine"
)

// OpenDataPrefix begins the paths of the open data, which stand among those of the native contract.
const OpenDataPrefix = "/gec/v1/open-data/"

// The paths of the page.
const (
	pathPage    = "/"
	pathResults = "/results"
	pathCSV     = "/data.csv"
	pathJSON    = "/data.json"
	pathECs     = "/creditor-institutions.json"
	pathAssets  = "/assets/"
	pathFeeList = OpenDataPrefix + "fee-list.json"
)

const (
	// queryBytesMax bounds the query of a URL; the longest sensible question takes a third of it.
	queryBytesMax = 4 << 10
	// explainsMax is the number of explanations in the making at any time.
	explainsMax = 2
)

// simulator is the handler of the page.
type simulator struct {
	options  Options
	lexicons map[string]*lexicon
	pages    *pages
	assets   *assets
	limiter  *limiter
	quoters  *quoters
	zone     *time.Location
	explains chan struct{}

	// building makes sure that a directory is made once per snapshot.
	building  sync.Mutex
	directory atomic.Pointer[dated]
	lists     feeLists
}

// dated is a directory with the snapshot that it was made of.
type dated struct {
	of *engine.Snapshot
	*directory
	published string
}

// New makes the page. Errors: what is wrong with the options, or with what was built into the binary.
func New(o Options) (http.Handler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &simulator{options: o, quoters: newQuoters(), explains: make(chan struct{}, explainsMax)}
	if s.lexicons, err = readLexicons(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if s.pages, err = readPages(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if s.assets, err = readAssets(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if s.limiter, err = newLimiter(o.RatePerMinute, o.RateBurst, RateAddressesMax); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if s.zone, err = rome(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// The page stands where all unknown paths lead: of a path that is not its own it says so,
		// whatever the method.
		if s.route(r.URL.Path) == nil && !strings.HasPrefix(r.URL.Path, pathAssets) {
			s.refuse(w, r, http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", "GET, HEAD")
		s.refuse(w, r, http.StatusMethodNotAllowed)
		return
	}
	if len(r.URL.RawQuery) > queryBytesMax {
		s.refuse(w, r, http.StatusRequestURITooLong)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, pathAssets); ok { // not counted: kept by browsers for good
		if !s.assets.serve(w, r, name) {
			s.refuse(w, r, http.StatusNotFound)
		}
		return
	}
	if wait, ok := s.limiter.take(s.options.Address(r), s.options.Now()); !ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		s.refuse(w, r, http.StatusTooManyRequests)
		return
	}
	serve := s.route(r.URL.Path)
	if serve == nil {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	if err := serve(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// route returns what serves a path; nil for none.
func (s *simulator) route(path string) func(http.ResponseWriter, *http.Request) error {
	switch path {
	case pathPage:
		return s.page
	case pathResults:
		return s.results
	case pathCSV:
		return s.csv
	case pathJSON:
		return s.json
	case pathECs:
		return s.suggestECs
	case pathFeeList:
		return s.feeList
	}
	if slices.Contains(languages, strings.Trim(path, "/")) {
		return s.page
	}
	return nil
}

// secure sets the headers that every answer has. The page needs nothing but its own files: no inline script or
// style, no frame, no other host.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// refuse answers with a page that says what is wrong, or a problem document to callers that read no pages.
func (s *simulator) refuse(w http.ResponseWriter, r *http.Request, status int) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		refusal(r, status).Write(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	v := s.view(r, nil)
	v.Status = status
	s.write(w, r, status, "refused.html", v)
}

// refusal is the problem that a status stands for. A caller without pages is one of the service's, who strayed: the
// page stands where all unknown paths lead.
func refusal(r *http.Request, status int) *problem.Problem {
	switch status {
	case http.StatusNotFound:
		return problem.NothingAt(r.URL.Path)
	case http.StatusMethodNotAllowed:
		return problem.NotTaken(r.Method, "GET, HEAD")
	case http.StatusRequestURITooLong:
		return problem.New(status, codes.InvalidArgument, fmt.Sprintf("The query is longer than %d bytes: leave something out", queryBytesMax))
	case http.StatusTooManyRequests:
		return problem.New(status, codes.ResourceExhausted, "The page was asked for too often: wait as long as Retry-After says")
	case http.StatusServiceUnavailable:
		return problem.New(status, codes.Unavailable, "The catalogue is not loaded yet: repeat the request in a moment")
	}
	return problem.New(status, codes.Internal, "The request could not be processed: report it with its X-Request-Id")
}

// fail answers a request that could not be served. The cause is for the log only.
func (s *simulator) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNoCatalogue):
		w.Header().Set("Retry-After", "2")
		s.refuse(w, r, http.StatusServiceUnavailable)
	case errors.Is(err, context.Canceled):
	case errors.Is(err, errNotServed):
		s.refuse(w, r, http.StatusNotFound)
	default:
		s.options.Logger.ErrorContext(r.Context(), "simulator", "path", r.URL.Path, "err", err)
		s.refuse(w, r, http.StatusInternalServerError)
	}
}

var (
	// errNoCatalogue is returned while there is no snapshot yet.
	errNoCatalogue = errors.New("no catalogue is loaded")
	// errNotServed is returned for what the options leave out.
	errNotServed = errors.New("not served here")
)

// current returns the directory of the current snapshot, made on the first request after each change.
func (s *simulator) current(ctx context.Context) (*dated, error) {
	snapshot := s.options.Catalogue.Current()
	if snapshot == nil {
		return nil, errNoCatalogue
	}
	if d := s.directory.Load(); d != nil && d.of == snapshot {
		return d, nil
	}
	s.building.Lock()
	defer s.building.Unlock()
	if d := s.directory.Load(); d != nil && d.of == snapshot {
		return d, nil
	}
	made, err := newDirectory(snapshot, s.options.CreditorInstitutions)
	if err != nil {
		return nil, err
	}
	d := &dated{of: snapshot, directory: made}
	if s.options.Published != nil {
		at, err := s.options.Published(ctx, snapshot.Revision())
		switch {
		case err != nil:
			s.options.Logger.WarnContext(ctx, "simulator: date of the revision", "revision", snapshot.Revision(), "err", err)
		case !at.IsZero():
			d.published = at.UTC().Format(time.RFC3339)
		}
	}
	s.directory.Store(d)
	return d, nil
}

// lexicon returns the words of a request: those of its URL, else of its browser.
func (s *simulator) lexicon(r *http.Request, values url.Values) (words *lexicon, named string) {
	if l := s.lexicons[values.Get(paramLang)]; l != nil {
		return l, l.Lang
	}
	if l := s.lexicons[strings.Trim(r.URL.Path, "/")]; l != nil {
		return l, l.Lang
	}
	return s.lexicons[negotiate(r.Header.Get("Accept-Language"))], ""
}
