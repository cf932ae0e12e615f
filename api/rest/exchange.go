package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"gec/api/journal"
	"gec/api/observe"
	"gec/api/problem"
	"gec/api/requestid"
)

// bufferBytesKept is the size of the largest buffer that is kept for the next request; the few larger answers
// are left to the garbage collector.
const bufferBytesKept = 1 << 20

// operationMounted is the operation of what a mounted handler answers without a name of its own. The journal knows no
// operation of that name.
const operationMounted = "mounted"

// exchange is one request and its answer. It is pooled: nothing of it may be kept when the request is over.
type exchange struct {
	api *API
	w   http.ResponseWriter
	r   *http.Request
	// id is the request id; idMade says that the caller sent none that is usable.
	id     string
	idMade bool
	// operation and part are those of the route: its name and the text of its part in braces.
	operation, part string
	// caller is the name of who calls; empty where it was not asked.
	caller          string
	query           Query
	body, out, head []byte
	outcome         Outcome
	// status is 0 until the answer's head is written.
	status int
	// started is set only when the request is going to be logged, observed or journaled.
	started time.Time
	logged  bool
	// journaled says that the request is an event of the journal, facts what it is told, digest the body of what
	// a mounted handler reads.
	journaled bool
	facts     journal.Facts
	digest    *digesting
}

func (x *exchange) begin(a *API, w http.ResponseWriter, r *http.Request) {
	*x = exchange{api: a, w: w, r: r, body: x.body[:0], out: x.out[:0], head: x.head[:0]}
	x.id = first(r.Header[headerRequestID])
	if !requestid.Usable(x.id) {
		x.id, x.idMade = requestid.New(), true
	}
	header := w.Header()
	if x.idMade {
		header[headerRequestID] = []string{x.id}
	} else {
		header[headerRequestID] = r.Header[headerRequestID][:1:1]
	}
	header["X-Content-Type-Options"] = a.static.nosniff
	x.logged = a.options.Logger.Enabled(r.Context(), a.options.RequestLevel)
	if x.logged || a.options.Observe != nil || a.options.Journal != nil {
		x.started = time.Now()
	}
}

// done logs the request and tells who observes.
func (x *exchange) done() {
	if x.logged {
		x.log()
	}
	if tell := x.api.options.Observe; tell != nil {
		operation := x.operation
		if operation == "" {
			operation = "none"
		}
		tell(x.r.Context(), observe.Call{
			Transport: observe.HTTP, Operation: operation, Status: x.status, Revision: x.outcome.Revision, Rows: x.outcome.Rows, Took: time.Since(x.started),
		})
	}
	if x.journaled && x.api.options.Journal != nil {
		x.journal()
	}
}

// end ends the exchange and gives it back.
func (x *exchange) end() {
	x.done()
	x.free()
}

// free gives the exchange back.
func (x *exchange) free() {
	if cap(x.body) > bufferBytesKept || cap(x.out) > bufferBytesKept {
		x.body, x.out = nil, nil
	}
	a := x.api
	*x = exchange{body: x.body, out: x.out, head: x.head}
	a.exchanges.Put(x)
}

// log writes the one line per request. Never a body, a query or a key.
func (x *exchange) log() {
	attributes := []slog.Attr{
		slog.String("request_id", x.id),
		slog.String("method", x.r.Method),
		slog.String("path", x.r.URL.Path),
		slog.String("operation", x.operation),
		slog.String("caller", x.caller),
		slog.Int("status", x.status),
		slog.Duration("took", time.Since(x.started)),
	}
	if x.outcome.Revision != 0 {
		attributes = append(attributes, slog.Int64("revision", x.outcome.Revision), slog.Int("rows", x.outcome.Rows))
	}
	x.api.options.Logger.LogAttrs(x.r.Context(), x.api.options.RequestLevel, "request", attributes...)
}

// quoted sends the answer of the calculator in x.out. The numbers of its headers are written into one string,
// because net/http may read them after the handler is done.
func (x *exchange) quoted() {
	x.head = strconv.AppendInt(x.head[:0], x.outcome.Revision, 10)
	seed := len(x.head)
	x.head = strconv.AppendUint(x.head, x.outcome.Seed, 10)
	length := len(x.head)
	x.head = strconv.AppendInt(x.head, int64(len(x.out)), 10)
	text := string(x.head)
	values := [...]string{text[:seed], text[seed:length], text[length:]}
	header := x.w.Header()
	header[headerRevision] = values[0:1:1]
	header[headerSeed] = values[1:2:2]
	header["Content-Length"] = values[2:3:3]
	header["Content-Type"] = x.api.static.json
	expectWhole(x.r.Context(), len(x.out))
	x.write(http.StatusOK)
}

// json sends x.out, a JSON document.
func (x *exchange) json(status int) {
	x.w.Header()["Content-Type"] = x.api.static.json
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(x.out)))
	x.write(status)
}

// write sends the head and x.out. An error in writing is the caller's hanging up, of which nobody is left to
// be told.
func (x *exchange) write(status int) {
	x.status = status
	x.w.WriteHeader(status)
	_, _ = x.w.Write(x.out)
}

// problem sends the problem that an error is shown as.
func (x *exchange) problem(err error) {
	p := problem.Of(err)
	if p.Instance != "" {
		x.api.options.Logger.LogAttrs(x.r.Context(), slog.LevelError, "internal error",
			slog.String("request_id", x.id), slog.String("instance", p.Instance), slog.Any("error", p.Cause))
	}
	header := x.w.Header()
	if p.Status == http.StatusRequestEntityTooLarge || p.Status == http.StatusRequestTimeout {
		header.Set("Connection", "close") // the rest of the body is not worth reading
	}
	p.Head(header)
	if x.out = x.out[:0]; !p.Bodyless() {
		x.out = p.Append(x.out)
	}
	header.Set("Content-Length", strconv.Itoa(len(x.out)))
	x.write(p.Status)
}

// panicked answers a request whose handler panicked, if it still can, and logs why.
func (x *exchange) panicked(cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause) // net/http's own way to end a connection
	}
	p := problem.Of(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
	if x.status != 0 {
		x.api.options.Logger.LogAttrs(x.r.Context(), slog.LevelError, "internal error after the answer began",
			slog.String("request_id", x.id), slog.Any("error", p.Cause))
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	x.out = nil
	header := x.w.Header()
	for _, name := range []string{headerRevision, headerSeed, headerReceipt} {
		delete(header, name)
	}
	x.problem(p)
	x.done()
}

// delegate lets a mounted handler answer. It sees the request id as if the caller had sent it.
func (x *exchange) delegate(handler http.Handler) {
	x.operation = operationMounted
	if x.idMade {
		x.r.Header.Set(headerRequestID, x.id)
	}
	if x.api.options.Journal != nil {
		x.digest = &digesting{ReadCloser: x.r.Body}
		x.r.Body = x.digest
	}
	handler.ServeHTTP(&recorder{ResponseWriter: x.w, x: x}, x.r)
	if x.status == 0 {
		x.status = http.StatusOK // a handler that writes nothing
	}
	// What nobody serves, or is refused before anybody gives it a name, is an event all the same.
	x.journaled = x.journaled || x.status >= http.StatusBadRequest
}
