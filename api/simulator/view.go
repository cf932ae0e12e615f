package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"gec/api/journal"
	"gec/engine"
)

// view is what the templates show. Its methods, and those of the lexicon, are their vocabulary.
type view struct {
	*lexicon
	// Status is that of a refused request.
	Status    int
	Assets    *assets
	Directory *dated
	Question  *question
	// First says that nothing was asked yet.
	First  bool
	Answer *answer
	Chart  *chart
	Week   *week
	Why    *whyNot
	// At is the civil time of the payment, Now whether it is the present.
	At  engine.Local
	Now bool
	// Published is the day of the revision; 0 where it is not known.
	Published   engine.Date
	ServesList  bool
	Declaration string
	FeedbackURL string
	TimeMatters bool
	services    []named
}

// view starts the view of a request.
func (s *simulator) view(r *http.Request, d *dated) *view {
	values := r.URL.Query()
	words, lang := s.lexicon(r, values)
	v := &view{
		lexicon: words, Assets: s.assets, Directory: d, Question: &question{Minute: -1, Notices: []asked{{}}, Lang: lang},
		Declaration: s.options.AccessibilityURL, FeedbackURL: s.options.FeedbackURL, ServesList: s.options.Export != nil,
	}
	if v.Declaration == "" {
		v.Declaration = "#accessibility"
	}
	if v.FeedbackURL == "" {
		v.FeedbackURL = "#accessibility"
	}
	return v
}

// operation is the name of a question to the page in the log, the metrics and the journal.
const operation = "simulate"

// tell says what is asked to whoever mounts the page.
func tell(w http.ResponseWriter, v *view) {
	if named, ok := w.(interface{ Operation(name string) }); ok {
		named.Operation(operation)
	}
	if told, ok := w.(interface{ Facts(journal.Facts) }); ok {
		f := journal.Facts{Channel: v.Question.Place, AmountCents: v.Question.Cents(), Revision: v.Directory.snapshot.Revision()}
		if len(v.Question.Notices) > 0 {
			f.CreditorInstitution = v.Question.Notices[0].EC
		}
		told.Facts(f)
	}
}

// read reads the question of a request and what it takes to answer it.
func (s *simulator) read(r *http.Request) (*view, time.Time, error) {
	d, err := s.current(r.Context())
	if err != nil {
		return nil, time.Time{}, err
	}
	v := s.view(r, d)
	values := r.URL.Query()
	v.Question = readQuestion(values, d.directory, v.lexicon)
	_, v.Question.Lang = s.lexicon(r, values)
	v.First = firstVisit(values)
	if v.First {
		v.Question.Place = d.usualPlace()
	}
	now := s.options.Now()
	at := v.Question.at(now, s.zone)
	v.At, v.Now = engine.LocalAt(at), v.Question.Day == 0 && v.Question.Minute < 0
	v.TimeMatters = d.timed || !v.Now
	if published, err := time.Parse(time.RFC3339, d.published); err == nil {
		v.Published = engine.LocalAt(published).Date
	}
	v.services = d.serviceNames(v.lexicon)
	return v, at, nil
}

// firstVisit reports whether the URL asks nothing.
func firstVisit(values url.Values) bool {
	for name := range values {
		if name != paramLang {
			return false
		}
	}
	return true
}

// usualPlace is the place that the form begins with: the web, where most people pay.
func (d *directory) usualPlace() string {
	place, _ := d.touchpoint("CHECKOUT")
	return place
}

