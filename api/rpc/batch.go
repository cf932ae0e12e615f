package rpc

import (
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"gec/api/gecv1"
	"gec/api/journal"
)

// The bounds of what a batch has at hand: so many requests, or bytes of them, are read before they are answered; and
// answers of so many bytes are sent when they are there, even while more requests wait. Both may be exceeded by the
// last of them.
const (
	requestsAhead     = 16
	requestBytesAhead = 16 << 10
	answerBytesHeld   = 32 << 10
)

// BatchQuote implements QuoteService.BatchQuote. Requests are read aside, so that whoever asks many at once has
// several of them answered, and their answers sent, at one wake-up. What is held is bounded: some KiB of requests
// and of answers. Send waits while the caller takes no answers, and meanwhile none is computed.
func (s *quoteServer) BatchQuote(stream gecv1.QuoteService_BatchQuoteServer) error {
	r := newRequests()
	go r.read(stream)
	defer r.abandon()
	in := s.requests.Get().(*incoming)
	defer func() {
		in.release()
		s.requests.Put(in)
	}()
	b := batch{quoteServer: s, stream: stream, of: loggedOf(stream.Context())}
	for {
		waiting, err := r.take()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := b.answers(in, waiting); err != nil {
			return err
		}
	}
}

// requests are those of a batch that were read and not taken yet. One goroutine reads, another takes.
type requests struct {
	mu sync.Mutex
	// some is told of a request or the end, room of requests that were taken and of abandon.
	some, room sync.Cond
	waiting    []mem.Buffer
	bytes      int
	// end is why no more come, io.EOF where the caller has no more.
	end       error
	abandoned bool
	// spare is the memory of waiting while the other is in use.
	spare []mem.Buffer
}

func newRequests() *requests {
	r := &requests{}
	r.some.L, r.room.L = &r.mu, &r.mu
	return r
}

// read reads requests until there are no more or nobody takes them. The end of the stream ends it.
func (r *requests) read(stream gecv1.QuoteService_BatchQuoteServer) {
	var in received
	for {
		err := stream.RecvMsg(&in)
		r.mu.Lock()
		for err == nil && !r.abandoned && (len(r.waiting) >= requestsAhead || r.bytes >= requestBytesAhead) {
			r.room.Wait()
		}
		switch {
		case err != nil:
			r.end = err
		case r.abandoned:
			in.bytes.Free()
		default:
			r.waiting, r.bytes = append(r.waiting, in.bytes), r.bytes+in.bytes.Len()
		}
		over := err != nil || r.abandoned
		r.some.Signal()
		r.mu.Unlock()
		if over {
			return
		}
	}
}

// take waits for requests and returns all that there are, valid until the next call, or why there are none.
func (r *requests) take() (waiting []mem.Buffer, end error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) == 0 && r.end == nil {
		r.some.Wait()
	}
	if len(r.waiting) == 0 {
		return nil, r.end
	}
	waiting = r.waiting
	r.waiting, r.spare, r.bytes = r.spare[:0], waiting, 0
	r.room.Signal()
	return waiting, nil
}

// abandon says that nobody takes requests any more.
func (r *requests) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.abandoned = true
	free(r.waiting)
	r.waiting = nil
	r.room.Signal()
}

// free gives requests back that nobody answers.
func free(waiting []mem.Buffer) {
	for _, bytes := range waiting {
		bytes.Free()
	}
}

// batch answers the requests of a stream, and holds answers until flush.
type batch struct {
	*quoteServer
	stream gecv1.QuoteService_BatchQuoteServer
	of     *logged
	// begun says that a request was answered: the first counts with the call.
	begun bool
	// replies[:held] are not sent yet, of so many bytes.
	replies     [requestsAhead]reply
	held, bytes int
}

// answers answers requests, one after the other in in, and sends what it held. Errors: those that end the stream;
// answers of before are sent.
func (b *batch) answers(in *incoming, waiting []mem.Buffer) error {
	for i, bytes := range waiting {
		waiting[i] = nil
		if err := b.answer(in, bytes); err != nil {
			free(waiting[i+1:])
			if lost := b.flush(); lost != nil {
				return lost
			}
			return err
		}
	}
	return b.flush()
}

// answer answers one request, in the place of the one before in in, if its caller still may ask, and journals it.
// Errors: those that end the stream.
func (b *batch) answer(in *incoming, bytes mem.Buffer) error {
	one := *b.of
	one.started = time.Now()
	if err := in.read(bytes); err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err) // as grpc-go says it
	}
	if b.begun && b.of.stay != nil {
		if err := b.of.stay.Again(); err != nil {
			return err
		}
	}
	b.begun = true
	ctx, out := b.stream.Context(), &b.replies[b.held]
	if err := b.reply(ctx, in.message, out); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p := one.problem(err, nil)
		b.report(ctx, p)
		*out = reply{bytes: replyBytes.Get(0)}
		*out.bytes = appendRefusal(*out.bytes, in.message.GetId(), newError(p))
	}
	if b.journal != nil {
		out.body = in.raw()
		var e journal.Entry
		one.enter(&e, in.message, out)
		b.journal.Add(&e)
		out.body = nil
	}
	b.held, b.bytes = b.held+1, b.bytes+len(*out.bytes)
	if b.held < len(b.replies) && b.bytes < answerBytesHeld {
		return nil
	}
	return b.flush()
}

// flush sends what is held.
func (b *batch) flush() error {
	for i := range b.held {
		out := &b.replies[i]
		if err := b.stream.SendMsg(out); err != nil {
			return err
		}
		*out = reply{}
	}
	b.held, b.bytes = 0, 0
	return nil
}
