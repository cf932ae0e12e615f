package access

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gec/api/problem"
	"gec/bundles"
)

// Gate says who calls an operation and what it may do, for the services: it finds the caller's grant and holds
// it to what the operation asks (see Needs) and to its rate. Errors, as package problem shows them: a problem
// of a 401 for a caller that is not known, bundles.ErrForbidden for one that may not, a problem of a 429 for
// one that calls too often. With the last two the Grant says who that is.
type Gate interface {
	// HTTP is for a request and the name of its operation.
	HTTP(r *http.Request, operation string) (*Grant, error)
	// GRPC is for a call and its full method.
	GRPC(ctx context.Context, method string) (*Grant, error)
	// Stay is for a stream that goes on after GRPC let it in: it says again what GRPC would.
	Stay(ctx context.Context, method string) Stay
}

// Stay asks again whether the caller of a stream may call its method. Both methods may be called at once; their
// errors are those of [Gate].
type Stay interface {
	// Still takes nothing of the caller's rate.
	Still() error
	// Again counts as a call.
	Again() error
}

// Annex is where keys and delegations are kept: a bundles.Catalogue.
type Annex interface {
	AnnexRevision() int64
	Annex(ctx context.Context, revision int64, kind bundles.Kind, yield func(bundles.Row) error) error
	AnnexChanges(ctx context.Context, after, through int64, yield func(bundles.Row) error) error
}

// Identity is who a bearer token or a client certificate says that the caller is.
type Identity struct {
	// ID is "sub:" or "cert:" and the subject, by which delegations name it.
	ID string
	// Name is for journal and history; Roles are what it may do by itself.
	Name  string
	Roles []Role
}

