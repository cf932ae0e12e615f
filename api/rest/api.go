package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gec/api/access"
	"gec/api/journal"
	"gec/api/observe"
	"gec/api/problem"
	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// BodyBytesMax is the size of the largest request of the calculator where Options name none (spec 6).
const BodyBytesMax = 64 << 10

// Options are what the service needs from outside. The zero value of every field but Name is usable.
type Options struct {
	// Catalogue answers the requests. nil: none is loaded yet; calls that need it get a 503 and the
	// service reports itself not ready until [API.Attach].
	Catalogue *bundles.Catalogue
	// Name, Version and Environment are what GET /info tells.
	Name, Version, Environment string
	// TestEndpoints turns on the endpoints that change the catalogue for test suites (spec 4).
	TestEndpoints bool
	// BodyBytesMax is the size of the largest body of a calculator request, in bytes; 0: BodyBytesMax.
	BodyBytesMax int
	// Gate says who calls and may; nil: everybody may. Mounts ask for themselves.
	Gate access.Gate
	// Mounts are foreign handlers for everything below a prefix, "/gec/v1/"; a mount at "/" replaces the
	// index page. The routes of this package come first. Request ids, panics and the log line of a
	// request are taken care of for them, too.
	Mounts map[string]http.Handler
	// Logger gets one line per request at RequestLevel, and the causes of internal errors at
	// slog.LevelError; nil: nothing is logged.
	Logger *slog.Logger
	// RequestLevel is the level of the line per request; its zero value is slog.LevelInfo.
	RequestLevel slog.Level
	// Details returns names and values that readiness tells besides while it is UP; nil: none.
	Details func() []string
	// Observe, where not nil, is told of every request when it is over.
	Observe observe.Func
	// Journal gets every call of the contracts and of those mounts that name their operations; nil: nobody does.
	Journal *journal.Journal
	// Quoted, where not nil, is told what each answer of the calculator took. It must be quick.
	Quoted func(engine.Effort)
	// Failed, where not nil, is told of bundles that an answer left out because they failed while running
	// (Q14). It must not keep what it is given.
	Failed func([]engine.Failure)
	// Receipts gives and redeems the receipts of quotes; nil: the header that asks for them means nothing.
	Receipts *receipt.Desk
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// API is the HTTP service. It is safe for concurrent use.
type API struct {
	options    Options
	mux        *mux
	catalogue  atomic.Pointer[bundles.Catalogue]
	ready      atomic.Bool
	calculator *Calculator
	exchanges  sync.Pool
	static     staticHeaders
}

// staticHeaders are header values that never change, made once so that no answer makes them. They are
// shared by all answers and never written to.
type staticHeaders struct{ json, nosniff []string }

// New makes the service. It is ready at once when there is a catalogue. Errors: what is wrong with the options.
func New(o Options) (*API, error) {
	if o.Name == "" {
		return nil, errors.New("rest: Name is missing: GET /info tells it")
	}
	if o.BodyBytesMax < 0 {
		return nil, fmt.Errorf("rest: BodyBytesMax is %d: use 1 or more, or 0 for %d", o.BodyBytesMax, BodyBytesMax)
	}
	if o.BodyBytesMax == 0 {
		o.BodyBytesMax = BodyBytesMax
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	mux, err := newMux(routes(o.TestEndpoints), o.Mounts)
	if err != nil {
		return nil, fmt.Errorf("rest: %w", err)
	}
	a := &API{options: o, mux: mux, static: staticHeaders{
		json: []string{"application/json"}, nosniff: []string{"nosniff"},
	}}
	a.calculator = NewCalculator(a.snapshot, o.Now)
	a.calculator.failed, a.calculator.quoted = o.Failed, o.Quoted
	a.exchanges.New = func() any { return &exchange{} }
	if o.Catalogue != nil {
		a.Attach(o.Catalogue)
	}
	return a, nil
}

// Attach gives the service the catalogue that it answers from, and makes it ready.
func (a *API) Attach(c *bundles.Catalogue) {
	a.catalogue.Store(c)
	a.Ready(true)
}

// Ready says whether the readiness endpoints answer UP. A server that is about to stop calls Ready(false), so
// that no new calls are sent to it; the calls that come all the same are answered as before.
func (a *API) Ready(ready bool) { a.ready.Store(ready) }

// snapshot returns the current snapshot, nil while there is no catalogue.
func (a *API) snapshot() *engine.Snapshot {
	if c := a.catalogue.Load(); c != nil {
		return c.Current()
	}
	return nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.exchanges.Get().(*exchange)
	x.begin(a, w, r)
	defer func() {
		if cause := recover(); cause != nil {
			x.panicked(cause) // x is not reused: what it holds is in doubt
			return
		}
		x.end()
	}()
	if err := a.dispatch(x); err != nil {
		x.problem(err)
	}
}

// Refuse answers a request with an error before anything of it was looked at, and journals that. Nothing is logged and
// observed: of many such requests that would take more than it is worth.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := a.exchanges.Get().(*exchange)
	x.begin(a, w, r)
	if e, _ := a.mux.find(r.URL); e != nil {
		if route := e.find(r.Method); route != nil {
			x.operation = route.operation
		}
	}
	x.problem(err)
	if a.options.Journal != nil {
		x.journal()
	}
	x.free()
}

// dispatch finds what serves the request and lets it.
func (a *API) dispatch(x *exchange) error {
	e, part := a.mux.find(x.r.URL)
	if e == nil {
		if handler := a.mux.mounted(x.r.URL.Path); handler != nil {
			x.delegate(handler)
			return nil
		}
		x.journaled = true
		return problem.NothingAt(x.r.URL.Path)
	}
	route := e.find(x.r.Method)
	if route == nil {
		x.journaled = true
		x.w.Header()["Allow"] = []string{e.allow}
		return problem.NotTaken(x.r.Method, e.allow)
	}
	x.operation, x.part, x.journaled = route.operation, part, route.journaled
	if a.options.Gate != nil {
		grant, err := a.options.Gate.HTTP(x.r, route.operation)
		x.caller = grant.Name()
		if err != nil {
			return err
		}
	}
	return route.serve(a, x)
}

// feesV1 serves the calls of calculator v1.
func (a *API) feesV1(x *exchange) error { return a.fees(x, contractV1) }

// feesV2 serves the calls of calculator v2.
func (a *API) feesV2(x *exchange) error { return a.fees(x, contractV2) }

func (a *API) fees(x *exchange, c contract) error {
	if err := readQuery(x.r.URL.RawQuery, x.r.Header, &x.query); err != nil {
		return err
	}
	x.query.PSP = x.part
	if err := x.readBody(a.options.BodyBytesMax); err != nil {
		return err
	}
	if a.options.Receipts != nil {
		if given := x.r.Header[headerReceipt]; len(given) > 0 {
			return a.feesOnReceipt(x, c, given[0])
		}
	}
	var err error
	x.out, x.outcome, err = a.calculator.answer(x.out[:0], x.body, &x.query, c, &x.facts)
	if err != nil {
		return err
	}
	x.quoted()
	return nil
}
