package rpc

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"
)

// The streams that a client may take back on one connection: so many at once, and so many a second. One that
// lets its deadlines pass stays far below; one that opens streams only to reset them (CVE-2023-44487) costs
// work by each, and is hung up on.
const (
	resetsAtOnce    = 1000
	resetsPerSecond = 200
)

var errResets = errors.New("the client resets streams too fast")

// WithoutRapidReset returns credentials whose connections are closed when the client resets streams faster than
// anybody in earnest would. It sees what a client says after TLS, if there is any.
func WithoutRapidReset(c credentials.TransportCredentials) credentials.TransportCredentials {
	return resetCredentials{c}
}

type resetCredentials struct {
	credentials.TransportCredentials
}

// ServerHandshake implements credentials.TransportCredentials.
func (c resetCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return conn, info, err
	}
	return &resetConn{Conn: conn, left: len(http2.ClientPreface), budget: resetsAtOnce}, info, nil
}

// ClientHandshake implements credentials.TransportCredentials, for clients, whom nothing is held against.
func (c resetCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return c.TransportCredentials.ClientHandshake(ctx, authority, raw)
}

// Clone implements credentials.TransportCredentials.
func (c resetCredentials) Clone() credentials.TransportCredentials {
	return resetCredentials{c.TransportCredentials.Clone()}
}

// frameHeadBytes is the size of the head of a frame: length (3), type (1), flags (1), stream (4).
const frameHeadBytes = 9

// resetConn walks over the frames that a client sends and counts those that reset a stream. It is read by one
// goroutine at a time.
type resetConn struct {
	net.Conn
	// left are the bytes up to the next head of a frame; head holds what of it was read.
	left   int
	head   [frameHeadBytes]byte
	headed int
	// budget are the resets that are still allowed, as of last.
	budget float64
	last   time.Time
}

// Read implements net.Conn.
func (c *resetConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.walk(p[:n]) {
		return 0, errors.Join(errResets, c.Conn.Close())
	}
	return n, err
}

// walk goes over what was read, and reports whether the client stays within its budget.
func (c *resetConn) walk(p []byte) bool {
	for len(p) > 0 {
		if c.left > 0 {
			n := min(c.left, len(p))
			c.left, p = c.left-n, p[n:]
			continue
		}
		n := copy(c.head[c.headed:], p)
		c.headed, p = c.headed+n, p[n:]
		if c.headed < frameHeadBytes {
			return true
		}
		c.headed, c.left = 0, int(c.head[0])<<16|int(c.head[1])<<8|int(c.head[2])
		if http2.FrameType(c.head[3]) == http2.FrameRSTStream && !c.reset(time.Now()) {
			return false
		}
	}
	return true
}

func (c *resetConn) reset(now time.Time) bool {
	if !c.last.IsZero() {
		c.budget = min(c.budget+now.Sub(c.last).Seconds()*resetsPerSecond, resetsAtOnce)
	}
	c.last = now
	c.budget--
	return c.budget >= 0
}
