package bearer

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The bounds of what the issuer is asked for.
const (
	fetchTimeout   = 5 * time.Second
	fetchBytesMax  = 512 << 10
	fetchHeaderMax = 64 << 10
)

// issuer is where keys are fetched from.
type issuer struct {
	url, jwks string
	client    http.Client
}

func newIssuer(c Config) *issuer {
	return &issuer{url: c.Issuer, jwks: c.JWKS, client: http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // the next fetch is minutes away
			DisableCompression:     true,
			MaxResponseHeaderBytes: fetchHeaderMax,
		},
		// An address that the issuer does not name in its metadata is none of its own.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// keys fetches the text of the issuer's set of keys, from where its metadata says unless that is configured.
func (i *issuer) keys(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	address := i.jwks
	if address == "" {
		var err error
		if address, err = i.discover(ctx); err != nil {
			return nil, err
		}
	}
	return i.get(ctx, address)
}

// discover reads the issuer's metadata (OpenID Connect Discovery 1.0, 4).
func (i *issuer) discover(ctx context.Context) (jwks string, err error) {
	address := strings.TrimSuffix(i.url, "/") + "/.well-known/openid-configuration"
	text, err := i.get(ctx, address)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		return "", fmt.Errorf("%s is no metadata of an issuer: %w", address, err)
	}
	if metadata.Issuer != i.url {
		return "", fmt.Errorf("%s is of the issuer %q, not %q", address, metadata.Issuer, i.url)
	}
	u, err := url.Parse(i.url)
	if err != nil {
		return "", err
	}
	// Metadata that came from elsewhere does not send this machine to its own services.
	if err := checkURL(metadata.JWKS, u.Scheme == "http"); err != nil {
		return "", fmt.Errorf("%s: jwks_uri: %w", address, err)
	}
	return metadata.JWKS, nil
}

func (i *issuer) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := i.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, fetchBytesMax+1))
	if err == nil && len(text) > fetchBytesMax {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return text, nil
}
