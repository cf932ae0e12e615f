package bundles

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-faster/jx"

	"gec/engine"
)

// EncodeBundle returns the stored form of a bundle: an object of the fields that [WriteBundle] writes
// and of those that only the catalogue sets (languageVersion, insertedDate, lastUpdatedDate, revision).
func EncodeBundle(b *Bundle) []byte {
	var e jx.Encoder
	e.Grow(1 << 10)
	e.ObjStart()
	WriteBundle(&e, b)
	writeNumber(&e, "languageVersion", int64(b.LanguageVersion))
	writeChange(&e, b.Inserted, b.Updated, b.Revision)
	e.ObjEnd()
	return e.Bytes()
}

// WriteBundle writes the fields that a person authors into the object that the encoder is in, with the
// wire names and in a fixed order; the fields of the native format. A fee that is only a flat amount is
// paymentAmount, any other is fee.
func WriteBundle(e *jx.Encoder, b *Bundle) {
	writeText(e, "id", b.ID)
	writeText(e, "idPsp", b.PSP)
	writeText(e, "idChannel", b.Channel)
	writeText(e, "idBrokerPsp", b.Broker)
	writeText(e, "abi", b.ABI)
	writeText(e, "pspBusinessName", b.PSPBusinessName)
	writeText(e, "name", b.Name)
	writeText(e, "description", b.Description)
	writeDescriptions(e, b.Descriptions)
	writeText(e, "urlPolicyPsp", b.PolicyURL)
	writeText(e, "idCdi", b.CDI)
	writeText(e, "origin", b.Origin)
	e.FieldStart("type")
	e.Str(b.Type.String())
	writeText(e, "paymentType", b.PaymentType)
	writeText(e, "touchpoint", b.Touchpoint)
	e.FieldStart("minPaymentAmount")
	e.Int64(b.Band.MinCents)
	e.FieldStart("maxPaymentAmount")
	e.Int64(b.Band.MaxCents)
	writeFee(e, &b.Fee)
	writeStrings(e, "transferCategoryList", b.TransferCategories)
	e.FieldStart("cart")
	e.Bool(b.Cart)
	writeTrue(e, "digitalStamp", b.DigitalStamp)
	writeTrue(e, "digitalStampRestriction", b.DigitalStampOnly)
	e.FieldStart("onUs")
	e.Bool(b.OnUs)
	writePeriod(e, b.Validity)
	writeSchedule(e, b.Schedule)
	writeText(e, "when", b.When)
}

func writeDescriptions(e *jx.Encoder, descriptions map[string]string) {
	if len(descriptions) == 0 {
		return
	}
	e.FieldStart("descriptions")
	e.ObjStart()
	for _, language := range slices.Sorted(maps.Keys(descriptions)) {
		e.FieldStart(language)
		e.Str(descriptions[language])
	}
	e.ObjEnd()
}

func writeSchedule(e *jx.Encoder, schedule engine.Schedule) {
	if schedule == nil {
		return
	}
	e.FieldStart("schedule")
	e.ArrStart()
	for _, band := range schedule {
		e.ObjStart()
		e.FieldStart("days")
		e.ArrStart()
		for day := 1; day <= 7; day++ {
			if band.Days.Has(day) {
				e.Str(engine.WeekdayName(day))
			}
		}
		e.ArrEnd()
		e.FieldStart("from")
		e.Str(engine.FormatMinute(band.FromMinute))
		e.FieldStart("to")
		e.Str(engine.FormatMinute(band.ToMinute))
		e.ObjEnd()
	}
	e.ArrEnd()
}

// DecodeBundle reads the stored form. The result shares no bytes with document. Errors: ErrCorrupt.
func DecodeBundle(document []byte) (b Bundle, err error) {
	var t texts
	err = decodeDocument("bundle", document, func(d *jx.Decoder) error {
		t.bytes = t.room[:0]
		return decodeObject(d, func(d *jx.Decoder, name []byte) error { return decodeBundleField(d, &b, &t, name) })
	})
	if err != nil {
		return Bundle{}, err
	}
	t.settle()
	if b.ID == "" {
		return Bundle{}, corrupt("bundle", fmt.Errorf("it has no id"))
	}
	return b, nil
}

