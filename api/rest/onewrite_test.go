package rest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWholeConnKeepsPiecesBack holds that an announced answer leaves with its last piece, and that nothing else
// is kept back.
func TestWholeConnKeepsPiecesBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	caller, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	accepted, err := Listener(listener).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	c := accepted.(*wholeConn)
	for _, pieces := range [][]string{
		{"HTTP/1.1 200 OK\r\nA: b\r\n\r\n12345", "67890"},
		{"HTTP/1.1 200 OK\r\nA: b\r", "\n\r", "\n", "1234567890"},
		{"HTTP/1.1 200 OK\r\n\r\n1234567890"},
	} {
		if _, err := c.Write([]byte("before")); err != nil || c.kept != nil {
			t.Fatalf("%v: kept %v", err, c.kept)
		}
		c.expect(10)
		for i, piece := range pieces {
			n, err := c.Write([]byte(piece))
			if err != nil || n != len(piece) {
				t.Fatalf("piece %q: %d, %v", piece, n, err)
			}
			if last := i == len(pieces)-1; (c.kept == nil) != last {
				t.Errorf("after piece %d of %q: kept %v", i, pieces, c.kept)
			}
		}
		want := "before" + strings.Join(pieces, "")
		got := make([]byte, len(want))
		if _, err := io.ReadFull(caller, got); err != nil || string(got) != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
	if err := accepted.Close(); err != nil {
		t.Fatal(err)
	}
	c.expect(1)
	if n, err := c.Write([]byte("\r\n\r\n1")); err == nil || n != 0 {
		t.Errorf("a closed connection took %d bytes", n)
	}
}

// TestWholeAnswers holds that answers of all sizes and kinds come as they do without the listener, one after
// another on one connection, those of requests sent together, too.
func TestWholeAnswers(t *testing.T) {
	handler := serviceOf(t, smallWorld(t), nil)
	server := httptest.NewUnstartedServer(nil)
	server.Config = Server("", handler, nil)
	server.Listener = Listener(server.Listener)
	server.Start()
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	var requests []*http.Request
	for range 3 {
		for _, r := range [][3]string{
			{http.MethodPost, "/fees", fmt.Sprintf(plainV1, "")}, {http.MethodHead, "/info", ""}, {http.MethodGet, "/nowhere", ""},
			{http.MethodPost, "/fees", "{"}, {http.MethodPost, "/fees?maxOccurrences=1", fmt.Sprintf(plainV1, "")}, {http.MethodGet, "/openapi/", ""},
		} {
			request := httptest.NewRequest(r[0], r[1], strings.NewReader(r[2]))
			requests = append(requests, request)
			if err := request.Write(connection); err != nil {
				t.Fatal(err)
			}
			requests[len(requests)-1] = httptest.NewRequest(r[0], r[1], strings.NewReader(r[2]))
		}
	}
	reader := bufio.NewReader(connection)
	for _, request := range requests {
		want := httptest.NewRecorder()
		handler.ServeHTTP(want, request)
		got, err := http.ReadResponse(reader, request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err = errors.Join(err, got.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if request.Method == http.MethodHead {
			want.Body.Reset()
		}
		if got.StatusCode != want.Code || string(body) != want.Body.String() {
			t.Errorf("%s %s: %d %s, want %d %s", request.Method, request.URL, got.StatusCode, body, want.Code, want.Body)
		}
	}
}
