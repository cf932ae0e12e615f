package format

import (
	"cmp"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// CSV: one row a bundle, one column a field. The first row names the columns, in any order and case:
//
//	id, idPsp, idChannel, idBrokerPsp, abi, pspBusinessName   texts
//	name, description, descriptions.EN, descriptions.DE, …    texts; one column for each other language
//	urlPolicyPsp, idCdi, origin                               texts
//	type                                                      GLOBAL, PUBLIC or PRIVATE
//	paymentType, touchpoint                                   a registered name; empty or ANY for any
//	minPaymentAmount, maxPaymentAmount                        the band, in euro
//	paymentAmount                                             the flat fee, in euro
//	fee.perNotice, fee.min, fee.max                           in euro
//	fee.bps                                                   hundredths of a percent, or "1,5 %"
//	fee.steps                                                 "50,00:1,00|100,00:1,50|*:2,00", see [parseSteps]
//	transferCategoryList                                      taxonomy codes with spaces or | between
//	cart, digitalStamp, digitalStampRestriction, onUs         true or false, also vero or falso
//	validityDateFrom, validityDateTo                          2026-11-21, or 21/11/2026
//	schedule                                                  "MON,TUE 08:00-20:00; SAT 22:00-06:00"
//	when                                                      the condition
//
// An empty cell is an absent field, with the defaults of the native form. Money is in euro, as people
// read and spreadsheets show it, unless the column says otherwise: "paymentAmount (cents)". The decimal
// sign may be a comma or a point; what could be thousands as well as cents ("1.000") is a fault.
//
// Settings and subscriptions are not part of a CSV; importing one leaves both as they are.
//
// The separator (comma, semicolon or tab) is taken from the first row. Texts are UTF-8 with or without
// byte order mark; a file that is no UTF-8 is taken for Windows-1252, which old spreadsheets write, with
// a warning. A cell that a spreadsheet would take for a formula is written with an apostrophe before it,
// which reading takes off again (goal 21).

// The bounds of a CSV.
const (
	columnsMax = 200
	// cellBytesMax bounds one cell, far above any field's own bound.
	cellBytesMax = 1 << 20
)

// csvColumn is one column: how a cell that is not empty is taken, and how a bundle's is written.
type csvColumn struct {
	name  string
	alias []string // in lower case
	take  func(*csvReader, *bundleDraft, csvCell)
	put   func(*bundles.Bundle) (string, error)
	// mandatory cells are not empty.
	mandatory bool
	// money may be in cents, if the header says so.
	money bool
}

// csvColumns are the columns in the order in which they are written, without those of languages.
func csvColumns() []csvColumn {
	type draft = bundleDraft
	return []csvColumn{
		textColumn("id", func(b *bundles.Bundle) *string { return &b.ID }, "idbundle"),
		textColumn("idPsp", func(b *bundles.Bundle) *string { return &b.PSP }, "psp"),
		textColumn("idChannel", func(b *bundles.Bundle) *string { return &b.Channel }, "canale"),
		textColumn("idBrokerPsp", func(b *bundles.Bundle) *string { return &b.Broker }, "intermediario"),
		textColumn("abi", func(b *bundles.Bundle) *string { return &b.ABI }, "codice abi"),
		textColumn("pspBusinessName", func(b *bundles.Bundle) *string { return &b.PSPBusinessName }, "ragione sociale"),
		textColumn("name", func(b *bundles.Bundle) *string { return &b.Name }, "nome"),
		textColumn("description", func(b *bundles.Bundle) *string { return &b.Description }, "descrizione"),
		textColumn("urlPolicyPsp", func(b *bundles.Bundle) *string { return &b.PolicyURL }),
		textColumn("idCdi", func(b *bundles.Bundle) *string { return &b.CDI }),
		textColumn("origin", func(b *bundles.Bundle) *string { return &b.Origin }),
		{name: "type", alias: []string{"tipo"}, mandatory: true, take: takeCSVType, put: func(b *bundles.Bundle) (string, error) { return b.Type.String(), nil }},
		nameColumn("paymentType", "", func(b *bundles.Bundle) *string { return &b.PaymentType }, "tipo versamento"),
		nameColumn("touchpoint", engine.Any, func(b *bundles.Bundle) *string { return &b.Touchpoint }),
		mandatory(moneyColumn("minPaymentAmount", func(b *draft) *int64 { return &b.Band.MinCents }, "importo minimo")),
		mandatory(moneyColumn("maxPaymentAmount", func(b *draft) *int64 { return &b.Band.MaxCents }, "importo massimo")),
		optionalMoney("paymentAmount", func(b *draft) **int64 { return &b.flatCents }, func(b *bundles.Bundle) *int64 { return &b.Fee.FlatCents }, "fee.flat", "commissione"),
		perNoticeColumn(),
		{name: "fee.bps", take: takeBasisPoints, put: func(b *bundles.Bundle) (string, error) { return basisPointsText(b.Fee.BasisPoints), nil }},
		optionalMoney("fee.min", func(b *draft) **int64 { return &b.ownFee().MinCents }, func(b *bundles.Bundle) *int64 { return b.Fee.MinCents }),
		optionalMoney("fee.max", func(b *draft) **int64 { return &b.ownFee().MaxCents }, func(b *bundles.Bundle) *int64 { return b.Fee.MaxCents }),
		{name: "fee.steps", money: true, take: takeCSVSteps, put: func(b *bundles.Bundle) (string, error) { return stepsText(b.Fee.Steps) }},
		{name: "transferCategoryList", alias: []string{"tassonomie"}, take: takeCSVCategories, put: categoriesText},
		truthColumn("cart", func(b *bundles.Bundle) *bool { return &b.Cart }),
		truthColumn("digitalStamp", func(b *bundles.Bundle) *bool { return &b.DigitalStamp }),
		truthColumn("digitalStampRestriction", func(b *bundles.Bundle) *bool { return &b.DigitalStampOnly }),
		mandatory(truthColumn("onUs", func(b *bundles.Bundle) *bool { return &b.OnUs })),
		dateColumn("validityDateFrom", func(b *bundles.Bundle) *engine.Date { return &b.Validity.From }, "valido dal"),
		dateColumn("validityDateTo", func(b *bundles.Bundle) *engine.Date { return &b.Validity.To }, "valido al"),
		{name: "schedule", take: takeCSVSchedule, put: func(b *bundles.Bundle) (string, error) { return scheduleText(b.Schedule), nil }},
		textColumn("when", func(b *bundles.Bundle) *string { return &b.When }),
	}
}

// ownFee returns the part of the fee that is not flat, which the row then has.
func (b *bundleDraft) ownFee() *feeDraft {
	if b.fee == nil {
		b.fee = &feeDraft{}
	}
	return b.fee
}

func mandatory(c csvColumn) csvColumn {
	c.mandatory = true
	return c
}

func textColumn(name string, into func(*bundles.Bundle) *string, alias ...string) csvColumn {
	return csvColumn{
		name: name, alias: alias,
		take: func(_ *csvReader, b *bundleDraft, c csvCell) { *into(&b.Bundle) = c.text },
		put:  func(b *bundles.Bundle) (string, error) { return *into(b), nil },
	}
}

// nameColumn is a registered name; the word stands for any.
func nameColumn(name, word string, into func(*bundles.Bundle) *string, alias ...string) csvColumn {
	c := textColumn(name, into, alias...)
	c.take = func(_ *csvReader, b *bundleDraft, c csvCell) {
		*into(&b.Bundle) = c.text
		if strings.EqualFold(c.text, engine.Any) {
			*into(&b.Bundle) = word
		}
	}
	c.put = func(b *bundles.Bundle) (string, error) { return cmp.Or(*into(b), engine.Any), nil }
	return c
}

func moneyColumn(name string, into func(*bundleDraft) *int64, alias ...string) csvColumn {
	return csvColumn{
		name: name, alias: alias, money: true,
		take: func(r *csvReader, b *bundleDraft, c csvCell) { *into(b) = r.cents(c) },
		put: func(b *bundles.Bundle) (string, error) {
			return amountText(*into(&bundleDraft{Bundle: *b})), nil
		},
	}
}

func optionalMoney(name string, into func(*bundleDraft) **int64, of func(*bundles.Bundle) *int64, alias ...string) csvColumn {
	return csvColumn{
		name: name, alias: alias, money: true,
		take: func(r *csvReader, b *bundleDraft, c csvCell) {
			value := r.cents(c)
			*into(b) = &value
		},
		put: func(b *bundles.Bundle) (string, error) {
			if value := of(b); value != nil {
				return amountText(*value), nil
			}
			return "", nil
		},
	}
}

func perNoticeColumn() csvColumn {
	c := moneyColumn("fee.perNotice", func(b *bundleDraft) *int64 { return &b.ownFee().PerNoticeCents })
	c.put = func(b *bundles.Bundle) (string, error) {
		if b.Fee.PerNoticeCents == 0 {
			return "", nil
		}
		return amountText(b.Fee.PerNoticeCents), nil
	}
	return c
}

func truthColumn(name string, into func(*bundles.Bundle) *bool) csvColumn {
	return csvColumn{
		name: name,
		take: func(r *csvReader, b *bundleDraft, c csvCell) { *into(&b.Bundle) = r.truth(c) },
		put: func(b *bundles.Bundle) (string, error) {
			if *into(b) {
				return "true", nil
			}
			return "false", nil
		},
	}
}

func dateColumn(name string, into func(*bundles.Bundle) *engine.Date, alias ...string) csvColumn {
	return csvColumn{
		name: name, alias: alias,
		take: func(r *csvReader, b *bundleDraft, c csvCell) { *into(&b.Bundle) = r.date(c) },
		put:  func(b *bundles.Bundle) (string, error) { return into(b).String(), nil },
	}
}

// languagePrefix begins the names of the columns of descriptions in other languages than Italian.
const languagePrefix = "descriptions."

// languageColumn is the column of a description in another language.
func languageColumn(language string) csvColumn {
	return csvColumn{
		name: languagePrefix + language,
		take: func(_ *csvReader, b *bundleDraft, c csvCell) {
			if b.Descriptions == nil {
				b.Descriptions = map[string]string{}
			}
			b.Descriptions[language] = c.text
		},
		put: func(b *bundles.Bundle) (string, error) { return b.Descriptions[language], nil },
	}
}

// language returns the language of a column's name in lower case, as in descriptions.en; the singular is
// understood too.
func columnLanguage(name string) (language string, ok bool) {
	prefix, language, _ := strings.Cut(name, ".")
	if prefix != "descriptions" && prefix != "description" || !twoLetters(language) {
		return "", false
	}
	return strings.ToUpper(language), true
}

func twoLetters(s string) bool {
	return len(s) == 2 && strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// columnNamed returns the column that a header's cell names, by name or alias in any case.
func columnNamed(columns []csvColumn, name string) (csvColumn, bool) {
	name = strings.ToLower(name)
	if language, ok := columnLanguage(name); ok {
		return languageColumn(language), true
	}
	i := slices.IndexFunc(columns, func(c csvColumn) bool { return strings.ToLower(c.name) == name || slices.Contains(c.alias, name) })
	if i < 0 {
		return csvColumn{}, false
	}
	return columns[i], true
}
