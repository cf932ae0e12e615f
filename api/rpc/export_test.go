package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
)

// Direct is QuoteService without a transport.
type Direct struct {
	server   *quoteServer
	incoming incoming
}

// NewQuoteServer returns the service of the options.
func NewQuoteServer(o Options) *Direct {
	return &Direct{server: newQuoteServer(newQuoting(o.withDefaults()))}
}

// Quote answers with a message, as the JSON form does.
func (d *Direct) Quote(ctx context.Context, in *gecv1.QuoteRequest) (*gecv1.QuoteResponse, error) {
	return d.server.quote(ctx, in)
}

// QuoteBytes answers with bytes, as the gRPC server does, and hands them to use.
func (d *Direct) QuoteBytes(ctx context.Context, request []byte, use func([]byte)) error {
	in, err := d.incoming.decoder.decode(request)
	if err != nil {
		return err
	}
	var out reply
	if err := d.server.reply(ctx, in, &out); err != nil {
		return err
	}
	use(*out.bytes)
	replyBytes.Put(out.bytes)
	return nil
}

// Decode reads a request as the gRPC server does; plain says that package proto was not asked.
func Decode(request []byte) (in *gecv1.QuoteRequest, plain bool, err error) {
	var d decoder
	// What another request leaves behind must not be seen.
	before, _ := proto.Marshal(&gecv1.QuoteRequest{
		Id: "before", OnUsFirst: proto.Bool(true), MaxOccurrences: proto.Int32(7), Seed: proto.Uint64(7), Revision: proto.Int64(7),
		View: gecv1.View_VIEW_EVERY_BUNDLE, Order: gecv1.Order_ORDER_FEE,
		Payment: &gecv1.Payment{
			Touchpoint: "T", PaymentType: "P", Bin: "1", AllCcp: proto.Bool(false), Reference: "R",
			Notices: []*gecv1.Notice{{AmountCents: 7, CreditorInstitution: "E", Transfers: []*gecv1.Transfer{{CreditorInstitution: "E", TransferCategory: "C", DigitalStamp: true}}}},
			Psps:    []*gecv1.PSPFilter{{Psp: "A", Channel: "B", Broker: "C"}},
		},
	})
	_ = d.plain(before)
	in, err = d.decode(request)
	return in, in == &d.message, err
}
