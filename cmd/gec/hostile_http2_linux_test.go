package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gec/cmd/gec/internal/tlsfiles"
	"gec/cmd/gec/internal/tlsfiles/tlstest"
)

// newTLS starts a server over TLS that asks nobody who they are, and makes it warm.
func newTLS(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: t.TempDir(), authority: tlstest.New(t)}
	tlstest.Write(t, s.dir, "ca.pem", s.authority.PEM)
	s.renew("localhost")
	s.server = serve(t, t.TempDir(), "--sample", "--log-requests=false", "--tls-cert", s.path("server.pem"), "--tls-key", s.path("server.key"))
	s.http = strings.Replace(s.http, "http://", "https://", 1)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			ask := s.asker()
			for range 5_000 {
				if status, text := ask(); status != http.StatusOK {
					t.Errorf("quote: %d %s", status, text)
					return
				}
			}
		})
	}
	clients.Wait()
	s.peak(t)
	return s
}

// asker is a healthy client with a connection of its own, kept open. What is turned away under overload is asked
// again, as clients are told to.
func (s *secured) asker() func() (status int, text string) {
	s.t.Helper()
	body, err := json.Marshal(healthyQuote())
	if err != nil {
		s.t.Fatal(err)
	}
	settings, err := tlsfiles.Client(s.path("ca.pem"), "", "")
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true}, Timeout: patience}
	s.t.Cleanup(client.CloseIdleConnections)
	return func() (status int, text string) {
		for {
			request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.http+"/gec/v1/quote", bytes.NewReader(body))
			if err != nil {
				return 0, err.Error()
			}
			response, err := client.Do(request)
			if err != nil {
				return 0, err.Error()
			}
			answer, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.ProtoMajor != 2 {
				return 0, "over " + response.Proto
			}
			if response.StatusCode != http.StatusServiceUnavailable {
				return response.StatusCode, string(answer)
			}
		}
	}
}

// dial opens connections that speak HTTP/2 over TLS with a listener of the server.
func (s *secured) dial(address string) dial {
	settings := s.tls("")
	settings.NextProtos, settings.ServerName = []string{"h2"}, "localhost"
	return func(ctx context.Context) (net.Conn, error) {
		return (&tls.Dialer{Config: settings}).DialContext(ctx, "tcp", address)
	}
}

// unharmed runs what hostile clients do, many at a time, and holds what it may cost a server that speaks HTTP/2
// over TLS.
func unharmed(t *testing.T, s *secured, clients int, attack func() error) {
	t.Helper()
	count, stop := keepAsking(t, s.asker())
	before := s.peak(t)
	var hostile sync.WaitGroup
	var hungUp sync.Once
	for range clients {
		hostile.Go(func() {
			if err := attack(); err != nil {
				hungUp.Do(func() { t.Logf("the server hung up: %v", err) }) // which is its right
			}
		})
	}
	hostile.Wait()
	growth := s.peak(t) - before
	stop()
	if status, text := s.asker()(); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, text)
	}
	if growth > growthBytesMax {
		t.Errorf("it took %d MiB", growth>>20)
	}
	t.Logf("%d MiB; %d quotes were answered meanwhile", growth>>20, *count)
}

// TestHostileHTTP2 does over TLS what HTTP/2 lets a client do to a server, on both listeners: streams that are
// taken back at once (CVE-2023-44487), heads that never end (CVE-2023-45288), and heads that are small on the wire
// and large once they are read.
func TestHostileHTTP2(t *testing.T) {
	if testing.Short() {
		t.Skip("sends a lot")
	}
	s := newTLS(t)
	for _, listener := range []struct{ name, address, path, contentType string }{
		{"http", strings.TrimPrefix(s.http, "https://"), "/gec/v1/quote", "application/json"},
		{"grpc", s.grpc, "/gec.v1.QuoteService/Quote", "application/grpc"},
	} {
		head := callHead("https", listener.path, listener.contentType)
		times := parameter(t, slowEnv, 300)
		for name, talk := range map[string]func(*http2.Framer) error{
			"rapid reset":  rapidReset(head, 10*times),
			"endless head": endlessHead(head, 10*times),
			"head bomb":    headBomb(head, times),
		} {
			t.Run(listener.name+" "+name, func(t *testing.T) {
				dial := s.dial(listener.address)
				unharmed(t, s, 8, func() error { return dial.hostile(t.Context(), talk) })
			})
		}
	}
}

// endlessHead goes on with the head of one stream, 16 KiB at a time.
func endlessHead(head []byte, times int) func(*http2.Framer) error {
	return func(framer *http2.Framer) error {
		if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head}); err != nil {
			return err
		}
		var more bytes.Buffer
		encoder := hpack.NewEncoder(&more)
		if err := encoder.WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("\x00~", 4<<10), Sensitive: true}); err != nil {
			return err
		}
		for range times {
			if err := framer.WriteContinuation(1, false, more.Bytes()); err != nil {
				return err
			}
		}
		return nil
	}
}

// headBomb states a long field once and names it in every head thousands of times, a byte each.
func headBomb(head []byte, times int) func(*http2.Framer) error {
	return func(framer *http2.Framer) error {
		var first bytes.Buffer
		first.Write(head)
		if err := hpack.NewEncoder(&first).WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("y", 3<<10)}); err != nil {
			return err
		}
		const latest = 0x80 | 62 // the entry of the dynamic table that was added last, as an indexed field
		block := append(bytes.Clone(head), bytes.Repeat([]byte{latest}, 12<<10)...)
		for i := range times {
			param := http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: block, EndHeaders: true, EndStream: true}
			if i == 0 {
				param.BlockFragment = first.Bytes()
			}
			if err := framer.WriteHeaders(param); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestSlowHandshakes opens connections that begin the handshake of TLS and do not end it, on both listeners at once.
func TestSlowHandshakes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the server waits for a handshake")
	}
	t.Parallel()
	s := newTLS(t)
	clients := parameter(t, slowEnv, 300)
	addresses := make(chan string, 2*clients)
	for range clients {
		addresses <- strings.TrimPrefix(s.http, "https://")
		addresses <- s.grpc
	}
	longest, lock := time.Duration(0), sync.Mutex{}
	unharmed(t, s, 2*clients, func() error {
		started := time.Now()
		c, err := dialPlain(<-addresses)(t.Context())
		if err != nil {
			return err
		}
		defer c.Close()
		go dawdle(c)
		_, _ = io.Copy(io.Discard, c) // until the server hangs up
		lock.Lock()
		defer lock.Unlock()
		longest = max(longest, time.Since(started))
		return nil
	})
	if longest > 20*time.Second {
		t.Errorf("the server bore with a slow client for %v", longest)
	}
}

// dawdle sends the first bytes of a handshake, and then one now and then of a hello that is announced as 4 KiB.
func dawdle(c net.Conn) {
	if _, err := c.Write([]byte{0x16, 3, 1, 0x10, 0, 1, 0, 0x0f, 0xfc}); err == nil {
		trickle(c, 3)
	}
}
