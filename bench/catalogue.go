package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gec/engine"
	"gec/engine/condition"
)

// Options say what [Generate] makes. The zero Options is an empty catalogue.
type Options struct {
	// Seed of everything that is left to chance. Bundles that two catalogues of one seed share are
	// equal in all that the shares below do not touch.
	Seed uint64
	// Bundles is the number of GLOBAL bundles, 0 or more: the list once for each ListBundles, the
	// last one cut off.
	Bundles int
	// WhenPercent, SchedulePercent, TaxonomyPercent and FormulaPercent are the shares of bundles, 0 to
	// 100, that have a condition, a schedule, taxonomy codes, a fee that depends on the amount and the
	// notices.
	WhenPercent, SchedulePercent, TaxonomyPercent, FormulaPercent int
	// ECs is the number of creditor institutions that subscribe, SubscriptionsPerEC to how many
	// PUBLIC and PRIVATE bundles each; these come on top of Bundles. About two thirds of what one EC
	// subscribes to any other one does, too.
	ECs, SubscriptionsPerEC int
}

// List are the options of the published list as it is, at any size: no conditions, no codes, all GLOBAL.
func List(bundles int) Options { return Options{Seed: 1, Bundles: bundles} }

// Catalogue is a generated catalogue.
type Catalogue struct {
	Settings engine.Settings
	Bundles  []*engine.Bundle
	// ECs are the tax codes of those that subscribe, Subscriptions theirs.
	ECs           []string
	Subscriptions map[string][]engine.Subscription
}

// validFrom is the first day of every generated bundle and subscription, before any payment.
var validFrom = engine.MakeDate(2026, 1, 1)

// Generate makes the catalogue of the options. Equal options give equal catalogues.
func Generate(o Options) *Catalogue {
	c := &Catalogue{Subscriptions: map[string][]engine.Subscription{}}
	var abis []string
	for copied := 0; len(c.Bundles) < o.Bundles; copied++ {
		bundles, theirs := copyOfList(o.Seed, copied)
		abis = append(abis, theirs...)
		c.Bundles = append(c.Bundles, bundles[:min(len(bundles), o.Bundles-len(c.Bundles))]...)
	}
	chance := rand.New(rand.NewPCG(o.Seed, 2))
	for _, b := range c.Bundles {
		o.refine(b, chance)
	}
	c.subscribe(o, rand.New(rand.NewPCG(o.Seed, 3)))
	c.Settings = settings(abis)
	return c
}

// copyOfList makes the bundles of one list and names its ABIs. The first copy has the PSPs and fees of the
// list; the others have PSPs of their own, with fees within a fifth of those.
func copyOfList(seed uint64, copied int) (bundles []*engine.Bundle, abis []string) {
	chance := rand.New(rand.NewPCG(seed, 1<<32+uint64(copied)))
	for place, shape := range listShape() {
		if copied > 0 {
			shape = shape.twin(copied, place)
		}
		abis = append(abis, shape.abi)
		for i, t := range shape.tariffs {
			for _, touchpoint := range t.touchpoints {
				for _, onUs := range t.onUs {
					offer := shape.bundle(&t, shape.names[i%len(shape.names)])
					offer.Touchpoint, offer.OnUs = touchpoint, onUs
					bundles = append(bundles, t.ladder.bundles(offer, copied > 0, chance)...)
				}
			}
		}
	}
	// The list is in no order; a prefix of it should hold some of everything.
	chance.Shuffle(len(bundles), func(i, j int) { bundles[i], bundles[j] = bundles[j], bundles[i] })
	return bundles, abis
}

// bundles makes one of each step of the ladder, like the given one.
func (l *ladder) bundles(like engine.Bundle, jitter bool, chance *rand.Rand) (bundles []*engine.Bundle) {
	above := int64(0)
	for _, s := range l.steps {
		if s.feeCents != noBundle {
			b := like
			b.ID, b.Fee.FlatCents = bundleID(chance), s.feeCents
			b.Band = engine.Band{MinCents: above, MaxCents: s.toCents}
			if jitter {
				b.Fee.FlatCents = jittered(s.feeCents, chance)
			}
			bundles = append(bundles, &b)
		}
		if above = s.toCents; l.holes {
			above++
		}
	}
	return bundles
}

// twin is the PSP of the same tariffs in a later copy of the list.
func (s pspShape) twin(copied, place int) pspShape {
	s.id = fmt.Sprintf("%s%04d", s.id[:4], copied)
	s.abi = fmt.Sprintf("%05d", 40000+copied*ListPSPs+place)
	s.names = slices.Clone(s.names)
	for i := range s.names {
		s.names[i] = town(copied*ListPSPs+place) + " " + s.names[i]
	}
	return s
}

// town makes a name out of a number, another one for each below a million, so that PSPs differ in the first
// letters of their names as those of a country do.
func town(number int) string {
	const syllables = "mavelorinutasacopidebegafisu"
	var name []byte
	for number = number*7919%1_000_000 + 1_000_000; number > 0; number /= 14 {
		name = append(name, syllables[number%14*2:number%14*2+2]...)
	}
	name[0] -= 'a' - 'A'
	return string(name)
}

func (s *pspShape) bundle(t *tariff, name string) engine.Bundle {
	return engine.Bundle{
		PSP: s.id, Channel: s.id + "_01", Broker: s.id, ABI: s.abi, PSPBusinessName: name,
		Name: t.service, Description: "Paga con " + t.service, PaymentType: t.paymentType,
		Cart: true, DigitalStamp: true, Validity: engine.Period{From: validFrom},
	}
}

