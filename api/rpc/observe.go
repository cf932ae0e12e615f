package rpc

import (
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
)

// The transports that an observer is told of.
const (
	transportGRPC = "grpc"
	transportHTTP = "http"
)

// observer is Options.Observe; nil observes nothing.
type observer func(transport, method string, status, rows int, took time.Duration)

// call tells of a call that is over.
func (o observer) call(transport string, l *logged) {
	if o != nil {
		o(transport, l.method, statusOf(l.code), l.rows, time.Since(l.started))
	}
}

// statusOf returns a status of HTTP for a gRPC code: whether it went well, and whose fault it is otherwise.
func statusOf(code codes.Code) int {
	switch code {
	case codes.OK:
		return http.StatusOK
	case codes.Unavailable, codes.DeadlineExceeded:
		return http.StatusServiceUnavailable
	case codes.Unknown, codes.Internal, codes.DataLoss, codes.Unimplemented:
		return http.StatusInternalServerError
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}
