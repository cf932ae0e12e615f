package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"gec/bundles"
)

// The time limits of what is asked of etcd: a change is stored or refused within their sum, 3 s, for each
// megabyte of it.
const (
	requestTimeout = 2 * time.Second
	settleTimeout  = 900 * time.Millisecond
	// heartbeat is how often a node asks for the head although no watch told it anything.
	heartbeat = time.Second
)

// PrefixDefault is the default of Options.Prefix.
const PrefixDefault = "gec/"

// Options says where the shared catalogue is.
type Options struct {
	// Endpoints are the addresses of the members, such as "http://127.0.0.1:2379"; at least one.
	Endpoints []string
	// Prefix is where the catalogue's keys are; empty: PrefixDefault.
	Prefix string
	// TLS is nil for connections in the clear. Username and Password are empty where etcd asks for none.
	TLS                *tls.Config
	Username, Password string
	// Keep is how long revisions stay in etcd (see Store.Prune); 0 keeps all.
	Keep time.Duration
	// Logger gets what an operator should know; nil: nobody does.
	Logger *slog.Logger
	// Dial are further options of the connections, such as interceptors.
	Dial []grpc.DialOption

	// step, where not nil, is called at the named points of a pruning, which its error ends. For tests.
	step func(point string) error
}

// Store is a [bundles.Store] that is shared through etcd. All reads are answered by the node's own copy, as far
// as that has come. It is safe for concurrent use.
type Store struct {
	// Store is the node's own copy.
	bundles.Store
	o      Options
	client *clientv3.Client
	// writing is held by the one Commit at a time, applying by who writes to the copy.
	writing, applying sync.Mutex
	// shared is the head in etcd as last seen.
	shared atomic.Pointer[seen]
	closed atomic.Bool
	status status
}

// seen is a head and the etcd revision at which it was written.
type seen struct {
	head
	modified int64
}

var _ bundles.Store = (*Store)(nil)

// Open returns the store on etcd with the given copy, which Close closes. It asks nothing of etcd: the
// copy is served at once.
func Open(copied bundles.Store, o Options) (*Store, error) {
	if o.Prefix == "" {
		o.Prefix = PrefixDefault
	}
	if !strings.HasSuffix(o.Prefix, "/") {
		o.Prefix += "/"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: o.Endpoints, TLS: o.TLS, Username: o.Username, Password: o.Password,
		DialTimeout: requestTimeout, DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
		MaxUnaryRetries: 3, RejectOldCluster: false, PermitWithoutStream: true, Logger: zap.NewNop(), DialOptions: o.Dial,
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return &Store{Store: copied, o: o, client: client}, nil
}

// Close ends the connections to etcd and closes the copy. Run must have returned.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.client.Close()
	if errors.Is(err, context.Canceled) {
		err = nil // what Close itself cancelled
	}
	return errors.Join(err, s.Store.Close())
}

// DivergedError is returned when the node's copy states another history than etcd.
type DivergedError struct {
	// Revision is one that differs.
	Revision int64
	Reason   string
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the node's data folder and etcd hold different histories at revision %d: %s; "+
		"move the folder away to copy the catalogue from etcd, or name another --etcd-prefix", e.Revision, e.Reason)
}

// BehindError is returned when the copy ends before the oldest revision that etcd still has, and etcd has no base
// state to go on from.
type BehindError struct{ Have, Oldest int64 }

func (e *BehindError) Error() string {
	return fmt.Sprintf("the node's data folder ends at revision %d and etcd begins at %d, without a base state: "+
		"a node of this release that is up to date writes one with --etcd-keep; or start from a copy of the data folder of another node", e.Have, e.Oldest)
}

// refused reports whether etcd certainly did not do what it was asked: it is reachable and said no.
func refused(err error) bool {
	var said rpctypes.EtcdError
	if !errors.As(err, &said) {
		return false
	}
	switch said.Code() {
	case codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.FailedPrecondition:
		return true
	}
	return false
}

// unavailable turns an error of the client into those of the domain, and names the setting where one is wrong.
func unavailable(err error) error {
	if errors.Is(err, rpctypes.ErrNoSpace) {
		return fmt.Errorf("%w: etcd has used up its --quota-backend-bytes (%w)", bundles.ErrStorageFull, err)
	}
	if fix := fixOf(err); fix != "" {
		return fmt.Errorf("%w: etcd: %s: %s", bundles.ErrUnavailable, err, fix)
	}
	return fmt.Errorf("%w: etcd: %s", bundles.ErrUnavailable, err)
}

// fixOf says which setting to look at for an error of etcd, empty where none is to blame.
func fixOf(err error) string {
	switch {
	case errors.Is(err, rpctypes.ErrAuthFailed):
		return "check --etcd-user and --etcd-password-file"
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return "it asks for an account: set --etcd-user and --etcd-password-file"
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return "the account --etcd-user needs a role that may read and write what begins with --etcd-prefix"
	case errors.Is(err, rpctypes.ErrAuthNotEnabled):
		return "it knows no accounts: leave --etcd-user out, or enable authentication in etcd"
	}
	text := err.Error() // of the handshake the client hands on only the text
	switch {
	case strings.Contains(text, "unknown authority"):
		return "check --etcd-ca: it must hold the certificate of who signed etcd's"
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate"):
		return "it asks for a certificate that its --trusted-ca-file vouches for: check --etcd-cert and --etcd-key"
	case strings.Contains(text, "x509:"):
		return "check --etcd-endpoints and --etcd-ca"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "it speaks no TLS: use http:// in --etcd-endpoints"
	}
	return ""
}

// observe remembers the newest head that etcd showed.
func (s *Store) observe(h seen) {
	for {
		last := s.shared.Load()
		if last != nil && last.modified >= h.modified {
			return
		}
		if s.shared.CompareAndSwap(last, &h) {
			return
		}
	}
}

// fetchHead asks etcd, through its quorum, for the head.
func (s *Store) fetchHead(ctx context.Context) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := s.client.Get(ctx, s.headKey())
	if err != nil {
		s.status.failed(unavailable(err))
		return seen{}, unavailable(err)
	}
	h := seen{}
	if len(answer.Kvs) == 1 {
		if h.head, err = decodeHead(answer.Kvs[0].Value); err != nil {
			return seen{}, err
		}
		h.modified = answer.Kvs[0].ModRevision
	}
	s.observe(h)
	return h, nil
}