// bundleID makes an id of the form that the platform gives.
func bundleID(chance *rand.Rand) string {
	a, b := chance.Uint64(), chance.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, uint16(b)|0x8000, b>>16)
}

func jittered(cents int64, chance *rand.Rand) int64 { return cents * (80 + chance.Int64N(41)) / 100 }

// refine gives a bundle what the list does not know, in the shares of the options.
func (o *Options) refine(b *engine.Bundle, chance *rand.Rand) {
	// Every number is drawn whatever the shares, so that one share does not move another.
	when, schedule, taxonomy, formula := chance.IntN(100), chance.IntN(100), chance.IntN(100), chance.IntN(100)
	details := rand.New(rand.NewPCG(chance.Uint64(), 4))
	if when < o.WhenPercent {
		b.When = someCondition(details)
	}
	if schedule < o.SchedulePercent {
		b.Schedule = someSchedule(details)
	}
	if taxonomy < o.TaxonomyPercent {
		for range 1 + details.IntN(4) {
			if code := someCategory(details); !slices.Contains(b.TransferCategories, code) {
				b.TransferCategories = append(b.TransferCategories, code)
			}
		}
	}
	if formula < o.FormulaPercent {
		low, high := b.Fee.FlatCents/2, b.Fee.FlatCents*2
		b.Fee = engine.Fee{PerNoticeCents: low, BasisPoints: details.Int64N(60), MinCents: &low, MaxCents: &high}
	}
}

// someCondition returns one of some hundred conditions, of the kinds that the circular promises. Most of
// them hold for most payments.
func someCondition(chance *rand.Rand) string {
	n := chance.IntN(20)
	switch chance.IntN(6) {
	case 0:
		return fmt.Sprintf("hour >= %d && hour < %d", n%8, 19+n%5)
	case 1:
		return fmt.Sprintf("not holiday() && amount <= %d", 100000+1000*n)
	case 2:
		return fmt.Sprintf(`weekend() || time("%02d:00", "20:00")`, n%9)
	case 3:
		return fmt.Sprintf(`notices <= %d && touchpoint in ["IO", "CHECKOUT", "CHECKOUT_CART", "ANY"]`, 1+n%4)
	case 4:
		return fmt.Sprintf(`category("%02d%02d*") || amount > %d`, 1+n%3, n%4, 1000*(1+n))
	}
	return fmt.Sprintf("month >= %d && month <= 12 && transfers <= %d", 1+n%6, 5+n)
}

func someSchedule(chance *rand.Rand) engine.Schedule {
	if chance.IntN(2) == 0 {
		return engine.Schedule{{Days: engine.EveryDay, FromMinute: 20 * 60, ToMinute: 8 * 60}}
	}
	workdays := engine.EveryDay &^ (1<<6 | 1<<7)
	return engine.Schedule{
		{Days: workdays, FromMinute: 8 * 60, ToMinute: 20 * 60},
		{Days: 1 << 6, FromMinute: 9 * 60, ToMinute: 13 * 60},
	}
}

// categories is the number of taxonomy codes that bundles and payments use.
const categories = 60

// someCategory returns a taxonomy code; the first ones are the most frequent.
func someCategory(chance *rand.Rand) string {
	n := min(chance.IntN(categories), chance.IntN(categories))
	return fmt.Sprintf("%02d%02d%03dTS", 1+n%3, n%4, 100+n)
}

// settings are those of a platform that knows these banks: two ranges of card numbers each.
func settings(abis []string) engine.Settings {
	s := engine.Settings{
		PostePSP: posteID, AmexABI: amexABI,
		Touchpoints: []string{"IO", "CHECKOUT", "CHECKOUT_CART", "WISP", "PSP", "ATM", "POS", "HB", "TS", "BETTING"},
		PaymentTypes: []string{"CP", "PPAL", "BPAY", "MYBK", "APPL", "GOOG", "SATY", "KLRN", "RPIC", "RICO", "RBPR", "RBPP", "RBPB",
			"RBPS", "RFPB", "BBT", "BP", "AD", "OBEP", "JIF", "PO"},
	}
	for i, abi := range abis {
		for _, network := range []int64{40_000_000, 51_000_000} {
			low := (network + int64(i)*16) * 100_000_000_000
			s.Issuers = append(s.Issuers, engine.IssuerRange{Low: low, High: low + 1_000_000_000_000 - 1, ABI: abi})
		}
	}
	return s
}

// BIN returns the leading eight digits of a card that the issuer of that number issued; see settings.
func (c *Catalogue) BIN(issuer int) string {
	return fmt.Sprintf("%08d", c.Settings.Issuers[issuer%len(c.Settings.Issuers)].Low/100_000_000_000)
}

// Source returns what a snapshot is made of.
func (c *Catalogue) Source() engine.Source {
	return engine.Source{Revision: 1, Settings: c.Settings, Bundles: c.Bundles, ECs: c.ECs}
}

// Deps returns what a snapshot of the catalogue needs; annotate may be nil.
func (c *Catalogue) Deps(annotate func(*engine.Bundle) any) engine.Deps {
	return engine.Deps{
		Programs: condition.NewCache(8192), Annotate: annotate,
		Subscriptions: func(_ int64, ec string) ([]engine.Subscription, error) { return c.Subscriptions[ec], nil },
	}
}

// Snapshot prepares the catalogue for quotes. Errors: those of engine.NewSnapshot, which mean that the
// generator is wrong.
func (c *Catalogue) Snapshot() (*engine.Snapshot, error) {
	return engine.NewSnapshot(c.Source(), c.Deps(nil))
}
