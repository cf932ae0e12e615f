// Package draw makes random bundles, subscriptions, settings and documents for property tests. They are
// well formed as values (every one can be written and read back), not as the checks want them: texts
// are any UTF-8, numbers any int64.
package draw

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"gec/bundles"
	"gec/engine"
)

// Date draws a date of the calendar, or the open end.
func Date() *rapid.Generator[engine.Date] {
	return rapid.Custom(func(t *rapid.T) engine.Date {
		if rapid.Bool().Draw(t, "open") {
			return 0
		}
		return engine.MakeDate(rapid.IntRange(1, 9999).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"))
	})
}

// Instant draws an instant in UTC, or the zero one.
func Instant() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "never") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
	})
}

// Fee draws a fee, with steps or without.
func Fee(steps bool) *rapid.Generator[engine.Fee] {
	return rapid.Custom(func(t *rapid.T) engine.Fee {
		amount := rapid.Int64()
		if rapid.Bool().Draw(t, "only flat") {
			return engine.Fee{FlatCents: amount.Draw(t, "flat")}
		}
		f := engine.Fee{
			FlatCents: amount.Draw(t, "flat"), PerNoticeCents: amount.Draw(t, "perNotice"), BasisPoints: amount.Draw(t, "bps"),
			MinCents: rapid.Ptr(amount, true).Draw(t, "min"), MaxCents: rapid.Ptr(amount, true).Draw(t, "max"),
		}
		if steps {
			for range rapid.IntRange(0, 3).Draw(t, "steps") {
				f.Steps = append(f.Steps, engine.FeeStep{UpToCents: rapid.Ptr(amount, true).Draw(t, "upTo"), Fee: Fee(false).Draw(t, "fee")})
			}
		}
		return f
	})
}

// Schedule draws a schedule: nil, empty or with bands.
func Schedule() *rapid.Generator[engine.Schedule] {
	return rapid.Custom(func(t *rapid.T) engine.Schedule {
		if rapid.Bool().Draw(t, "always") {
			return nil
		}
		schedule := engine.Schedule{}
		for range rapid.IntRange(0, 3).Draw(t, "bands") {
			schedule = append(schedule, engine.TimeBand{
				Days:       engine.Days(rapid.Uint8().Draw(t, "days")) & engine.EveryDay,
				FromMinute: rapid.IntRange(0, 1439).Draw(t, "from"), ToMinute: rapid.IntRange(0, 1440).Draw(t, "to"),
			})
		}
		return schedule
	})
}

// Bundle draws a bundle with an id and a touchpoint. Its payment type and touchpoint are in the form
// of the model: never "any" but as "" and engine.Any.
func Bundle() *rapid.Generator[bundles.Bundle] {
	return rapid.Custom(func(t *rapid.T) bundles.Bundle {
		text, truth, amount := rapid.String(), rapid.Bool(), rapid.Int64()
		b := bundles.Bundle{
			Bundle: engine.Bundle{
				ID: rapid.StringN(1, 20, -1).Draw(t, "id"), PSP: text.Draw(t, "psp"), Channel: text.Draw(t, "channel"), Broker: text.Draw(t, "broker"),
				ABI: text.Draw(t, "abi"), PSPBusinessName: text.Draw(t, "pspName"), Name: text.Draw(t, "name"), Description: text.Draw(t, "description"),
				Type:        rapid.SampledFrom([]engine.BundleType{engine.Global, engine.Public, engine.Private}).Draw(t, "type"),
				PaymentType: modelName(text.Draw(t, "paymentType"), ""), Touchpoint: modelName(text.Draw(t, "touchpoint"), engine.Any),
				Band: engine.Band{MinCents: amount.Draw(t, "min"), MaxCents: amount.Draw(t, "max")},
				Cart: truth.Draw(t, "cart"), DigitalStamp: truth.Draw(t, "stamp"), DigitalStampOnly: truth.Draw(t, "only"), OnUs: truth.Draw(t, "onUs"),
				Validity: engine.Period{From: Date().Draw(t, "from"), To: Date().Draw(t, "to")},
				Schedule: Schedule().Draw(t, "schedule"), When: text.Draw(t, "when"), Fee: Fee(true).Draw(t, "fee"),
			},
			PolicyURL: text.Draw(t, "url"), CDI: text.Draw(t, "cdi"), Origin: text.Draw(t, "origin"),
			LanguageVersion: rapid.Int().Draw(t, "language"), Revision: amount.Draw(t, "revision"),
			Inserted: Instant().Draw(t, "inserted"), Updated: Instant().Draw(t, "updated"),
		}
		for _, code := range rapid.SliceOfN(text, 0, 4).Draw(t, "codes") {
			b.TransferCategories = append(b.TransferCategories, engine.BareCategory(code))
		}
		if descriptions := rapid.MapOfN(text, text.Filter(func(s string) bool { return s != "" }), 0, 4).Draw(t, "descriptions"); len(descriptions) > 0 {
			b.Descriptions = descriptions
		}
		return b
	})
}

