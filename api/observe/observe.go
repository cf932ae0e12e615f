// Package observe is what the services tell of a call that is over, to whoever counts, traces or logs it. It has
// no word of what was asked and answered: never a body, a BIN or a key.
//
// Where to start: [Call].
package observe

import (
	"context"
	"time"
)

// The transports.
const (
	HTTP = "http"
	GRPC = "grpc"
)

// Call is one call that is over.
type Call struct {
	Transport string
	// Operation is the name of the route, the path of the JSON form, or the gRPC method; "none" where there is none.
	Operation string
	// Status is that of HTTP, or the one that a gRPC code corresponds to.
	Status int
	// Revision of the catalogue that was answered on, 0 where none is known; Rows that of the answer.
	Revision int64
	Rows     int
	Took     time.Duration
}

// Func is told of calls, each on the goroutine that answered it, before that goes on: it must be quick. The context
// is that of the call.
type Func func(ctx context.Context, c Call)

// All returns what tells each of several, of which some may be nil; nil for none.
func All(funcs ...Func) Func {
	var all []Func
	for _, f := range funcs {
		if f != nil {
			all = append(all, f)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func(ctx context.Context, c Call) {
		for _, f := range all {
			f(ctx, c)
		}
	}
}
