package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/problem"
)

// logged is what the log says of one request.
type logged struct {
	started    time.Time
	id, method string
	// caller is the name of who calls; empty where it was not asked.
	caller string
	// iuv and paymentContext are what the caller says of the payment, for the journal.
	iuv, paymentContext string
	code                codes.Code
	// status is that of the problem that the answer is, 0 for none.
	status   int
	revision int64
	rows     int
	// cause is the error behind an answer that tells no cause.
	cause error
	// stay says again whether the caller of a stream may call it; nil: everybody may.
	stay access.Stay
}

// newLogged is a call that begins now. What its metadata say is read once: of a batch, not for every request.
func newLogged(ctx context.Context, id, method string) logged {
	return logged{
		started: time.Now(), id: id, method: method,
		iuv: firstOf(ctx, iuvMetadata), paymentContext: firstOf(ctx, contextMetadata),
	}
}

// The keys of a line of the log.
const (
	logRequestID = "request_id"
	logMethod    = "method"
	logCaller    = "caller"
	logCode      = "code"
	logDuration  = "duration"
	logRevision  = "revision"
	logRows      = "rows"
	logInstance  = "instance"
	logError     = "error"
)

// errPanic is the cause of the answer to a request whose handler panicked.
var errPanic = errors.New("panic")

// problem notes an error, or a panic, and returns it as the caller sees it; nil for neither.
func (l *logged) problem(err error, panicked any) *problem.Problem {
	if panicked != nil {
		err = fmt.Errorf("%w: %v\n%s", errPanic, panicked, debug.Stack())
	}
	p := problem.Of(err)
	if p == nil {
		return nil
	}
	l.code, l.status = p.Code, p.Status
	if p.Instance != "" {
		l.cause = p
	}
	return p
}

// shown is problem for gRPC. Statuses that grpc-go itself or an interceptor made stay as they are.
func (l *logged) shown(err error, panicked any) error {
	if panicked == nil {
		var made *problem.Problem
		if s, ok := status.FromError(err); ok && !errors.As(err, &made) {
			l.code = s.Code()
			return err
		}
	}
	if p := l.problem(err, panicked); p != nil {
		return p
	}
	return nil
}

// answered notes what the log says of an answer.
func (l *logged) answered(out any) {
	if answer, ok := out.(interface{ GetRevision() int64 }); ok {
		l.revision = answer.GetRevision()
	}
	switch answer := out.(type) {
	case *reply:
		l.rows = answer.rows
	case *gecv1.QuoteResponse:
		l.rows = len(answer.GetQuotes())
	}
}

func (l *logged) write(ctx context.Context, log *slog.Logger) {
	level := slog.LevelInfo
	if l.cause != nil {
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attributes := make([]slog.Attr, 0, 8)
	attributes = append(attributes,
		slog.String(logRequestID, l.id), slog.String(logMethod, l.method), slog.String(logCaller, l.caller),
		slog.String(logCode, l.code.String()),
		slog.Duration(logDuration, time.Since(l.started)), slog.Int64(logRevision, l.revision), slog.Int(logRows, l.rows))
	var p *problem.Problem
	if errors.As(l.cause, &p) {
		attributes = append(attributes, slog.String(logInstance, p.Instance), slog.Any(logError, p.Cause))
	}
	log.LogAttrs(ctx, level, "request", attributes...)
}
