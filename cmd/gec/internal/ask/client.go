package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/problem"
	"gec/cmd/gec/internal/tlsfiles"
)

const (
	// answerBytesMax holds the explanation of every bundle of a large catalogue.
	answerBytesMax = 64 << 20
	answerTimeout  = time.Minute
)

// Client asks questions in the JSON form of the native contract. Its errors are *problem.Problem, or
// say why there is no answer at all; see [Describe].
type Client struct {
	base string
	http http.Client
	// key is the access key that every request shows; empty: none.
	key string
}

// ErrNoKey is returned when the server asks for an access key and got none that it knows.
var ErrNoKey = errors.New("the server asks for an access key that is in force: name a file that holds one with --key-file, or set GEC_KEY")

// WithKey makes the Client show an access key. Error: that of a text that is none, which it does not repeat.
func (c *Client) WithKey(key string) (*Client, error) {
	if err := access.CheckSecret(key); err != nil {
		return nil, err
	}
	with := *c
	with.key = key
	return &with, nil
}

// WithTLS makes the Client trust the authorities of a file, empty for those of the system, and show a certificate
// of files, empty for none. Errors: those of the files.
func (c *Client) WithTLS(ca, cert, key string) (*Client, error) {
	settings, err := tlsfiles.Client(ca, cert, key)
	if err != nil {
		return nil, err
	}
	with := *c
	with.http.Transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
	}
	return &with, nil
}

// NewRemote returns the Client of a server's address, such as http://127.0.0.1:8080.
func NewRemote(server string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server: write http://127.0.0.1:8080", server)
	}
	return &Client{base: strings.TrimRight(server, "/") + "/gec/v1/", http: http.Client{Timeout: answerTimeout}}, nil
}

// Quote asks for the ranked quotes of a payment.
func (c *Client) Quote(ctx context.Context, q *gecv1.QuoteRequest) (*gecv1.QuoteResponse, error) {
	answer := &gecv1.QuoteResponse{}
	return answer, c.call(ctx, "quote", q, answer)
}

// Explain asks why each bundle is or is not in the answer to a payment.
func (c *Client) Explain(ctx context.Context, q *gecv1.ExplainRequest) (*gecv1.ExplainResponse, error) {
	answer := &gecv1.ExplainResponse{}
	return answer, c.call(ctx, "explain", q, answer)
}

// JSON asks a question of the native contract that is no message of the proto: both are Go values with their
// names in JSON.
func (c *Client) JSON(ctx context.Context, method string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	text, err := c.post(ctx, method, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s does not answer as gec does: %w", c.base, err)
	}
	return nil
}

func (c *Client) call(ctx context.Context, method string, question, answer proto.Message) error {
	body, err := protojson.Marshal(question)
	if err != nil {
		return err
	}
	text, err := c.post(ctx, method, body)
	if err != nil {
		return err
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s does not answer as gec does: %w", c.base, err)
	}
	return nil
}

// Do sends a request to a path of the server and returns the text of the answer, empty where there is none.
// header may be nil. Errors: *problem.Problem; why there is no answer.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base, "/gec/v1/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		request.Header.Set(access.KeyHeader, c.key)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	return c.do(request)
}

// post sends a body to a method of the native contract and returns the text of the answer. Errors as Do.
func (c *Client) post(ctx context.Context, method string, body []byte) ([]byte, error) {
	return c.Do(ctx, http.MethodPost, "/gec/v1/"+method, nil, body)
}

func (c *Client) do(request *http.Request) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no server answers: %w; start one with gec serve, or read a folder with --data", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", c.base, err)
	}
	if len(text) > answerBytesMax {
		return nil, fmt.Errorf("the answer of %s is longer than %d MiB", c.base, answerBytesMax>>20)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return nil, refusal(response, text)
	}
	return text, nil
}

// refusal returns the problem that a server's answer states, or says that it states none.
func refusal(response *http.Response, text []byte) error {
	if response.StatusCode == http.StatusUnauthorized {
		return ErrNoKey
	}
	var stated struct {
		Title, Detail, Hint, Instance string
		Errors                        []struct{ Field, Message string }
	}
	if err := json.Unmarshal(text, &stated); err != nil || stated.Title == "" {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	p := &problem.Problem{
		Status: response.StatusCode, Title: stated.Title, Detail: stated.Detail, Hint: stated.Hint, Instance: stated.Instance,
	}
	for _, f := range stated.Errors {
		p.Fields = append(p.Fields, problem.Field{Path: f.Field, Message: f.Message})
	}
	return p
}

// Describe words the error of a [Service] for a person: everything that the problem says, and its cause
// where that is known here.
func Describe(err error) error {
	var p *problem.Problem
	switch {
	case !errors.As(err, &p):
		return err
	case p.Instance != "" && p.Cause != nil:
		return p.Cause
	}
	words := p.Title + ": " + p.Detail
	if p.Hint != "" {
		words += ": " + p.Hint
	}
	if p.Instance != "" {
		words += " (" + p.Instance + " in the server's log)"
	}
	return errors.New(words)
}
