package ask

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// NewLocal returns a Client of a handler in this process, without a socket between them.
func NewLocal(handler http.Handler) *Client {
	return &Client{base: "http://in-process/gec/v1/", http: http.Client{Transport: handlerTransport{handler}}}
}

// handlerTransport carries a request to a handler by calling it.
type handlerTransport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t handlerTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(answer, request)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status)), StatusCode: answer.status, Header: answer.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: request,
	}, nil
}

// answer is the response writer of one call.
type answer struct {
	header http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.begun {
		a.status, a.begun = status, true
	}
}

func (a *answer) Write(text []byte) (int, error) {
	a.begun = true
	return a.body.Write(text)
}
