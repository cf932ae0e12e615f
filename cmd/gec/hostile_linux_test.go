package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gec/api/gecv1"
)

// growthBytesMax is how much memory hostile input may cost a server at its worst moment (issue 6).
const growthBytesMax = 64 << 20

// peak returns the largest resident memory that a process had, and forgets it, so that the next one counts from
// now.
func (s *server) peak(t *testing.T) (bytes int64) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			bytes = kib << 10
		}
	}
	if err := os.WriteFile(dir+"clear_refs", []byte("5"), 0); err != nil {
		t.Skipf("the peak of memory cannot be reset: %v", err)
	}
	return bytes
}

// warm lets a server answer until its heap is as large as that of one at work; see keepHeadroom.
func (s *server) warm(t *testing.T) {
	t.Helper()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 5_000 {
				if status, text := post(t, s.http+"/gec/v1/quote", healthyQuote()); status != http.StatusOK && status != http.StatusServiceUnavailable {
					t.Errorf("quote: %d %s", status, text)
					return
				}
			}
		})
	}
	clients.Wait()
	s.peak(t)
}

// repeated is a reader of a text many times over between two others.
func repeated(before, text string, times int64, after string) io.Reader {
	return io.MultiReader(strings.NewReader(before), &repeating{text: text, left: times * int64(len(text))}, strings.NewReader(after))
}

type repeating struct {
	text string
	at   int
	left int64
}

// Read implements io.Reader.
func (r *repeating) Read(p []byte) (n int, err error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	for n < len(p) && r.left > 0 {
		c := copy(p[n:min(int64(len(p)), int64(n)+r.left)], r.text[r.at:])
		n, r.left, r.at = n+c, r.left-int64(c), (r.at+c)%len(r.text)
	}
	return n, nil
}

// zipped is a bomb of so many zeros.
func zipped(t *testing.T, zerosCount int64) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.CopyN(w, zeros{}, zerosCount); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

