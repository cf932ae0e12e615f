package bundles

import (
	"fmt"
	"strings"

	"gec/engine"
)

// checkSettings checks the operator's settings.
func (c *checker) checkSettings(s *engine.Settings) {
	if s.ThresholdCents < 0 {
		c.contradiction("config.amountThreshold", fmt.Sprintf("is %d", s.ThresholdCents), "use 0 or more cents")
	}
	c.text("config.idPspPoste", s.PostePSP, partyMax)
	c.text("config.amexAbi", s.AmexABI, partyMax)
	c.names("config.pspBlacklist", "PSP", s.BlockedPSPs)
	c.names("touchpoints", "touchpoint", s.Touchpoints)
	c.names("paymentTypes", "payment type", s.PaymentTypes)
	for i, issuer := range s.Issuers {
		c.issuer(i, issuer)
	}
}

// names checks a list of registered names: none empty, none twice ignoring case, none the word for all.
func (c *checker) names(path, kind string, names []string) {
	first := make(map[string]int, len(names))
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.party(at, name, c.contradiction)
		if strings.EqualFold(name, engine.Any) {
			c.flaw(at, "is ANY, the word for all of them", "leave it out: it need not be registered")
		}
		folded := fold(name)
		if j, repeated := first[folded]; repeated && name != "" {
			c.contradiction(at, fmt.Sprintf("%s is the %s of %s[%d] too, ignoring case", Excerpt(name), kind, path, j), "name each once")
			continue
		}
		first[folded] = i
	}
}

func (c *checker) issuer(i int, r engine.IssuerRange) {
	path := func(field string) string { return fmt.Sprintf("issuers[%d].%s", i, field) }
	if r.Low < 0 {
		c.contradiction(path("low"), fmt.Sprintf("is %d", r.Low), "use a card number of up to 19 digits")
	}
	if r.High < r.Low {
		c.contradiction(path("high"), fmt.Sprintf("is %d, below low, which is %d", r.High, r.Low), "both ends are part of the range")
	}
	if r.ABI == "" || len(r.ABI) > partyMax || flawOfText(r.ABI) != "" {
		c.contradiction(path("abi"), Excerpt(r.ABI)+" is no ABI", "name the bank that issued the cards")
	}
}
