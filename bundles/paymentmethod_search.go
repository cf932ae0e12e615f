package bundles

import (
	"cmp"
	"slices"
	"strings"

	"gec/engine"
)

// MethodSearch asks how a payer can pay (spec 4, payment methods).
type MethodSearch struct {
	// Touchpoint is one of MethodTouchpoints, Device one of MethodDevices or empty for any.
	Touchpoint, Device string
	// AmountCents is the total, by which ranges are judged.
	AmountCents int64
	// Target is what the caller may preview; empty: nothing.
	Target string
	// Today is the date of the payment in Europe/Rome.
	Today engine.Date
	// Language is one of MethodLanguages.
	Language string
	// SortBy is one of MethodSortings; Descending turns it round.
	SortBy     string
	Descending bool
	// Groups come first, in their order.
	Groups []string
	// Quotes returns the lowest and the highest net fee of the quotes for a payment type; nil for none.
	Quotes func(group string) (*Range, error)
}

// The ways of sorting payment methods.
const (
	SortByName        = "NAME"
	SortByDescription = "DESCRIPTION"
	SortByFee         = "FEE"
)

// MethodSortings are the values of MethodSearch.SortBy.
func MethodSortings() []string { return []string{SortByName, SortByDescription, SortByFee} }

// The reasons for which a payment method cannot be used, in the order in which they are looked for.
const (
	DisabledTargetPreview    = "TARGET_PREVIEW"
	DisabledAmountOutOfBound = "AMOUNT_OUT_OF_BOUND"
	DisabledNotYetValid      = "NOT_YET_VALID"
	DisabledMethod           = "METHOD_DISABLED"
	DisabledMaintenance      = "MAINTENANCE_IN_PROGRESS"
	DisabledNoBundle         = "NO_BUNDLE_AVAILABLE"
)

// OfferedMethod is a payment method as a payment can use it.
type OfferedMethod struct {
	*PaymentMethod
	// Status is the method's for this payment, DisabledReason why it cannot be used; empty: it can.
	Status, DisabledReason string
	// FeeCents is nil when it cannot be used.
	FeeCents *Range
}

// SearchPaymentMethods returns the methods that are registered for the touchpoint, and the device where one
// is given, in the order asked for, those that cannot be used with the first reason. Errors: those of
// MethodSearch.Quotes.
func SearchPaymentMethods(all []PaymentMethod, q MethodSearch) ([]OfferedMethod, error) {
	offered := []OfferedMethod{}
	ranges := map[string]*Range{}
	for n := range all {
		m := &all[n]
		if !slices.Contains(m.Touchpoints, q.Touchpoint) || q.Device != "" && !slices.Contains(m.Devices, q.Device) {
			continue
		}
		o := OfferedMethod{PaymentMethod: m, Status: MethodEnabled, DisabledReason: q.reason(m)}
		if o.DisabledReason == "" {
			fees, known := ranges[m.Group]
			if !known {
				var err error
				if fees, err = q.Quotes(m.Group); err != nil {
					return nil, err
				}
				ranges[m.Group] = fees
			}
			if o.FeeCents = fees; fees == nil {
				o.DisabledReason = DisabledNoBundle
			}
		}
		switch o.DisabledReason {
		case "":
		case DisabledMaintenance:
			o.Status = MethodMaintenance
		default:
			o.Status = MethodDisabled
		}
		offered = append(offered, o)
	}
	slices.SortStableFunc(offered, q.compare)
	return offered, nil
}

// reason is the first reason against a method that is in the method itself; empty for none.
func (q *MethodSearch) reason(m *PaymentMethod) string {
	switch {
	case len(m.Targets) > 0 && !slices.Contains(m.Targets, q.Target):
		return DisabledTargetPreview
	case m.RangeCents != nil && (q.AmountCents < m.RangeCents.Min || q.AmountCents > m.RangeCents.Max):
		return DisabledAmountOutOfBound
	case m.ValidFrom > q.Today:
		return DisabledNotYetValid
	case m.Status == MethodDisabled:
		return DisabledMethod
	case m.Status == MethodMaintenance:
		return DisabledMaintenance
	}
	return ""
}

// compare orders methods: groups that come first, then what is sorted by, then the id.
func (q *MethodSearch) compare(a, b OfferedMethod) int {
	place := func(m OfferedMethod) int {
		if at := slices.IndexFunc(q.Groups, func(group string) bool { return strings.EqualFold(group, m.Group) }); at >= 0 {
			return at
		}
		return len(q.Groups)
	}
	if c := cmp.Compare(place(a), place(b)); c != 0 {
		return c
	}
	if c := q.sorted(a, b); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func (q *MethodSearch) sorted(a, b OfferedMethod) (c int) {
	switch q.SortBy {
	case SortByFee:
		switch {
		case a.FeeCents == nil && b.FeeCents == nil:
			return 0
		case a.FeeCents == nil: // last, whatever the direction
			return 1
		case b.FeeCents == nil:
			return -1
		}
		c = cmp.Or(cmp.Compare(a.FeeCents.Min, b.FeeCents.Min), cmp.Compare(a.FeeCents.Max, b.FeeCents.Max))
	case SortByName:
		c = strings.Compare(fold(inLanguage(a.Names, q.Language)), fold(inLanguage(b.Names, q.Language)))
	default:
		c = strings.Compare(fold(inLanguage(a.Descriptions, q.Language)), fold(inLanguage(b.Descriptions, q.Language)))
	}
	if q.Descending {
		return -c
	}
	return c
}

// inLanguage returns the text in a language, the Italian one where there is none.
func inLanguage(texts map[string]string, language string) string {
	if text := texts[language]; text != "" {
		return text
	}
	return texts[MethodLanguages()[0]]
}
