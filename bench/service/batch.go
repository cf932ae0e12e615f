package service

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// batchWrite is about how many bytes of requests go out in one call of the system.
const batchWrite = 16 << 10

// Batch asks a number of quotes on one stream of BatchQuote, all sent while answers come in, and returns how
// long it took. The requests are taken in turn. Errors: too few answers, too.
func (t *Target) Batch(ctx context.Context, quotes int) (took time.Duration, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	c, err := newGRPCConn(conn, batchMethod, t.Headers)
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := c.batch(t.Requests[:1]); err != nil { // the settings of the server are known from here on
		return 0, err
	}
	requests := make([][]byte, quotes)
	for i := range requests {
		requests[i] = t.Requests[i%len(t.Requests)]
	}
	started := time.Now()
	err = c.batch(requests)
	return time.Since(started), err
}

// MeasureBatches measures batches of so many quotes on the service and on its floor in turn, per quote.
func (p *Pair) MeasureBatches(ctx context.Context, quotes, rounds int) (ofService, ofFloor []time.Duration, err error) {
	err = p.turns(rounds, func(of *Process) error {
		took, err := p.GRPC(of).Batch(ctx, quotes)
		if of == p.Floor {
			ofFloor = append(ofFloor, took/time.Duration(quotes))
		} else {
			ofService = append(ofService, took/time.Duration(quotes))
		}
		return err
	})
	return ofService, ofFloor, err
}

// window is how many bytes the server takes at the moment, of a stream and of the connection (RFC 9113, section
// 5.2). The zero window is not valid.
type window struct {
	mu sync.Mutex
	// more is told of every change.
	more               sync.Cond
	stream, connection int
	// initial is what a new stream begins with.
	initial int
	// ended: the call is over, nothing more is to be sent.
	ended bool
}

// take waits until a message fits and takes its length off. False: the call is over.
func (w *window) take(length int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.ended && (w.stream < length || w.connection < length) {
		w.more.Wait()
	}
	w.stream, w.connection = w.stream-length, w.connection-length
	return !w.ended
}

func (w *window) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.more.Broadcast()
}

// batch asks all requests on one stream, each in a frame of its own, and returns when all are answered.
func (c *grpcConn) batch(requests [][]byte) error {
	w := &c.window
	w.change(func() { w.stream, w.ended = w.initial, false })
	sent := make(chan error, 1)
	go func() { sent <- c.sendAll(requests) }()
	answers, err := c.countAnswers()
	w.change(func() { w.ended = true })
	err = errors.Join(err, <-sent)
	c.stream += 2
	if err == nil && answers != len(requests) {
		err = fmt.Errorf("%d answers to %d quotes", answers, len(requests))
	}
	return err
}

// sendAll writes the head of a call and its messages.
func (c *grpcConn) sendAll(requests [][]byte) error {
	out := appendFrame(c.out[:0], frameHeaders, flagEndHeaders, c.stream, c.head)
	flush := func() error {
		_, err := c.conn.Write(out)
		out = out[:0]
		return err
	}
	for n, request := range requests {
		length, flags := len(request)+messageHead, byte(0)
		if n == len(requests)-1 {
			flags = flagEndStream
		}
		if !c.window.fits(length) || len(out) > batchWrite {
			if err := flush(); err != nil {
				return err
			}
		}
		if !c.window.take(length) {
			return nil
		}
		out = appendFrameHead(out, length, frameData, flags, c.stream)
		out = append(appendMessageHead(out, len(request)), request...)
	}
	return flush()
}

func (w *window) fits(length int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stream >= length && w.connection >= length
}

// countAnswers reads frames to the end of the call and counts the messages in them, which it does not keep.
func (c *grpcConn) countAnswers() (answers int, err error) {
	var head [messageHead]byte
	read, left := 0, 0 // of the head of a message, and of the message
	for {
		kind, flags, stream, payload, err := c.frame()
		if err != nil {
			return answers, err
		}
		done, err := c.take(kind, flags, stream, payload)
		if err != nil {
			return answers, err
		}
		for kind == frameData && len(payload) > 0 {
			if left == 0 {
				n := copy(head[read:], payload)
				read, payload = read+n, payload[n:]
				if read < messageHead {
					break
				}
				read, left = 0, int(binary.BigEndian.Uint32(head[1:]))
				if left > 0 {
					continue
				}
			}
			n := min(left, len(payload))
			left, payload = left-n, payload[n:]
			if left == 0 {
				answers++
			}
		}
		if done {
			return answers, nil
		}
	}
}
