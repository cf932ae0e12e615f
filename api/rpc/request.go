package rpc

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"gec/api/gecv1"
	"gec/bundles"
	"gec/engine"
)

// The bounds of the fields of a request.
const (
	// transfersMax is the number of transfers of a notice (spec 1).
	transfersMax = 5
	// pspFiltersMax is twice the number of PSPs that there are.
	pspFiltersMax = 1000
	// textMax is the number of characters of ids, references and names.
	textMax = 128
)

// The instants that a payment can have: those whose date in Europe/Rome an engine.Date can state.
var (
	firstInstant = time.Date(1970, time.January, 1, 0, 0, 0, 0, time.UTC)
	endOfTime    = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// request is a payment and its options in the engine's terms, in memory that is used again. It shares
// the strings of the message that it was read from.
type request struct {
	payment   engine.Payment
	options   engine.Options
	notices   [engine.NoticesMax]engine.Notice
	transfers [engine.NoticesMax * transfersMax]engine.Transfer
	psps      []engine.PSPFilter
	faults    bundles.Faults
}

// clear drops what the request holds of a caller.
func (r *request) clear() {
	clear(r.psps)
	*r = request{psps: r.psps[:0]}
}

func (r *request) fault(path, reason, fix string) {
	r.faults = append(r.faults, bundles.Fault{Path: path, Reason: reason, Fix: fix})
}

// read takes over a message, all but the instant of the payment, and returns everything that is wrong
// with it.
func (r *request) read(in *gecv1.QuoteRequest) bundles.Faults {
	r.text("id", in.GetId())
	r.readOptions(in)
	r.readTime(in)
	if in.GetPayment() == nil {
		r.fault("payment", "is missing", "name at least one notice")
		return r.faults
	}
	r.readPayment(in.GetPayment())
	return r.faults
}

func (r *request) readOptions(in *gecv1.QuoteRequest) {
	r.options = engine.Options{OnUsFirst: true, Limit: engine.DefaultLimit}
	switch in.GetOrder() {
	case gecv1.Order_ORDER_UNSPECIFIED, gecv1.Order_ORDER_RANDOM:
	case gecv1.Order_ORDER_FEE:
		r.options.Order = engine.OrderFee
	case gecv1.Order_ORDER_PSP_NAME:
		r.options.Order = engine.OrderPSPName
	case gecv1.Order_ORDER_FEE_RANDOM:
		r.options.Order = engine.OrderFeeRandom
	default:
		r.fault("order", fmt.Sprintf("is %d", in.GetOrder()), "use ORDER_RANDOM, ORDER_FEE, ORDER_PSP_NAME or ORDER_FEE_RANDOM")
	}
	switch in.GetView() {
	case gecv1.View_VIEW_UNSPECIFIED, gecv1.View_VIEW_ONE_PER_PSP:
	case gecv1.View_VIEW_EVERY_BUNDLE:
		r.options.View = engine.EveryBundle
	default:
		r.fault("view", fmt.Sprintf("is %d", in.GetView()), "use VIEW_ONE_PER_PSP or VIEW_EVERY_BUNDLE")
	}
	if in.OnUsFirst != nil {
		r.options.OnUsFirst = *in.OnUsFirst
	}
	if in.MaxOccurrences != nil {
		r.options.Limit = *in.MaxOccurrences
		if r.options.Limit <= 0 {
			r.fault("max_occurrences", fmt.Sprintf("is %d", r.options.Limit), "use 1 or more, or leave it out for 10")
		}
	}
	if in.Seed != nil {
		r.options.Seed, r.options.SeedGiven = *in.Seed, true
	}
}

func (r *request) readTime(in *gecv1.QuoteRequest) {
	if at := in.GetAt(); at != nil {
		if t := at.AsTime(); !at.IsValid() || t.Before(firstInstant) || !t.Before(endOfTime) {
			r.fault("at", "is no instant that a payment can have", "use the years 1970 to 9998, or leave it out for now")
		}
	}
	if in.Revision != nil && *in.Revision < 0 {
		r.fault("revision", fmt.Sprintf("is %d", *in.Revision), "use 0 or more, or leave it out for the current one")
	}
}

func (r *request) readPayment(in *gecv1.Payment) {
	r.text("payment.touchpoint", in.GetTouchpoint())
	r.text("payment.payment_type", in.GetPaymentType())
	r.text("payment.reference", in.GetReference())
	r.payment = engine.Payment{
		Touchpoint: in.GetTouchpoint(), PaymentType: in.GetPaymentType(), BIN: in.GetBin(),
		WithoutPoste: in.AllCcp != nil && !*in.AllCcp, Reference: in.GetReference(),
	}
	r.readNotices(in.GetNotices())
	r.readPSPs(in.GetPsps())
}

func (r *request) readNotices(in []*gecv1.Notice) {
	if len(in) == 0 || len(in) > engine.NoticesMax {
		r.fault("payment.notices", fmt.Sprintf("has %d notices", len(in)), "use 1 to 5")
		return
	}
	sum, transfers := int64(0), r.transfers[:0]
	for i, notice := range in {
		amount := notice.GetAmountCents()
		switch {
		case amount <= 0:
			r.fault(fmt.Sprintf("payment.notices[%d].amount_cents", i), fmt.Sprintf("is %d", amount), "use cents above 0")
		case amount > math.MaxInt64-sum:
			r.fault(fmt.Sprintf("payment.notices[%d].amount_cents", i), "makes the sum of the notices overflow", "use the amount of one payment")
		default:
			sum += amount
		}
		if shares := notice.GetTransfers(); len(shares) > transfersMax {
			r.fault(fmt.Sprintf("payment.notices[%d].transfers", i), fmt.Sprintf("has %d transfers", len(shares)), "use at most 5")
			continue
		}
		from := len(transfers)
		for _, transfer := range notice.GetTransfers() {
			transfers = append(transfers, engine.Transfer{
				CreditorInstitution: transfer.GetCreditorInstitution(),
				TransferCategory:    transfer.GetTransferCategory(), DigitalStamp: transfer.GetDigitalStamp(),
			})
		}
		r.notices[i] = engine.Notice{
			AmountCents: amount, CreditorInstitution: notice.GetCreditorInstitution(), Transfers: transfers[from:],
		}
	}
	r.payment.Notices = r.notices[:len(in)]
}

func (r *request) readPSPs(in []*gecv1.PSPFilter) {
	if len(in) > pspFiltersMax {
		r.fault("payment.psps", fmt.Sprintf("has %d entries", len(in)), fmt.Sprintf("use at most %d, or none for every PSP", pspFiltersMax))
		return
	}
	for i, filter := range in {
		if filter.GetPsp() == "" {
			r.fault(fmt.Sprintf("payment.psps[%d].psp", i), "is missing", "name the PSP that the channel and broker are of")
		}
		r.psps = append(r.psps, engine.PSPFilter{PSP: filter.GetPsp(), Channel: filter.GetChannel(), Broker: filter.GetBroker()})
	}
	r.payment.PSPs = r.psps
}

// text checks the length of a text.
func (r *request) text(path, value string) {
	if len(value) > textMax && utf8.RuneCountInString(value) > textMax {
		r.fault(path, "is longer than 128 characters", "shorten it")
	}
}
