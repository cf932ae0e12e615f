package simulator

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// limiter grants every address so many requests a minute, by the token bucket: a pause earns tokens up to
// the burst, a request takes one. Its memory is bounded by the number of addresses. It is safe for
// concurrent use.
type limiter struct {
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets *lru.LRU[string, bucket]
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(perMinute, burst, addresses int) (*limiter, error) {
	buckets, err := lru.NewLRU[string, bucket](addresses, nil)
	return &limiter{perSecond: float64(perMinute) / 60, burst: float64(burst), buckets: buckets}, err
}

// take reports whether an address may go on, or how long it has to wait.
func (l *limiter) take(address string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets.Get(address)
	if !known {
		b = bucket{tokens: l.burst, at: now}
	}
	if earned := now.Sub(b.at).Seconds() * l.perSecond; earned > 0 {
		b.tokens, b.at = min(b.tokens+earned, l.burst), now
	}
	if ok = b.tokens >= 1; ok {
		b.tokens--
	} else {
		wait = time.Duration((1 - b.tokens) / l.perSecond * float64(time.Second))
	}
	l.buckets.Add(address, b)
	return wait, ok
}

// remoteAddress returns the address of the connection. An IPv6 address counts by its /64, of which one
// subscriber has all.
func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	address = address.Unmap()
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}
