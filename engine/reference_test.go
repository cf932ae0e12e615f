package engine_test

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gec/engine"
)

// The reference evaluator: the rules of spec 2 written down one by one, in the order of their
// numbers, with no regard for speed and none of the engine's own code beyond its data types. What it
// answers is what the specification says; the engine has to agree with it.

// world is a catalogue as the reference reads it: plain lists.
type world struct {
	revision int64
	settings engine.Settings
	bundles  []*engine.Bundle
	// cards says to the generators that payments are mostly by card; it means nothing else.
	cards         bool
	subscriptions map[string][]engine.Subscription // by bundle id
}

// row is one quote that the reference makes.
type row struct {
	bundle        *engine.Bundle
	gross, net    int64
	onUs          bool // the flag of Q24
	contributions []engine.Contribution
}

// verdict is what the reference says of one bundle: the row, or the rule that leaves it out.
type verdict struct {
	row  *row
	rule string
}

// request is a payment with the facts that every bundle is held against.
type request struct {
	world      *world
	payment    *engine.Payment
	view       engine.View
	amount     int64
	categories []string // Q5, bare
	transfers  int
	stamps     int
	issuer     string // Q10, upper case; empty when unknown
	date       engine.Date
	local      time.Time
}

// newRequest gathers the facts. The payment must be one that can be quoted.
func newRequest(w *world, p *engine.Payment, view engine.View) *request {
	r := &request{world: w, payment: p, view: view}
	for _, n := range p.Notices {
		r.amount += n.AmountCents
		for _, t := range n.Transfers {
			r.transfers++
			if t.DigitalStamp {
				r.stamps++
			}
			if t.TransferCategory != "" {
				r.categories = append(r.categories, bare(t.TransferCategory))
			}
		}
	}
	r.issuer = issuerOf(w, p.BIN)
	r.local = p.At.In(rome())
	y, m, d := r.local.Date()
	r.date = engine.Date(y*10000 + int(m)*100 + d)
	return r
}

// rome is the zone of every civil time (spec 1).
var rome = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic(err)
	}
	return zone
})

// reference answers a payment: every row there is, best first as far as the order says, not cut.
func reference(w *world, p *engine.Payment, o engine.Options) []row {
	r := newRequest(w, p, o.View)
	var rows []row
	for _, b := range w.bundles {
		if v := r.judge(b); v.row != nil {
			rows = append(rows, *v.row)
		}
	}
	if o.View == engine.OnePerPSP {
		rows = onePerPSP(rows)
	}
	sortRows(rows, o)
	return rows
}

// same compares ids and names as spec 2 asks: ignoring case.
func same(a, b string) bool { return strings.EqualFold(a, b) }

// noFilter is Q2's and Q3's "absent, empty or ANY".
func noFilter(name string) bool { return name == "" || same(name, "ANY") }

// unknownName is the name of the payment that the operator has not registered (Q2, Q3), if any.
func unknownName(w *world, p *engine.Payment) (kind string) {
	registered := func(names []string, name string) bool {
		return noFilter(name) || slices.ContainsFunc(names, func(n string) bool { return same(n, name) })
	}
	switch {
	case !registered(w.settings.Touchpoints, p.Touchpoint):
		return "touchpoint"
	case !registered(w.settings.PaymentTypes, p.PaymentType):
		return "payment type"
	}
	return ""
}

// judge holds one bundle against the payment.
func (r *request) judge(b *engine.Bundle) verdict {
	conditions := []struct {
		rule  string
		holds func(*engine.Bundle) bool
	}{
		{"Q1", r.q1}, {"Q2", r.q2}, {"Q3", r.q3}, {"Q4", r.q4}, {"Q5", r.q5}, {"Q6", r.q6}, {"Q7", r.q7},
		{"Q8", r.q8}, {"Q9", r.q9}, {"Q10", r.q10}, {"Q11", r.q11}, {"Q12", r.q12}, {"Q13", r.q13}, {"Q14", r.q14},
	}
	for _, c := range conditions {
		if !c.holds(b) {
			return verdict{rule: c.rule}
		}
	}
	gross, ok := feeOf(&b.Fee, r.amount, int64(len(r.payment.Notices)))
	if !ok {
		return verdict{rule: "Q15"}
	}
	bearable := gross
	if r.view == engine.EveryBundle {
		bearable = min(gross, r.amount) // spec 4: never more than the payment's amount
	}
	contributions := split(bearable, r.shares(b))
	net := gross
	for _, c := range contributions {
		net -= c.ActualCents
	}
	onUs := b.OnUs && same(b.PaymentType, "CP") && r.amount >= r.world.settings.ThresholdCents // Q24
	return verdict{row: &row{bundle: b, gross: gross, net: net, onUs: onUs, contributions: contributions}}
}

