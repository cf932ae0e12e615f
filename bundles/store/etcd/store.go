package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

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

// reconnect is how connections to the members are made again: gRPC's own ways wait 20 s for an answer and up to two
// minutes between tries, so that a node would be away long after an outage was over.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: requestTimeout,
}

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
	// unconnected is why the last request found no connection, nil once one did.
	unconnected atomic.Pointer[string]
	// full holds a token once a change was refused for lack of space.
	full chan struct{}
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
	s := &Store{Store: copied, o: o, full: make(chan struct{}, 1)}
	var opened atomic.Bool
	var err error
	s.client, err = clientv3.New(clientv3.Config{
		Endpoints: o.Endpoints, TLS: o.TLS, Username: o.Username, Password: o.Password,
		DialTimeout: requestTimeout, DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
		MaxUnaryRetries: 3, RejectOldCluster: false, PermitWithoutStream: true, Logger: zap.NewNop(),
		DialOptions: append(slices.Clone(o.Dial), grpc.WithConnectParams(reconnect), grpc.WithChainUnaryInterceptor(loginLater(&opened), s.noteConnection)),
	})
	if err != nil {
		return nil, s.unavailable(err)
	}
	opened.Store(true)
	return s, nil
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
		return seen{}, s.failed(s.unavailable(err))
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
