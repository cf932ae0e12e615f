package rpc_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/receipt"
	"gec/api/rpc"
	"gec/bundles"
)

// TestReceiptsOverGRPC takes a receipt of one quote and one within a batch, lets the catalogue and the day change, and
// redeems both each way.
func TestReceiptsOverGRPC(t *testing.T) {
	s := openStored(t, t.TempDir())
	t.Cleanup(func() { s.close(t) })
	if err := s.load(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	vault, err := receipt.OpenVault(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := fixedNow()
	clock := func() time.Time { return now }
	desk := receipt.NewDesk(receipt.Options{Catalogue: s.Catalogue, Vault: vault, Caller: bundles.Operator("test"), Now: clock, Validity: 48 * time.Hour})
	_, connection := dial(t, rpc.Options{Catalogue: s, Now: clock, Receipts: desk})
	client := gecv1.NewQuoteServiceClient(connection)

	request := func() *gecv1.QuoteRequest {
		return &gecv1.QuoteRequest{Id: "payment 1", Order: gecv1.Order_ORDER_FEE, Payment: cardPayment()}
	}
	batch := func(in *gecv1.QuoteRequest) *gecv1.QuoteResponse {
		t.Helper()
		stream, err := client.BatchQuote(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(stream.Send(in), stream.CloseSend()); err != nil {
			t.Fatal(err)
		}
		out, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		return out
	}
	wanted := request()
	wanted.WantReceipt = true
	first, err := client.Quote(t.Context(), wanted)
	if err != nil || first.GetReceipt() == "" || len(first.GetQuotes()) == 0 {
		t.Fatal(first, err)
	}
	inBatch := batch(wanted)
	if inBatch.GetReceipt() == "" {
		t.Fatal(inBatch)
	}
	if plain, err := client.Quote(t.Context(), request()); err != nil || plain.GetReceipt() != "" {
		t.Error("a receipt that nobody wanted:", plain.GetReceipt(), err)
	}

	now = now.AddDate(0, 0, 1)
	if err := s.load(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	if later, err := client.Quote(t.Context(), request()); err != nil || proto.Equal(later.GetQuotes()[0], first.GetQuotes()[0]) {
		t.Fatal("the change changed nothing:", err)
	}
	for _, was := range []*gecv1.QuoteResponse{first, inBatch} {
		redeem := request()
		redeem.Receipt = was.GetReceipt()
		again, err := client.Quote(t.Context(), redeem)
		if err != nil || !proto.Equal(again, was) {
			t.Errorf("%v\nredeemed:\n%v\nwas:\n%v", err, again, was)
		}
		if again := batch(redeem); !proto.Equal(again, was) {
			t.Errorf("redeemed in a batch:\n%v\nwas:\n%v", again, was)
		}
	}

	other := request()
	other.Receipt, other.Id = first.GetReceipt(), "payment 2"
	_, err = client.Quote(t.Context(), other)
	wantCode(t, err, codes.FailedPrecondition)
	if refused := batch(other); codes.Code(refused.GetError().GetCode()) != codes.FailedPrecondition {
		t.Error(refused)
	}
	other = request()
	other.Receipt = first.GetReceipt()[:100]
	_, err = client.Quote(t.Context(), other)
	wantCode(t, err, codes.InvalidArgument)
	now = now.AddDate(0, 0, 2)
	other.Receipt = first.GetReceipt()
	_, err = client.Quote(t.Context(), other)
	wantCode(t, err, codes.FailedPrecondition)
}