const billionLaughs = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><informativePSP>&c;</informativePSP>`

// hostileBody is one request that nobody means well with.
type hostileBody struct {
	name, path, contentType, encoding string
	body                              func(t *testing.T) io.Reader
}

// hostileBodies are sent chunked, so that no length warns of them.
func hostileBodies() []hostileBody {
	const upload, fees, quote, jsonType = "/gec/v1/psps/HOSTILE/uploads", "/fees/multi", "/gec/v1/quote", "application/json"
	text := func(s string) func(*testing.T) io.Reader {
		return func(*testing.T) io.Reader { return strings.NewReader(s) }
	}
	many := func(before, part string, times int64, after string) func(*testing.T) io.Reader {
		return func(*testing.T) io.Reader { return repeated(before, part, times, after) }
	}
	const gigabytes = 10 << 30
	bodies := []hostileBody{
		{"billion laughs", upload, "application/xml", "", text(billionLaughs)},
		{"external entity", upload, "application/xml", "", text(`<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><informativePSP>&x;</informativePSP>`)},
		{"a million elements deep", upload, "application/xml", "", many("", "<a>", 1_000_000, "")},
		{"a million columns", upload, "text/csv", "", many("id", ";c", 1_000_000, "\n")},
		{"UTF-16", upload, "text/csv", "", text("\xff\xfei\x00d\x00\n\x00")},
		{"YAML aliases", upload, "application/yaml", "", text("a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nbundles: [*b,*b,*b,*b,*b,*b,*b,*b]\n")},
	}
	for _, path := range []string{fees, quote, upload} {
		bodies = append(bodies,
			hostileBody{"a million arrays deep", path, jsonType, "", many("", "[", 1_000_000, "")},
			hostileBody{"a million objects deep", path, jsonType, "", many("", `{"a":`, 1_000_000, "")},
			hostileBody{"a key twice", path, jsonType, "", text(`{"payment":{},"payment":{},"paymentNotice":[],"paymentNotice":[],"bundles":[],"bundles":[]}`)},
			hostileBody{"no UTF-8", path, jsonType, "", text("{\"\xff\xfe\":\"\xc0\x80\"}")},
			hostileBody{"10 GB", path, jsonType, "", many(`{"x":"`, "0123456789abcdef", gigabytes/16, `"}`)},
			hostileBody{"10 GB of white space", path, jsonType, "", many("", " \n\t ", gigabytes/4, "{}")},
			hostileBody{"gzip bomb", path, jsonType, "gzip", func(t *testing.T) io.Reader { return zipped(t, 100<<20) }},
		)
	}
	return bodies
}

// TestHostileBodies sends what nobody means well with: each is refused with a problem, soon after a bound was
// reached, and in bounded memory, while a healthy client notices nothing.
func TestHostileBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("sends a lot")
	}
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys", "--log-requests=false")
	s.warm(t)
	count, stop := keepQuoting(t, s)
	before := s.peak(t)
	worst, worstName := int64(0), ""
	for _, h := range hostileBodies() {
		t.Run(h.path+" "+h.name, func(t *testing.T) {
			h.send(t, s)
			if growth := s.peak(t) - before; growth > worst {
				worst, worstName = growth, t.Name()
			}
		})
	}
	stop()
	if worst > growthBytesMax {
		t.Errorf("%s took %d MiB", worstName, worst>>20)
	}
	t.Logf("most memory: %d MiB, %s; %d quotes were answered meanwhile", worst>>20, worstName, *count)
}

func (h *hostileBody) send(t *testing.T, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http+h.path, io.NopCloser(h.body(t)))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = -1
	request.Header.Set("Content-Type", h.contentType)
	if h.encoding != "" {
		request.Header.Set("Content-Encoding", h.encoding)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		// The server may answer and hang up while the body is still being sent; what it must not do is take it.
		if ctx.Err() != nil {
			t.Errorf("there is no answer: %v", err)
		}
		return
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if response.StatusCode < 400 || response.StatusCode > 499 || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s %.200s", response.StatusCode, response.Header.Get("Content-Type"), text)
	}
	if bytes.Contains(text, []byte(".go:")) || bytes.Contains(text, []byte("goroutine")) {
		t.Errorf("the answer tells of the inside: %.500s", text)
	}
}

// slowEnv is how many slow clients there are in the long version.
const slowEnv = "GEC_TEST_SLOW"

// TestSlowClients opens many connections that send a byte now and then, or read nothing: healthy clients notice
// nothing, memory stays bounded, and the server hangs up in the end.
func TestSlowClients(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the server waits for a header")
	}
	t.Parallel()
	clients := parameter(t, slowEnv, 300)
	s := serve(t, t.TempDir(), "--sample", "--log-requests=false")
	address := strings.TrimPrefix(s.http, "http://")
	s.warm(t)
	count, stop := keepQuoting(t, s)
	before := s.peak(t)
	var slow sync.WaitGroup
	hung := make(chan time.Duration, clients)
	for i := range clients {
		slow.Go(func() {
			started := time.Now()
			c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				return
			}
			defer c.Close()
			head := "POST /fees/multi HTTP/1.1\r\nHost: x\r\nX-Slow: "
			if i%2 == 1 && os.Getenv(slowEnv) != "" { // the head at once, the body slowly, for which the server waits longer
				head += "y\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
			}
			if _, err := c.Write([]byte(head)); err != nil {
				return
			}
			go trickle(c, 'a')
			_, _ = io.Copy(io.Discard, bufio.NewReader(c))
			hung <- time.Since(started)
		})
	}
	slow.Wait()
	growth := s.peak(t) - before
	stop()
	close(hung)
	longest := time.Duration(0)
	for d := range hung {
		longest = max(longest, d)
	}
	if growth > growthBytesMax {
		t.Errorf("%d slow clients took %d MiB", clients, growth>>20)
	}
	if longest > 20*time.Second {
		t.Errorf("the server bore with a slow client for %v", longest)
	}
	t.Logf("%d slow clients: at most %v each, %d MiB; %d quotes were answered meanwhile", clients, longest, growth>>20, *count)
}

// trickle sends a byte twice a second until the server hangs up.
func trickle(c net.Conn, piece byte) {
	turn := time.NewTicker(500 * time.Millisecond)
	defer turn.Stop()
	for range turn.C {
		if _, err := c.Write([]byte{piece}); err != nil {
			return
		}
	}
}

// TestRapidReset opens streams of HTTP/2 and takes each back at once (CVE-2023-44487).
func TestRapidReset(t *testing.T) {
	if testing.Short() {
		t.Skip("sends a lot")
	}
	s := serve(t, t.TempDir(), "--sample", "--log-requests=false")
	healthy := gecv1.NewQuoteServiceClient(connect(t, s, grpc.WithDefaultServiceConfig(retrying)))
	// Under overload, and on a machine that does other things beside, a healthy client can be asked to come again; it
	// must then be answered.
	again := 0
	ask := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		request := &gecv1.QuoteRequest{Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{AmountCents: 5000}}}}
		_, err := healthy.Quote(ctx, request)
		for ; status.Code(err) == codes.Unavailable; again++ {
			_, err = healthy.Quote(ctx, request)
		}
		if err != nil {
			t.Fatalf("a healthy client: %v", err)
		}
	}
	s.warm(t)
	ask()
	before := s.peak(t)
	var hostile sync.WaitGroup
	for range 8 {
		hostile.Go(func() {
			flood := rapidReset(callHead("http", "/gec.v1.QuoteService/Quote", "application/grpc"), parameter(t, slowEnv, 300)*10)
			if err := dialPlain(s.grpc).hostile(t.Context(), flood); err != nil {
				t.Logf("the server hung up: %v", err) // which is its right
			}
		})
	}
	for range 200 {
		ask()
	}
	hostile.Wait()
	ask()
	growth := s.peak(t) - before
	if growth > growthBytesMax {
		t.Errorf("rapid reset took %d MiB", growth>>20)
	}
	t.Logf("rapid reset: %d MiB; of 202 quotes of a healthy client %d were asked more often than its retry policy does", growth>>20, again)
}

// retrying is the policy that clients are told to have: what is turned away under overload is asked again.
const retrying = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s",
	"maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// dial opens a connection to a listener that a hostile client talks to.
type dial func(ctx context.Context) (net.Conn, error)

func dialPlain(address string) dial {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) }
}

// hostile opens a connection of HTTP/2 on which talk says what it likes. It returns once the server has taken all of
// that in, or has hung up.
func (d dial) hostile(ctx context.Context, talk func(*http2.Framer) error) error {
	c, err := d(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	framer := http2.NewFramer(c, c)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	heard := make(chan error, 1)
	go func() {
		for {
			frame, err := framer.ReadFrame()
			if ping, is := frame.(*http2.PingFrame); err != nil || is && ping.IsAck() {
				heard <- err
				return
			}
		}
	}()
	if err := talk(framer); err != nil {
		return err
	}
	if err := framer.WritePing(false, [8]byte{}); err != nil {
		return err
	}
	return <-heard
}

// callHead is the head of a call of a path.
func callHead(scheme, path, contentType string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: scheme}, {Name: ":authority", Value: "localhost"},
		{Name: ":path", Value: path}, {Name: "content-type", Value: contentType}, {Name: "te", Value: "trailers"},
	} {
		field.Sensitive = true        // so that the encoder keeps no state between frames
		_ = encoder.WriteField(field) // into memory
	}
	return block.Bytes()
}

// rapidReset opens streams with a head and takes each back at once.
func rapidReset(head []byte, streams int) func(*http2.Framer) error {
	return func(framer *http2.Framer) error {
		for i := range streams {
			id := uint32(2*i + 1)
			if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head, EndHeaders: true}); err != nil {
				return err
			}
			if err := framer.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
				return err
			}
		}
		return nil
	}
}
