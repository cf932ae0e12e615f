package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/journal"
	"gec/api/problem"
	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// quoting answers the requests of both forms. Its methods return errors of the domain or problems;
// bundles.Faults have paths with the names of the proto.
type quoting struct {
	catalogue Catalogue
	now       func() time.Time
	log       *slog.Logger
	observe   observer
	journal   *journal.Journal
	failed    func([]engine.Failure)
	quoted    func(engine.Effort)
	receipts  *receipt.Desk
	// calls pools the scratch memory of requests.
	calls sync.Pool
}

// call is the scratch memory of one request.
type call struct {
	quoter  *engine.Quoter
	request request
	// receipt goes with the answer; mostly empty.
	receipt string
}

func newQuoting(o Options) *quoting {
	return &quoting{
		catalogue: o.Catalogue, now: o.Now, log: o.Log, observe: observer(o.Observe), journal: o.Journal, failed: o.Failed, quoted: o.Quoted, receipts: o.Receipts,
		calls: sync.Pool{New: func() any { return &call{quoter: engine.NewQuoter()} }},
	}
}

// quote answers one request with a message.
func (s *quoting) quote(ctx context.Context, in *gecv1.QuoteRequest) (*gecv1.QuoteResponse, error) {
	c := s.calls.Get().(*call)
	defer s.release(c)
	answer, err := s.answer(ctx, c, in)
	if err != nil {
		return nil, err
	}
	out := quoteResponse(in.GetId(), c.request.payment.At, answer)
	if c.receipt != "" {
		out.Receipt = proto.String(c.receipt)
	}
	return out, nil
}

// answer computes the answer to one request, valid while c is the caller's; the instant of the payment is then
// in c.request.payment. Errors share nothing with the request.
func (s *quoting) answer(ctx context.Context, c *call, in *gecv1.QuoteRequest) (*engine.Answer, error) {
	if err := c.request.read(in).Err(); err != nil {
		return nil, err
	}
	if in.GetWantReceipt() || in.GetReceipt() != "" {
		return s.answerOnReceipt(ctx, c, in)
	}
	snapshot, at, err := s.resolve(ctx, in)
	if err != nil {
		return nil, err
	}
	c.request.payment.At = at
	return s.answerOn(c, snapshot)
}

// answerOn computes the answer to the request that was read, on a snapshot.
func (s *quoting) answerOn(c *call, snapshot *engine.Snapshot) (*engine.Answer, error) {
	answer, err := c.quoter.Quotes(snapshot, &c.request.payment, c.request.options)
	var unknown *engine.UnknownNameError
	if errors.As(err, &unknown) {
		return nil, &engine.UnknownNameError{Kind: unknown.Kind, Name: strings.Clone(unknown.Name)}
	}
	if err != nil {
		return nil, err
	}
	if len(answer.Failed) > 0 && s.failed != nil {
		s.failed(answer.Failed)
	}
	if s.quoted != nil {
		s.quoted(c.quoter.Effort())
	}
	return answer, nil
}

// release gives the scratch memory back, without what it holds of the caller.
func (s *quoting) release(c *call) {
	c.request.clear()
	c.receipt = ""
	s.calls.Put(c)
}

// resolve returns the snapshot to answer on and the instant of the payment:
//
//	instant   revision   answered on                          dates and hours of
//	-         -          the current revision                 now
//	past      -          the one that was current then        the instant
//	future    -          the current revision                 the instant
//	-         given      the revision                         now
//	any       given      the revision                         the instant
//
// Errors: a problem NOT_FOUND, and those of the store.
func (s *quoting) resolve(ctx context.Context, in *gecv1.QuoteRequest) (*engine.Snapshot, time.Time, error) {
	now := s.now()
	at := now
	if in.At != nil {
		at = in.At.AsTime()
	}
	switch {
	case in.Revision != nil:
		snapshot, err := s.catalogue.At(ctx, *in.Revision)
		if errors.Is(err, bundles.ErrNotFound) {
			err = s.noRevision(*in.Revision, err)
		}
		return snapshot, at, err
	case at.Before(now):
		snapshot, err := s.catalogue.AsOf(ctx, at)
		return snapshot, at, err
	}
	return s.catalogue.Current(), at, nil
}

func (s *quoting) noRevision(revision int64, cause error) error {
	p := problem.New(http.StatusNotFound, codes.NotFound,
		fmt.Sprintf("Cannot find revision %d: the current one is %d", revision, s.catalogue.Current().Revision()))
	p.Title, p.Cause = "Revision not found", cause
	return p
}

// report logs what is behind the answer to one request of a batch, where the answer does not tell.
func (s *quoting) report(ctx context.Context, p *problem.Problem) {
	if p.Instance != "" {
		s.log.LogAttrs(ctx, slog.LevelError, "request of a batch",
			slog.String(logInstance, p.Instance), slog.Any(logError, p.Cause))
	}
}
