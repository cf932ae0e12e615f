package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"gec/bench/service"
)

// crowd are callers, each on a connection of its own.
type crowd struct {
	address string
	request []byte
	// connections are kept from one load to the next; nil for one that broke.
	connections []*connection
}

// dialAll connects all callers before anything is measured.
func (c *crowd) dialAll(ctx context.Context, callers int) (err error) {
	c.connections = make([]*connection, callers)
	for i := range c.connections {
		if c.connections[i], err = c.dial(ctx); err != nil {
			return err
		}
		if _, err := c.connections[i].ask(c.request); err != nil { // a connection that asks nothing is hung up on
			return err
		}
	}
	return nil
}

// hangUp ends all connections.
func (c *crowd) hangUp() {
	for _, conn := range c.connections {
		if conn != nil {
			_ = conn.Close() // nothing is sent any more
		}
	}
}

// result is what callers saw, from the sending of a request on.
type result struct {
	accepted, refused service.Histogram
	failed            int64
	took              time.Duration
}

func (r *result) perSecond(n int64) float64 { return float64(n) / r.took.Seconds() }

// patience is how long a caller waits for an answer.
const patience = 10 * time.Second

// closed lets callers ask one request after the other.
func (c *crowd) closed(ctx context.Context, callers int, took time.Duration) (*result, error) {
	return c.each(ctx, callers, took, func(int, time.Time) time.Duration { return 0 })
}

// open lets callers ask so many requests a second in all, each at its instants, whatever becomes of the others'.
func (c *crowd) open(ctx context.Context, callers int, perSecond float64, took time.Duration) (*result, error) {
	interval := time.Duration(float64(callers) / perSecond * float64(time.Second))
	started := time.Now()
	return c.each(ctx, callers, took, func(caller int, now time.Time) time.Duration {
		first := started.Add(interval * time.Duration(caller) / time.Duration(callers))
		if now.Before(first) {
			return first.Sub(now)
		}
		return interval - now.Sub(first)%interval
	})
}

// each runs the callers, each of whom waits before every request.
func (c *crowd) each(ctx context.Context, callers int, took time.Duration, wait func(caller int, now time.Time) time.Duration) (*result, error) {
	end := time.Now().Add(took)
	sum := &result{took: took}
	var adding sync.Mutex
	var fault error
	var running sync.WaitGroup
	for n := range callers {
		running.Go(func() {
			local, err := c.caller(ctx, n, end, wait)
			adding.Lock()
			defer adding.Unlock()
			fault = errors.Join(fault, err)
			sum.accepted.Merge(&local.accepted)
			sum.refused.Merge(&local.refused)
			sum.failed += local.failed
		})
	}
	running.Wait()
	return sum, fault
}

// caller is one of them. It dials again after a call that failed.
func (c *crowd) caller(ctx context.Context, n int, end time.Time, wait func(caller int, now time.Time) time.Duration) (local result, err error) {
	conn := c.connections[n]
	defer func() { c.connections[n] = conn }()
	for {
		now := time.Now()
		pause := wait(n, now)
		if !now.Add(pause).Before(end) || ctx.Err() != nil {
			return local, ctx.Err()
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
				return local, ctx.Err()
			case <-time.After(pause):
			}
		}
		sent := time.Now()
		if conn == nil {
			if conn, err = c.dial(ctx); err != nil {
				local.failed++
				conn = nil
				continue
			}
			sent = time.Now()
		}
		status, err := conn.ask(c.request)
		switch {
		case err != nil:
			local.failed++
			_ = conn.Close() // it failed already
			conn = nil
		case status == 200:
			local.accepted.Add(time.Since(sent))
		case status == 503 || status == 429:
			local.refused.Add(time.Since(sent))
		default:
			return local, fmt.Errorf("status %d", status)
		}
	}
}

// connection is kept alive.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func (c *crowd) dial(ctx context.Context) (*connection, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReaderSize(conn, 8<<10)}, nil
}

// ask sends a request and returns the status of its answer, all of which it reads. Errors: an answer without a
// length, or a refusal that names no time to ask again, too.
func (c *connection) ask(request []byte) (status int, err error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	length, again := -1, false
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case "Retry-After":
			again = true
		}
	}
	if length < 0 || status >= 400 && !again {
		return 0, fmt.Errorf("status %d, length %d, Retry-After %v", status, length, again)
	}
	_, err = c.in.Discard(length)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return status, err
}