func (r *request) q1(b *engine.Bundle) bool {
	return b.Band.MinCents < r.amount && r.amount <= b.Band.MaxCents
}

func (r *request) q2(b *engine.Bundle) bool {
	return noFilter(r.payment.Touchpoint) || same(b.Touchpoint, "ANY") || same(b.Touchpoint, r.payment.Touchpoint)
}

func (r *request) q3(b *engine.Bundle) bool {
	return noFilter(r.payment.PaymentType) || b.PaymentType == "" || same(b.PaymentType, r.payment.PaymentType)
}

func (r *request) q4(b *engine.Bundle) bool {
	for _, blocked := range r.world.settings.BlockedPSPs {
		if same(blocked, b.PSP) {
			return false
		}
	}
	if len(r.payment.PSPs) == 0 {
		return true
	}
	for _, f := range r.payment.PSPs {
		if same(f.PSP, b.PSP) && (f.Channel == "" || same(f.Channel, b.Channel)) && (f.Broker == "" || same(f.Broker, b.Broker)) {
			return true
		}
	}
	return false
}

func (r *request) q5(b *engine.Bundle) bool {
	if len(b.TransferCategories) == 0 || r.transfers == 0 {
		return true
	}
	for _, code := range b.TransferCategories {
		if slices.Contains(r.categories, bare(code)) {
			return true
		}
	}
	return false
}

// bare is Q5's bare form.
func bare(code string) string {
	if parts := strings.Split(code, "/"); len(parts) == 3 && parts[2] == "" {
		return parts[1]
	}
	return code
}

func (r *request) q6(b *engine.Bundle) bool {
	if b.Type == engine.Global {
		return true
	}
	for _, ec := range r.ecs() {
		if len(r.subscribed(b, ec)) == 0 {
			return false
		}
	}
	return true
}

// ecs are the different ECs of the cart, in cart order.
func (r *request) ecs() (ecs []string) {
	for _, n := range r.payment.Notices {
		if !slices.Contains(ecs, n.CreditorInstitution) {
			ecs = append(ecs, n.CreditorInstitution)
		}
	}
	return ecs
}

// subscribed are the valid subscriptions of an EC to a bundle, in order of id.
func (r *request) subscribed(b *engine.Bundle, ec string) (subscriptions []engine.Subscription) {
	if ec == "" {
		return nil
	}
	for _, s := range r.world.subscriptions[b.ID] {
		if s.CreditorInstitution == ec && r.within(s.Validity) {
			subscriptions = append(subscriptions, s)
		}
	}
	slices.SortFunc(subscriptions, func(a, b engine.Subscription) int { return strings.Compare(a.ID, b.ID) })
	return subscriptions
}

func (r *request) q7(b *engine.Bundle) bool { return len(r.payment.Notices) == 1 || b.Cart }

func (r *request) q8(b *engine.Bundle) bool {
	switch r.stamps {
	case 0:
		return !b.DigitalStampOnly
	case r.transfers:
		return b.DigitalStamp
	}
	return b.DigitalStamp && !b.DigitalStampOnly
}

func (r *request) q9(b *engine.Bundle) bool {
	poste := r.world.settings.PostePSP
	return !r.payment.WithoutPoste || poste == "" || !same(b.PSP, poste)
}

func (r *request) q10(b *engine.Bundle) bool {
	return b.OnUs == (r.issuer != "" && same(b.ABI, r.issuer))
}

