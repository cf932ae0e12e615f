package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gec/engine"
)

// directory is what a person can choose from on one snapshot, and the snapshot prepared for the page. It is
// made once per revision and immutable.
type directory struct {
	// snapshot is the catalogue's, but for its issuer ranges: each bank has one made-up range, so that a
	// person chooses a bank and no card number, not even the beginning of one, is ever asked for or kept.
	// All quotes are those of the catalogue (Q10 goes by the ABI that a range leads to).
	snapshot    *engine.Snapshot
	touchpoints []string
	// types are the payment types that some bundle names, in the order of the settings.
	types []string
	// psps are the names of the PSPs by id, but for those with PRIVATE bundles only.
	psps map[string]string
	// pspOrder are their ids in order of name.
	pspOrder []string
	banks    []bank
	services []string
	ecs      []named
	// bundles are those of each PSP, by its id.
	bundles map[string][]*engine.Bundle
	// bare returns the snapshot without any bundle, to which those of one PSP are put to explain them.
	bare func() (*engine.Snapshot, error)
	// steps are, by PSP, the amounts at whose cent its fees may jump, ascending.
	steps map[string][]int64
	// timed says that some fee depends on the hour or the day of the week; edges are the minutes of the
	// day at which one may begin or end, ascending.
	timed bool
	edges []int
}

// bank is a card issuer that makes a difference to some fee.
type bank struct{ ABI, Name, bin string }

// named is a code with its name.
type named struct{ Code, Name string }

// Label returns the name with the code in brackets, the code alone without a name.
func (n named) Label() string {
	if n.Name == "" {
		return n.Code
	}
	return n.Name + " (" + n.Code + ")"
}

// newDirectory looks through a snapshot. ecNames are those of Options.CreditorInstitutions.
func newDirectory(s *engine.Snapshot, ecNames map[string]string) (*directory, error) {
	d := &directory{psps: map[string]string{}, bundles: map[string][]*engine.Bundle{}, steps: map[string][]int64{}, touchpoints: s.Settings().Touchpoints}
	pspNames, abiNames := counts{}, counts{}
	onUs, types, codes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	edges := map[int]bool{0: true}
	ecs := maps.Clone(ecNames)
	if ecs == nil {
		ecs = map[string]string{}
	}
	for b := range s.Bundles() {
		abiNames.add(b.ABI, b.PSPBusinessName)
		d.bundles[strings.ToUpper(b.PSP)] = append(d.bundles[strings.ToUpper(b.PSP)], b)
		onUs[b.ABI] = onUs[b.ABI] || b.OnUs
		if b.Type == engine.Private {
			continue // its terms are nobody's business but the PSP's and the EC's
		}
		pspNames.add(b.PSP, b.PSPBusinessName)
		types[strings.ToUpper(b.PaymentType)] = true
		for _, code := range b.TransferCategories {
			codes[engine.BareCategory(code)] = true
		}
		d.steps[b.PSP] = append(d.steps[b.PSP], stepsOf(b)...)
		d.readConditions(b, edges, codes, ecs)
	}
	for psp, steps := range d.steps {
		slices.Sort(steps)
		d.steps[psp] = slices.Compact(steps)
	}
	d.sortPSPs(pspNames)
	for _, t := range s.Settings().PaymentTypes {
		if types[strings.ToUpper(t)] {
			d.types = append(d.types, t)
		}
	}
	for _, code := range knownServices {
		codes[code] = true
	}
	d.services = slices.Sorted(maps.Keys(codes))
	d.edges = slices.Sorted(maps.Keys(edges))
	for code, name := range ecs {
		d.ecs = append(d.ecs, named{code, name})
	}
	slices.SortFunc(d.ecs, func(a, b named) int {
		return cmp.Or(compareFold(a.Name, b.Name), cmp.Compare(a.Code, b.Code))
	})
	return d, d.prepare(s, abiNames, onUs)
}

