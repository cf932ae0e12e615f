package rest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// listen starts the service with the bounds of Server on a free port of loopback.
func listen(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = Server("", serviceOf(t, smallWorld(t), nil), nil)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func TestServerBoundsEveryWait(t *testing.T) {
	s := Server("127.0.0.1:0", http.NotFoundHandler(), nil)
	if s.ReadHeaderTimeout != readHeaderTimeout || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes != 16<<10 || s.Addr != "127.0.0.1:0" || s.ErrorLog == nil {
		t.Errorf("%+v", s)
	}
}

// raw sends bytes on a connection of its own and reads the answer and whether the server then hangs up.
func raw(t *testing.T, server *httptest.Server, request string) (*http.Response, bool) {
	t.Helper()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() { _, _ = io.WriteString(connection, request) }() // the server may stop reading before the end
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Error(err)
	}
	return answer, answer.Close
}

func TestHostileConnections(t *testing.T) {
	server := listen(t)
	v1 := fmt.Sprintf(plainV1, "")
	const head = "POST /fees HTTP/1.1\r\nHost: x\r\n"
	chunks := strings.Repeat("8000\r\n"+strings.Repeat(" ", 0x8000)+"\r\n", 64) + "0\r\n\r\n"
	for _, c := range []struct {
		name, request string
		status        int
		closed        bool
	}{
		{"good", head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(v1), v1), 200, false},
		{"good in chunks", head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(v1), v1), 200, false},
		{"large in chunks", head + "Transfer-Encoding: chunked\r\n\r\n" + chunks, 413, true},
		{"large by its length", head + "Content-Length: 10737418240\r\n\r\n", 413, true},
		{"large header", head + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431, true},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, true},
		{"length and chunks", head + "Content-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n{}", 501, true},
		{"no host", "POST /fees HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, true},
		{"request id with a line", head + "X-Request-Id: a\x01b\r\nContent-Length: 2\r\n\r\n{}", 400, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, closed := raw(t, server, c.request)
			defer answer.Body.Close()
			if answer.StatusCode != c.status || closed != c.closed {
				t.Errorf("%d, closed %v, %v", answer.StatusCode, closed, answer.Header)
			}
			if c.status == 200 && (answer.ContentLength <= 0 || answer.Header.Get("Content-Type") != "application/json") {
				t.Errorf("%v", answer.Header)
			}
		})
	}
}

func TestHeadHasNoBody(t *testing.T) {
	server := listen(t)
	answer, err := server.Client().Head(server.URL + "/info")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || len(text) > 0 || answer.StatusCode != 200 || answer.ContentLength <= 0 {
		t.Errorf("%d %v %q %v", answer.StatusCode, answer.Header, text, err)
	}
}
