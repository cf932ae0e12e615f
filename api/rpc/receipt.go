package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"gec/api/gecv1"
	"gec/api/problem"
	"gec/api/receipt"
	"gec/engine"
)

// answerOnReceipt is answer for a request that wants a receipt or gives one back, after it was read.
func (s *quoting) answerOnReceipt(ctx context.Context, c *call, in *gecv1.QuoteRequest) (*engine.Answer, error) {
	request := receipt.Request{Contract: receipt.Native, ID: in.GetId(), Payment: &c.request.payment, Options: c.request.options, Revision: in.Revision}
	if in.At != nil {
		at := in.At.AsTime()
		request.At = &at
	}
	if in.GetReceipt() != "" {
		return s.redeem(ctx, c, in, &request)
	}
	open := s.receipts != nil && s.receipts.Open(ctx)
	snapshot, at, err := s.resolve(ctx, in)
	if err != nil {
		return nil, err
	}
	c.request.payment.At = at
	answer, err := s.answerOn(c, snapshot)
	if err == nil && open {
		c.receipt = s.receipts.Give(ctx, &request, receipt.Given{
			Revision: answer.Revision, At: at, Seed: answer.Seed, Body: appendResponse(nil, in.GetId(), at, answer),
		})
	}
	return answer, err
}

// redeem computes the answer that a receipt is of.
func (s *quoting) redeem(ctx context.Context, c *call, in *gecv1.QuoteRequest, request *receipt.Request) (*engine.Answer, error) {
	if s.receipts == nil {
		return nil, problem.New(http.StatusNotImplemented, codes.Unimplemented, "Receipts are not redeemed here")
	}
	taken, snapshot, err := s.receipts.Take(ctx, in.GetReceipt(), request)
	if err != nil {
		return nil, err
	}
	c.request.payment.At = taken.At
	c.request.options.Seed, c.request.options.SeedGiven = taken.Seed, true
	answer, err := s.answerOn(c, snapshot)
	if err != nil {
		return nil, err
	}
	c.receipt = strings.Clone(in.GetReceipt())
	return answer, taken.Confirm(appendResponse(nil, in.GetId(), taken.At, answer))
}

// keysAge is for how long others may keep the public keys. A key that is younger is asked for anew by those who
// meet a receipt of it.
const keysAge = "public, max-age=300"

// serveReceiptKeys answers with the public keys of all nodes, so that anybody can verify receipts.
func (h *jsonHandler) serveReceiptKeys(x *exchange) error {
	if h.receipts == nil {
		return problem.New(http.StatusNotImplemented, codes.Unimplemented, "Receipts are not given here")
	}
	keys, err := h.receipts.Keys(x.r.Context())
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(keys); err != nil {
		return err
	}
	x.started = true
	header := x.w.Header()
	header.Set("Content-Type", "application/jwk-set+json")
	header.Set("Cache-Control", keysAge)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	_, err = x.w.Write(body.Bytes())
	return gone(err)
}
