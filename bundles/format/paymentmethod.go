package format

import (
	"github.com/go-faster/jx"

	"gec/bundles"
	"gec/engine"
)

// methodFields are those of a payment method, by the wire names (spec 4).
func methodFields() *table[bundles.PaymentMethod] {
	type method = bundles.PaymentMethod
	texts := func(name string, into func(*method) *map[string]string) field[method] {
		return field[method]{name: name, take: func(d *decoder, m *method) { *into(m) = d.textsByName() }}
	}
	list := func(name string, into func(*method) *[]string) field[method] {
		return field[method]{name: name, take: func(d *decoder, m *method) { *into(m) = d.texts() }}
	}
	return newTable(
		textField("paymentMethodId", func(m *method) *string { return &m.ID }),
		textField("group", func(m *method) *string { return &m.Group }),
		texts("name", func(m *method) *map[string]string { return &m.Names }),
		texts("description", func(m *method) *map[string]string { return &m.Descriptions }),
		textField("status", func(m *method) *string { return &m.Status }),
		dateField("validityDateFrom", func(m *method) *engine.Date { return &m.ValidFrom }),
		list("paymentMethodTypes", func(m *method) *[]string { return &m.Types }),
		list("userTouchpoint", func(m *method) *[]string { return &m.Touchpoints }),
		list("userDevice", func(m *method) *[]string { return &m.Devices }),
		list("target", func(m *method) *[]string { return &m.Targets }),
		field[method]{name: "rangeAmount", take: func(d *decoder, m *method) {
			m.RangeCents = &bundles.Range{}
			takeObject(d, d.tables.rangeAmount, m.RangeCents)
		}},
		textField("paymentMethodAsset", func(m *method) *string { return &m.Asset }),
		texts("paymentMethodsBrandAssets", func(m *method) *map[string]string { return &m.BrandAssets }),
		textField("methodManagement", func(m *method) *string { return &m.Management }),
		texts("metadata", func(m *method) *map[string]string { return &m.Metadata }),
	)
}

func rangeFields() *table[bundles.Range] {
	return newTable(
		wholeField("min", true, wholeCents, func(r *bundles.Range) *int64 { return &r.Min }),
		wholeField("max", true, wholeCents, func(r *bundles.Range) *int64 { return &r.Max }),
	)
}

func takeMethods(d *decoder, f *file) {
	d.elements(listMax, func() {
		var m bundles.PaymentMethod
		takeObject(d, d.tables.method, &m)
		f.PaymentMethods = append(f.PaymentMethods, m)
	})
}

// writeMethod writes what people set of a payment method, the stored form less the instants.
func writeMethod(e *jx.Encoder, m bundles.PaymentMethod) {
	e.Raw(bundles.EncodePaymentMethod(&bundles.PaymentMethod{
		ID: m.ID, Group: m.Group, Names: m.Names, Descriptions: m.Descriptions, Status: m.Status, ValidFrom: m.ValidFrom, Types: m.Types,
		Touchpoints: m.Touchpoints, Devices: m.Devices, Targets: m.Targets, RangeCents: m.RangeCents, Asset: m.Asset, BrandAssets: m.BrandAssets,
		Management: m.Management, Metadata: m.Metadata,
	}))
}
