package bundles

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gec/engine"
	"gec/engine/condition"
)

// Bounds of lists in one bundle.
const (
	transferCategoriesMax = 1000
	timeBandsMax          = 100
	feeStepsMax           = 1000
	descriptionsMax       = 20
)

// bundle checks one bundle by itself (A1, A2).
func (c *checker) bundle(b *Bundle) {
	c.id("id", b.ID)
	c.party("idPsp", b.PSP, c.contradiction)
	c.party("idChannel", b.Channel, c.flaw)
	c.party("idBrokerPsp", b.Broker, c.flaw)
	c.party("abi", b.ABI, c.flaw)
	c.bundleTexts(b)
	c.bundleNames(b)
	c.band(b.Band)
	c.fee(&b.Fee)
	c.transferCategories(b.TransferCategories)
	if b.DigitalStampOnly && !b.DigitalStamp {
		c.flaw("digitalStampRestriction", "is set, but digitalStamp is not", "set both for a bundle that is only for digital stamps")
	}
	c.validity(b.Validity)
	c.schedule(b.Schedule)
	c.condition(b.When)
}

func (c *checker) bundleTexts(b *Bundle) {
	for _, t := range []struct{ path, value string }{{"name", b.Name}, {"pspBusinessName", b.PSPBusinessName}} {
		if !visible(t.value) {
			c.flaw(t.path, "is missing", "it is mandatory")
		}
		c.text(t.path, t.value, nameMax)
	}
	c.text("description", b.Description, descriptionMax)
	if len(b.Descriptions) > descriptionsMax {
		c.flaw("descriptions", fmt.Sprintf("has %d languages", len(b.Descriptions)), fmt.Sprintf("use at most %d", descriptionsMax))
	}
	for _, language := range slices.Sorted(maps.Keys(b.Descriptions)) {
		path := "descriptions." + language
		if !languageCode(language) {
			path = "descriptions"
			c.flaw(path, Excerpt(language)+" is no language", "use two capital letters, as in EN, DE, FR or SL; the Italian text is description")
		}
		if b.Descriptions[language] == "" {
			c.flaw(path, "is empty", "leave the language out")
		}
		c.text(path, b.Descriptions[language], descriptionMax)
	}
	c.webAddress("urlPolicyPsp", b.PolicyURL)
	c.text("idCdi", b.CDI, nameMax)
	c.text("origin", b.Origin, partyMax)
}

func languageCode(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z' && s != "IT"
}

// bundleNames checks what the operator registers: touchpoint and payment type (A2).
func (c *checker) bundleNames(b *Bundle) {
	if b.Type > engine.Private {
		c.contradiction("type", b.Type.String()+" is unknown", "use GLOBAL, PUBLIC or PRIVATE")
	}
	if b.Touchpoint == "" {
		c.contradiction("touchpoint", "is missing", "use ANY for every touchpoint")
	} else if !strings.EqualFold(b.Touchpoint, engine.Any) {
		c.registered("touchpoint", "touchpoint", b.Touchpoint, c.touchpoints, c.settings.Touchpoints)
	}
	if b.PaymentType != "" {
		c.registered("paymentType", "payment type", b.PaymentType, c.paymentTypes, c.settings.PaymentTypes)
	}
	if b.OnUs && !strings.EqualFold(b.PaymentType, engine.CardPaymentType) {
		c.flaw("onUs", "is set on a bundle that is not for cards", "on-us is only for payment type CP")
	}
}

func (c *checker) band(b engine.Band) {
	if b.MinCents < 0 {
		c.contradiction("minPaymentAmount", fmt.Sprintf("is %d", b.MinCents), "use 0 or more cents; the minimum is exclusive")
	}
	if b.MaxCents <= b.MinCents {
		c.contradiction("maxPaymentAmount", fmt.Sprintf("is %d, not above minPaymentAmount, which is %d", b.MaxCents, b.MinCents),
			"the bundle is for amounts above the minimum, up to and with the maximum")
	}
}

// fee reports the faults of F1 and F2 by the wire name of the part: paymentAmount for a fee that is
// only a flat amount.
func (c *checker) fee(f *engine.Fee) {
	if len(f.Steps) > feeStepsMax {
		c.flaw("fee.steps", fmt.Sprintf("has %d steps", len(f.Steps)), fmt.Sprintf("use at most %d", feeStepsMax))
	}
	flat := onlyFlat(f)
	for _, fault := range f.Check() {
		path := "fee"
		switch {
		case flat:
			path = "paymentAmount"
		case fault.Path != "":
			path += "." + fault.Path
		}
		c.contradiction(path, fault.Reason, "")
	}
}

