package rpc

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/bundles"
	"gec/engine"
)

// From messages to the model and back. What a message cannot say wrongly is not checked here: the rules are
// the catalogue's.

// drafts gathers the faults of messages that the model has no room for.
type drafts struct{ faults bundles.Faults }

func (d *drafts) fault(path, reason, fix string) {
	d.faults = append(d.faults, bundles.Fault{Path: path, Reason: reason, Fix: fix})
}

func (d *drafts) date(path, text string) engine.Date {
	if text == "" {
		return 0
	}
	date, err := engine.ParseDate(text)
	if err != nil {
		d.fault(path, bundles.Excerpt(text)+" is no date", "write year-month-day, as in 2026-11-21")
	}
	return date
}

// bundle returns the bundle that a message states; prefix begins the paths of its faults.
func (d *drafts) bundle(prefix string, m *gecv1.Bundle) bundles.Bundle {
	b := bundles.Bundle{Bundle: engine.Bundle{
		ID: m.GetId(), PSP: m.GetPsp(), Channel: m.GetChannel(), Broker: m.GetBroker(), ABI: m.GetAbi(), PSPBusinessName: m.GetPspBusinessName(),
		Name: m.GetName(), Description: m.GetDescription(), PaymentType: m.GetPaymentType(), Touchpoint: m.GetTouchpoint(),
		Band: engine.Band{MinCents: m.GetMinAmountCents(), MaxCents: m.GetMaxAmountCents()}, Fee: feeOf(m.GetFee()),
		Cart: m.Cart == nil || m.GetCart(), DigitalStamp: m.GetDigitalStamp(), DigitalStampOnly: m.GetDigitalStampOnly(), OnUs: m.GetOnUs(), When: m.GetWhen(),
		Validity: engine.Period{From: d.date(prefix+"valid_from", m.GetValidFrom()), To: d.date(prefix+"valid_to", m.GetValidTo())},
	}, PolicyURL: m.GetPolicyUrl(), CDI: m.GetCdi(), Descriptions: m.GetDescriptions()}
	if strings.EqualFold(b.PaymentType, engine.Any) {
		b.PaymentType = ""
	}
	if b.Touchpoint == "" {
		b.Touchpoint = engine.Any
	}
	switch m.GetType() {
	case gecv1.BundleType_BUNDLE_TYPE_GLOBAL:
		b.Type = engine.Global
	case gecv1.BundleType_BUNDLE_TYPE_PUBLIC:
		b.Type = engine.Public
	case gecv1.BundleType_BUNDLE_TYPE_PRIVATE:
		b.Type = engine.Private
	default:
		d.fault(prefix+"type", "is missing", "use BUNDLE_TYPE_GLOBAL, BUNDLE_TYPE_PUBLIC or BUNDLE_TYPE_PRIVATE")
	}
	if m.GetFee() == nil {
		d.fault(prefix+"fee", "is missing", "it is mandatory")
	}
	for n, step := range m.GetFee().GetSteps() {
		if step.GetFee() == nil {
			d.fault(fmt.Sprintf("%sfee.steps[%d].fee", prefix, n), "is missing", "it is mandatory")
		}
	}
	for _, code := range m.GetTransferCategories() {
		b.TransferCategories = append(b.TransferCategories, engine.BareCategory(code))
	}
	for n, band := range m.GetSchedule() {
		b.Schedule = append(b.Schedule, d.timeBand(fmt.Sprintf("%sschedule[%d].", prefix, n), band))
	}
	return b
}

func (d *drafts) timeBand(prefix string, m *gecv1.TimeBand) (b engine.TimeBand) {
	for n, name := range m.GetDays() {
		day, err := engine.ParseWeekday(name)
		if err != nil {
			d.fault(fmt.Sprintf("%sdays[%d]", prefix, n), bundles.Excerpt(name)+" is no day of the week", "use MON, TUE, WED, THU, FRI, SAT or SUN")
			continue
		}
		b.Days |= 1 << day
	}
	minute := func(field, text string) int {
		value, err := engine.ParseMinute(text)
		if err != nil {
			d.fault(prefix+field, bundles.Excerpt(text)+" is no time of the day", "write hours and minutes, as in 08:30, up to 24:00")
		}
		return value
	}
	b.FromMinute, b.ToMinute = minute("from", m.GetFrom()), minute("to", m.GetTo())
	return b
}

func feeOf(m *gecv1.Fee) engine.Fee {
	f := engine.Fee{FlatCents: m.GetFlatCents(), PerNoticeCents: m.GetPerNoticeCents(), BasisPoints: m.GetBasisPoints()}
	if m != nil {
		f.MinCents, f.MaxCents = m.MinCents, m.MaxCents
	}
	for _, s := range m.GetSteps() {
		f.Steps = append(f.Steps, engine.FeeStep{UpToCents: s.UpToCents, Fee: feeOf(s.GetFee())})
	}
	return f
}

