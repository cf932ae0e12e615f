package bundles

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gec/engine"
)

// PaymentMethod is what a page shows to a payer who chooses how to pay (spec 1): a name, a logo, where it is
// offered. It belongs to one payment type, whose bundles say what it costs.
type PaymentMethod struct {
	// ID is unique among the payment methods (paymentMethodId).
	ID string
	// Group is the payment type.
	Group string
	// Names and Descriptions are texts by language: IT always, FR, DE, SL, EN as they are there.
	Names, Descriptions map[string]string
	// Status is one of MethodStatuses.
	Status string
	// ValidFrom is the first day on which the method can be used; 0: always.
	ValidFrom engine.Date
	// Types are some of MethodTypes, Touchpoints of MethodTouchpoints, Devices of MethodDevices.
	Types, Touchpoints, Devices []string
	// Targets restrict the method to callers who name one of them; none: it is for all.
	Targets []string
	// RangeCents are the amounts that can be paid with it, both ends included, in cents; nil: all.
	RangeCents *Range
	// Asset is the address of the logo, BrandAssets those of the brands by name.
	Asset       string
	BrandAssets map[string]string
	// Management is one of MethodManagements.
	Management string
	// Metadata are the operator's own words for pages; may be nil.
	Metadata map[string]string
	// Inserted and Updated are the instants of the first and the last change, in UTC.
	Inserted, Updated time.Time
	// Revision of the catalogue that last changed it.
	Revision int64
}

// Range is a range of amounts in cents, both ends included.
type Range struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

// The statuses of payment methods on the wire.
const (
	MethodEnabled     = "ENABLED"
	MethodDisabled    = "DISABLED"
	MethodMaintenance = "MAINTENANCE"
)

// MethodStatuses are the values of PaymentMethod.Status.
func MethodStatuses() []string { return []string{MethodEnabled, MethodDisabled, MethodMaintenance} }

// MethodTypes are the values of PaymentMethod.Types.
func MethodTypes() []string { return []string{"CARTE", "CONTO", "APP"} }

// MethodTouchpoints are the values of PaymentMethod.Touchpoints.
func MethodTouchpoints() []string { return []string{"IO", "CHECKOUT", "CHECKOUT_CART"} }

// MethodDevices are the values of PaymentMethod.Devices.
func MethodDevices() []string { return []string{"IOS", "ANDROID", "WEB", "SAFARI"} }

// MethodLanguages are the languages of names and descriptions; the first is the one that must be there.
func MethodLanguages() []string { return []string{"IT", "FR", "DE", "SL", "EN"} }

// MethodManagements are the values of PaymentMethod.Management.
func MethodManagements() []string {
	return []string{"ONBOARDABLE", "ONBOARDABLE_ONLY", "NOT_ONBOARDABLE", "REDIRECT"}
}