func (c *checker) transferCategories(codes []string) {
	if len(codes) > transferCategoriesMax {
		c.flaw("transferCategoryList", fmt.Sprintf("has %d codes", len(codes)), fmt.Sprintf("use at most %d", transferCategoriesMax))
		return
	}
	seen := make(map[string]int, len(codes))
	for i, code := range codes {
		path := fmt.Sprintf("transferCategoryList[%d]", i)
		c.transferCategory(path, code)
		bare := engine.BareCategory(code)
		if first, repeated := seen[bare]; repeated {
			c.flaw(path, fmt.Sprintf("repeats %s of transferCategoryList[%d]", Excerpt(bare), first), "name each code once")
			continue
		}
		seen[bare] = i
	}
}

func (c *checker) transferCategory(path, code string) {
	c.text(path, code, transferCategoryMax)
	if !engine.WellFormedCategory(code) {
		c.flaw(path, Excerpt(code)+" is no taxonomy code", "write seven digits and two capital letters, as in 0102100SA or 9/0102100SA/")
	}
}

// validity checks dates against each other, against the calendar and, where today is known, against it.
func (c *checker) validity(p engine.Period) {
	calendar := c.date("validityDateFrom", p.From)
	calendar = c.date("validityDateTo", p.To) && calendar
	if !calendar {
		return
	}
	// A bundle that was retired before it began ends before it begins (A5); exports have such ones.
	if p.To != 0 && p.To < p.From && (c.today != 0 || c.lenient) {
		c.flaw("validityDateTo", fmt.Sprintf("is %s, before validityDateFrom, which is %s", p.To, p.From), "the bundle would never be valid")
	}
	if c.today == 0 {
		return
	}
	began := c.stored != nil && c.stored.Validity.From == p.From
	if !c.lenient && !began && p.From != 0 && p.From < c.today {
		c.flaw("validityDateFrom", fmt.Sprintf("is %s, in the past", p.From), fmt.Sprintf("use %s or later", c.today))
	}
	if p.To != 0 && p.To <= c.today {
		c.flaw("validityDateTo", fmt.Sprintf("is %s, not after today", p.To), fmt.Sprintf("use %s or later, or leave it out", c.today.AddDays(1)))
	}
}

// date reports whether a date is one of the calendar, or open.
func (c *checker) date(path string, d engine.Date) bool {
	if d != 0 && !d.Valid() {
		c.contradiction(path, fmt.Sprintf("%d is no date", d), "use one of the calendar")
		return false
	}
	return true
}

func (c *checker) schedule(s engine.Schedule) {
	if s == nil {
		return
	}
	if len(s) == 0 {
		c.contradiction("schedule", "has no time bands, so that the bundle would never be offered", "leave it out for a bundle that is always offered")
	}
	if len(s) > timeBandsMax {
		c.flaw("schedule", fmt.Sprintf("has %d time bands", len(s)), fmt.Sprintf("use at most %d", timeBandsMax))
	}
	for i, band := range s {
		path := fmt.Sprintf("schedule[%d].", i)
		if band.Days&engine.EveryDay == 0 || band.Days&^engine.EveryDay != 0 {
			c.contradiction(path+"days", "names no day of the week", "use some of MON, TUE, WED, THU, FRI, SAT, SUN")
		}
		if band.FromMinute < 0 || band.FromMinute >= 24*60 {
			c.contradiction(path+"from", fmt.Sprintf("is minute %d of the day", band.FromMinute), "use 00:00 to 23:59")
		}
		if band.ToMinute < 0 || band.ToMinute > 24*60 {
			c.contradiction(path+"to", fmt.Sprintf("is minute %d of the day", band.ToMinute), "use 00:00 to 24:00")
		}
	}
}

// condition checks `when` (E1 to E3).
func (c *checker) condition(source string) {
	if source == "" {
		return
	}
	err := c.compile(source)
	if err == nil {
		return
	}
	reason, fix := err.Error(), ""
	if refusal := (*condition.Error)(nil); errors.As(err, &refusal) {
		reason, fix = fmt.Sprintf("at column %d of the condition: %s", refusal.Column, refusal.Reason), refusal.Fix
	}
	c.contradiction("when", reason, fix)
}
