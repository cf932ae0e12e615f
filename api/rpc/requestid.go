package rpc

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
)

const (
	requestIDHeader   = "X-Request-Id"
	requestIDMetadata = "x-request-id"
	// requestIDMax bounds what is repeated in answers and in the log.
	requestIDMax = 128
)

// requestID returns the id that a caller gave, or a fresh UUID if it gave none that can be repeated
// in a header and a log line as it is.
func requestID(given string) string {
	if given == "" || len(given) > requestIDMax {
		return uuid.NewString()
	}
	for i := range len(given) {
		if given[i] <= ' ' || given[i] > '~' {
			return uuid.NewString()
		}
	}
	return given
}

func incomingRequestID(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, requestIDMetadata); len(given) > 0 {
		return requestID(given[0])
	}
	return requestID("")
}

// echoRequestID puts the request's id into the answer, unless a handler around this one did, and
// returns it.
func echoRequestID(w http.ResponseWriter, r *http.Request) string {
	if id := w.Header().Get(requestIDHeader); id != "" {
		return id
	}
	id := requestID(r.Header.Get(requestIDHeader))
	w.Header().Set(requestIDHeader, id)
	return id
}
