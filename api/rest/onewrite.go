package rest

import (
	"bytes"
	"context"
	"net"
	"sync"
)

// net/http writes an answer in pieces of 4 KiB, each a call of the system that wakes the caller, and answers
// of ten rows are larger. Of the processor time of a quote that was a third. A connection of [Listener] keeps
// back the pieces of an answer whose length it is told, until the last one, and writes them at once.

// Listener returns a listener whose TCP connections send quotes in one piece each, for the server that [Server]
// makes. Others, such as those of TLS, are passed on as they are.
func Listener(l net.Listener) net.Listener { return wholeListener{l} }

type wholeListener struct{ net.Listener }

// Accept implements net.Listener.
func (l wholeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &wholeConn{TCPConn: tcp}, err
	}
	return c, err
}

// wholeConn is a connection that can send an answer whole. Like every net/http connection it is written to by
// one goroutine at a time.
type wholeConn struct {
	*net.TCPConn
	// kept is what is kept back, nil while nothing is.
	kept *[]byte
	// body is the length of the body to come, total that of the answer, 0 until its head is complete.
	body, total int
}

// keptBytes pools what is kept back.
var keptBytes = sync.Pool{New: func() any { return new([]byte) }}

// expect announces an answer with a body of that many bytes, all of which will be written.
func (c *wholeConn) expect(body int) {
	c.kept, c.body, c.total = keptBytes.Get().(*[]byte), body, 0
	*c.kept = (*c.kept)[:0]
}

// Write implements net.Conn.
func (c *wholeConn) Write(piece []byte) (int, error) {
	if c.kept == nil {
		return c.TCPConn.Write(piece)
	}
	*c.kept = append(*c.kept, piece...)
	if c.total == 0 {
		if end := bytes.Index(*c.kept, []byte("\r\n\r\n")); end >= 0 {
			c.total = end + 4 + c.body
		}
	}
	if c.total == 0 || len(*c.kept) < c.total {
		return len(piece), nil
	}
	whole := c.kept
	c.kept = nil
	n, err := c.TCPConn.Write(*whole)
	missing := len(*whole) - n
	if cap(*whole) <= bufferBytesKept {
		keptBytes.Put(whole)
	}
	return max(len(piece)-missing, 0), err
}

type connKey struct{}

// withConn is the ConnContext of a server: it lets a handler find the connection that it answers on.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if whole, ok := c.(*wholeConn); ok {
		return context.WithValue(ctx, connKey{}, whole)
	}
	return ctx
}

// expectWhole announces an answer to the connection of a request, if that takes it whole.
func expectWhole(ctx context.Context, body int) {
	if c, ok := ctx.Value(connKey{}).(*wholeConn); ok {
		c.expect(body)
	}
}
