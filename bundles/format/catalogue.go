package format

import (
	"strings"

	"gec/bundles"
	"gec/engine"
)

// file is a native file or a snapshot while its fields come in.
type file struct {
	bundles.Document
	settings engine.Settings
	// stated says that the file has any part of the settings.
	stated bool
}

// catalogue reads a native file or a snapshot.
func (d *decoder) catalogue(o ReadOptions) bundles.Document {
	var f file
	if d.name == Native && o.Settings != nil {
		f.settings = *o.Settings
	}
	takeObject(d, d.tables.file, &f)
	if f.stated {
		f.Settings = &f.settings
	}
	return f.Document
}

func fileFields(name Name) *table[file] {
	settings := func(name string, take func(d *decoder, s *engine.Settings)) field[file] {
		return field[file]{name: name, take: func(d *decoder, f *file) {
			f.stated = true
			take(d, &f.settings)
		}}
	}
	fields := []field[file]{
		settings("config", func(d *decoder, s *engine.Settings) { takeObject(d, d.tables.config, s) }),
		settings("touchpoints", func(d *decoder, s *engine.Settings) { s.Touchpoints = d.texts() }),
		settings("paymentTypes", func(d *decoder, s *engine.Settings) { s.PaymentTypes = d.texts() }),
		settings("issuers", takeIssuers),
		{name: "bundles", take: takeBundles},
	}
	if name == Native {
		fields = append(fields, field[file]{name: "export", take: func(d *decoder, f *file) {
			f.Export = &bundles.Export{}
			takeObject(d, d.tables.export, f.Export)
		}})
		fields = append(fields, field[file]{name: "subscriptions", take: takeOtherSubscriptions})
		fields = append(fields, field[file]{name: "paymentMethods", take: takeMethods})
	}
	return newTable(fields...)
}

func configFields() *table[engine.Settings] {
	return newTable(
		wholeField("amountThreshold", false, wholeCents, func(s *engine.Settings) *int64 { return &s.ThresholdCents }),
		textField("idPspPoste", func(s *engine.Settings) *string { return &s.PostePSP }),
		textField("amexAbi", func(s *engine.Settings) *string { return &s.AmexABI }),
		field[engine.Settings]{name: "pspBlacklist", take: func(d *decoder, s *engine.Settings) { s.BlockedPSPs = d.texts() }},
	)
}

// texts takes a list of texts; nil when it is empty.
func (d *decoder) texts() (texts []string) {
	d.elements(listMax, func() {
		if value, ok := d.text(); ok {
			texts = append(texts, value)
		}
	})
	return texts
}

// issuersMax bounds the issuer ranges; all ranges of all card schemes are some hundred thousand.
const issuersMax = 1_000_000

func takeIssuers(d *decoder, s *engine.Settings) {
	s.Issuers = nil
	d.elements(issuersMax, func() {
		var r engine.IssuerRange
		takeObject(d, d.tables.issuer, &r)
		s.Issuers = append(s.Issuers, r)
	})
}

func issuerFields() *table[engine.IssuerRange] {
	abi := textField("abi", func(r *engine.IssuerRange) *string { return &r.ABI })
	abi.mandatory = true
	return newTable(
		wholeField("low", true, wholeNumber, func(r *engine.IssuerRange) *int64 { return &r.Low }),
		wholeField("high", true, wholeNumber, func(r *engine.IssuerRange) *int64 { return &r.High }),
		abi,
	)
}

func takeBundles(d *decoder, f *file) {
	d.elements(BundlesMax, func() {
		d.rest()
		_, at := d.peek()
		b := bundleDraft{Bundle: bundles.Bundle{Bundle: engine.Bundle{Touchpoint: engine.Any, Cart: true}}}
		if d.name == Snapshot {
			b.Origin = bundles.OriginSnapshot
		}
		if takeObject(d, d.tables.bundle, &b) {
			d.settleFee(&b, at)
		}
		f.Bundles = append(f.Bundles, b.Bundle)
		for i := range b.subscriptions {
			b.subscriptions[i].BundleID = b.ID
		}
		if len(f.Subscriptions)+len(b.subscriptions) > SubscriptionsMax {
			d.faultBelow(subscriptionsField(d.name), at, "are too many: the file holds more than a million", "split it")
			return
		}
		f.Subscriptions = append(f.Subscriptions, b.subscriptions...)
	})
}

func takeSubscriptions(d *decoder, b *bundleDraft) {
	d.elements(SubscriptionsMax, func() {
		var s bundles.Subscription
		takeObject(d, d.tables.subscription, &s)
		b.subscriptions = append(b.subscriptions, s)
	})
}

// takeOtherSubscriptions takes those of bundles that are not in the file.
func takeOtherSubscriptions(d *decoder, f *file) {
	withBundle := newTable(append(d.tables.subscription.fields, textField("idBundle", func(s *bundles.Subscription) *string { return &s.BundleID }))...)
	d.elements(SubscriptionsMax, func() {
		var s bundles.Subscription
		takeObject(d, withBundle, &s)
		f.Subscriptions = append(f.Subscriptions, s)
	})
}

func subscriptionFields() *table[bundles.Subscription] {
	id := textField("id", func(s *bundles.Subscription) *string { return &s.ID })
	id.mandatory = true
	return newTable(
		id,
		textField("ciFiscalCode", func(s *bundles.Subscription) *string { return &s.CreditorInstitution }),
		dateField("validityDateFrom", func(s *bundles.Subscription) *engine.Date { return &s.Validity.From }),
		dateField("validityDateTo", func(s *bundles.Subscription) *engine.Date { return &s.Validity.To }),
		field[bundles.Subscription]{name: "attributes", take: takeAttributes},
	)
}

func takeAttributes(d *decoder, s *bundles.Subscription) {
	d.elements(attributesMax, func() {
		var a engine.Attribute
		takeObject(d, d.tables.attribute, &a)
		s.Attributes = append(s.Attributes, a)
	})
}

func attributeFields() *table[engine.Attribute] {
	return newTable(
		textField("id", func(a *engine.Attribute) *string { return &a.ID }),
		wholeField("maxPaymentAmount", true, wholeCents, func(a *engine.Attribute) *int64 { return &a.MaxPaymentAmountCents }),
		field[engine.Attribute]{name: "transferCategory", take: func(d *decoder, a *engine.Attribute) {
			if code, ok := d.text(); ok {
				a.TransferCategory = engine.BareCategory(code)
			}
		}},
		field[engine.Attribute]{name: "transferCategoryRelation", take: takeRelation},
	)
}

// The relations of an attribute to its category (Q16).
const (
	relationEqual    = "EQUAL"
	relationNotEqual = "NOT_EQUAL"
)

func takeRelation(d *decoder, a *engine.Attribute) {
	_, at := d.peek()
	value, ok := d.text()
	if !ok {
		return
	}
	spelling := value
	if d.lenient {
		spelling = strings.ToUpper(value)
	}
	if spelling != relationEqual && spelling != relationNotEqual {
		d.fault(at, bundles.Excerpt(value)+" is no relation", "use EQUAL or NOT_EQUAL")
	}
	a.NotEqual = spelling == relationNotEqual
}
