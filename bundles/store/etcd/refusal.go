package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"gec/bundles"
)

// RefusedError is returned when etcd does not let the node in, or the node takes etcd for somebody else: no waiting
// helps.
type RefusedError struct {
	// Reason is what was said, Fix the setting to look at.
	Reason, Fix string
	// Perhaps says that a member that was just restarted breaks off just so: it is a refusal if it lasts.
	Perhaps bool
}

func (e *RefusedError) Error() string { return fmt.Sprintf("etcd: %s: %s", e.Reason, e.Fix) }

// loginLater answers with a token that is none as long as the store is not opened: the client asks for one at once
// and could not be made while etcd is away, but the copy is to be served then. Its first request is told that the
// token is invalid, and gets one.
func loginLater(opened *atomic.Bool) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, in, out any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
		if login, ok := out.(*etcdserverpb.AuthenticateResponse); ok && !opened.Load() {
			login.Token = "none"
			return nil
		}
		return invoke(ctx, method, in, out, c, o...)
	}
}

// noteConnection remembers why a request found no connection. The client waits for one until the time is over, and
// then tells that only.
func (s *Store) noteConnection(ctx context.Context, method string, in, out any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
	err := invoke(ctx, method, in, out, c, o...)
	if text := grpcstatus.Convert(err).Message(); err == nil {
		s.unconnected.Store(nil)
	} else if _, reason, found := strings.Cut(text, "connection error: "); found {
		s.unconnected.Store(&reason)
	}
	return err
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

// unavailable turns an error of the client into those of the domain: ErrStorageFull with ErrSharedFull, or
// ErrUnavailable, with a RefusedError where a setting is wrong.
func (s *Store) unavailable(err error) error {
	if errors.Is(err, rpctypes.ErrNoSpace) {
		select {
		case s.full <- struct{}{}:
		default: // whoever watches the space is told already
		}
		return fmt.Errorf("%w: %w (%w)", bundles.ErrStorageFull, bundles.ErrSharedFull, err)
	}
	reason := err.Error()
	if text := s.unconnected.Load(); text != nil && errors.Is(err, context.DeadlineExceeded) {
		reason = *text
	}
	if fix := s.fixOf(err, reason); fix != "" {
		return fmt.Errorf("%w: %w", bundles.ErrUnavailable, &RefusedError{Reason: reason, Fix: fix, Perhaps: strings.Contains(reason, brokenOff)})
	}
	return fmt.Errorf("%w: etcd: %s", bundles.ErrUnavailable, reason)
}

// brokenOff is what grpc-go says where the other side hangs up at once.
const brokenOff = "error reading server preface"

// fixOf says which setting to look at for an error of etcd, empty where none is to blame. Of handshakes there is only
// the text.
func (s *Store) fixOf(err error, reason string) string {
	account := "it asks for an account: set --etcd-user and --etcd-password-file"
	switch {
	case errors.Is(err, rpctypes.ErrAuthFailed):
		return "check --etcd-user and --etcd-password-file"
	case errors.Is(err, rpctypes.ErrUserEmpty), errors.Is(err, rpctypes.ErrPermissionDenied) && s.o.Username == "":
		return account
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return "the account --etcd-user needs a role that may read and write what begins with --etcd-prefix"
	}
	has := func(texts ...string) bool {
		for _, text := range texts {
			if strings.Contains(reason, text) {
				return true
			}
		}
		return false
	}
	switch {
	case has("certificate required", "bad certificate", "unknown certificate authority"):
		return "it asks for a certificate that its --trusted-ca-file vouches for: check --etcd-cert and --etcd-key"
	case has("unknown authority"):
		return "check --etcd-ca: it must hold the certificate of who signed etcd's"
	case has("x509:"):
		return "check --etcd-endpoints and --etcd-ca"
	case has("first record does not look like a TLS handshake"):
		return "it speaks no TLS: use http:// in --etcd-endpoints"
	case has(brokenOff) && s.o.TLS == nil:
		return "where it speaks TLS, use https:// in --etcd-endpoints"
	}
	return ""
}
