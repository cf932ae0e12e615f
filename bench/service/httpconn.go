package service

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// httpConn is one HTTP/1.1 connection that is kept alive. It sends requests made beforehand and reads no more
// of an answer than it must to know where it ends.
type httpConn struct {
	conn io.ReadWriteCloser
	// room[:read] is what has come of an answer, end is where it ends, -1 while that is not known.
	room      []byte
	read, end int
	// headers are put into every request, with which they make out.
	headers, out []byte
}

func newHTTPConn(conn io.ReadWriteCloser, headers []Header) *httpConn {
	c := &httpConn{conn: conn, room: make([]byte, 64<<10)}
	for _, h := range headers {
		c.headers = fmt.Appendf(c.headers, "%s: %s\r\n", h.Name, h.Value)
	}
	return c
}

func (c *httpConn) send(request []byte) error {
	if len(c.headers) > 0 {
		line := bytes.IndexByte(request, '\n') + 1
		c.out = append(append(append(c.out[:0], request[:line]...), c.headers...), request[line:]...)
		request = c.out
	}
	c.read, c.end = 0, -1
	_, err := c.conn.Write(request)
	return err
}

// receive returns the body of an answer. Errors: an answer that is not 200, too.
func (c *httpConn) receive() ([]byte, error) {
	for c.end < 0 || c.read < c.end {
		if c.read == len(c.room) {
			c.room = append(c.room, make([]byte, len(c.room))...)
		}
		n, err := c.conn.Read(c.room[c.read:])
		if err != nil {
			return nil, err
		}
		c.read += n
		if c.end < 0 {
			if c.end, err = endOfAnswer(c.room[:c.read]); err != nil {
				return nil, err
			}
		}
	}
	head := bytes.Index(c.room[:c.read], []byte(endOfHead)) + len(endOfHead)
	return c.room[head:c.end], nil
}

func (c *httpConn) close() error { return c.conn.Close() }

const (
	endOfHead    = "\r\n\r\n"
	lengthHeader = "\r\nContent-Length: "
)

// endOfAnswer returns how many bytes the answer has that begins with the given ones, -1 while that cannot be
// told. The servers that are measured all state the length.
func endOfAnswer(answer []byte) (int, error) {
	head := bytes.Index(answer, []byte(endOfHead))
	if head < 0 {
		return -1, nil
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 201 ")) {
		return 0, fmt.Errorf("the answer is %s", answer[:min(len(answer), 500)])
	}
	_, rest, found := bytes.Cut(answer[:head+2], []byte(lengthHeader))
	if !found {
		return 0, fmt.Errorf("the answer states no length: %s", answer[:head])
	}
	text, _, _ := bytes.Cut(rest, []byte("\r\n"))
	length, err := strconv.Atoi(string(text))
	return head + len(endOfHead) + length, err
}

// HTTPRequest makes the bytes of a POST with a JSON body.
func HTTPRequest(path string, body []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, len(body), body)
}
