package tlsfiles

import (
	"errors"
	"net"
	"sync/atomic"

	"gec/api/frames"
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
	return newHelloConn(c), nil
}

// helloConn walks over the records that come before the first answer goes.
type helloConn struct {
	net.Conn
	answered atomic.Bool
	// bytes are all that came.
	bytes  int
	walker frames.Walker
}

func newHelloConn(c net.Conn) *helloConn {
	return &helloConn{Conn: c, walker: frames.Walker{HeadBytes: recordHeadBytes, Head: recordHead}}
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
	c.bytes += len(p)
	return c.bytes <= helloBytesMax && c.walker.Walk(p)
}

// recordHead looks at the head of a record. It is not ok where the record is too long.
func recordHead(head []byte) (left int, ok bool) {
	left = int(head[3])<<8 | int(head[4])
	return left, left <= helloRecordBytesMax
}
