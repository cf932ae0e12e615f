// Package seen keeps the answers of many nodes in order for one caller: who names in X-Catalogue-Revision the
// revision that an earlier answer or change showed gets that one or a later one, whichever node is asked, after a
// short wait where it is on its way, or a clear "not yet". It also says in X-Catalogue-Age how old the catalogue
// may be, while the shared one cannot be reached. It decides nothing else, and costs a look at the headers where
// there is nothing to say.
//
// Where to start: [Options.HTTP] and [Options.GRPC] go around the handlers of each contract.
package seen

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"gec/api/problem"
)

// The headers and, in lower case, the metadata. The age is in whole seconds.
const (
	revisionHeader = "X-Catalogue-Revision"
	ageHeader      = "X-Catalogue-Age"
)

// waitMax is how long a call waits for a revision that is on its way.
const waitMax = 500 * time.Millisecond

// Catalogue is what the package needs of one. Await returns bundles.ErrNotYet when ctx ends before the revision
// is current.
type Catalogue interface {
	Await(ctx context.Context, revision int64) error
}

// Options says what answers are held to.
type Options struct {
	Catalogue Catalogue
	// Age says how old the catalogue may be, and whether there is anything to say; nil: there never is.
	Age func() (age time.Duration, away bool)
}

// await waits for the latest of the revisions that a caller names: who gathers the answers of several calls may send
// on the header of each. Errors: a problem for what is no revision; ErrNotYet.
func (o Options) await(ctx context.Context, named []string) error {
	var latest uint64
	for _, text := range named {
		revision, err := strconv.ParseUint(text, 10, 63) // digits alone, and within int64
		if err != nil {
			return problem.Invalid([]problem.Field{{Path: revisionHeader, Message: "is no revision; send the number of an earlier answer"}})
		}
		latest = max(latest, revision)
	}
	ctx, cancel := context.WithTimeout(ctx, waitMax)
	defer cancel()
	return o.Catalogue.Await(ctx, int64(latest))
}

// seconds returns the age as it is written, nothing where there is nothing to say.
func (o Options) seconds() string {
	if o.Age == nil {
		return ""
	}
	age, away := o.Age()
	if !away {
		return ""
	}
	return strconv.FormatInt(int64(age/time.Second), 10)
}

// HTTP puts the options around a handler.
func (o Options) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if age := o.seconds(); age != "" {
			w.Header().Set(ageHeader, age)
		}
		if given := r.Header[revisionHeader]; len(given) > 0 {
			if err := o.await(r.Context(), given); err != nil {
				problem.Of(err).Write(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// GRPC returns the options of a server that does the same.
func (o Options) GRPC() []grpc.ServerOption {
	hold := func(ctx context.Context) error {
		if age := o.seconds(); age != "" {
			_ = grpc.SetHeader(ctx, metadata.Pairs(strings.ToLower(ageHeader), age)) // headers were not sent yet
		}
		given := metadata.ValueFromIncomingContext(ctx, "x-catalogue-revision")
		if len(given) == 0 {
			return nil
		}
		err := o.await(ctx, given)
		if p := problem.Of(err); p != nil && p.Code == codes.Unavailable {
			_ = grpc.SetHeader(ctx, metadata.Pairs("retry-after", "1"))
		}
		return err
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := hold(ctx); err != nil {
				return nil, err
			}
			return handle(ctx, in)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := hold(stream.Context()); err != nil {
				return err
			}
			return handle(server, stream)
		}),
	}
}