func modelName(name, anyName string) string {
	if name == "" || strings.EqualFold(name, engine.Any) {
		return anyName
	}
	return name
}

// Subscription draws a subscription to some bundle.
func Subscription() *rapid.Generator[bundles.Subscription] {
	return rapid.Custom(func(t *rapid.T) bundles.Subscription {
		text := rapid.String()
		s := bundles.Subscription{
			Subscription: engine.Subscription{
				ID: rapid.StringN(1, 20, -1).Draw(t, "id"), BundleID: rapid.StringN(1, 20, -1).Draw(t, "bundle"), CreditorInstitution: text.Draw(t, "ec"),
				Validity: engine.Period{From: Date().Draw(t, "from"), To: Date().Draw(t, "to")},
			},
			Inserted: Instant().Draw(t, "inserted"), Updated: Instant().Draw(t, "updated"), Revision: rapid.Int64().Draw(t, "revision"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "attributes") {
			s.Attributes = append(s.Attributes, engine.Attribute{
				ID: text.Draw(t, "id"), MaxPaymentAmountCents: rapid.Int64().Draw(t, "max"),
				TransferCategory: engine.BareCategory(text.Draw(t, "category")), NotEqual: rapid.Bool().Draw(t, "notEqual"),
			})
		}
		return s
	})
}

// Settings draws the operator's settings with issuers.
func Settings() *rapid.Generator[engine.Settings] {
	return rapid.Custom(func(t *rapid.T) engine.Settings {
		text := rapid.String()
		s := engine.Settings{ThresholdCents: rapid.Int64().Draw(t, "threshold"), PostePSP: text.Draw(t, "poste"), AmexABI: text.Draw(t, "amex")}
		for _, list := range []*[]string{&s.BlockedPSPs, &s.Touchpoints, &s.PaymentTypes} {
			if names := rapid.SliceOfN(text, 0, 4).Draw(t, "names"); len(names) > 0 {
				*list = names
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "issuers") {
			s.Issuers = append(s.Issuers, engine.IssuerRange{Low: rapid.Int64().Draw(t, "low"), High: rapid.Int64().Draw(t, "high"), ABI: text.Draw(t, "abi")})
		}
		return s
	})
}

// Document draws a document as a file states it: nothing in it that only the catalogue sets, the
// bundles with ids of their own, the subscriptions in the order of their bundles and, where others is
// set, some of bundles that are not in the document at the end.
func Document(others bool) *rapid.Generator[bundles.Document] {
	return rapid.Custom(func(t *rapid.T) bundles.Document {
		var d bundles.Document
		if rapid.Bool().Draw(t, "with settings") {
			s := Settings().Draw(t, "settings")
			d.Settings = &s
		}
		taken := map[string]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "bundles") {
			b := Bundle().Draw(t, "bundle")
			if taken[b.ID] {
				continue
			}
			taken[b.ID] = true
			b.LanguageVersion, b.Revision, b.Inserted, b.Updated = 0, 0, time.Time{}, time.Time{}
			d.Bundles = append(d.Bundles, b)
			d.Subscriptions = append(d.Subscriptions, subscriptions(t, b.ID)...)
		}
		if other := rapid.StringN(1, 20, -1).Draw(t, "other bundle"); others && !taken[other] {
			d.Subscriptions = append(d.Subscriptions, subscriptions(t, other)...)
		}
		return d
	})
}

func subscriptions(t *rapid.T, bundle string) (all []bundles.Subscription) {
	for range rapid.IntRange(0, 2).Draw(t, "subscriptions") {
		s := Subscription().Draw(t, "subscription")
		s.BundleID = bundle
		s.Revision, s.Inserted, s.Updated = 0, time.Time{}, time.Time{}
		all = append(all, s)
	}
	return all
}
