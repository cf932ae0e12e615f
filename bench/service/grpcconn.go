package service

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The methods of the native contract that are measured.
const (
	quoteService = "gec.v1.QuoteService"
	quoteMethod  = "/" + quoteService + "/Quote"
	batchMethod  = "/" + quoteService + "/BatchQuote"
)

// The frames of HTTP/2 that are met (RFC 9113, section 6), and their flags.
const (
	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameGoAway       = 7
	frameWindowUpdate = 8

	flagEndStream  = 1 // of data and headers
	flagAck        = 1 // of settings and pings
	flagEndHeaders = 4

	frameHead   = 9
	messageHead = 5 // of a message in a frame of data: not compressed, length

	settingTableSize  = 1
	settingWindowSize = 4
	settingBytes      = 6
	windowMax         = 1<<31 - 1
	windowDefault     = 1<<16 - 1
)

// grpcConn is one HTTP/2 connection that asks one gRPC call after another, as httpConn does: the bytes of a
// request but for the number of its stream are the same every time, and headers of answers are not decoded.
// A client that does all that a client should costs several times what the server does.
type grpcConn struct {
	conn   io.ReadWriteCloser
	out    []byte // a request: one frame of headers, one of data
	head   []byte // the headers of every request
	in     []byte // in[start:end] was read and not looked at yet
	start  int
	end    int
	answer []byte
	// stream is that of the call that is under way, or, where none was asked yet, of the first one.
	stream uint32
	asked  bool
	// received counts the bytes that the server was not yet given room for again.
	received uint32
	// window bounds what a batch sends; a single request is shorter than any.
	window window
}

func newGRPCConn(conn io.ReadWriteCloser, method string, headers []Header) (*grpcConn, error) {
	c := &grpcConn{conn: conn, head: requestHeaders(method, headers), in: make([]byte, 128<<10), stream: 1}
	c.window.more.L = &c.window.mu
	c.window.initial, c.window.connection = windowDefault, windowDefault
	hello := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	hello = appendFrame(hello, frameSettings, 0, 0, appendSetting(appendSetting(nil, settingTableSize, 0), settingWindowSize, windowMax))
	hello = appendFrame(hello, frameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, windowMax-windowDefault))
	if _, err := conn.Write(hello); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *grpcConn) send(request []byte) error {
	if c.asked {
		c.stream += 2
	}
	c.asked, c.answer = true, c.answer[:0]
	c.out = appendFrame(c.out[:0], frameHeaders, flagEndHeaders, c.stream, c.head)
	c.out = appendFrameHead(c.out, len(request)+messageHead, frameData, flagEndStream, c.stream)
	c.out = append(appendMessageHead(c.out, len(request)), request...)
	_, err := c.conn.Write(c.out)
	return err
}

// receive returns the message of an answer. Errors: a call that the server refused, too, without the reason.
func (c *grpcConn) receive() ([]byte, error) {
	for {
		kind, flags, stream, payload, err := c.frame()
		if err != nil {
			return nil, err
		}
		done, err := c.take(kind, flags, stream, payload)
		if err != nil {
			return nil, err
		}
		if kind == frameData {
			c.answer = append(c.answer, payload...)
		}
		if done {
			break
		}
	}
	if len(c.answer) < messageHead {
		return nil, errors.New("the server refused the call")
	}
	return c.answer[messageHead:], nil
}

// take handles one frame and reports whether the answer is complete.
func (c *grpcConn) take(kind, flags byte, stream uint32, payload []byte) (done bool, err error) {
	switch kind {
	case frameData:
		if c.received += uint32(len(payload)); c.received > windowMax/2 {
			_, err = c.conn.Write(appendFrame(nil, frameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, c.received)))
			c.received = 0
		}
		return stream == c.stream && flags&flagEndStream != 0, err
	case frameHeaders:
		return stream == c.stream && flags&flagEndStream != 0, nil
	case frameWindowUpdate:
		more := int(binary.BigEndian.Uint32(payload))
		c.window.change(func() {
			switch stream {
			case 0:
				c.window.connection += more
			case c.stream:
				c.window.stream += more
			}
		})
	case frameSettings, framePing:
		if flags&flagAck == 0 {
			if kind == frameSettings {
				c.settle(payload)
				payload = nil
			}
			_, err = c.conn.Write(appendFrame(nil, kind, flagAck, 0, payload))
		}
	case frameReset, frameGoAway:
		return false, fmt.Errorf("the server ended the call: frame %d, code %x", kind, payload)
	}
	return false, err
}

// settle takes in the settings of the server.
func (c *grpcConn) settle(settings []byte) {
	for ; len(settings) >= settingBytes; settings = settings[settingBytes:] {
		if binary.BigEndian.Uint16(settings) == settingWindowSize {
			initial := int(binary.BigEndian.Uint32(settings[2:]))
			c.window.change(func() {
				c.window.stream += initial - c.window.initial
				c.window.initial = initial
			})
		}
	}
}

// frame returns the next frame; its payload is valid until the next call.
func (c *grpcConn) frame() (kind, flags byte, stream uint32, payload []byte, err error) {
	for {
		if rest := c.in[c.start:c.end]; len(rest) >= frameHead {
			length := frameHead + (int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2]))
			if len(rest) >= length {
				c.start += length
				return rest[3], rest[4], binary.BigEndian.Uint32(rest[5:]) &^ (1 << 31), rest[frameHead:length], nil
			}
		}
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
		n, err := c.conn.Read(c.in[c.end:])
		if err != nil {
			return 0, 0, 0, nil, err
		}
		c.end += n
	}
}

func (c *grpcConn) close() error { return c.conn.Close() }

func appendFrame(dst []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	return append(appendFrameHead(dst, len(payload), kind, flags, stream), payload...)
}

func appendFrameHead(dst []byte, length int, kind, flags byte, stream uint32) []byte {
	dst = append(dst, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	return binary.BigEndian.AppendUint32(dst, stream)
}

func appendMessageHead(dst []byte, length int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(length))
}

func appendSetting(dst []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(dst, id), value)
}

// requestHeaders makes the block of headers of a call, each as a literal that enters no table (RFC 7541,
// section 6.2.2), so that it means the same every time it is sent.
func requestHeaders(method string, more []Header) (block []byte) {
	for _, h := range append([]Header{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "localhost"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	}, more...) {
		block = append(block, 0)
		for _, text := range []string{strings.ToLower(h.Name), h.Value} {
			block = appendLength(block, len(text))
			block = append(block, text...)
		}
	}
	return block
}

// appendLength writes the length of a text that is not coded (RFC 7541, sections 5.1 and 5.2).
func appendLength(dst []byte, length int) []byte {
	const inOne = 1<<7 - 1
	if length < inOne {
		return append(dst, byte(length))
	}
	dst, length = append(dst, inOne), length-inOne
	for ; length >= 1<<7; length >>= 7 {
		dst = append(dst, byte(length)|1<<7)
	}
	return append(dst, byte(length))
}
