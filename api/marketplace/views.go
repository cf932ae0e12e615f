package marketplace

import (
	"time"

	"gec/bundles"
	"gec/engine"
)

// The messages of the contract. They are apart from the model: what a client may read is listed here, and what
// it may send in package format.

// bundleView is a bundle as it is read (spec 4).
type bundleView struct {
	IDBundle                string            `json:"idBundle"`
	IDPsp                   string            `json:"idPsp"`
	IDChannel               string            `json:"idChannel"`
	IDBrokerPsp             string            `json:"idBrokerPsp"`
	Cart                    bool              `json:"cart"`
	IDCdi                   *string           `json:"idCdi"`
	ABI                     string            `json:"abi"`
	Name                    string            `json:"name"`
	PspBusinessName         string            `json:"pspBusinessName"`
	URLPolicyPsp            *string           `json:"urlPolicyPsp"`
	Description             *string           `json:"description"`
	Descriptions            map[string]string `json:"descriptions,omitempty"`
	PaymentAmount           int64             `json:"paymentAmount"`
	MinPaymentAmount        int64             `json:"minPaymentAmount"`
	MaxPaymentAmount        int64             `json:"maxPaymentAmount"`
	PaymentType             string            `json:"paymentType"`
	DigitalStamp            bool              `json:"digitalStamp"`
	DigitalStampRestriction bool              `json:"digitalStampRestriction"`
	Touchpoint              string            `json:"touchpoint"`
	Type                    string            `json:"type"`
	TransferCategoryList    []string          `json:"transferCategoryList"`
	ValidityDateFrom        *string           `json:"validityDateFrom"`
	ValidityDateTo          *string           `json:"validityDateTo"`
	OnUs                    bool              `json:"onUs"`
	InsertedDate            *time.Time        `json:"insertedDate"`
	LastUpdatedDate         *time.Time        `json:"lastUpdatedDate"`
	// What follows is ours and absent where a bundle has none.
	Fee      *feeView   `json:"fee,omitempty"`
	Schedule []bandView `json:"schedule,omitempty"`
	When     string     `json:"when,omitempty"`
	Revision int64      `json:"revision"`
}

// feeView is a fee that is not only a flat amount (F1, F2).
type feeView struct {
	Flat      *int64     `json:"flat,omitempty"`
	PerNotice int64      `json:"perNotice,omitempty"`
	Bps       int64      `json:"bps,omitempty"`
	Min       *int64     `json:"min,omitempty"`
	Max       *int64     `json:"max,omitempty"`
	Steps     []stepView `json:"steps,omitempty"`
}

type stepView struct {
	UpTo *int64   `json:"upTo,omitempty"`
	Fee  *feeView `json:"fee"`
}

// bandView is a time band of a schedule (Q13).
type bandView struct {
	Days []string `json:"days"`
	From string   `json:"from"`
	To   string   `json:"to"`
}

func viewOf(b *bundles.Bundle) bundleView {
	v := bundleView{
		IDBundle: b.ID, IDPsp: b.PSP, IDChannel: b.Channel, IDBrokerPsp: b.Broker, Cart: b.Cart, IDCdi: optional(b.CDI), ABI: b.ABI, Name: b.Name,
		PspBusinessName: b.PSPBusinessName, URLPolicyPsp: optional(b.PolicyURL), Description: optional(b.Description), Descriptions: b.Descriptions,
		PaymentAmount: b.Fee.FlatCents, MinPaymentAmount: b.Band.MinCents, MaxPaymentAmount: b.Band.MaxCents, PaymentType: b.PaymentType,
		DigitalStamp: b.DigitalStamp, DigitalStampRestriction: b.DigitalStampOnly, Touchpoint: b.Touchpoint, Type: b.Type.String(),
		TransferCategoryList: b.TransferCategories, ValidityDateFrom: optional(b.Validity.From.String()), ValidityDateTo: optional(b.Validity.To.String()),
		OnUs: b.OnUs, InsertedDate: instant(b.Inserted), LastUpdatedDate: instant(b.Updated), When: b.When, Revision: b.Revision,
	}
	if v.PaymentType == "" {
		v.PaymentType = engine.Any
	}
	if v.TransferCategoryList == nil {
		v.TransferCategoryList = []string{}
	}
	if f := feeViewOf(b.Fee); f.PerNotice != 0 || f.Bps != 0 || f.Min != nil || f.Max != nil || f.Steps != nil {
		v.Fee = f
	}
	for _, band := range b.Schedule {
		v.Schedule = append(v.Schedule, bandView{Days: daysOf(band.Days), From: engine.FormatMinute(band.FromMinute), To: engine.FormatMinute(band.ToMinute)})
	}
	return v
}

