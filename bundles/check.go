package bundles

import (
	"strings"
	"time"

	"gec/engine"
	"gec/engine/condition"
)

// Check returns everything that is wrong with a bundle as an author hands it in (A1, A2), sorted by
// path; nothing when it may be stored. Paths are those of the wire names, such as "maxPaymentAmount";
// callers put their prefix before them with [Faults.Under].
//
// The bundle is judged as a new one of that day: a validity that began in the past is a fault. An open
// beginning is none; that it means tomorrow is filled in by whoever takes the bundle from its author.
func Check(b *Bundle, s *engine.Settings, today engine.Date) Faults {
	c := newChecker(s, today, false)
	c.bundle(b)
	c.errors.Sort()
	return c.errors
}

// CheckLenient checks a bundle of a document that is taken as it is, a platform snapshot or the
// published fee list (spec 5). Only what makes the bundle contradict itself is an error: its band, its
// fee, its schedule, its condition, a missing id or PSP, text that is no text. All else that Check
// refuses is a warning, except a beginning in the past, which every bundle in force has.
func CheckLenient(b *Bundle, s *engine.Settings) (Faults, []Fault) {
	c := newChecker(s, 0, true)
	c.bundle(b)
	c.errors.Sort()
	c.warnings.Sort()
	return c.errors, c.warnings
}

// faultsMax bounds how many faults and how many warnings of one document are gathered, so that
// memory stays bounded however bad it is.
const faultsMax = 10_000

// checker gathers the faults of a document.
type checker struct {
	settings                  *engine.Settings
	touchpoints, paymentTypes map[string]bool // by folded name
	today                     engine.Date     // 0: the past is not judged
	lenient                   bool
	// stored is the bundle as the catalogue has it, nil for a new one.
	stored *Bundle
	// conditions remembers what came of compiling each source, because thousands of bundles may
	// share one and compiling costs as much as all other checks.
	conditions map[string]error

	prefix   string // of the paths of faults
	errors   Faults
	warnings Faults
}

func newChecker(s *engine.Settings, today engine.Date, lenient bool) *checker {
	if s == nil {
		s = &engine.Settings{}
	}
	return &checker{
		settings: s, today: today, lenient: lenient, conditions: map[string]error{},
		touchpoints: foldedNames(s.Touchpoints), paymentTypes: foldedNames(s.PaymentTypes),
	}
}

func foldedNames(names []string) map[string]bool {
	folded := make(map[string]bool, len(names))
	for _, name := range names {
		folded[fold(name)] = true
	}
	return folded
}

// fold brings names that are equal ignoring case to one form, as the engine compares them.
func fold(name string) string { return strings.ToLower(name) }

// contradiction reports what cannot be stored however lenient the check is.
func (c *checker) contradiction(path, reason, fix string) { c.add(&c.errors, path, reason, fix) }

// flaw reports what an author must mend, and what a document taken as it is may keep.
func (c *checker) flaw(path, reason, fix string) {
	if c.lenient {
		c.add(&c.warnings, path, reason, fix)
	} else {
		c.add(&c.errors, path, reason, fix)
	}
}

func (c *checker) add(to *Faults, path, reason, fix string) {
	switch {
	case len(*to) < faultsMax:
		*to = append(*to, Fault{Path: strings.TrimSuffix(c.prefix+path, "."), Reason: reason, Fix: fix})
	case len(*to) == faultsMax:
		*to = append(*to, Fault{Reason: "there are more faults than are listed", Fix: "mend these and check again"})
	}
}

// compile returns why a condition is refused, nil if it is not.
func (c *checker) compile(source string) error {
	refusal, known := c.conditions[source]
	if !known {
		_, refusal = condition.Compile(source)
		c.conditions[source] = refusal
	}
	return refusal
}

// Same reports whether two bundles say the same: equal in all that a person authors. The instants of
// their changes, revisions and the version of the condition language are not compared.
func Same(a, b *Bundle) bool {
	return string(authored(a)) == string(authored(b))
}

func authored(b *Bundle) []byte {
	plain := *b
	plain.LanguageVersion, plain.Revision = 0, 0
	plain.Inserted, plain.Updated = time.Time{}, time.Time{}
	return EncodeBundle(&plain)
}