// methodDocument is the stored form, with the wire names in a fixed order.
type methodDocument struct {
	ID          string            `json:"paymentMethodId"`
	Group       string            `json:"group"`
	Names       map[string]string `json:"name"`
	Description map[string]string `json:"description"`
	Status      string            `json:"status"`
	ValidFrom   string            `json:"validityDateFrom,omitempty"`
	Types       []string          `json:"paymentMethodTypes,omitempty"`
	Touchpoints []string          `json:"userTouchpoint,omitempty"`
	Devices     []string          `json:"userDevice,omitempty"`
	Targets     []string          `json:"target,omitempty"`
	Range       *Range            `json:"rangeAmount,omitempty"`
	Asset       string            `json:"paymentMethodAsset,omitempty"`
	BrandAssets map[string]string `json:"paymentMethodsBrandAssets,omitempty"`
	Management  string            `json:"methodManagement"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Inserted    *time.Time        `json:"insertedDate,omitempty"`
	Updated     *time.Time        `json:"lastUpdatedDate,omitempty"`
}

// EncodePaymentMethod returns the stored form of a payment method.
func EncodePaymentMethod(m *PaymentMethod) []byte {
	instant := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	document, err := json.Marshal(methodDocument{
		m.ID, m.Group, m.Names, m.Descriptions, m.Status, m.ValidFrom.String(), m.Types, m.Touchpoints, m.Devices, m.Targets, m.RangeCents,
		m.Asset, m.BrandAssets, m.Management, m.Metadata, instant(m.Inserted), instant(m.Updated),
	})
	if err != nil {
		panic(err) // texts, numbers and instants of this calendar always have a JSON form
	}
	return document
}

// DecodePaymentMethod reads the stored form. Errors: ErrCorrupt.
func DecodePaymentMethod(document []byte) (PaymentMethod, error) {
	var d methodDocument
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return PaymentMethod{}, corrupt("payment method", err)
	}
	m := PaymentMethod{
		ID: d.ID, Group: d.Group, Names: d.Names, Descriptions: d.Description, Status: d.Status, Types: d.Types, Touchpoints: d.Touchpoints,
		Devices: d.Devices, Targets: d.Targets, RangeCents: d.Range, Asset: d.Asset, BrandAssets: d.BrandAssets, Management: d.Management, Metadata: d.Metadata,
	}
	if d.ValidFrom != "" {
		var err error
		if m.ValidFrom, err = engine.ParseDate(d.ValidFrom); err != nil {
			return PaymentMethod{}, corrupt("payment method", err)
		}
	}
	if d.Inserted != nil && d.Updated != nil {
		m.Inserted, m.Updated = d.Inserted.UTC(), d.Updated.UTC()
	}
	return m, nil
}

// sameMethod reports whether two payment methods say the same.
func sameMethod(a, b PaymentMethod) bool {
	a.Inserted, a.Updated, b.Inserted, b.Updated = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return string(EncodePaymentMethod(&a)) == string(EncodePaymentMethod(&b))
}

// PaymentMethods returns the payment methods of the current revision in order of id. They are shared:
// callers must not change them.
func (c *Catalogue) PaymentMethods() []PaymentMethod { return c.current.Load().methods }

// PaymentMethod returns the payment method of an id. Errors: ErrNotFound.
func (c *Catalogue) PaymentMethod(id string) (PaymentMethod, error) {
	all := c.PaymentMethods()
	if at, there := findMethod(all, id); there {
		return all[at], nil
	}
	return PaymentMethod{}, notFound("payment method", id)
}

func findMethod(all []PaymentMethod, id string) (int, bool) {
	return slices.BinarySearchFunc(all, id, func(m PaymentMethod, id string) int { return strings.Compare(m.ID, id) })
}

// CreatePaymentMethod adds a payment method; it is the operator's. Errors: ErrForbidden; Faults; *StateError
// when there is one of that id; those of the Store.
func (c *Catalogue) CreatePaymentMethod(ctx context.Context, caller Caller, m PaymentMethod) (PaymentMethod, error) {
	return c.putPaymentMethod(ctx, caller, m, "createPaymentMethod", func(_ PaymentMethod, there bool) error {
		if there {
			return &StateError{What: "payment method", ID: m.ID, Reason: "is there", Fix: "change it, or use another id"}
		}
		return nil
	})
}

// ChangePaymentMethod replaces a payment method by its id; it is the operator's. Errors: ErrForbidden;
// ErrNotFound; Faults; those of the Store.
func (c *Catalogue) ChangePaymentMethod(ctx context.Context, caller Caller, m PaymentMethod) (PaymentMethod, error) {
	return c.putPaymentMethod(ctx, caller, m, "changePaymentMethod", func(_ PaymentMethod, there bool) error {
		if !there {
			return notFound("payment method", m.ID)
		}
		return nil
	})
}

func (c *Catalogue) putPaymentMethod(ctx context.Context, caller Caller, m PaymentMethod, operation string, may func(before PaymentMethod, there bool) error) (PaymentMethod, error) {
	_, err := c.operate(ctx, caller, operation, func(b base) (e edit, err error) {
		before, there := PaymentMethod{}, false
		if at, found := findMethod(b.methods, m.ID); found {
			before, there = b.methods[at], true
		}
		if err := may(before, there); err != nil {
			return e, err
		}
		if err := checkMethod(&m, b.snapshot.Settings()).Err(); err != nil {
			return e, err
		}
		if there && sameMethod(before, m) {
			m = before
			return e, nil
		}
		m.Inserted, m.Updated = b.now, b.now
		if there {
			m.Inserted = before.Inserted
		}
		e.others = append(e.others, Row{Kind: KindPaymentMethod, ID: m.ID, Document: EncodePaymentMethod(&m)})
		return e, nil
	})
	if err != nil {
		return m, err
	}
	return c.PaymentMethod(m.ID)
}

// DeletePaymentMethod takes a payment method away; it is the operator's. Errors: ErrForbidden; ErrNotFound;
// those of the Store.
func (c *Catalogue) DeletePaymentMethod(ctx context.Context, caller Caller, id string) error {
	_, err := c.operate(ctx, caller, "deletePaymentMethod", func(b base) (e edit, err error) {
		if _, there := findMethod(b.methods, id); !there {
			return e, notFound("payment method", id)
		}
		e.others = append(e.others, Row{Kind: KindPaymentMethod, ID: id, Deleted: true})
		return e, nil
	})
	return err
}

// checkMethod checks a payment method.
func checkMethod(m *PaymentMethod, s *engine.Settings) Faults {
	c := newChecker(s, 0, false)
	c.method(m)
	c.errors.Sort()
	return c.errors
}

// methods checks the payment methods of a document.
func (c *checker) methods(all []PaymentMethod) {
	first := map[string]int{}
	for n := range all {
		c.prefix = fmt.Sprintf("paymentMethods[%d].", n)
		c.method(&all[n])
		if at, repeated := first[all[n].ID]; repeated {
			c.contradiction("paymentMethodId", fmt.Sprintf("%s is the id of paymentMethods[%d] too", Excerpt(all[n].ID), at), "give each an id of its own")
		} else {
			first[all[n].ID] = n
		}
	}
	c.prefix = ""
}

func (c *checker) method(m *PaymentMethod) {
	c.id("paymentMethodId", m.ID)
	if m.Group == "" {
		c.flaw("group", "is missing", "name the payment type")
	} else {
		c.registered("group", "payment type", m.Group, c.paymentTypes, c.settings.PaymentTypes)
	}
	c.texts("name", m.Names, nameMax)
	c.texts("description", m.Descriptions, descriptionMax)
	c.oneOf("status", m.Status, MethodStatuses())
	c.date("validityDateFrom", m.ValidFrom)
	c.someOf("paymentMethodTypes", m.Types, MethodTypes())
	c.someOf("userTouchpoint", m.Touchpoints, MethodTouchpoints())
	c.someOf("userDevice", m.Devices, MethodDevices())
	if r := m.RangeCents; r != nil && (r.Min < 0 || r.Max < r.Min) {
		c.flaw("rangeAmount", fmt.Sprintf("is %d to %d", r.Min, r.Max), "use 0 or more cents, and no maximum below the minimum")
	}
	c.webAddress("paymentMethodAsset", m.Asset)
	c.oneOf("methodManagement", m.Management, MethodManagements())
	for _, texts := range []struct {
		path string
		all  map[string]string
	}{{"paymentMethodsBrandAssets", m.BrandAssets}, {"metadata", m.Metadata}} {
		for _, key := range slices.Sorted(maps.Keys(texts.all)) {
			c.text(texts.path, key, nameMax)
			c.text(texts.path, texts.all[key], descriptionMax)
		}
	}
	for n, target := range m.Targets {
		c.text(fmt.Sprintf("target[%d]", n), target, nameMax)
	}
}

// texts checks texts by language, of which the Italian one must be there.
func (c *checker) texts(path string, all map[string]string, runesMax int) {
	languages := MethodLanguages()
	if strings.TrimSpace(all[languages[0]]) == "" {
		c.flaw(path+"."+languages[0], "is missing", "the Italian text is mandatory")
	}
	for _, language := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(languages, language) {
			c.flaw(path, Excerpt(language)+" is no language of payment methods", "use "+strings.Join(languages, ", "))
			continue
		}
		c.text(path+"."+language, all[language], runesMax)
	}
}

func (c *checker) oneOf(path, value string, known []string) {
	if !slices.Contains(known, value) {
		c.flaw(path, Excerpt(value)+" is unknown", "use one of "+strings.Join(known, ", "))
	}
}

func (c *checker) someOf(path string, values, known []string) {
	for n, value := range values {
		c.oneOf(fmt.Sprintf("%s[%d]", path, n), value, known)
	}
}
