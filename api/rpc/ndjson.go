package rpc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/gecv1"
	"gec/api/journal"
	"gec/api/problem"
)

// serveBatch answers every line of the body with a line, in order. A line that cannot be answered gets
// an error in place of an answer. Lines are read only as fast as answers are taken; answers are sent
// on as soon as no further line is at hand. What ends the stream early, such as a line that is too
// long, is told by a last line with an error and no id.
func (h *jsonHandler) serveBatch(x *exchange) error {
	control := http.NewResponseController(x.w)
	// HTTP/1 needs leave to read on after the answer began; HTTP/2 does so anyway.
	if err := control.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	x.started = true
	x.w.Header().Set("Content-Type", "application/x-ndjson")
	x.w.WriteHeader(http.StatusOK)
	b := &lineBatch{
		handler: h, x: x, control: control,
		lines: bufio.NewReaderSize(x.r.Body, RequestBytesMax+1), answers: bufio.NewWriterSize(x.w, 32<<10),
	}
	return b.serve()
}

// lineBatch is one batch over HTTP.
type lineBatch struct {
	handler *jsonHandler
	x       *exchange
	control *http.ResponseController
	lines   *bufio.Reader
	answers *bufio.Writer
	in      gecv1.QuoteRequest
	out     bytes.Buffer
}

func (b *lineBatch) serve() error {
	if err := b.flush(); err != nil {
		return err
	}
	for {
		b.setDeadlines(time.Now().Add(StallTimeout))
		line, readErr := b.lines.ReadSlice('\n')
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return b.stop(readErr)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := b.admit(); err != nil {
				return b.stop(problem.Of(err))
			}
			if err := b.write(b.answer(line)); err != nil {
				return err
			}
			b.x.logged.rows++
		}
		if readErr != nil || b.lines.Buffered() == 0 {
			if err := b.flush(); err != nil {
				return err
			}
		}
		if readErr != nil {
			b.setDeadlines(time.Time{}) // the connection may serve other requests
			return nil
		}
	}
}

// admit asks for the caller's key again at every line but the first, with which the call was let in: each counts
// as a call, and a key that is revoked ends the batch.
func (b *lineBatch) admit() error {
	if b.x.logged.rows == 0 {
		return nil
	}
	return b.handler.admit(b.x)
}

// setDeadlines says until when the caller has to send the next line and to take an answer; the zero
// Time means for ever. A writer without deadlines, as in a test, does without.
func (b *lineBatch) setDeadlines(until time.Time) {
	_ = b.control.SetReadDeadline(until)
	_ = b.control.SetWriteDeadline(until)
}

func (b *lineBatch) flush() error {
	if err := b.answers.Flush(); err != nil {
		return gone(err)
	}
	if err := b.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return gone(err)
	}
	return nil
}

// answer returns the answer to one line; it never fails.
func (b *lineBatch) answer(line []byte) (out *gecv1.QuoteResponse) {
	one := logged{started: time.Now(), id: b.x.logged.id, caller: b.x.logged.caller}
	defer func() {
		e := journal.Entry{Body: line}
		asked(&e.Facts, &b.in)
		told(&e.Facts, out)
		b.handler.enter(&one, b.x, &e)
	}()
	err := unmarshal(line, &b.in)
	if err != nil {
		b.in.Reset() // nothing of a line that is wrong is repeated
	} else {
		if out, err = b.handler.quote(b.x.r.Context(), &b.in); err == nil {
			return out
		}
	}
	p := one.problem(withJSONNames(err), nil)
	b.handler.report(b.x.r.Context(), p)
	return &gecv1.QuoteResponse{Id: b.in.GetId(), Error: newError(p)}
}

func (b *lineBatch) write(out *gecv1.QuoteResponse) error {
	b.out.Reset()
	if err := marshal(&b.out, out); err != nil {
		return err
	}
	_, err := b.answers.Write(b.out.Bytes())
	return gone(err)
}

// stop ends the batch with a line that says why.
func (b *lineBatch) stop(cause error) error {
	var p *problem.Problem
	switch {
	case errors.Is(cause, bufio.ErrBufferFull):
		p = problem.New(http.StatusRequestEntityTooLarge, codes.ResourceExhausted,
			fmt.Sprintf("A line is longer than %d bytes: the batch ends here", RequestBytesMax))
	case errors.Is(cause, os.ErrDeadlineExceeded):
		p = problem.New(http.StatusRequestTimeout, codes.DeadlineExceeded,
			fmt.Sprintf("No line came for %v: the batch ends here", StallTimeout))
	case errors.As(cause, &p):
		refused := *p
		p = &refused
	default:
		p = problem.New(http.StatusBadRequest, codes.Canceled, "The body ended before it was complete: the batch ends here")
	}
	if p.Cause == nil {
		p.Cause = cause
	}
	if err := b.write(&gecv1.QuoteResponse{Error: newError(p)}); err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	return p
}
