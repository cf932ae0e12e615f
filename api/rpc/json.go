package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/journal"
	"gec/api/observe"
	"gec/api/problem"
)

// JSONPrefix is where the paths of the JSON form begin.
const JSONPrefix = "/gec/v1/"

// revisionHeader tells the revision that an answer was computed on.
const revisionHeader = "X-Catalogue-Revision"

// jsonHandler is the JSON form of the native contract.
type jsonHandler struct {
	*quoting
	gate   access.Gate
	routes map[string]route
	// buffers pools the bytes of bodies and answers.
	buffers sync.Pool
}

// route is one path of the JSON form.
type route struct {
	method string
	// operation is its name in the OpenAPI document.
	operation string
	serve     func(*exchange) error
}

// exchange is one HTTP request and its answer.
type exchange struct {
	w http.ResponseWriter
	r *http.Request
	// started says that the answer has begun, so that an error can no longer take its place.
	started bool
	// operation is that of the route.
	operation string
	logged    logged
	// entry is what the journal is told.
	entry journal.Entry
}

// JSON returns the handler of the paths below JSONPrefix: the native contract in the JSON mapping of
// protobuf, read strictly. It calls what the gRPC server calls, in the same process. Errors are
// problem+json; those of fields name the field as the JSON has it.
func JSON(o Options) http.Handler {
	o = o.withDefaults()
	h := &jsonHandler{
		quoting: newQuoting(o), gate: o.Gate,
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	h.routes = map[string]route{
		JSONPrefix + "quote":        {http.MethodPost, "quote", h.serveQuote},
		JSONPrefix + "quotes:batch": {http.MethodPost, operationBatch, h.serveBatch},
		JSONPrefix + "explain":      {http.MethodPost, "explain", h.serveExplain},
		JSONPrefix + "catalogue":    {http.MethodGet, "getStatus", h.serveStatus},
		JSONPrefix + "receipt-keys": {http.MethodGet, "getReceiptKeys", h.serveReceiptKeys},
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *jsonHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, r: r, logged: logged{started: time.Now(), id: echoRequestID(w, r)}}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	defer func() {
		panicked, started := recover(), x.started
		if panicked != nil {
			h.refuse(x, nil, panicked)
		}
		x.logged.write(r.Context(), h.log)
		h.observe.call(r.Context(), observe.HTTP, &x.logged)
		if x.operation != operationBatch || x.logged.code != codes.OK && x.logged.rows == 0 {
			h.enter(&x.logged, x, &x.entry)
		}
		if panicked != nil && started {
			panic(http.ErrAbortHandler) // so that nobody takes what was sent for the whole
		}
	}()
	if err := h.dispatch(x); err != nil {
		h.refuse(x, err, nil)
	}
}

func (h *jsonHandler) dispatch(x *exchange) error {
	route, ok := h.routes[x.r.URL.Path]
	if !ok {
		x.logged.method = methodUnknown
		return problem.New(http.StatusNotFound, codes.NotFound, "There is no such path: see the OpenAPI document gec-v1")
	}
	x.logged.method = x.r.URL.Path
	if x.r.Method != route.method && (x.r.Method != http.MethodHead || route.method != http.MethodGet) {
		x.w.Header().Set("Allow", route.method)
		return problem.New(http.StatusMethodNotAllowed, codes.Unimplemented, "Use "+route.method)
	}
	x.operation = route.operation
	if err := h.admit(x); err != nil {
		return err
	}
	return route.serve(x)
}

// admit lets nobody pass who may not.
func (h *jsonHandler) admit(x *exchange) error {
	if h.gate == nil {
		return nil
	}
	grant, err := h.gate.HTTP(x.r, x.operation)
	x.logged.caller = grant.Name()
	return err
}

// refuse answers with a problem, if the answer has not begun.
func (h *jsonHandler) refuse(x *exchange, err error, panicked any) {
	p := x.logged.problem(withJSONNames(err), panicked)
	if x.started {
		return
	}
	x.started = true
	p.Head(x.w.Header())
	var body []byte
	if !p.Bodyless() {
		body = append(p.Append(nil), '\n')
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(p.Status)
	_, _ = x.w.Write(body) // the caller is gone if it fails
}

func (h *jsonHandler) serveQuote(x *exchange) error {
	in := &gecv1.QuoteRequest{}
	return h.unary(x, in, func(ctx context.Context) (proto.Message, error) { return h.quote(ctx, in) })
}

func (h *jsonHandler) serveExplain(x *exchange) error {
	in := &gecv1.ExplainRequest{}
	return h.unary(x, in, func(ctx context.Context) (proto.Message, error) { return h.explain(ctx, in) })
}

func (h *jsonHandler) serveStatus(x *exchange) error {
	return h.reply(x, h.status())
}

// unary reads one message, calls answer and writes what it returns.
func (h *jsonHandler) unary(x *exchange, in proto.Message, answer func(context.Context) (proto.Message, error)) error {
	body := h.buffers.Get().(*bytes.Buffer)
	defer h.buffers.Put(body)
	body.Reset()
	if err := readBody(x, body); err != nil {
		return err
	}
	x.entry.BodyBytes, x.entry.BodySHA256 = int64(body.Len()), sha256.Sum256(body.Bytes())
	if err := unmarshal(body.Bytes(), in); err != nil {
		return err
	}
	asked(&x.entry.Facts, in)
	out, err := answer(x.r.Context())
	if err != nil {
		return err
	}
	return h.reply(x, out)
}

// readBody reads a body of at most RequestBytesMax.
func readBody(x *exchange, into *bytes.Buffer) error {
	if x.r.ContentLength > RequestBytesMax {
		return errTooLarge()
	}
	_, err := into.ReadFrom(http.MaxBytesReader(x.w, x.r.Body, RequestBytesMax))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge()
	case err != nil:
		p := problem.Malformed("the body ended before it was complete")
		p.Cause = err
		return p
	}
	return nil
}

func errTooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, codes.ResourceExhausted,
		fmt.Sprintf("The request is larger than %d bytes: leave something out, or send several requests", RequestBytesMax))
}

// reply writes a message as the whole answer.
func (h *jsonHandler) reply(x *exchange, out proto.Message) error {
	body := h.buffers.Get().(*bytes.Buffer)
	defer h.buffers.Put(body)
	body.Reset()
	if err := marshal(body, out); err != nil {
		return err
	}
	x.logged.answered(out)
	told(&x.entry.Facts, out)
	x.started = true
	header := x.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set(revisionHeader, strconv.FormatInt(x.logged.revision, 10))
	_, err := x.w.Write(body.Bytes())
	return gone(err)
}

// gone marks an error of writing to the caller as what it is: the caller went away.
func gone(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", context.Canceled, err)
}
