// Package problem is the one table from the errors of the domain to what a caller is shown: HTTP
// problems (RFC 9457, with the titles and details of the platform's wire contract, spec 4) and gRPC
// statuses. It decides nothing else and writes to no connection.
//
// Where to start: [Of] is the table, [Problem] what it gives. Code that reads input makes its own
// problems with [Malformed], [Invalid] and [New], which pass through [Of] unchanged.
package problem

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ContentType is the media type of an HTTP problem.
const ContentType = "application/problem+json"

// detailFieldsMax is the number of faulty fields that Detail spells out; Fields holds all of them.
const detailFieldsMax = 20

// Problem is an error in the form in which a caller sees it. It is an error itself, so that code at the
// edge can return one. It is not changed once it is made.
type Problem struct {
	// Status is the HTTP status, 400 to 599, and Code the gRPC one.
	Status int
	Code   codes.Code
	// Title is constant for a kind of problem, Detail says what is wrong this time. Both are part
	// of the wire contract: clients compare them.
	Title, Detail string
	// Hint says more than the contract's detail has room for: where, and what would be right.
	// May be empty.
	Hint string
	// Instance names this one occurrence of an error whose cause is not shown, a URN that is
	// also in the log. Empty for every other problem.
	Instance string
	// Fields are the faults of the input one by one, in its order; nil where no field is at fault.
	Fields []Field
	// RetryAfter is when to come again, rounded up to whole seconds in the head of an answer; 0 says nothing.
	RetryAfter time.Duration
	// Cause is what the problem stands for. It is for the log and errors.Is, and never shown.
	Cause error
}

// Field is one fault of the input.
type Field struct {
	// Path of the field, such as "paymentNotice[0].paymentAmount"; empty for the whole input.
	Path string
	// Message says what is wrong and what would be right.
	Message string
	// Line and Column count from 1 where the input is a document with lines; 0 elsewhere.
	Line, Column int
}

// Error returns the title and the detail, without the cause.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// Unwrap returns the cause, nil when there is none.
func (p *Problem) Unwrap() error { return p.Cause }

// New returns a problem of an HTTP status with the status's own name as its title, in capitals as the
// platform writes it ("BAD REQUEST").
func New(status int, code codes.Code, detail string) *Problem {
	p := &Problem{Status: status, Code: code, Title: strings.ToUpper(http.StatusText(status)), Detail: detail}
	if status == http.StatusServiceUnavailable {
		p.RetryAfter = time.Second // what is in the way passes by itself
	}
	return p
}

// NothingAt is the problem of a path that is not served.
func NothingAt(path string) *Problem {
	return New(http.StatusNotFound, codes.NotFound, "There is nothing at "+path+": see /openapi for what there is")
}

// NotTaken is the problem of a method that a path does not take; allow lists those that it takes, as the header Allow
// does.
func NotTaken(method, allow string) *Problem {
	return New(http.StatusMethodNotAllowed, codes.Unimplemented, "This path does not take "+method+": use "+allow)
}

// NoKey is the problem of a request without an access key that is known.
func NoKey() *Problem {
	return New(http.StatusUnauthorized, codes.Unauthenticated, "An access key that is known is needed")
}

// TooMany is the problem of a caller that called too often and may call again after some time.
func TooMany(wait time.Duration) *Problem {
	p := New(http.StatusTooManyRequests, codes.ResourceExhausted, "The access key has used up its rate of calls")
	p.RetryAfter = max(wait, time.Second)
	return p
}

// Bodyless reports whether an HTTP answer with the problem has no body, as the contract has it for requests
// without a known key and for those above their rate.
func (p *Problem) Bodyless() bool {
	return p.Status == http.StatusUnauthorized || p.Status == http.StatusTooManyRequests
}

