package tlsfiles

import (
	"errors"
	"net"
	"sync/atomic"
)

// The bounds of what a client sends before it is answered: crypto/tls makes room for a record of 16 KiB as soon as
// one is announced, for whoever connects. A hello has some 2 KiB, with a ticket and keys that quantum computers do
// not break.
const (
	helloRecordBytesMax = 4 << 10
	helloBytesMax       = 8 << 10
	recordHeadBytes     = 5 // type (1), version (2), length (2)
)

var errHello = errors.New("the hello of TLS is too large")

// Listener returns a listener whose connections, to be served over TLS, read hellos of a bounded size only.
func Listener(l net.Listener) net.Listener { return helloListener{l} }

type helloListener struct{ net.Listener }

// Accept implements net.Listener.
func (l helloListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &helloConn{Conn: c}, nil
}

// helloConn walks over the records that come before the first answer goes.
type helloConn struct {
	net.Conn
	answered atomic.Bool
	// bytes are all that came; of the record that is coming, left are those to come, and head is what came of its
	// head.
	bytes, left int
	head        [recordHeadBytes]byte
	headed      int
}

// Read implements net.Conn.
func (c *helloConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.answered.Load() && !c.walk(p[:n]) {
		return 0, errHello
	}
	return n, err
}

// Write implements net.Conn.
func (c *helloConn) Write(p []byte) (int, error) {
	c.answered.Store(true)
	return c.Conn.Write(p)
}

// walk goes over what was read, and reports whether it is within bounds.
func (c *helloConn) walk(p []byte) bool {
	if c.bytes += len(p); c.bytes > helloBytesMax {
		return false
	}
	for len(p) > 0 {
		if c.left > 0 {
			n := min(c.left, len(p))
			c.left, p = c.left-n, p[n:]
			continue
		}
		n := copy(c.head[c.headed:], p)
		c.headed, p = c.headed+n, p[n:]
		if c.headed < recordHeadBytes {
			return true
		}
		if c.headed, c.left = 0, int(c.head[3])<<8|int(c.head[4]); c.left > helloRecordBytesMax {
			return false
		}
	}
	return true
}
