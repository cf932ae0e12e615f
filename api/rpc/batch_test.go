package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/problem"
	"gec/api/rpc"
	"gec/bundles"
)

// TestBatchAnswersInOrder holds that every request has its answer, in order, equal to that of a single
// call, and that one that is wrong does not end the stream.
func TestBatchAnswersInOrder(t *testing.T) {
	quotes := client(t)
	stream, err := quotes.BatchQuote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const requests = 500
	request := func(i int) *gecv1.QuoteRequest {
		in := &gecv1.QuoteRequest{Id: fmt.Sprint(i), Payment: cardPayment()}
		in.Payment.Notices[0].AmountCents = int64(i%7) * 1000
		if i%5 == 0 {
			in.Payment.Touchpoint = "nowhere"
		}
		return in
	}
	sent := make(chan error, 1)
	go func() {
		for i := range requests {
			if err := stream.Send(request(i)); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for i := range requests {
		got, err := stream.Recv()
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		want, err := quotes.Quote(t.Context(), request(i))
		if err != nil {
			want = &gecv1.QuoteResponse{Id: fmt.Sprint(i), Error: got.GetError()}
			if s := status.Convert(err); int32(s.Code()) != got.GetError().GetCode() || s.Message() != got.GetError().GetMessage() {
				t.Errorf("answer %d has error %v, a single call %v", i, got.GetError(), s)
			}
		}
		if !proto.Equal(got, want) {
			t.Errorf("answer %d: got %v\nwant %v", i, got, want)
		}
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v", err)
	}
	if err := <-sent; err != nil {
		t.Errorf("send: %v", err)
	}
}

// TestBatchErrorNamesFields holds the violations of a request in a batch.
func TestBatchErrorNamesFields(t *testing.T) {
	stream, err := client(t).BatchQuote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&gecv1.QuoteRequest{Id: "wrong", Payment: &gecv1.Payment{}}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	got, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	want := &gecv1.QuoteResponse{Id: "wrong", Error: &gecv1.Error{
		Code: int32(codes.InvalidArgument), Message: "payment.notices: has 0 notices; use 1 to 5",
		Violations: []*gecv1.FieldViolation{{Field: "payment.notices", Description: "has 0 notices; use 1 to 5"}},
	}}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v", err)
	}
}

// TestBatchCancelled holds that a stream that the caller leaves ends; goleak sees to the rest.
func TestBatchCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := client(t).BatchQuote(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&gecv1.QuoteRequest{Payment: cardPayment()}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("after cancelling: %v", err)
	}
}

// brief is a gate whose streams may ask so many times again.
type brief struct {
	access.Gate
	left int
}

func (g *brief) Stay(context.Context, string) access.Stay { return g }

func (g *brief) Still() error { return nil }

func (g *brief) Again() error {
	if g.left == 0 {
		return problem.NoKey()
	}
	g.left--
	return nil
}

// TestBatchAsksForTheKeyAtEachQuote holds that a caller that may not ask any more gets the answers of before and no
// other, though more requests were read.
func TestBatchAsksForTheKeyAtEachQuote(t *testing.T) {
	for _, again := range []int{0, 1, 7, 30} {
		gate := &brief{access.Fixed(bundles.Operator("test")), again}
		_, connection := dial(t, rpc.Options{Catalogue: newHistory(t), Now: fixedNow, Gate: gate})
		stream, err := gecv1.NewQuoteServiceClient(connection).BatchQuote(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			if err := stream.Send(&gecv1.QuoteRequest{Payment: cardPayment()}); errors.Is(err, io.EOF) {
				break // it has ended already
			} else if err != nil {
				t.Fatal(err)
			}
		}
		answers := 0
		for _, err = stream.Recv(); err == nil; _, err = stream.Recv() {
			answers++
		}
		if status.Code(err) != codes.Unauthenticated || answers != 1+again {
			t.Errorf("%d answers, want %d: %v", answers, 1+again, err)
		}
	}
}

// TestBatchWaitsForReader holds that requests are not read on while answers are not taken: the memory
// of a batch does not grow with its length.
func TestBatchWaitsForReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := client(t).BatchQuote(ctx)
		if err != nil {
			t.Fatal(err)
		}
		in := &gecv1.QuoteRequest{Payment: cardPayment()}
		in.Payment.Bin = strings.Repeat("x", 8<<10)
		var sent atomic.Int64
		go func() {
			for stream.Send(in) == nil {
				sent.Add(1)
			}
		}()
		synctest.Wait() // until nobody can go on
		// The windows of flow control hold some, in both directions; they never exceed 16 MiB.
		if n := sent.Load(); n < 1 || n > 32<<20/(8<<10) {
			t.Errorf("%d requests of 8 KiB were taken from a caller that reads no answers", n)
		}
		taken := sent.Load()
		for range taken {
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if sent.Load() == taken {
			t.Error("no request was taken after the caller read answers")
		}
		cancel()
		synctest.Wait()
	})
}
