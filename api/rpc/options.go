package rpc

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"gec/api/access"
	"gec/api/journal"
	"gec/api/observe"
	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// The bounds of a request, beyond which it is refused whole.
const (
	// RequestBytesMax is the size of one request message: a quote, a line of a batch, an explain.
	RequestBytesMax = 64 << 10
	// ResponseBytesMax is the size of one answer. Ten rows have 6 KiB, every bundle of a catalogue
	// of 50 000 about 20 MiB.
	ResponseBytesMax = 64 << 20
	// HeaderBytesMax is the size of the metadata of a gRPC call.
	HeaderBytesMax = 16 << 10
	// StreamsMax is the number of calls at a time on one gRPC connection.
	StreamsMax = 1 << 10
)

// StallTimeout is how long a batch over HTTP may wait for the caller to send or to take one line.
const StallTimeout = 30 * time.Second

// Catalogue is what is served, [bundles.Catalogue] in a running node. Its methods may be called
// concurrently.
type Catalogue interface {
	// Current returns the snapshot of the current revision, without waiting.
	Current() *engine.Snapshot
	// At returns the snapshot of a revision. Errors: bundles.ErrNotFound.
	At(ctx context.Context, revision int64) (*engine.Snapshot, error)
	// AsOf returns the snapshot of the revision that was current at an instant, the empty one for an
	// instant before the first change.
	AsOf(ctx context.Context, instant time.Time) (*engine.Snapshot, error)
	// Head returns the record of the current revision, the zero Record for revision 0.
	Head() bundles.Record
}

// Options says what is served and how. All but Catalogue may be left at zero.
type Options struct {
	// Catalogue is required: New and JSON panic without it.
	Catalogue Catalogue
	// Authors is the catalogue that those who author and agree change; nil: every such call is refused.
	Authors *bundles.Catalogue
	// Gate says who calls, and may; nil: everybody may ask for quotes, and nobody may author.
	Gate access.Gate
	// Now is the clock of payments without an instant; nil: time.Now.
	Now func() time.Time
	// Log gets one line a request; nil: none. No line holds a BIN, a key or a body.
	Log *slog.Logger
	// Observe, where not nil, is told of every call when it is over.
	Observe observe.Func
	// Journal gets every call, and every request of a batch; nil: nobody does.
	Journal *journal.Journal
	// Quoted, where not nil, is told what each quote took, those of batches too. It must be quick.
	Quoted func(engine.Effort)
	// Failed, where not nil, is told of bundles that an answer left out because they failed while running
	// (Q14). It must not keep what it is given.
	Failed func([]engine.Failure)
	// Receipts gives and redeems the receipts of quotes; nil: none are given, and those given back are refused.
	Receipts *receipt.Desk
	// GRPC are further options of the gRPC server, such as credentials and chained interceptors.
	// The interceptors run inside those of this package, so that what they refuse is logged and a
	// panic of theirs is caught.
	GRPC []grpc.ServerOption
}

func (o Options) withDefaults() Options {
	if o.Catalogue == nil {
		panic("rpc: Options.Catalogue is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
