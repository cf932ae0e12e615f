package format

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"gec/bundles"
	"gec/engine"
)

// tables are the fields of every object that a file may hold, by the wire names (spec 4). JSON, YAML
// and the snapshot share them; what differs is in newTables.
type tables struct {
	file         *table[file]
	export       *table[bundles.Export]
	config       *table[engine.Settings]
	issuer       *table[engine.IssuerRange]
	bundle       *table[bundleDraft]
	fee          *table[feeDraft]
	step         *table[engine.FeeStep]
	band         *table[engine.TimeBand]
	subscription *table[bundles.Subscription]
	attribute    *table[engine.Attribute]
	method       *table[bundles.PaymentMethod]
	rangeAmount  *table[bundles.Range]
	feeList      *table[feeListFile]
	row          *table[feeRow]
}

// bundleDraft is a bundle while its fields come in.
type bundleDraft struct {
	bundles.Bundle
	// flatCents is paymentAmount and fee the object fee; nil where absent.
	flatCents     *int64
	fee           *feeDraft
	subscriptions []bundles.Subscription
}

// feeDraft is a fee, whether its flat amount was given, and whether a part of it is at fault.
type feeDraft struct {
	engine.Fee
	// given says that there is a part, flatGiven that the flat one is there; faulty, that a part could not be read.
	given, flatGiven, faulty bool
}

func newTables(name Name) tables {
	if name == FeeList {
		return tables{feeList: feeListFields(), row: rowFields()}
	}
	return tables{
		file: fileFields(name), export: exportFields(), config: configFields(), issuer: issuerFields(), bundle: bundleFields(name),
		fee: feeFields(), step: stepFields(), band: bandFields(),
		subscription: subscriptionFields(), attribute: attributeFields(),
		method: methodFields(), rangeAmount: rangeFields(),
	}
}

func bundleFields(name Name) *table[bundleDraft] {
	type draft = bundleDraft
	strict := name != Snapshot // states what it means, where a snapshot has defaults
	fields := []field[draft]{
		textField("idPsp", func(b *draft) *string { return &b.PSP }),
		textField("idChannel", func(b *draft) *string { return &b.Channel }),
		textField("idBrokerPsp", func(b *draft) *string { return &b.Broker }),
		textField("abi", func(b *draft) *string { return &b.ABI }),
		textField("pspBusinessName", func(b *draft) *string { return &b.PSPBusinessName }),
		textField("name", func(b *draft) *string { return &b.Name }),
		textField("description", func(b *draft) *string { return &b.Description }),
		{name: "descriptions", take: takeDescriptions},
		textField("urlPolicyPsp", func(b *draft) *string { return &b.PolicyURL }),
		textField("idCdi", func(b *draft) *string { return &b.CDI }),
		{name: "type", take: takeType, mandatory: true},
		{name: "paymentType", take: func(d *decoder, b *draft) { d.nameOrAny(&b.PaymentType, "") }},
		{name: "touchpoint", take: func(d *decoder, b *draft) { d.nameOrAny(&b.Touchpoint, engine.Any) }},
		wholeField("minPaymentAmount", strict, wholeCents, func(b *draft) *int64 { return &b.Band.MinCents }),
		wholeField("maxPaymentAmount", true, wholeCents, func(b *draft) *int64 { return &b.Band.MaxCents }),
		optionalField("paymentAmount", func(b *draft) **int64 { return &b.flatCents }),
		{name: "fee", take: takeFee},
		{name: "transferCategoryList", take: takeCategories},
		truthField("cart", false, func(b *draft) *bool { return &b.Cart }),
		truthField("digitalStamp", false, func(b *draft) *bool { return &b.DigitalStamp }),
		truthField("digitalStampRestriction", false, func(b *draft) *bool { return &b.DigitalStampOnly }),
		truthField("onUs", strict, func(b *draft) *bool { return &b.OnUs }),
		dateField("validityDateFrom", func(b *draft) *engine.Date { return &b.Validity.From }),
		dateField("validityDateTo", func(b *draft) *engine.Date { return &b.Validity.To }),
		{name: "schedule", take: takeSchedule},
		textField("when", func(b *draft) *string { return &b.When }),
	}
	if name != wire { // on which the service sets them
		fields = append(fields,
			textField("id", func(b *draft) *string { return &b.ID }),
			textField("origin", func(b *draft) *string { return &b.Origin }),
			field[draft]{name: subscriptionsField(name), take: takeSubscriptions})
	}
	return newTable(fields...)
}

// subscriptionsField is what the format calls the subscriptions of a bundle.
func subscriptionsField(name Name) string {
	if name == Snapshot {
		return "ciBundleList"
	}
	return "subscriptions"
}

// nameOrAny takes a registered name; empty or ANY, in any case, becomes the word for any.
func (d *decoder) nameOrAny(into *string, word string) {
	if name, ok := d.text(); ok && name != "" && !strings.EqualFold(name, engine.Any) {
		*into = name
	} else {
		*into = word
	}
}

// takeDescriptions takes the descriptions in other languages. An empty one counts as absent, as in a CSV, which
// cannot tell the two apart.
func takeDescriptions(d *decoder, b *bundleDraft) {
	texts := d.textsByName()
	maps.DeleteFunc(texts, func(_, text string) bool { return text == "" })
	if len(texts) > 0 {
		b.Descriptions = texts
	}
}