func feeMessage(f engine.Fee) *gecv1.Fee {
	m := &gecv1.Fee{FlatCents: f.FlatCents, PerNoticeCents: f.PerNoticeCents, BasisPoints: f.BasisPoints, MinCents: f.MinCents, MaxCents: f.MaxCents}
	for _, s := range f.Steps {
		m.Steps = append(m.Steps, &gecv1.FeeStep{UpToCents: s.UpToCents, Fee: feeMessage(s.Fee)})
	}
	return m
}

// bundleMessage returns the message of a bundle; nil for nil.
func bundleMessage(b *bundles.Bundle) *gecv1.Bundle {
	if b == nil {
		return nil
	}
	m := &gecv1.Bundle{
		Id: b.ID, Psp: b.PSP, Channel: b.Channel, Broker: b.Broker, Abi: b.ABI, PspBusinessName: b.PSPBusinessName, Name: b.Name,
		Description: b.Description, Descriptions: b.Descriptions, PolicyUrl: b.PolicyURL, Cdi: b.CDI, Type: gecv1.BundleType(b.Type) + 1,
		PaymentType: b.PaymentType, Touchpoint: b.Touchpoint, MinAmountCents: b.Band.MinCents, MaxAmountCents: b.Band.MaxCents,
		Fee: feeMessage(b.Fee), TransferCategories: b.TransferCategories, Cart: &b.Cart, DigitalStamp: b.DigitalStamp,
		DigitalStampOnly: b.DigitalStampOnly, OnUs: b.OnUs, ValidFrom: b.Validity.From.String(), ValidTo: b.Validity.To.String(), When: b.When,
		Origin: b.Origin, Inserted: timestamp(b.Inserted), Updated: timestamp(b.Updated), Revision: b.Revision,
	}
	for _, band := range b.Schedule {
		t := &gecv1.TimeBand{From: engine.FormatMinute(band.FromMinute), To: engine.FormatMinute(band.ToMinute)}
		for day := 1; day <= 7; day++ {
			if band.Days.Has(day) {
				t.Days = append(t.Days, engine.WeekdayName(day))
			}
		}
		m.Schedule = append(m.Schedule, t)
	}
	return m
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func attributesOf(messages []*gecv1.Attribute) []engine.Attribute {
	all := make([]engine.Attribute, len(messages))
	for n, m := range messages {
		all[n] = engine.Attribute{MaxPaymentAmountCents: m.GetMaxCents(), TransferCategory: engine.BareCategory(m.GetTransferCategory()), NotEqual: m.GetNotEqual()}
	}
	return all
}

func attributeMessages(all []engine.Attribute) (messages []*gecv1.Attribute) {
	for _, a := range all {
		messages = append(messages, &gecv1.Attribute{Id: a.ID, MaxCents: a.MaxPaymentAmountCents, TransferCategory: a.TransferCategory, NotEqual: a.NotEqual})
	}
	return messages
}

func relationMessage(r *bundles.Relation) *gecv1.Relation {
	return &gecv1.Relation{
		Id: r.ID, Bundle: r.BundleID, Psp: r.PSP, CreditorInstitution: r.CreditorInstitution, State: r.State.String(),
		Inserted: timestamp(r.Inserted), Answered: timestamp(r.Answered), Subscription: r.SubscriptionID,
	}
}

func offerMessages(all []bundles.Offer) (messages []*gecv1.Relation) {
	for n := range all {
		messages = append(messages, relationMessage(&all[n].Relation))
	}
	return messages
}

func requestMessage(r *bundles.Request) *gecv1.Relation {
	m := relationMessage(&r.Relation)
	m.Attributes, m.ValidFrom, m.ValidTo = attributeMessages(r.Attributes), r.Validity.From.String(), r.Validity.To.String()
	return m
}

func requestMessages(all []bundles.Request) (messages []*gecv1.Relation) {
	for n := range all {
		messages = append(messages, requestMessage(&all[n]))
	}
	return messages
}

func subscriptionMessage(s *bundles.Subscription) *gecv1.Subscription {
	return &gecv1.Subscription{
		Id: s.ID, Bundle: s.BundleID, CreditorInstitution: s.CreditorInstitution, ValidFrom: s.Validity.From.String(), ValidTo: s.Validity.To.String(),
		Attributes: attributeMessages(s.Attributes), Revision: s.Revision,
	}
}

func revisionMessage(r bundles.Record) *gecv1.Revision {
	m := &gecv1.Revision{
		Revision: r.Revision, At: timestamp(r.At), Caller: r.Caller, OnBehalfOf: r.OnBehalfOf, Operation: r.Operation, Rows: int32(min(r.Rows, 1<<31-1)),
	}
	if r.SHA256 != [len(r.SHA256)]byte{} {
		m.HistorySha256 = hex.EncodeToString(r.SHA256[:])
	}
	return m
}

func violations(faults []bundles.Fault) (messages []*gecv1.FieldViolation) {
	for _, f := range faults {
		description := f.Reason
		if f.Fix != "" {
			description += "; " + f.Fix
		}
		messages = append(messages, &gecv1.FieldViolation{Field: f.Path, Description: description})
	}
	return messages
}
