package tlsfiles

import (
	"bytes"
	"errors"
	"net"
	"testing"
)

// record is one of TLS with so many bytes.
func record(length int) []byte {
	return append([]byte{0x16, 3, 1, byte(length >> 8), byte(length)}, bytes.Repeat([]byte{0x16}, length)...)
}

// TestHelloIsBounded sends records before and after an answer, in pieces of every size.
func TestHelloIsBounded(t *testing.T) {
	for _, test := range []struct {
		name string
		sent []byte
		want bool
	}{
		{"a hello", record(2000), true},
		{"the largest record", record(helloRecordBytesMax), true},
		{"a record one larger", record(helloRecordBytesMax + 1), false},
		{"its head alone", record(1 << 14)[:recordHeadBytes], false},
		{"small records", bytes.Repeat(record(11), helloBytesMax/16), true},
		{"one too many", bytes.Repeat(record(11), helloBytesMax/16+1), false},
		{"records of nothing", bytes.Repeat(record(0), 1000), true},
	} {
		for _, size := range []int{1, 3, 5, 7, 512, 1 << 15} {
			c, within := newHelloConn(nil), true
			for rest := test.sent; len(rest) > 0 && within; {
				piece := rest[:min(size, len(rest))]
				within, rest = c.walk(piece), rest[len(piece):]
			}
			if within != test.want {
				t.Errorf("%s in pieces of %d: %v, want %v", test.name, size, within, test.want)
			}
		}
	}
}

// TestHelloEndsWithTheAnswer holds that records of any size are taken once the server has answered.
func TestHelloEndsWithTheAnswer(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := newHelloConn(server)
	defer c.Close()
	go func() {
		_, _ = client.Write(record(1 << 14))
		_, _ = client.Read(make([]byte, 1))
		_, _ = client.Write(record(1 << 14))
	}()
	into := make([]byte, 1<<15)
	if n, err := c.Read(into); n != 0 || !errors.Is(err, errHello) {
		t.Errorf("before the answer: %d, %v", n, err)
	}
	if _, err := c.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(into); n != recordHeadBytes+1<<14 || err != nil {
		t.Errorf("after it: %d, %v", n, err)
	}
}