// textsByName takes an object of texts; nil when it is empty. A text that is null counts as absent.
func (d *decoder) textsByName() map[string]string {
	if _, ok := d.take(object); !ok {
		return nil
	}
	texts := map[string]string{}
	d.source.open()
	for {
		name, at, more := d.source.field()
		if !more {
			break
		}
		key := string(name)
		d.path = append(d.path, step{name: fieldText(key)})
		_, repeated := texts[key]
		k, _ := d.peek()
		switch {
		case repeated:
			d.fault(at, "is given twice", "keep one of the two")
			d.skip()
		case k == null || len(texts) == listMax:
			d.skip()
		default:
			value, _ := d.text()
			texts[key] = value
		}
		d.path = d.path[:len(d.path)-1]
	}
	if len(texts) == 0 {
		return nil
	}
	return texts
}

func takeType(d *decoder, b *bundleDraft) {
	_, at := d.peek()
	value, ok := d.text()
	if !ok {
		return
	}
	spelling := value
	if d.lenient {
		spelling = strings.ToUpper(value)
	}
	t, err := engine.ParseBundleType(spelling)
	if err != nil {
		d.fault(at, bundles.Excerpt(value)+" is no type of bundle", "use GLOBAL, PUBLIC or PRIVATE")
	}
	b.Type = t
}

func takeCategories(d *decoder, b *bundleDraft) {
	d.elements(listMax, func() {
		if code, ok := d.text(); ok {
			b.TransferCategories = append(b.TransferCategories, engine.BareCategory(code))
		}
	})
}

func takeSchedule(d *decoder, b *bundleDraft) {
	b.Schedule = engine.Schedule{}
	d.elements(stepsMax, func() {
		var band engine.TimeBand
		takeObject(d, d.tables.band, &band)
		b.Schedule = append(b.Schedule, band)
	})
}

func bandFields() *table[engine.TimeBand] {
	minute := func(name string, into func(*engine.TimeBand) *int) field[engine.TimeBand] {
		return field[engine.TimeBand]{name: name, mandatory: true, take: func(d *decoder, b *engine.TimeBand) {
			_, at := d.peek()
			value, ok := d.text()
			if !ok {
				return
			}
			parsed, err := engine.ParseMinute(value)
			if err != nil {
				d.fault(at, bundles.Excerpt(value)+" is no time of the day", "write hours and minutes, as in 08:30, up to 24:00")
			}
			*into(b) = parsed
		}}
	}
	return newTable(
		field[engine.TimeBand]{name: "days", take: takeDays, mandatory: true},
		minute("from", func(b *engine.TimeBand) *int { return &b.FromMinute }),
		minute("to", func(b *engine.TimeBand) *int { return &b.ToMinute }),
	)
}

func takeDays(d *decoder, b *engine.TimeBand) {
	d.elements(listMax, func() {
		_, at := d.peek()
		value, ok := d.text()
		if !ok {
			return
		}
		day, err := engine.ParseWeekday(value)
		if err != nil {
			d.fault(at, bundles.Excerpt(value)+" is no day of the week", "use MON, TUE, WED, THU, FRI, SAT or SUN")
			return
		}
		b.Days |= 1 << day
	})
}

// The fields of simple kinds. Each takes where its value goes.

func textField[T any](name string, into func(*T) *string) field[T] {
	return field[T]{name: name, take: func(d *decoder, t *T) {
		if value, ok := d.text(); ok {
			*into(t) = value
		}
	}}
}

func wholeField[T any](name string, mandatory bool, fix string, into func(*T) *int64) field[T] {
	return field[T]{name: name, mandatory: mandatory, take: func(d *decoder, t *T) {
		if value, ok := d.whole(fix); ok {
			*into(t) = value
		}
	}}
}

func optionalField[T any](name string, into func(*T) **int64) field[T] {
	return field[T]{name: name, take: func(d *decoder, t *T) {
		value, _ := d.whole(wholeCents)
		*into(t) = &value
	}}
}

func truthField[T any](name string, mandatory bool, into func(*T) *bool) field[T] {
	return field[T]{name: name, mandatory: mandatory, take: func(d *decoder, t *T) {
		if value, ok := d.truth(); ok {
			*into(t) = value
		}
	}}
}

func dateField[T any](name string, into func(*T) *engine.Date) field[T] {
	return field[T]{name: name, take: func(d *decoder, t *T) {
		if value, ok := d.date(); ok {
			*into(t) = value
		}
	}}
}

func exportFields() *table[bundles.Export] {
	return newTable(
		wholeField("revision", true, wholeNumber, func(e *bundles.Export) *int64 { return &e.Revision }),
		field[bundles.Export]{name: "at", mandatory: true, take: takeExportInstant},
	)
}

func takeExportInstant(d *decoder, e *bundles.Export) {
	_, place := d.peek()
	value, ok := d.text()
	if !ok {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		d.faultBelow("", place, "is no instant", "write it as gec export does, as in 2026-11-21T10:00:00Z")
		return
	}
	e.At = at.UTC()
}

// dateOfInstant reads an ISO 8601 date and time: of one with a zone the date in Rome, of one without the
// date as written.
func dateOfInstant(value string) (engine.Date, error) {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		const firstDate = 1_01_01 // 1 January of the year 1
		date := engine.LocalAt(at).Date
		if date < firstDate {
			return 0, fmt.Errorf("%s is before the calendar", bundles.Excerpt(value))
		}
		return date, nil
	}
	at, err := time.Parse("2006-01-02T15:04:05", value)
	if err != nil {
		return 0, err
	}
	return engine.ParseDate(at.Format(time.DateOnly))
}
