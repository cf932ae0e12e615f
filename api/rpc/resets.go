package rpc

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"

	"gec/api/frames"
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
	return newResetConn(conn, len(http2.ClientPreface), resetsAtOnce), info, nil
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
	walker frames.Walker
	// budget are the resets that are still allowed, as of last.
	budget float64
	last   time.Time
}

// newResetConn counts resets from the first frame on, which comes after so many bytes.
func newResetConn(conn net.Conn, preface int, budget float64) *resetConn {
	c := &resetConn{Conn: conn, budget: budget}
	c.walker = frames.Walker{HeadBytes: frameHeadBytes, Left: preface, Head: c.frame}
	return c
}

// Read implements net.Conn.
func (c *resetConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.walker.Walk(p[:n]) {
		return 0, errors.Join(errResets, c.Conn.Close())
	}
	return n, err
}

// frame looks at the head of a frame. It is not ok where the client is beyond its budget.
func (c *resetConn) frame(head []byte) (left int, ok bool) {
	left = int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	return left, http2.FrameType(head[3]) != http2.FrameRSTStream || c.reset(time.Now())
}

func (c *resetConn) reset(now time.Time) bool {
	if !c.last.IsZero() {
		c.budget = min(c.budget+now.Sub(c.last).Seconds()*resetsPerSecond, resetsAtOnce)
	}
	c.last = now
	c.budget--
	return c.budget >= 0
}
