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

// several stands for values that differ where one is asked for: whoever looks at calls in front of the node may have
// looked at another than the node would. It is no key and no token.
const several = "several"

// only returns the value, empty for none, several where they differ.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	for _, value := range values[1:] {
		if value != values[0] {
			return several
		}
	}
	return values[0]
}

func (s *shown) nothing() bool { return s.key == "" && s.token == "" && s.tls == nil }

// ofRequest returns what a request shows. It allocates nothing.
func ofRequest(r *http.Request) (s shown) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		s.tls = r.TLS
	}
	if s.key = only(r.Header[KeyHeader]); s.key != "" {
		return s
	}
	if s.key = parameter(r.URL.RawQuery); s.key != "" {
		return s
	}
	s.bearer(only(r.Header["Authorization"]))
	return s
}

// parameter returns the key in a query, empty where there is none, several where they differ.
func parameter(query string) (key string) {
	for rest := query; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		value, is := strings.CutPrefix(pair, keyParameter)
		if !is {
			continue
		}
		if strings.ContainsAny(value, "%+") {
			value, _ = url.QueryUnescape(value) // what cannot be read is no key
		}
		if key != "" && value != key {
			return several
		}
		key = value
	}
	return key
}

// bearer takes the value of an Authorization header: access keys may come so, too.
func (s *shown) bearer(authorization string) {
	if authorization == several {
		s.key = several
		return
	}
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
	if s.key = only(metadata.ValueFromIncomingContext(ctx, KeyMetadata)); s.key != "" {
		return s
	}
	s.bearer(only(metadata.ValueFromIncomingContext(ctx, "authorization")))
	return s
}