// Options says what a node takes from callers. Annex is needed.
type Options struct {
	Annex Annex
	// AnybodyOperates makes whoever shows nothing the operator: for trying out, on loopback only.
	AnybodyOperates bool
	// Bearer finds who a token of the Authorization header is of; nil: no such tokens are taken. Its errors
	// are for the log.
	Bearer func(ctx context.Context, token string) (Identity, error)
	// Certificate finds who the certificate is of that a client showed; nil: none is looked at.
	Certificate func(*tls.ConnectionState) (Identity, bool)
	// Log gets what keeps keys from being read again; nil: nothing is logged.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Access is the Gate of a node. A key that is made, changed or revoked is taken so by the next call, as soon as
// the change of the catalogue is on this node. While there is no key and nothing else to show, quotes are open to
// all: the node then listens on loopback only. It is safe for concurrent use.
type Access struct {
	options Options
	// operations says what each asks of its caller. One that is not there asks what nobody has.
	operations map[string]asking
	current    atomic.Pointer[state]
	loading    sync.Mutex
	refused    [len(reasons)]atomic.Int64
}

// reason is why a call was refused, for the metrics.
type reason uint8

const (
	reasonNone reason = iota
	reasonUnknown
	reasonExpired
	reasonRevoked
	reasonRole
	reasonRate
)

var reasons = [...]string{"no key", "unknown key", "expired key", "revoked key", "role", "rate"}

// nobody is the caller of public operations, and anonymous whoever asks for quotes while there are no keys.
var (
	nobody    = &Grant{Caller: bundles.Caller{Name: "anonymous"}}
	anonymous = &Grant{Caller: bundles.Caller{Name: "anonymous"}, quotes: true}
	anybody   = &Grant{Caller: bundles.Operator("loopback"), quotes: true}
)

// New reads the keys. Errors: those of the Annex.
func New(ctx context.Context, o Options) (*Access, error) {
	if o.Annex == nil {
		return nil, errors.New("access: Annex is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &Access{options: o, operations: askings()}
	s, err := newState(ctx, o.Annex, o.Now())
	if err != nil {
		return nil, err
	}
	a.current.Store(s)
	return a, nil
}

// Open reports whether quotes are open to all, because there are no keys and nothing else to show.
func (a *Access) Open() bool { return a.open(a.state(a.options.Now())) }

func (a *Access) open(s *state) bool {
	return len(s.keys) == 0 && a.options.Bearer == nil && a.options.Certificate == nil
}

// Refused returns how many calls were refused, by reason.
func (a *Access) Refused() map[string]int64 {
	counts := map[string]int64{}
	for n, reason := range reasons {
		counts[reason] = a.refused[n].Load()
	}
	return counts
}

// HTTP implements Gate.
func (a *Access) HTTP(r *http.Request, operation string) (*Grant, error) {
	asks := a.operations[operation]
	if asks.need == Public {
		return nobody, nil
	}
	return a.admit(r.Context(), asks, ofRequest(r))
}

// GRPC implements Gate.
func (a *Access) GRPC(ctx context.Context, method string) (*Grant, error) {
	asks := a.operations[method]
	if asks.need == Public {
		return nobody, nil
	}
	return a.admit(ctx, asks, ofCall(ctx))
}

// Stay implements Gate.
func (a *Access) Stay(ctx context.Context, method string) Stay {
	return &stay{access: a, ctx: ctx, asks: a.operations[method], shown: ofCall(ctx)}
}

// admit finds the grant of what a caller shows and holds it to what is asked and to its rate.
func (a *Access) admit(ctx context.Context, asks asking, shown shown) (*Grant, error) {
	now := a.options.Now()
	s := a.state(now)
	g, why := a.find(ctx, s, shown, now)
	return a.judge(s, g, why, asks, shown, now)
}

// judge is admit once it was looked for the grant in a state: g is nil where there is none, and why says why.
func (a *Access) judge(s *state, g *Grant, why reason, asks asking, shown shown, now time.Time) (*Grant, error) {
	if g == nil {
		switch {
		case a.options.AnybodyOperates && (shown.nothing() || a.open(s)):
			return anybody, nil
		case a.open(s) && (asks.need == Quotes || asks.need == Testing):
			return anonymous, nil
		}
		return nil, a.refuse(why, problem.NoKey())
	}
	if err := g.spend(now, asks.calls); err != nil {
		return g, a.refuse(reasonRate, err)
	}
	if err := g.may(asks.need); err != nil {
		return g, a.refuse(reasonRole, err)
	}
	return g, nil
}

func (a *Access) refuse(why reason, err error) error {
	a.refused[why].Add(1)
	return err
}

// find returns the grant of what was shown, or why there is none.
func (a *Access) find(ctx context.Context, s *state, shown shown, now time.Time) (*Grant, reason) {
	switch {
	case shown.key != "":
		return s.holder(shown.key).at(now)
	case shown.token != "" && a.options.Bearer != nil:
		identity, err := a.options.Bearer(ctx, shown.token)
		if err != nil {
			a.options.Log.DebugContext(ctx, "a bearer token was refused", "error", err)
			return nil, reasonUnknown
		}
		return s.grantOf(identity, now), reasonNone
	case shown.tls != nil && a.options.Certificate != nil:
		if identity, ok := a.options.Certificate(shown.tls); ok {
			return s.grantOf(identity, now), reasonNone
		}
	case shown.token != "":
		return nil, reasonUnknown
	}
	return nil, reasonNone
}

// state returns the keys of the annex as it is now.
func (a *Access) state(now time.Time) *state {
	s := a.current.Load()
	if s.revision == a.options.Annex.AnnexRevision() && now.UnixNano() < s.until {
		return s
	}
	return a.reload(now)
}

// reload reads the annex, once for all calls that wait for it. Where it cannot be read the keys stay as they
// are for a second, so that payments go on while a disk fails.
func (a *Access) reload(now time.Time) *state {
	a.loading.Lock()
	defer a.loading.Unlock()
	s := a.current.Load()
	if s.revision == a.options.Annex.AnnexRevision() && now.UnixNano() < s.until {
		return s
	}
	// Not the context of a call: all that wait get what is read here.
	next, err := s.next(context.Background(), a.options.Annex, now)
	if err != nil {
		a.options.Log.Error("keys cannot be read: those of before are taken", "error", err)
		stale := *s
		stale.number++
		stale.revision, stale.until = a.options.Annex.AnnexRevision(), now.Add(time.Second).UnixNano()
		next = &stale
	}
	a.current.Store(next)
	return next
}
