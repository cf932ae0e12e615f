package bench

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/engine"
)

// Exam is a set of requests to the running service, with the answers that it has to give: in order of fee,
// with on-us rows first, ten rows at most.
type Exam struct {
	// Path is where HTTP requests are posted to, Bodies are theirs.
	Path   string
	Bodies [][]byte
	// Messages are the same as messages of the native contract's Quote.
	Messages [][]byte
	want     [][]Row
}

// NewExam makes an exam of payments of the mix on the catalogue of the options. These must not depend on the
// day and the hour, which are those of the service: no schedule, no condition. Errors: those of quotes.
func NewExam(o Options, m Mix, count int) (*Exam, error) {
	c := Generate(o)
	s, err := c.Snapshot()
	if err != nil {
		return nil, err
	}
	e := &Exam{Path: "/fees/multi?orderBy=fee"}
	quoter := engine.NewQuoter()
	payments := c.Payments(count, m)
	for i := range payments {
		p := &payments[i]
		answer, err := quoter.Quotes(s, p, engine.Options{Order: engine.OrderFee, OnUsFirst: true})
		if err != nil {
			return nil, err
		}
		message, err := proto.Marshal(quoteRequest(p))
		if err != nil {
			return nil, err
		}
		e.want = append(e.want, rowsOf(answer))
		e.Bodies, e.Messages = append(e.Bodies, BodyV2(p)), append(e.Messages, message)
	}
	return e, nil
}

// Check refuses a wrong answer to the i-th request over HTTP.
func (e *Exam) Check(i int, answer []byte) error {
	got, err := decodeRows(answer, engine.OnePerPSP)
	if err != nil {
		return err
	}
	if d := difference(got, e.want[i]); d != "" {
		return fmt.Errorf("the answer over HTTP is wrong: %s", d)
	}
	return nil
}

// CheckMessage refuses a wrong answer to the i-th request over gRPC.
func (e *Exam) CheckMessage(i int, answer []byte) error {
	var response gecv1.QuoteResponse
	if err := proto.Unmarshal(answer, &response); err != nil {
		return err
	}
	var got []Row
	for _, q := range response.Quotes {
		got = append(got, Row{Bundle: q.BundleId, Gross: q.GrossCents, Net: q.NetCents, OnUs: q.OnUs})
	}
	if d := difference(got, e.want[i]); d != "" {
		return fmt.Errorf("the answer over gRPC is wrong: %s", d)
	}
	return nil
}

// quoteRequest asks for a payment by the native contract.
func quoteRequest(p *engine.Payment) *gecv1.QuoteRequest {
	payment := &gecv1.Payment{Touchpoint: p.Touchpoint, PaymentType: p.PaymentType, Bin: p.BIN}
	for _, n := range p.Notices {
		notice := &gecv1.Notice{AmountCents: n.AmountCents, CreditorInstitution: n.CreditorInstitution}
		for _, t := range n.Transfers {
			notice.Transfers = append(notice.Transfers, &gecv1.Transfer{
				CreditorInstitution: t.CreditorInstitution, TransferCategory: t.TransferCategory, DigitalStamp: t.DigitalStamp,
			})
		}
		payment.Notices = append(payment.Notices, notice)
	}
	for _, f := range p.PSPs {
		payment.Psps = append(payment.Psps, &gecv1.PSPFilter{Psp: f.PSP, Channel: f.Channel, Broker: f.Broker})
	}
	return &gecv1.QuoteRequest{Payment: payment, Order: gecv1.Order_ORDER_FEE}
}
