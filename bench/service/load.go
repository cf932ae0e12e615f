package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// caller is one connection to a server.
type caller interface {
	// send sends a request, receive returns its answer, valid until the next request. Where reading from the
	// connection does not wait, receive fails with errWait until the answer has come.
	send(request []byte) error
	receive() ([]byte, error)
	close() error
}

// errWait says that an answer has not come yet.
var errWait = errors.New("the answer has not come yet")

// call sends a request and returns its answer, valid until the next call.
func call(c caller, request []byte) ([]byte, error) {
	if err := c.send(request); err != nil {
		return nil, err
	}
	return c.receive()
}

// Target is a server and what it is asked.
type Target struct {
	// Address is host:port.
	Address string
	// GRPC says that Requests are messages of the native contract's Quote; else they are whole HTTP/1.1
	// requests, see [HTTPRequest].
	GRPC bool
	// Requests are asked in turn, by each connection from another one on.
	Requests [][]byte
	// Headers are sent with every request.
	Headers []Header
	// held are connections that are kept from one loop to the next, nil where each loop makes its own.
	held []caller
	// heldEvents are those for open loops.
	heldEvents *events
}

// hold makes connections that the closed loops on the target use from now on, until release: making them costs a server
// memory, and so, by collecting it, time that is none of the calls'.
func (t *Target) hold(ctx context.Context, connections int) (release func(), err error) {
	release = func() {
		closeAll(t.held)
		t.held = nil
	}
	for range connections {
		c, err := t.dial(ctx)
		if err != nil {
			release()
			return nil, err
		}
		t.held = append(t.held, c)
	}
	return release, nil
}

// holdEvents is hold for open loops.
func (t *Target) holdEvents(ctx context.Context, connections int) (release func(), err error) {
	if t.heldEvents, err = t.newEvents(ctx, connections); err != nil {
		return nil, err
	}
	return func() {
		_ = t.heldEvents.close() // nothing is sent any more
		t.heldEvents = nil
	}, nil
}

// holdBoth is hold for closed and for open loops.
func (t *Target) holdBoth(ctx context.Context, connections int) (release func(), err error) {
	closed, err := t.hold(ctx, connections)
	if err != nil {
		return nil, err
	}
	open, err := t.holdEvents(ctx, connections)
	if err != nil {
		closed()
		return nil, err
	}
	return func() { open(); closed() }, nil
}

func closeAll(callers []caller) {
	for _, c := range callers {
		_ = c.close() // nothing is sent any more
	}
}

// Header is a header of requests, such as the key of a caller.
type Header struct{ Name, Value string }

func (t *Target) dial(ctx context.Context) (caller, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	return t.speak(conn)
}

// speak makes a caller of a connection to the target.
func (t *Target) speak(conn io.ReadWriteCloser) (caller, error) {
	if !t.GRPC {
		return newHTTPConn(conn, t.Headers), nil
	}
	c, err := newGRPCConn(conn, quoteMethod, t.Headers)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// Ask sends one request and returns a copy of its answer: the body, or the message.
func (t *Target) Ask(ctx context.Context, request []byte) ([]byte, error) {
	c, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := call(c, request)
	return bytes.Clone(answer), errors.Join(err, c.close())
}

// Run is what a loop has measured.
type Run struct {
	// Calls is how many were answered, in Took.
	Calls int64
	Took  time.Duration
	// Latency of every call: in the closed loop from its sending on, in the open loop from the instant at
	// which it should have been sent, so that the time that calls wait for others counts (no coordinated
	// omission).
	Latency Histogram
}

// PerSecond returns the calls answered in a second.
func (r *Run) PerSecond() float64 { return float64(r.Calls) / r.Took.Seconds() }

// Peak asks as fast as the server answers, on a number of connections that each wait for an answer before
// they ask again (closed loop). What happens during the time of warming up is not counted. Errors: those of
// the first call that failed.
func (t *Target) Peak(ctx context.Context, connections int, warmUp, measured time.Duration) (*Run, error) {
	start := time.Now().Add(warmUp)
	end := start.Add(measured)
	run, err := t.each(ctx, connections, func(c caller, connection int, local *Run) error {
		for i := connection * 7; ; i++ {
			sent := time.Now()
			if !sent.Before(end) || ctx.Err() != nil {
				return ctx.Err()
			}
			if _, err := call(c, t.Requests[i%len(t.Requests)]); err != nil {
				return err
			}
			if sent.After(start) {
				local.Calls++
				local.Latency.Add(time.Since(sent))
			}
		}
	})
	if err == nil {
		run.Took = measured
	}
	return run, err
}

// each runs a loop on every connection and adds up what they measured.
func (t *Target) each(ctx context.Context, connections int, loop func(c caller, connection int, local *Run) error) (*Run, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if len(t.held) < connections {
		if t.held != nil {
			return nil, fmt.Errorf("%d connections are held, %d are needed", len(t.held), connections)
		}
		release, err := t.hold(ctx, connections)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	callers := t.held[:connections]
	var sum Run
	var adding sync.Mutex
	var wait sync.WaitGroup
	for i, c := range callers {
		wait.Go(func() {
			local := &Run{}
			if err := loop(c, i, local); err != nil {
				cancel(fmt.Errorf("connection %d to %s: %w", i, t.Address, err))
			}
			adding.Lock()
			defer adding.Unlock()
			sum.Calls += local.Calls
			sum.Latency.Merge(&local.Latency)
		})
	}
	wait.Wait()
	return &sum, context.Cause(ctx)
}