// Head writes what the head of an HTTP answer says of the problem, all but the length of its body.
func (p *Problem) Head(header http.Header) {
	if !p.Bodyless() {
		header.Set("Content-Type", ContentType)
	}
	header.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="gec"`)
	}
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((p.RetryAfter+time.Second-1)/time.Second), 10))
	}
}

// Write answers a request with the problem. An error in writing is the caller's hanging up.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.Head(w.Header())
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead && !p.Bodyless() {
		_, _ = w.Write(p.Append(nil))
	}
}

// Malformed is the problem of input that is not of the expected form at all. Its detail is the contract's
// fixed text; the hint says what is wrong and where.
func Malformed(hint string) *Problem {
	p := New(http.StatusBadRequest, codes.InvalidArgument, "Invalid input format")
	p.Hint = hint
	return p
}

// valueBytesMax bounds how much of a foreign value a detail repeats.
const valueBytesMax = 100

// InvalidValue is the problem of a query parameter, or of a header in its place, with a value that it cannot
// have. Its detail is the contract's; the hint, fix, says what would be right.
func InvalidValue(value, name, fix string) *Problem {
	if len(value) > valueBytesMax {
		value = strings.ToValidUTF8(value[:valueBytesMax], "") + "…"
	}
	p := New(http.StatusBadRequest, codes.InvalidArgument, "Invalid value "+value+" for property "+name)
	p.Hint = fix
	return p
}

// Invalid is the problem of input with faulty fields, at least one. Its detail reads
// "field: message, field: message"; it names at most 20 fields and counts the rest.
func Invalid(fields []Field) *Problem {
	var detail strings.Builder
	for i, f := range fields {
		if i == detailFieldsMax {
			fmt.Fprintf(&detail, ", and %d more", len(fields)-i)
			break
		}
		if i > 0 {
			detail.WriteString(", ")
		}
		if f.Path != "" {
			detail.WriteString(f.Path + ": ")
		}
		detail.WriteString(f.Message)
	}
	p := New(http.StatusBadRequest, codes.InvalidArgument, detail.String())
	p.Fields = fields
	return p
}

// Append writes the problem as a JSON object after dst: title, status, detail and, where there are any,
// hint, instance and errors. Text that is not UTF-8 is mended.
func (p *Problem) Append(dst []byte) []byte {
	var e jx.Encoder
	e.SetBytes(dst)
	e.ObjStart()
	text(&e, "title", p.Title)
	e.FieldStart("status")
	e.Int(p.Status)
	text(&e, "detail", p.Detail)
	if p.Hint != "" {
		text(&e, "hint", p.Hint)
	}
	if p.Instance != "" {
		text(&e, "instance", p.Instance)
	}
	if len(p.Fields) > 0 {
		e.FieldStart("errors")
		e.ArrStart()
		for _, f := range p.Fields {
			f.encode(&e)
		}
		e.ArrEnd()
	}
	e.ObjEnd()
	return e.Bytes()
}

func (f Field) encode(e *jx.Encoder) {
	e.ObjStart()
	text(e, "field", f.Path)
	text(e, "message", f.Message)
	if f.Line > 0 {
		e.FieldStart("line")
		e.Int(f.Line)
		e.FieldStart("column")
		e.Int(f.Column)
	}
	e.ObjEnd()
}

func text(e *jx.Encoder, name, value string) {
	e.FieldStart(name)
	e.Str(strings.ToValidUTF8(value, "\uFFFD"))
}

// GRPCStatus returns the problem as a gRPC status, with the faulty fields as a BadRequest detail. Its
// name makes grpc-go send a Problem that a handler returns as that status.
func (p *Problem) GRPCStatus() *status.Status {
	message := p.Detail
	if p.Hint != "" {
		message += ": " + p.Hint
	}
	if p.Instance != "" {
		message += " (" + p.Instance + ")"
	}
	s := status.New(p.Code, strings.ToValidUTF8(message, "\uFFFD"))
	if p.RetryAfter > 0 {
		if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(p.RetryAfter)}); err == nil {
			s = detailed
		}
	}
	if len(p.Fields) == 0 {
		return s
	}
	var bad errdetails.BadRequest
	for _, f := range p.Fields {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: strings.ToValidUTF8(f.Path, "\uFFFD"), Description: strings.ToValidUTF8(f.Message, "\uFFFD"),
		})
	}
	if detailed, err := s.WithDetails(&bad); err == nil {
		return detailed
	}
	return s // without the details; they are in the message as well
}