// fill answers the question of a view.
func (s *simulator) fill(r *http.Request, v *view, at time.Time) (err error) {
	q, d := v.Question, v.Directory.directory
	if !q.answerable() || q.adding {
		return nil
	}
	if v.Answer, err = s.quoters.answer(d, q, at); err != nil {
		return err
	}
	if v.Chart, err = s.quoters.chart(d, q, v.Answer, at, v.lexicon); err != nil {
		return err
	}
	if v.Week, err = s.quoters.week(d, q, at, s.zone); err != nil {
		return err
	}
	if q.Why == "" {
		return nil
	}
	select {
	case s.explains <- struct{}{}:
		defer func() { <-s.explains }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	v.Why, err = d.whyNot(q, v.Answer, at, v.lexicon)
	return err
}

// Link returns the URL of the question with some parameters left out.
func (v *view) Link(leave ...string) string { return pathPage + "?" + v.Question.Query(leave...) }

// SortLink returns the URL of the question in another order.
func (v *view) SortLink(by string) string {
	return pathPage + "?" + v.Question.with(func(q *question) { q.Sort = by }).Query()
}

// LanguageLink returns the URL of the question in another language.
func (v *view) LanguageLink(lang string) string {
	if v.First {
		return pathPage + "?" + paramLang + "=" + lang
	}
	return pathPage + "?" + v.Question.with(func(q *question) { q.Lang = lang }).Query()
}

// AmountLink returns the URL of the question with one amount.
func (v *view) AmountLink(cents any) string {
	n, _ := cents.(int)
	return pathPage + "?" + v.Question.with(func(q *question) { q.Notices = []asked{{Cents: int64(n)}} }).Query()
}

// Download returns the URL of the answer as a file.
func (v *view) Download(path string) string {
	return path + "?" + v.Question.Query(paramChart, paramWhy)
}

// Languages returns the codes of the languages of the page.
func (v *view) Languages() []string { return languages }

// LanguageName returns the name of a language in itself.
func (v *view) LanguageName(lang string) string {
	return map[string]string{"it": "Italiano", "en": "English", "de": "Deutsch", "fr": "Français", "sl": "Slovenščina"}[lang]
}

// Fault returns the text of the fault of a field; empty without one.
func (v *view) Fault(field string) string {
	for _, f := range v.Question.Faults {
		if f.Field == field {
			return v.T(f.Key, f.Values...)
		}
	}
	return ""
}

// FaultText returns the text of a fault.
func (v *view) FaultText(f fault) string { return v.T(f.Key, f.Values...) }

// AmountText returns what the field of a notice's amount holds.
func (v *view) AmountText(n asked) string {
	if n.Cents == 0 {
		return n.AmountText
	}
	return v.Decimal(n.Cents)
}

// ECText returns what the field of a notice's EC holds.
func (v *view) ECText(n asked) string {
	if n.EC == "" {
		return n.ECText
	}
	return v.Directory.ec(n.EC).Label()
}

// ECName returns an EC in words.
func (v *view) ECName(code string) string { return v.Directory.ec(code).Label() }

// ServiceText returns what the field of a notice's service holds.
func (v *view) ServiceText(n asked) string {
	if n.Service == "" {
		return n.ServiceText
	}
	return v.Service(n.Service)
}

// Services returns the services to choose from.
func (v *view) Services() []named { return v.services }

// ecsShown is the number of ECs that a page lists; more are found while typing.
const ecsShown = 200

// ECs returns the ECs to choose from.
func (v *view) ECs() []named { return v.Directory.ecs[:min(len(v.Directory.ecs), ecsShown)] }

// Places returns the touchpoints to choose from.
func (v *view) Places() []string { return v.Directory.touchpoints }

// wayGroup is a group of payment types to choose from.
type wayGroup struct {
	Group string
	Types []string
}

// Ways returns the payment types to choose from, by group. A group of one type is that type.
func (v *view) Ways() (list []wayGroup) {
	for _, group := range groups {
		var types []string
		for _, t := range v.Directory.types {
			if groupOf(t) == group {
				types = append(types, t)
			}
		}
		if len(types) > 0 {
			list = append(list, wayGroup{group, types})
		}
	}
	return list
}

// Banks returns the card issuers to choose from.
func (v *view) Banks() []bank { return v.Directory.banks }

// BankName returns the name of the bank of the card.
func (v *view) BankName() string { return v.Directory.bankOf(v.Question.Bank).Name }

// CardsAsked reports whether the bank of the card can matter.
func (v *view) CardsAsked() bool {
	return slices.Contains(v.Directory.typesOf(v.Question.Way), engine.CardPaymentType)
}

// Borne reports whether any EC bears a part of any fee.
func (v *view) Borne() bool {
	return slices.ContainsFunc(v.Answer.Rows, func(r row) bool { return r.BorneCents() > 0 })
}

// Several reports whether the cart has more than one notice.
func (v *view) Several() bool { return len(v.Question.Notices) > 1 }

// MayAdd reports whether the cart has room for one more notice.
func (v *view) MayAdd() bool { return len(v.Question.Notices) < engine.NoticesMax }

// namedPSP is a PSP to choose from.
type namedPSP struct {
	ID, Name string
	Chosen   bool
}

// PSPs returns the PSPs that are in the list, or those that are not.
func (v *view) PSPs(listed bool) (list []namedPSP) {
	in := map[string]bool{}
	for i := range v.Answer.Rows {
		in[v.Answer.Rows[i].Bundle.PSP] = true
	}
	for _, id := range v.Directory.pspOrder {
		if in[id] == listed {
			list = append(list, namedPSP{id, v.Directory.psps[id], id == v.Question.Why})
		}
	}
	return list
}

// ChartPSPs returns the PSPs of the list with those of the chart marked.
func (v *view) ChartPSPs() []namedPSP {
	list := v.PSPs(true)
	for i := range list {
		list[i].Chosen = slices.ContainsFunc(v.Chart.Lines, func(l line) bool { return l.PSP == list[i].ID })
	}
	return list
}

// Minute is the time of the payment as a form field has it.
func (v *view) Minute() string {
	if v.Question.Minute < 0 {
		return ""
	}
	return engine.FormatMinute(v.Question.Minute)
}

// Euro64 writes an example amount.
func (v *view) Euro64(cents any) string {
	n, _ := cents.(int)
	return v.Euro(int64(n))
}

// DayOfMonth returns the number of a day in its month.
func (v *view) DayOfMonth(d engine.Date) int { return int(d % 100) }

// Share returns how large a fee is beside the largest of the list, in percent.
func (v *view) Share(cents int64) int64 {
	return max(1, min(100, cents*100/max(1, v.Answer.Highest)))
}

// Announcement is what a status message says of the answer.
func (v *view) Announcement() string {
	switch {
	case len(v.Question.Faults) > 0:
		return v.N("status.faults", len(v.Question.Faults))
	case v.Answer == nil:
		return ""
	case len(v.Answer.Rows) == 0:
		return v.T("status.none")
	}
	return v.N("status.count", len(v.Answer.Rows), "fee", v.Money(v.Answer.Lowest))
}

// Cheapest reports whether no row has a lower fee, and some row a higher one.
func (v *view) Cheapest(r row) bool {
	return r.NetCents == v.Answer.Lowest && v.Answer.Lowest < v.Answer.Highest
}

// FaultyFields returns the ids of the fields with faults.
func (v *view) FaultyFields() (ids string) {
	for _, f := range v.Question.Faults {
		ids += f.Field + " "
	}
	return ids
}