func daysOf(days engine.Days) (names []string) {
	for day := 1; day <= 7; day++ {
		if days.Has(day) {
			names = append(names, engine.WeekdayName(day))
		}
	}
	return names
}

func feeViewOf(f engine.Fee) *feeView {
	v := &feeView{PerNotice: f.PerNoticeCents, Bps: f.BasisPoints, Min: f.MinCents, Max: f.MaxCents}
	for _, s := range f.Steps {
		v.Steps = append(v.Steps, stepView{UpTo: s.UpToCents, Fee: feeViewOf(s.Fee)})
	}
	// A fee of nothing is written out: without any part it would be none.
	if f.FlatCents != 0 || v.PerNotice == 0 && v.Bps == 0 && v.Min == nil && v.Max == nil && v.Steps == nil {
		v.Flat = &f.FlatCents
	}
	return v
}

// optional is a text of which the empty one is null.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

// attributeView is what an EC bears (A17).
type attributeView struct {
	IDBundleAttribute        string  `json:"idBundleAttribute"`
	MaxPaymentAmount         int64   `json:"maxPaymentAmount"`
	TransferCategory         *string `json:"transferCategory"`
	TransferCategoryRelation *string `json:"transferCategoryRelation"`
}

func attributesOf(all []engine.Attribute) []attributeView {
	views := make([]attributeView, len(all))
	for n, a := range all {
		views[n] = attributeView{IDBundleAttribute: a.ID, MaxPaymentAmount: a.MaxPaymentAmountCents, TransferCategory: optional(a.TransferCategory)}
		switch {
		case a.NotEqual:
			views[n].TransferCategoryRelation = optional("NOT_EQUAL")
		case a.TransferCategory != "":
			views[n].TransferCategoryRelation = optional("EQUAL")
		}
	}
	return views
}

// subscriptionView is a subscription.
type subscriptionView struct {
	IDBundle         string          `json:"idBundle"`
	IDCIBundle       string          `json:"idCIBundle"`
	CITaxCode        string          `json:"ciTaxCode"`
	ValidityDateFrom *string         `json:"validityDateFrom"`
	ValidityDateTo   *string         `json:"validityDateTo"`
	Attributes       []attributeView `json:"attributes"`
}

func subscriptionOf(s *bundles.Subscription) subscriptionView {
	return subscriptionView{
		IDBundle: s.BundleID, IDCIBundle: s.ID, CITaxCode: s.CreditorInstitution, Attributes: attributesOf(s.Attributes),
		ValidityDateFrom: optional(s.Validity.From.String()), ValidityDateTo: optional(s.Validity.To.String()),
	}
}

// offerView is an offer as its PSP, or its EC, sees it.
type offerView struct {
	IDBundleOffer string     `json:"idBundleOffer"`
	IDBundle      string     `json:"idBundle"`
	IDPsp         string     `json:"idPsp"`
	CIFiscalCode  string     `json:"ciFiscalCode"`
	State         string     `json:"state"`
	InsertedDate  *time.Time `json:"insertedDate"`
	AcceptedDate  *time.Time `json:"acceptedDate"`
	RejectionDate *time.Time `json:"rejectionDate"`
}

func offerOf(o *bundles.Offer) offerView {
	accepted, rejected := answers(&o.Relation)
	return offerView{o.ID, o.BundleID, o.PSP, o.CreditorInstitution, o.State.String(), instant(o.Inserted), accepted, rejected}
}

// answers are the instants of acceptance and of rejection, of which at most one is there.
func answers(r *bundles.Relation) (accepted, rejected *time.Time) {
	switch r.State {
	case bundles.StateAccepted:
		return instant(r.Answered), nil
	case bundles.StateRejected:
		return nil, instant(r.Answered)
	}
	return nil, nil
}

// requestView is a request.
type requestView struct {
	IDBundleRequest  string          `json:"idBundleRequest"`
	IDBundle         string          `json:"idBundle"`
	IDPsp            string          `json:"idPsp"`
	CIFiscalCode     string          `json:"ciFiscalCode"`
	Attributes       []attributeView `json:"attributes"`
	ValidityDateFrom *string         `json:"validityDateFrom"`
	ValidityDateTo   *string         `json:"validityDateTo"`
	State            string          `json:"state"`
	InsertedDate     *time.Time      `json:"insertedDate"`
	AcceptedDate     *time.Time      `json:"acceptedDate"`
	RejectionDate    *time.Time      `json:"rejectionDate"`
}

func requestOf(r *bundles.Request) requestView {
	accepted, rejected := answers(&r.Relation)
	return requestView{
		r.ID, r.BundleID, r.PSP, r.CreditorInstitution, attributesOf(r.Attributes), optional(r.Validity.From.String()), optional(r.Validity.To.String()),
		r.State.String(), instant(r.Inserted), accepted, rejected,
	}
}
