package simulator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gec/engine"
)

// The parameters of a question in a URL. Those of notices are repeated, one per notice, in the same order.
const (
	paramAmount  = "amount"  // in cents
	paramEuro    = "euro"    // in euro as typed: a form was sent, and is answered with the canonical URL
	paramEC      = "ec"      // tax code; in a form also a name
	paramService = "service" // taxonomy code or serviceStamp; in a form also words
	paramPlace   = "place"   // touchpoint
	paramWay     = "way"     // payment type or group of them
	paramBank    = "bank"    // ABI of the bank that issued the card
	paramDay     = "day"     // 2026-11-21
	paramTime    = "time"    // 08:30
	paramSort    = "sort"
	paramChart   = "chart" // PSP id, repeated
	paramWhy     = "why"   // PSP id
	paramLang    = "lang"
	paramAdd     = "add"    // a form asks for one more notice
	paramRemove  = "remove" // a form asks for the notice of that number to go
)

const (
	// serviceStamp is the service of a notice that buys a digital stamp.
	serviceStamp = "stamp"
	// sortName orders rows by the PSP's name; the default is by fee.
	sortName = "name"
	// chartPSPsMax is the number of lines that a chart can show without becoming a tangle.
	chartPSPsMax = 4
	// textBytesMax bounds a text that is looked up or shown again.
	textBytesMax = 200
)

// question is what a person asks, as a URL states it.
type question struct {
	Notices          []asked
	Place, Way, Bank string
	// Day is 0 and Minute -1 for the present.
	Day    engine.Date
	Minute int
	Sort   string
	Chart  []string
	Why    string
	// Lang is the language that the URL names; empty: the browser's.
	Lang string
	// Faults are what could not be understood, in the order of the fields.
	Faults []fault
	// sent says that a form was sent, so that the URL is not the canonical one.
	sent bool
	// adding says that the form asks for a change of the number of notices and no answer is due.
	adding bool
}

// asked is one notice of the cart.
type asked struct {
	// AmountText is what was typed, Cents what it means; 0 when nothing or nothing sensible was.
	AmountText string
	Cents      int64
	// ECText and ServiceText are what was typed where it could not be understood.
	EC, ECText           string
	Service, ServiceText string
}

// fault is one field that could not be understood.
type fault struct {
	// Field is the id of the input.
	Field string
	// Key of the text that says what is wrong and what would be right, with its values.
	Key    string
	Values []any
}

// readQuestion reads the parameters of a URL.
func readQuestion(values url.Values, d *directory, words *lexicon) *question {
	q := &question{Minute: -1, Lang: values.Get(paramLang)}
	q.sent = values.Has(paramEuro) || values.Has(paramAdd) || values.Has(paramRemove)
	q.readNotices(values, d, words)
	q.readChoices(values, d)
	q.readInstant(values)
	for _, psp := range values[paramChart] {
		if _, known := d.psps[psp]; known && !slices.Contains(q.Chart, psp) && len(q.Chart) < chartPSPsMax {
			q.Chart = append(q.Chart, psp)
		}
	}
	if why := values.Get(paramWhy); why != "" {
		if _, known := d.psps[why]; known {
			q.Why = why
		}
	}
	if values.Get(paramSort) == sortName {
		q.Sort = sortName
	}
	return q
}

func (q *question) fault(field, key string, values ...any) {
	q.Faults = append(q.Faults, fault{field, key, values})
}

// readNotices reads the cart: at least one notice, at most engine.NoticesMax.
func (q *question) readNotices(values url.Values, d *directory, words *lexicon) {
	amounts, typed := values[paramAmount], false
	if values.Has(paramEuro) {
		amounts, typed = values[paramEuro], true
	}
	count := max(1, min(len(amounts), engine.NoticesMax))
	for i := range count {
		var n asked
		field := strconv.Itoa(i + 1)
		n.readAmount(q, nth(amounts, i), typed, "amount-"+field, count > 1)
		n.readEC(q, nth(values[paramEC], i), d, "ec-"+field)
		n.readService(q, nth(values[paramService], i), d, words, "service-"+field)
		q.Notices = append(q.Notices, n)
	}
	if values.Has(paramAdd) && count < engine.NoticesMax {
		q.Notices = append(q.Notices, asked{})
		q.adding = true
	}
	if i, err := strconv.Atoi(values.Get(paramRemove)); err == nil && i >= 1 && i <= count && count > 1 {
		q.Notices = slices.Delete(q.Notices, i-1, i)
		q.adding = q.adding || slices.ContainsFunc(q.Notices, func(n asked) bool { return n.Cents == 0 })
	}
	if q.adding {
		q.Faults = nil // of notices that are still being written
	}
}

func nth(list []string, i int) string {
	if i >= len(list) {
		return ""
	}
	return clip(strings.TrimSpace(list[i]))
}

// clip bounds a text without cutting a character in two.
func clip(text string) string {
	if len(text) > textBytesMax {
		text = text[:textBytesMax]
	}
	return strings.ToValidUTF8(text, "")
}

func (n *asked) readAmount(q *question, text string, typed bool, field string, cart bool) {
	n.AmountText = text
	if text == "" {
		if cart {
			q.fault(field, "fault.amount.missing")
		}
		return
	}
	cents, ok := parseAmount(text)
	if !typed {
		var err error
		cents, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil && cents > 0 && cents <= amountCentsMax
	}
	if !ok {
		q.fault(field, "fault.amount", "text", text)
		return
	}
	n.Cents = cents
}

