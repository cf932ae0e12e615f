package ask

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/cmd/gec/internal/text"
)

// Flags are the flags that state a payment and how its answer is made.
type Flags struct {
	flags *pflag.FlagSet

	amount, cents, ec            string
	notices, categories, psps    []string
	touchpoint, paymentType, bin string
	order, at, reference         string
	stamp, onUsFirst, allCCP     bool
	everyBundle                  bool
	limit                        int32
	revision                     int64
	seed                         uint64
}

// Register defines the flags of a payment.
func Register(flags *pflag.FlagSet) *Flags {
	f := &Flags{flags: flags}
	flags.StringVar(&f.amount, "amount", "", "amount of the one notice in `euro`, as 25 or 25.00")
	flags.StringVar(&f.cents, "cents", "", "the same in `cents`, as 2500")
	flags.StringVar(&f.ec, "ec", "", "`tax code` of the creditor institution of the one notice")
	flags.StringArrayVar(&f.categories, "category", nil, "taxonomy `code` of a transfer of the one notice; again for another transfer")
	flags.BoolVar(&f.stamp, "stamp", false, "the one notice buys digital stamps")
	flags.StringArrayVar(&f.notices, "notice", nil, "a whole `notice`, again for each of a cart: amount=25.00,ec=…,category=…,stamp\n"+
		"(cents=2500 in place of amount; a further category is a further transfer)")
	flags.StringVar(&f.touchpoint, "touchpoint", "", "where the payer is, as `CHECKOUT`; none: anywhere")
	flags.StringVar(&f.paymentType, "type", "", "payment `type`, as CP for cards; none: any")
	flags.StringVar(&f.bin, "bin", "", "leading `digits` of the card, which tell its issuer")
	flags.StringArrayVar(&f.psps, "psp", nil, "only this `PSP`, as ID or ID,channel=…,broker=…; again for more")
	flags.BoolVar(&f.allCCP, "all-ccp", true, "with the bundles of the PSP configured as Poste")
	flags.StringVar(&f.order, "order", "random", "`order` of the rows: "+strings.Join(orderNames(), ", "))
	flags.BoolVar(&f.onUsFirst, "on-us-first", true, "on-us rows before all others")
	flags.Int32Var(&f.limit, "limit", 10, "`rows` at most")
	flags.StringVar(&f.at, "at", "", "`instant` of the payment: 2026-11-21T10:30:00Z, or in Rome's time 2026-11-21T10:30\nor 2026-11-21; none: now")
	flags.Int64Var(&f.revision, "revision", 0, "`revision` of the catalogue; none: the one current at the instant")
	flags.Uint64Var(&f.seed, "seed", 0, "`seed` of chance; none: derived from the payment")
	flags.StringVar(&f.reference, "reference", "", "what tells the payment apart from others alike, as its `IUV`; takes part in the seed only")
	flags.BoolVar(&f.everyBundle, "every-bundle", false, "every bundle that applies, not only the best one of each PSP")
	return f
}

// Request returns the request that the parsed flags state. Its errors are about the command line; the
// rules of a payment are for the service to hold.
func (f *Flags) Request() (*gecv1.QuoteRequest, error) {
	order, err := parseOrder(f.order)
	if err != nil {
		return nil, err
	}
	request := &gecv1.QuoteRequest{
		Payment: &gecv1.Payment{
			Touchpoint: f.touchpoint, PaymentType: f.paymentType, Bin: f.bin, AllCcp: &f.allCCP, Reference: f.reference,
		},
		Order: order, OnUsFirst: &f.onUsFirst, MaxOccurrences: &f.limit,
	}
	if f.everyBundle {
		request.View = gecv1.View_VIEW_EVERY_BUNDLE
	}
	if request.Payment.Notices, err = f.cart(); err != nil {
		return nil, err
	}
	for _, filter := range f.psps {
		psp, err := parsePSP(filter)
		if err != nil {
			return nil, fmt.Errorf("--psp %s: %w", filter, err)
		}
		request.Payment.Psps = append(request.Payment.Psps, psp)
	}
	if f.at != "" {
		at, err := ParseInstant(f.at)
		if err != nil {
			return nil, fmt.Errorf("--at: %w", err)
		}
		request.At = timestamppb.New(at)
	}
	if f.flags.Changed("revision") {
		request.Revision = &f.revision
	}
	if f.flags.Changed("seed") {
		request.Seed = &f.seed
	}
	return request, nil
}

// cart returns the notices: those of --notice, or the one that the single flags state.
func (f *Flags) cart() ([]*gecv1.Notice, error) {
	single := slices.ContainsFunc([]string{"amount", "cents", "ec", "category", "stamp"}, f.flags.Changed)
	switch {
	case len(f.notices) > 0 && single:
		return nil, errors.New("--notice states whole notices: leave out --amount, --cents, --ec, --category and --stamp")
	case len(f.notices) > 0:
		notices := make([]*gecv1.Notice, len(f.notices))
		for i, text := range f.notices {
			var err error
			if notices[i], err = parseNotice(text); err != nil {
				return nil, fmt.Errorf("--notice %s: %w", text, err)
			}
		}
		return notices, nil
	case (f.amount == "") == (f.cents == ""):
		return nil, errors.New("say how much is paid: either --amount in euro or --cents, or --notice for each notice of a cart")
	}
	cents, err := amount(f.amount, f.cents)
	if err != nil {
		return nil, err
	}
	notice := &gecv1.Notice{AmountCents: cents, CreditorInstitution: f.ec}
	for _, category := range f.categories {
		notice.Transfers = append(notice.Transfers, &gecv1.Transfer{TransferCategory: category})
	}
	complete(notice, f.stamp)
	return []*gecv1.Notice{notice}, nil
}

// amount reads the amount from whichever of the two texts is there.
func amount(euro, cents string) (int64, error) {
	if euro != "" {
		return text.ParseEuro(euro)
	}
	value, err := strconv.ParseInt(cents, 10, 64)
	if err != nil || value < 0 {
		return 0, fmt.Errorf("%q is no number of cents: write a whole number, as 2500 for 25 €", cents)
	}
	return value, nil
}

// orders are the names of the orders on the wire (Q20), in the order in which they are listed.
var orders = [...]struct {
	name  string
	order gecv1.Order
}{
	{"random", gecv1.Order_ORDER_RANDOM},
	{"fee", gecv1.Order_ORDER_FEE},
	{"pspname", gecv1.Order_ORDER_PSP_NAME},
	{"feerandom", gecv1.Order_ORDER_FEE_RANDOM},
}

func orderNames() []string {
	var names []string
	for _, o := range orders {
		names = append(names, o.name)
	}
	return names
}

func parseOrder(name string) (gecv1.Order, error) {
	for _, o := range orders {
		if strings.EqualFold(o.name, name) {
			return o.order, nil
		}
	}
	return 0, fmt.Errorf("--order: %q is none of %s", name, strings.Join(orderNames(), ", "))
}

// ParseInstant reads an instant with its offset from UTC, or a civil time or date in Europe/Rome.
func ParseInstant(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	rome, err := Rome()
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, rome); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no instant: write 2026-11-21T10:30:00Z, or Rome's time as 2026-11-21T10:30 or 2026-11-21", s)
}

// Rome returns the zone of the domain's civil times. Its data is built into the command.
func Rome() (*time.Location, error) { return time.LoadLocation("Europe/Rome") }