// compareFold compares names as a list does, ignoring case; the empty one comes last.
func compareFold(a, b string) int {
	if (a == "") != (b == "") {
		return cmp.Compare(len(b), len(a))
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

// stepsOf returns the amounts, in cents, after which the fee of a bundle may jump: the ends of its band and of
// the steps of its fee, and numbers that its condition compares the amount with.
func stepsOf(b *engine.Bundle) []int64 {
	steps := []int64{b.Band.MinCents, b.Band.MaxCents}
	for _, step := range b.Fee.Steps {
		if step.UpToCents != nil {
			steps = append(steps, *step.UpToCents)
		}
	}
	if strings.Contains(b.When, "amount") {
		for _, number := range wholeNumber.FindAllString(b.When, -1) {
			if cents, err := strconv.ParseInt(number, 10, 64); err == nil {
				steps = append(steps, cents-1, cents)
			}
		}
	}
	return steps
}

var (
	wholeNumber = regexp.MustCompile(`\b\d{1,15}\b`)
	quotedTime  = regexp.MustCompile(`["'](\d\d:\d\d)["']`)
	timeNames   = regexp.MustCompile(`\b(hour|minute|weekday|time|weekend|holiday|date|month|day)\b`)
	quotedCode  = regexp.MustCompile(`["'](\d{7}[A-Z]{2})["']`)
	quotedEC    = regexp.MustCompile(`["'](\d{11})["']`)
)

// readConditions notes at what times of the day the fee of a bundle may begin or end, and which codes and ECs its
// condition names.
func (d *directory) readConditions(b *engine.Bundle, edges map[int]bool, codes map[string]bool, ecs map[string]string) {
	for _, band := range b.Schedule {
		edges[band.FromMinute%minutesPerDay], edges[band.ToMinute%minutesPerDay] = true, true
	}
	d.timed = d.timed || b.Schedule != nil
	if b.When == "" {
		return
	}
	if timeNames.MatchString(b.When) {
		d.timed = true
		for hour := range 24 {
			edges[hour*60] = true
		}
	}
	for _, match := range quotedTime.FindAllStringSubmatch(b.When, -1) {
		if minute, err := engine.ParseMinute(match[1]); err == nil {
			edges[minute%minutesPerDay] = true
		}
	}
	for _, match := range quotedCode.FindAllStringSubmatch(b.When, -1) {
		codes[match[1]] = true
	}
	for _, match := range quotedEC.FindAllStringSubmatch(b.When, -1) {
		ecs[match[1]] += ""
	}
}

// counts holds how often each id has which name.
type counts map[string]map[string]int

func (c counts) add(id, name string) {
	if c[id] == nil {
		c[id] = map[string]int{}
	}
	c[id][name]++
}

// most returns the most frequent name of an id that is not empty, the first by alphabet of equal ones.
func (c counts) most(id string) (name string) {
	for candidate, n := range c[id] {
		if candidate == "" {
			continue
		}
		if best := c[id][name]; name == "" || n > best || n == best && candidate < name {
			name = candidate
		}
	}
	return name
}

func (d *directory) sortPSPs(names counts) {
	for id := range names {
		d.psps[id] = cmp.Or(names.most(id), id)
		d.pspOrder = append(d.pspOrder, id)
	}
	slices.SortFunc(d.pspOrder, func(a, b string) int {
		return cmp.Or(compareFold(d.psps[a], d.psps[b]), cmp.Compare(a, b))
	})
}

// The made-up ranges of card numbers: the bank of number i has the 19-digit numbers that begin with
// binFirst+i.
const (
	binFirst   = 100_000
	binNumbers = 10_000_000_000_000
	banksMax   = 800_000
)

// prepare derives the snapshot with one made-up range per bank. Banks are those for whose cards some bundle
// is, and those that the operator's ranges lead to.
func (d *directory) prepare(s *engine.Snapshot, names counts, onUs map[string]bool) error {
	for _, r := range s.Settings().Issuers {
		if _, offers := onUs[r.ABI]; offers {
			onUs[r.ABI] = true
		}
	}
	settings := *s.Settings()
	settings.Issuers = nil
	for _, abi := range slices.Sorted(maps.Keys(onUs)) {
		if abi == "" || !onUs[abi] || len(d.banks) == banksMax {
			continue
		}
		bin := int64(binFirst + len(d.banks))
		d.banks = append(d.banks, bank{abi, cmp.Or(names.most(abi), "ABI "+abi), strconv.FormatInt(bin, 10)})
		settings.Issuers = append(settings.Issuers, engine.IssuerRange{Low: bin * binNumbers, High: (bin+1)*binNumbers - 1, ABI: abi})
	}
	slices.SortFunc(d.banks, func(a, b bank) int { return cmp.Or(compareFold(a.Name, b.Name), cmp.Compare(a.ABI, b.ABI)) })
	derived, err := s.With(engine.Change{Revision: s.Revision(), Settings: &settings})
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	d.snapshot = derived
	d.bare = sync.OnceValues(d.strip)
	return nil
}

// strip derives the snapshot without bundles.
func (d *directory) strip() (*engine.Snapshot, error) {
	var ids []string
	for _, bundles := range d.bundles {
		for _, b := range bundles {
			ids = append(ids, b.ID)
		}
	}
	return d.snapshot.With(engine.Change{Revision: d.snapshot.Revision(), Remove: ids})
}

// only returns the snapshot with the bundles of one PSP alone. What a bundle is explained by depends on no other
// PSP's, so that a question about one PSP need not look at them all.
func (d *directory) only(psp string) (*engine.Snapshot, error) {
	bare, err := d.bare()
	if err != nil {
		return nil, err
	}
	return bare.With(engine.Change{Revision: bare.Revision(), Put: d.bundles[strings.ToUpper(psp)]})
}

func findFold(list []string, name string) (string, bool) {
	i := slices.IndexFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
	if i < 0 {
		return "", false
	}
	return list[i], true
}

// touchpoint returns the registered spelling of a touchpoint.
func (d *directory) touchpoint(name string) (string, bool) { return findFold(d.touchpoints, name) }

// way returns a group of payment types, or the registered spelling of one.
func (d *directory) way(name string) (string, bool) {
	if slices.Contains(groups, name) {
		return name, true
	}
	return findFold(d.snapshot.Settings().PaymentTypes, name)
}

// bank returns the ABI of a bank of the list.
func (d *directory) bank(abi string) (string, bool) {
	b := d.bankOf(abi)
	return b.ABI, b.ABI != ""
}

// bankOf returns the bank of an ABI, the zero bank when it is not on the list.
func (d *directory) bankOf(abi string) bank {
	for _, b := range d.banks {
		if strings.EqualFold(b.ABI, abi) {
			return b
		}
	}
	return bank{}
}

// ec returns an EC with its name where that is known.
func (d *directory) ec(code string) named {
	for _, e := range d.ecs {
		if e.Code == code {
			return e
		}
	}
	return named{Code: code}
}

// findECs returns ECs by their name: the one that is called so, or up to limit that have all the words.
func (d *directory) findECs(text string, limit int) []named {
	return find(d.ecs, text, limit)
}

// findServices returns services by words in the language of the page.
func (d *directory) findServices(text string, words *lexicon) []named {
	return find(d.serviceNames(words), text, 4)
}

// serviceNames returns the services with their names, by name; those without come last.
func (d *directory) serviceNames(words *lexicon) []named {
	list := make([]named, len(d.services))
	for i, code := range d.services {
		list[i] = named{code, words.service(code)}
	}
	slices.SortFunc(list, func(a, b named) int { return cmp.Or(compareFold(a.Name, b.Name), cmp.Compare(a.Code, b.Code)) })
	return list
}

func find(list []named, text string, limit int) (found []named) {
	wanted := strings.Fields(strings.ToLower(text))
	for _, n := range list {
		if strings.EqualFold(n.Name, text) || strings.EqualFold(n.Label(), text) {
			return []named{n}
		}
		label := strings.ToLower(n.Label())
		if len(wanted) > 0 && len(found) < limit && !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(label, w) }) {
			found = append(found, n)
		}
	}
	return found
}

// Revision returns the revision of the catalogue.
func (d *directory) Revision() int64 { return d.snapshot.Revision() }