// readEC reads a tax code, alone or in brackets after a name, or the name of a known EC.
func (n *asked) readEC(q *question, text string, d *directory, field string) {
	if text == "" {
		return
	}
	if code := taxCode(text); code != "" {
		n.EC = code
		return
	}
	n.ECText = text
	found := d.findECs(text, 4)
	switch len(found) {
	case 0:
		q.fault(field, "fault.ec.none", "text", text)
	case 1:
		n.EC, n.ECText = found[0].Code, ""
	default:
		q.fault(field, "fault.ec.many", "text", text, "names", joinNames(found))
	}
}

// taxCode returns the one run of eleven digits in the text; empty without.
func taxCode(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) == 11 {
			return word
		}
	}
	return ""
}

// readService reads a taxonomy code in either form, alone or in brackets after words, or words that only
// one service of the list has.
func (n *asked) readService(q *question, text string, d *directory, words *lexicon, field string) {
	if text == "" {
		return
	}
	if strings.EqualFold(text, serviceStamp) || strings.EqualFold(text, words.T("service.stamp")) {
		n.Service = serviceStamp
		return
	}
	code := text
	if open := strings.LastIndexByte(text, '('); open >= 0 && strings.HasSuffix(text, ")") {
		code = text[open+1 : len(text)-1]
	}
	if code = engine.BareCategory(strings.ToUpper(code)); engine.WellFormedCategory(code) {
		n.Service = code
		return
	}
	n.ServiceText = text
	found := d.findServices(text, words)
	switch len(found) {
	case 0:
		q.fault(field, "fault.service.none", "text", text)
	case 1:
		n.Service, n.ServiceText = found[0].Code, ""
	default:
		q.fault(field, "fault.service.many", "text", text, "names", joinNames(found))
	}
}

func joinNames(found []named) string {
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Label()
	}
	return strings.Join(names, "; ")
}

// readChoices reads the fields with a list to choose from.
func (q *question) readChoices(values url.Values, d *directory) {
	choose := func(param string, known func(string) (string, bool)) string {
		value := clip(values.Get(param))
		if value == "" {
			return ""
		}
		name, ok := known(value)
		if !ok {
			q.fault(param, "fault."+param, "text", value)
		}
		return name
	}
	q.Place = choose(paramPlace, d.touchpoint)
	q.Way = choose(paramWay, d.way)
	q.Bank = choose(paramBank, d.bank)
}

// readInstant reads the day and the time of the payment.
func (q *question) readInstant(values url.Values) {
	if text := clip(values.Get(paramDay)); text != "" {
		day, err := engine.ParseDate(text)
		if err != nil || day < 2000_01_01 {
			q.fault(paramDay, "fault.day", "text", text)
		} else {
			q.Day = day
		}
	}
	if text := clip(values.Get(paramTime)); text != "" {
		minute, err := engine.ParseMinute(text)
		if err != nil || minute >= minutesPerDay {
			q.fault(paramTime, "fault.time", "text", text)
		} else {
			q.Minute = minute
		}
	}
}

const minutesPerDay = 24 * 60

// noon is the time of a question that names a day only.
const noon = 12 * 60

// at returns the instant of the payment: the present where the question names none.
func (q *question) at(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	day, minute := q.Day, q.Minute
	if day == 0 && minute < 0 {
		return now
	}
	if day == 0 {
		day = engine.LocalAt(now).Date
	}
	if minute < 0 {
		minute = noon
	}
	return time.Date(int(day/10000), time.Month(day/100%100), int(day%100), minute/60, minute%60, 0, 0, local.Location())
}

// Cents returns the amount of the whole cart; 0 while any notice lacks its own.
func (q *question) Cents() (sum int64) {
	for _, n := range q.Notices {
		if n.Cents == 0 {
			return 0
		}
		sum += n.Cents
	}
	return sum
}

// answerable reports whether quotes can be asked for.
func (q *question) answerable() bool { return len(q.Faults) == 0 && q.Cents() > 0 }

// Params returns the question as parameters in a fixed order, without those in leave.
func (q *question) Params(leave ...string) []param {
	var all []param
	add := func(name, value string) {
		if value != "" && !slices.Contains(leave, name) {
			all = append(all, param{name, value})
		}
	}
	list := func(name string, value func(asked) string) {
		last := -1
		for i, n := range q.Notices {
			if value(n) != "" {
				last = i
			}
		}
		for i := 0; i <= last && !slices.Contains(leave, name); i++ {
			all = append(all, param{name, value(q.Notices[i])})
		}
	}
	list(paramAmount, func(n asked) string {
		if n.Cents == 0 {
			return ""
		}
		return strconv.FormatInt(n.Cents, 10)
	})
	list(paramEC, func(n asked) string { return n.EC })
	list(paramService, func(n asked) string { return n.Service })
	add(paramPlace, q.Place)
	add(paramWay, q.Way)
	add(paramBank, q.Bank)
	add(paramDay, q.Day.String())
	if q.Minute >= 0 {
		add(paramTime, engine.FormatMinute(q.Minute))
	}
	add(paramSort, q.Sort)
	for _, psp := range q.Chart {
		add(paramChart, psp)
	}
	add(paramWhy, q.Why)
	add(paramLang, q.Lang)
	return all
}

// param is one parameter of a URL.
type param struct{ Name, Value string }

// Query returns the canonical query of the question, without those parameters in leave.
func (q *question) Query(leave ...string) string { return encodeParams(q.Params(leave...)) }

func encodeParams(params []param) string {
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value))
	}
	return b.String()
}

// with returns a copy of the question that differs as change says.
func (q *question) with(change func(*question)) *question {
	other := *q
	other.Chart = slices.Clone(q.Chart)
	change(&other)
	return &other
}