func decodeBundleField(d *jx.Decoder, b *Bundle, t *texts, name []byte) (err error) {
	if into := bundleText(b, name); into != nil {
		return t.decode(d, into)
	}
	switch string(name) {
	case "descriptions":
		b.Descriptions = map[string]string{}
		return decodeObject(d, func(d *jx.Decoder, language []byte) error {
			text, err := d.Str()
			b.Descriptions[string(language)] = text
			return err
		})
	case "type":
		return decodeBundleType(d, &b.Type)
	case "minPaymentAmount":
		b.Band.MinCents, err = d.Int64()
	case "maxPaymentAmount":
		b.Band.MaxCents, err = d.Int64()
	case "paymentAmount":
		b.Fee.FlatCents, err = d.Int64()
	case "fee":
		return decodeFee(d, &b.Fee)
	case "transferCategoryList":
		b.TransferCategories, err = decodeStrings(d)
	case "cart":
		b.Cart, err = d.Bool()
	case "digitalStamp":
		b.DigitalStamp, err = d.Bool()
	case "digitalStampRestriction":
		b.DigitalStampOnly, err = d.Bool()
	case "onUs":
		b.OnUs, err = d.Bool()
	case "validityDateFrom":
		return decodeDate(d, &b.Validity.From)
	case "validityDateTo":
		return decodeDate(d, &b.Validity.To)
	case "schedule":
		b.Schedule, err = decodeSchedule(d)
	case "languageVersion":
		b.LanguageVersion, err = d.Int()
	case "insertedDate":
		return decodeInstant(d, &b.Inserted)
	case "lastUpdatedDate":
		return decodeInstant(d, &b.Updated)
	case "revision":
		b.Revision, err = d.Int64()
	default:
		return unknownField(name)
	}
	return err
}

// bundleText returns where the text field of that name goes, nil if it is no text field.
func bundleText(b *Bundle, name []byte) *string {
	switch string(name) {
	case "id":
		return &b.ID
	case "idPsp":
		return &b.PSP
	case "idChannel":
		return &b.Channel
	case "idBrokerPsp":
		return &b.Broker
	case "abi":
		return &b.ABI
	case "pspBusinessName":
		return &b.PSPBusinessName
	case "name":
		return &b.Name
	case "description":
		return &b.Description
	case "urlPolicyPsp":
		return &b.PolicyURL
	case "idCdi":
		return &b.CDI
	case "origin":
		return &b.Origin
	case "paymentType":
		return &b.PaymentType
	case "touchpoint":
		return &b.Touchpoint
	case "when":
		return &b.When
	}
	return nil
}

func decodeBundleType(d *jx.Decoder, into *engine.BundleType) error {
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	*into, err = engine.ParseBundleType(string(text))
	return err
}

func decodeSchedule(d *jx.Decoder) (engine.Schedule, error) {
	schedule := engine.Schedule{}
	err := decodeArray(d, func(d *jx.Decoder) error {
		var band engine.TimeBand
		err := decodeObject(d, func(d *jx.Decoder, name []byte) error {
			switch string(name) {
			case "days":
				return decodeDays(d, &band.Days)
			case "from":
				return decodeMinute(d, &band.FromMinute)
			case "to":
				return decodeMinute(d, &band.ToMinute)
			}
			return unknownField(name)
		})
		schedule = append(schedule, band)
		return err
	})
	return schedule, err
}

func decodeDays(d *jx.Decoder, into *engine.Days) error {
	return decodeArray(d, func(d *jx.Decoder) error {
		text, err := d.Str()
		if err != nil {
			return err
		}
		day, err := engine.ParseWeekday(text)
		*into |= 1 << day
		return err
	})
}

func decodeMinute(d *jx.Decoder, into *int) error {
	text, err := d.Str()
	if err != nil {
		return err
	}
	*into, err = engine.ParseMinute(text)
	return err
}

// texts gathers the text fields of one bundle, so that all of them are one allocation: a catalogue of
// 50 000 bundles is then 50 000 objects for the garbage collector to follow, not a million.
type texts struct {
	room  [512]byte
	bytes []byte
	spans [16]struct {
		into *string
		end  int
	}
	count int
}

// decode reads a text that settle will put into place.
func (t *texts) decode(d *jx.Decoder, into *string) (err error) {
	if t.count == len(t.spans) { // a field given twice; the last one counts
		*into, err = d.Str()
		return err
	}
	t.bytes, err = d.StrAppend(t.bytes)
	t.spans[t.count].into, t.spans[t.count].end = into, len(t.bytes)
	t.count++
	return err
}

func (t *texts) settle() {
	all, start := string(t.bytes), 0
	for _, span := range t.spans[:t.count] {
		*span.into = all[start:span.end]
		start = span.end
	}
}
