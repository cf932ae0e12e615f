package rpc

import (
	"context"
	"net/http"

	"google.golang.org/grpc/metadata"

	"gec/api/requestid"
)

const (
	requestIDHeader   = "X-Request-Id"
	requestIDMetadata = "x-request-id"
)

// requestID returns the id that a caller gave, or a fresh one if it gave none that can be repeated in a
// header and a log line as it is.
func requestID(given string) string {
	if requestid.Usable(given) {
		return given
	}
	return requestid.New()
}

func incomingRequestID(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, requestIDMetadata); len(given) > 0 {
		return requestID(given[0])
	}
	return requestid.New()
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
