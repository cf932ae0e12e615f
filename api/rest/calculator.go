package rest

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/journal"
	"gec/api/problem"
	"gec/engine"
)

// Query is what a request says beside its body: query parameters, headers and the path. The zero Query is
// not the default of the wire contract; see [DefaultQuery].
type Query struct {
	// PSP restricts the answer to one PSP, that of the path /psps/{idPsp}/…; empty: no such path.
	// The body then gives the channel and the broker instead of a list of PSPs.
	PSP string
	// Limit is maxOccurrences, above 0; 0 stands for the default (Q23).
	Limit int32
	// AllCcp false leaves out the PSP configured as Poste (Q9).
	AllCcp bool
	// OnUsFirst and Order arrange the rows of v2 (Q20, Q21). v1 knows neither: its order is fixed.
	OnUsFirst bool
	Order     engine.Order
	// Reference tells apart payments that are otherwise alike, for the seed of chance (Q22).
	Reference string
}

// DefaultQuery is the query of a request that says nothing beside its body.
func DefaultQuery() Query { return Query{AllCcp: true, OnUsFirst: true} }

// Outcome says what an answer was computed from.
type Outcome struct {
	// Revision of the catalogue (P6), 0 where no answer was computed.
	Revision int64
	// Seed of the chance in the order of rows (Q22).
	Seed uint64
	// Rows is the number of rows in the answer.
	Rows int
}

// Calculator answers the calculator's contracts, from the bytes of a request to the bytes of an answer,
// without a socket and without allocating. It is safe for concurrent use.
type Calculator struct {
	snapshot func() *engine.Snapshot
	now      func() time.Time
	work     sync.Pool
	// failed and quoted are those of Options.
	failed func([]engine.Failure)
	quoted func(engine.Effort)
}

// work is what one answer needs and the next one can reuse.
type work struct {
	decoder decoder
	quoter  *engine.Quoter
}

// NewCalculator makes a Calculator that answers each request from the snapshot that is current when the
// request is decoded, nil for none yet, as a payment of the instant that now gives.
func NewCalculator(snapshot func() *engine.Snapshot, now func() time.Time) *Calculator {
	c := &Calculator{snapshot: snapshot, now: now}
	c.work.New = func() any { return &work{quoter: engine.NewQuoter()} }
	return c
}

// AnswerV1 answers the body of POST /fees and appends the JSON answer to dst. The body is only read, and not
// needed any more when the call returns. Errors, with dst returned as it was: *problem.Problem for a faulty
// body or while there is no snapshot, *engine.UnknownNameError, or that of reading subscriptions.
func (c *Calculator) AnswerV1(dst, body []byte, q *Query) ([]byte, Outcome, error) {
	return c.answer(dst, body, q, contractV1, &journal.Facts{})
}

// AnswerV2 is AnswerV1 for the body of POST /fees/multi.
func (c *Calculator) AnswerV2(dst, body []byte, q *Query) ([]byte, Outcome, error) {
	return c.answer(dst, body, q, contractV2, &journal.Facts{})
}

// answer answers a body. facts get what the journal is told, in strings of the body and of the snapshot.
func (c *Calculator) answer(dst, body []byte, q *Query, contract contract, facts *journal.Facts) ([]byte, Outcome, error) {
	snapshot := c.snapshot()
	if snapshot == nil {
		return dst, Outcome{}, notReady()
	}
	w := c.work.Get().(*work)
	// Not deferred: after a panic the work is left to the garbage collector, whatever state it is in.
	dst, outcome, err := c.answerOn(w, snapshot, dst, body, q, contract, facts)
	c.work.Put(w)
	return dst, outcome, err
}

func (c *Calculator) answerOn(w *work, s *engine.Snapshot, dst, body []byte, q *Query, contract contract, facts *journal.Facts) ([]byte, Outcome, error) {
	options, err := w.ask(body, q, contract, c.now(), facts)
	if err != nil {
		return dst, Outcome{}, err
	}
	return c.quote(w, s, dst, contract, options, facts)
}

// ask reads a request into the decoder's payment, one of the given instant.
func (w *work) ask(body []byte, q *Query, contract contract, at time.Time, facts *journal.Facts) (engine.Options, error) {
	if err := w.decoder.decode(body, contract, q.PSP); err != nil {
		return engine.Options{}, err
	}
	payment := &w.decoder.payment
	payment.WithoutPoste = !q.AllCcp
	payment.At = at
	payment.Reference = q.Reference
	facts.Asked(payment)
	if contract == contractV1 {
		return engine.Options{View: engine.EveryBundle, OnUsFirst: true, Limit: q.Limit}, nil
	}
	return engine.Options{View: engine.OnePerPSP, Order: q.Order, OnUsFirst: q.OnUsFirst, Limit: q.Limit}, nil
}

// quote answers the decoder's payment on a snapshot.
func (c *Calculator) quote(w *work, s *engine.Snapshot, dst []byte, contract contract, options engine.Options, facts *journal.Facts) ([]byte, Outcome, error) {
	answer, err := w.quoter.Quotes(s, &w.decoder.payment, options)
	if err != nil {
		return dst, Outcome{}, onTheWire(err, contract)
	}
	if len(answer.Failed) > 0 && c.failed != nil {
		c.failed(answer.Failed)
	}
	if c.quoted != nil {
		c.quoted(w.quoter.Effort())
	}
	facts.Answered(answer)
	outcome := Outcome{Revision: answer.Revision, Seed: answer.Seed, Rows: len(answer.Quotes)}
	return appendAnswer(dst, contract, answer), outcome, nil
}

// notReady is the problem of every call that needs a catalogue before there is one.
func notReady() *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, codes.Unavailable, "The catalogue is not loaded yet: repeat the request in a moment")
}

// onTheWire gives an error of the engine, which names its own fields, the names of the contract. It also
// copies what the error borrowed from the body.
func onTheWire(err error, c contract) error {
	var invalid *engine.InvalidPaymentError
	var unknown *engine.UnknownNameError
	switch {
	case errors.As(err, &invalid):
		path := strings.Replace(invalid.Field, ".amount", ".paymentAmount", 1)
		if c == contractV1 {
			path = strings.TrimPrefix(path, "notices[0].")
		} else {
			path = strings.Replace(path, "notices", "paymentNotice", 1)
		}
		return problem.Invalid([]problem.Field{{Path: path, Message: invalid.Reason}})
	case errors.As(err, &unknown):
		return &engine.UnknownNameError{Kind: unknown.Kind, Name: strings.Clone(unknown.Name)}
	}
	return err
}
