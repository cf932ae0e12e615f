package access

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// The places of an access key in the platform's contract (spec 4), and its name in the metadata of gRPC.
const (
	KeyHeader    = "Ocp-Apim-Subscription-Key"
	keyParameter = "subscription-key="
	KeyMetadata  = "ocp-apim-subscription-key"
)

// shown is what a caller shows: a key, or a token, or the certificate of its connection. Where it shows more
// than one, the first of these counts.
type shown struct {
	key, token string
	tls        *tls.ConnectionState
}

func (s *shown) nothing() bool { return s.key == "" && s.token == "" && s.tls == nil }

// ofRequest returns what a request shows. It allocates nothing.
func ofRequest(r *http.Request) (s shown) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		s.tls = r.TLS
	}
	if given := r.Header[KeyHeader]; len(given) > 0 && given[0] != "" {
		s.key = given[0]
		return s
	}
	if s.key = parameter(r.URL.RawQuery); s.key != "" {
		return s
	}
	if given := r.Header["Authorization"]; len(given) > 0 {
		s.bearer(given[0])
	}
	return s
}

// parameter returns the key in a query, empty where there is none.
func parameter(query string) string {
	for rest := query; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if value, is := strings.CutPrefix(pair, keyParameter); is {
			if strings.ContainsAny(value, "%+") {
				value, _ = url.QueryUnescape(value) // what cannot be read is no key
			}
			return value
		}
	}
	return ""
}

// bearer takes the value of an Authorization header: access keys may come so, too.
func (s *shown) bearer(authorization string) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return
	}
	if token = strings.TrimSpace(token); strings.HasPrefix(token, secretPrefix) {
		s.key = token
	} else {
		s.token = token
	}
}

// ofCall returns what a call of gRPC shows.
func ofCall(ctx context.Context) (s shown) {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
			s.tls = &info.State
		}
	}
	if given := metadata.ValueFromIncomingContext(ctx, KeyMetadata); len(given) > 0 && given[0] != "" {
		s.key = given[0]
		return s
	}
	if given := metadata.ValueFromIncomingContext(ctx, "authorization"); len(given) > 0 {
		s.bearer(given[0])
	}
	return s
}