// issuerOf looks the BIN up in every range (Q10).
func issuerOf(w *world, bin string) string {
	if bin == "" || len(bin) > 19 || strings.Trim(bin, "0123456789") != "" {
		return ""
	}
	number, ok := new(big.Int).SetString(bin+strings.Repeat("0", 19-len(bin)), 10)
	if !ok {
		return ""
	}
	issuer := ""
	for _, r := range w.settings.Issuers {
		if number.Cmp(big.NewInt(r.Low)) < 0 || number.Cmp(big.NewInt(r.High)) > 0 {
			continue
		}
		if issuer != "" && !same(issuer, r.ABI) {
			return ""
		}
		issuer = strings.ToUpper(r.ABI)
	}
	return issuer
}

func (r *request) q11(b *engine.Bundle) bool {
	amex := r.world.settings.AmexABI
	if amex == "" || r.issuer == "" || !same(r.issuer, amex) {
		return true
	}
	return b.OnUs && same(b.ABI, amex)
}

func (r *request) q12(b *engine.Bundle) bool { return r.within(b.Validity) }

func (r *request) within(p engine.Period) bool {
	return p.From <= r.date && (p.To == 0 || r.date <= p.To)
}

func (r *request) q13(b *engine.Bundle) bool {
	if b.Schedule == nil {
		return true
	}
	names := []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	today := 1 + slices.Index(names, r.local.Weekday().String())
	yesterday := (today+5)%7 + 1
	minute := r.local.Hour()*60 + r.local.Minute()
	on := func(days engine.Days, day int) bool { return days&(1<<day) != 0 }
	for _, s := range b.Schedule {
		overnight := s.ToMinute <= s.FromMinute
		switch {
		case !overnight && on(s.Days, today) && s.FromMinute <= minute && minute < s.ToMinute:
			return true
		case overnight && on(s.Days, today) && s.FromMinute <= minute:
			return true
		case overnight && on(s.Days, yesterday) && minute < s.ToMinute:
			return true
		}
	}
	return false
}

func (r *request) q14(b *engine.Bundle) bool {
	if b.When == "" {
		return true
	}
	for _, c := range sampleConditions {
		if c.source == b.When {
			return c.holds(r, b)
		}
	}
	return false // no sample: a source that does not compile, which is never quoted (E5)
}

// onePerPSP is Q19.
func onePerPSP(rows []row) (kept []row) {
	best := map[string]row{}
	for _, r := range rows {
		psp := strings.ToUpper(r.bundle.PSP)
		if other, found := best[psp]; !found || better(&r, &other) {
			best[psp] = r
		}
	}
	return slices.Collect(maps.Values(best))
}

func better(a, b *row) bool {
	switch {
	case a.net != b.net:
		return a.net < b.net
	case a.gross != b.gross:
		return a.gross < b.gross
	case a.bundle.OnUs != b.bundle.OnUs:
		return a.bundle.OnUs
	}
	return a.bundle.ID < b.bundle.ID
}

// sortRows is Q20 and Q21, as far as they say: rows that chance orders stand by id.
func sortRows(rows []row, o engine.Options) {
	key := func(r *row) string {
		// Texts that sort as the rule says; money has the same width everywhere.
		part, net, name := "1", padded(r.net), "0"+r.bundle.PSPBusinessName
		if r.onUs && onUsFirst(o) {
			part = "0"
		}
		if r.bundle.PSPBusinessName == "" {
			name = "1"
		}
		switch {
		case o.View == engine.EveryBundle || o.Order == engine.OrderRandom:
			return part + "\x00" + r.bundle.ID
		case o.Order == engine.OrderFee:
			return part + net + name + "\x00" + r.bundle.ID
		case o.Order == engine.OrderPSPName:
			return part + name + "\x00" + net + r.bundle.ID
		}
		return part + net + r.bundle.ID // OrderFeeRandom
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(key(&a), key(&b)) })
}

// onUsFirst says whether on-us rows stand first: as asked (Q21), and always in the v1 contract.
func onUsFirst(o engine.Options) bool { return o.OnUsFirst || o.View == engine.EveryBundle }

func padded(cents int64) string {
	digits := strconv.FormatInt(cents, 10)
	return strings.Repeat("0", 20-len(digits)) + digits
}
