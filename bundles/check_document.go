package bundles

import (
	"fmt"

	"gec/engine"
)

// CheckDocument checks a whole document: its settings, each bundle (as [Check], or where lenient as
// [CheckLenient]), the subscriptions, and all of them against each other. It returns the errors, none
// when the document may be stored, and the warnings, both sorted by path; of each at most 10 000.
//
// Bundles are held to the document's settings where it has some, else to s. The callback stored
// returns a bundle as the catalogue has it now, and may be nil. It serves three ends: subscriptions
// may name bundles that are not in the document; a bundle that says the same as the stored one is not
// judged again, so that importing an export changes nothing; and one that is changed may keep a
// beginning that has passed, but an expired one may not be touched (A4).
//
// The path of the n-th subscription of a bundle of the document is "bundles[i].subscriptions[n]", that
// of any other "subscriptions[n]", as the native format has them.
func CheckDocument(d *Document, s *engine.Settings, today engine.Date, lenient bool, stored func(id string) (*Bundle, bool)) (Faults, []Fault) {
	if d.Settings != nil {
		s = d.Settings
	}
	if stored == nil {
		stored = func(string) (*Bundle, bool) { return nil, false }
	}
	c := newChecker(s, today, lenient)
	if d.Settings != nil {
		c.checkSettings(d.Settings)
	}
	inDocument := c.bundles(d.Bundles, stored)
	c.subscriptions(d, inDocument, stored)
	c.methods(d.PaymentMethods)
	c.errors.Sort()
	c.warnings.Sort()
	return c.errors, c.warnings
}

// several is the position of an id that more than one bundle of the document has.
const several = -1

// bundles checks the bundles and returns where in the document each id is, or several.
func (c *checker) bundles(all []Bundle, stored func(id string) (*Bundle, bool)) map[string]int {
	first, position := make(map[string]int, len(all)), make(map[string]int, len(all))
	for i := range all {
		b := &all[i]
		c.prefix = fmt.Sprintf("bundles[%d].", i)
		if at, repeated := first[b.ID]; repeated && b.ID != "" {
			c.contradiction("id", fmt.Sprintf("%s is the id of bundles[%d] too", Excerpt(b.ID), at), "give each bundle an id of its own")
			position[b.ID] = several
		} else {
			first[b.ID], position[b.ID] = i, i
		}
		c.storedBundle(b, stored)
	}
	c.prefix, c.stored = "", nil
	return position
}

// storedBundle checks a bundle in the light of the one that it replaces (A4).
func (c *checker) storedBundle(b *Bundle, stored func(id string) (*Bundle, bool)) {
	c.stored, _ = stored(b.ID)
	if c.stored != nil && !c.lenient {
		if Same(c.stored, b) {
			return
		}
		if to := c.stored.Validity.To; to != 0 && to < c.today {
			c.flaw("id", fmt.Sprintf("%s expired on %s and may not be changed", Excerpt(b.ID), to), "author a new bundle with an id of its own")
		}
	}
	c.bundle(b)
}
