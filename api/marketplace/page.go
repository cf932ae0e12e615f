package marketplace

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"gec/api/problem"
	"gec/bundles"
	"gec/engine"
)

// The bounds of pages. A larger limit is cut, and the answer says so.
const (
	limitDefault = 50
	limitMax     = 1000
)

// pageInfo tells which part of a list an answer is.
type pageInfo struct {
	Page       int64 `json:"page"`
	Limit      int64 `json:"limit"`
	ItemsFound int64 `json:"itemsFound"`
	TotalPages int64 `json:"totalPages"`
	TotalItems int64 `json:"total_items"`
}

// paged returns the page of a list that the query asks for.
func paged[T any](c *call, all []T) ([]T, pageInfo, error) {
	limit, err := c.whole("limit", 1, limitDefault)
	if err != nil {
		return nil, pageInfo{}, err
	}
	page, err := c.whole("page", 0, 0)
	if err != nil {
		return nil, pageInfo{}, err
	}
	limit = min(limit, limitMax)
	total := int64(len(all))
	from := total
	if page <= total/limit {
		from = min(page*limit, total)
	}
	part := all[from:min(from+limit, total)]
	return part, pageInfo{page, limit, int64(len(part)), (total + limit - 1) / limit, total}, nil
}

// mapped returns the views of things.
func mapped[T, V any](all []T, view func(*T) V) []V {
	views := make([]V, len(all))
	for n := range all {
		views[n] = view(&all[n])
	}
	return views
}

// bundleFilter says which bundles of a list are asked for, and in which order.
type bundleFilter struct {
	types []engine.BundleType
	// name and psp are parts of names, in lower case.
	name, psp, id string
	// minFee and maxFee bound the lowest fee in cents; a maxFee below 0 is none.
	minFee, maxFee       int64
	from, to             dateFilter
	active               *bool
	byAmount, descending bool
	today                engine.Date
}

// dateFilter holds a date against bounds; a bound of 0 is none.
type dateFilter struct{ on, before, after engine.Date }

func (f dateFilter) passes(d engine.Date) bool {
	return (f.on == 0 || d == f.on) && (f.before == 0 || d != 0 && d < f.before) && (f.after == 0 || d > f.after)
}

// filter reads the filters of the query. otherwise are the types where it names none; nil: all.
func (c *call) filter(otherwise []engine.BundleType) (f bundleFilter, err error) {
	values := c.r.URL.Query()
	f.types, f.today = otherwise, engine.LocalAt(c.h.options.Now()).Date
	if texts := listed(values, "types"); len(texts) > 0 {
		f.types = nil
		for _, text := range texts {
			t, err := engine.ParseBundleType(strings.ToUpper(text))
			if err != nil {
				return f, problem.InvalidValue(text, "types", "send GLOBAL, PUBLIC or PRIVATE, several with commas between them")
			}
			f.types = append(f.types, t)
		}
	}
	f.name, f.psp, f.id = strings.ToLower(cmp.Or(values.Get("name"), values.Get("bundleName"))), strings.ToLower(values.Get("pspBusinessName")), values.Get("idBundle")
	for _, d := range []struct {
		name string
		into *engine.Date
	}{
		{"validFrom", &f.from.on}, {"validBefore", &f.from.before}, {"validAfter", &f.from.after},
		{"expireAt", &f.to.on}, {"expireBefore", &f.to.before}, {"expireAfter", &f.to.after},
	} {
		if text := values.Get(d.name); text != "" {
			if *d.into, err = engine.ParseDate(text); err != nil {
				return f, problem.InvalidValue(text, d.name, "send a date as 2026-11-21")
			}
		}
	}
	if f.minFee, err = c.whole("paymentAmountMinRange", 0, 0); err != nil {
		return f, err
	}
	if f.maxFee, err = c.whole("paymentAmountMaxRange", 0, -1); err != nil {
		return f, err
	}
	return f, c.order(values, &f)
}

// order reads what the list is sorted by, and whether only bundles in force are asked for.
func (c *call) order(values url.Values, f *bundleFilter) error {
	switch text := values.Get("maxPaymentAmountOrder"); strings.ToUpper(text) {
	case "":
	case "ASC", "DESC":
		f.byAmount, f.descending = true, strings.EqualFold(text, "DESC")
	default:
		return problem.InvalidValue(text, "maxPaymentAmountOrder", "send ASC or DESC, or leave it out")
	}
	if values.Get("active") != "" {
		active, err := c.flag("active")
		if err != nil {
			return err
		}
		f.active = &active
	}
	return nil
}

// listed returns the values of a parameter that may be given several times or with commas.
func listed(values url.Values, name string) (texts []string) {
	for _, value := range values[name] {
		for text := range strings.SplitSeq(value, ",") {
			if text = strings.TrimSpace(text); text != "" {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// apply returns those of the bundles that pass, in the order asked for.
func (f *bundleFilter) apply(all []*engine.Bundle) []*engine.Bundle {
	kept := slices.DeleteFunc(slices.Clone(all), func(b *engine.Bundle) bool { return !f.passes(b) })
	if f.byAmount {
		slices.SortStableFunc(kept, func(a, b *engine.Bundle) int {
			c := cmp.Compare(a.Band.MaxCents, b.Band.MaxCents)
			if f.descending {
				return -c
			}
			return c
		})
	}
	return kept
}

func (f *bundleFilter) passes(b *engine.Bundle) bool {
	lowest, _ := b.Fee.Range(b.Band, b.Cart)
	switch {
	case f.types != nil && !slices.Contains(f.types, b.Type),
		f.name != "" && !strings.Contains(strings.ToLower(b.Name), f.name),
		f.psp != "" && !strings.Contains(strings.ToLower(b.PSPBusinessName), f.psp),
		f.id != "" && b.ID != f.id,
		lowest < f.minFee, f.maxFee >= 0 && lowest > f.maxFee,
		!f.from.passes(b.Validity.From), !f.to.passes(b.Validity.To):
		return false
	}
	return f.active == nil || *f.active == b.Validity.Holds(f.today)
}

// relations reads the filters of lists of offers and requests.
func (c *call) relations() (keep func(*bundles.Relation) bool, err error) {
	values := c.r.URL.Query()
	var states []bundles.State
	for _, text := range listed(values, "state") {
		state, err := bundles.ParseState(strings.ToUpper(text))
		if err != nil {
			return nil, problem.Invalid([]problem.Field{{Path: "state", Message: err.Error()}})
		}
		states = append(states, state)
	}
	if states == nil { // what existing clients know
		states = []bundles.State{bundles.StateOpen, bundles.StateAccepted, bundles.StateRejected}
	}
	bundle, ec, psp := values.Get("idBundle"), values.Get("ciFiscalCode"), values.Get("idPsp")
	return func(r *bundles.Relation) bool {
		return slices.Contains(states, r.State) && (bundle == "" || r.BundleID == bundle) && (ec == "" || r.CreditorInstitution == ec) &&
			(psp == "" || strings.EqualFold(r.PSP, psp))
	}, nil
}
