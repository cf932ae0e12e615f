package simulator

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gec/engine"
)

// languages are those of the page, Italian first: it is the fallback.
var languages = []string{"it", "en", "de", "fr", "sl"}

// texts holds one table of all texts per language.
//
//go:embed texts/*.json
var texts embed.FS

// lexicon is the page's words and ways of writing in one language. It is immutable.
type lexicon struct {
	// Lang is the code of the language, "it".
	Lang  string
	table map[string]string
	// decimal and group separate decimals and thousands.
	decimal, group string
}

// readLexicons reads the tables of all languages.
func readLexicons() (map[string]*lexicon, error) {
	all := map[string]*lexicon{}
	for _, lang := range languages {
		data, err := texts.ReadFile("texts/" + lang + ".json")
		if err != nil {
			return nil, err
		}
		l := &lexicon{Lang: lang}
		if err := json.Unmarshal(data, &l.table); err != nil {
			return nil, fmt.Errorf("texts/%s.json: %w", lang, err)
		}
		l.decimal, l.group = separators(lang)
		all[lang] = l
	}
	return all, nil
}

const (
	noBreak       = "\u00a0"
	narrowNoBreak = "\u202f"
)

func separators(lang string) (decimal, group string) {
	switch lang {
	case "en":
		return ".", ","
	case "fr":
		return ",", narrowNoBreak
	}
	return ",", "."
}

// has reports whether there is a text for the key.
func (l *lexicon) has(key string) bool { return l.table[key] != "" }

// T returns the text of a key with its places filled: values are pairs of a name and a value, and the value
// stands where the text has the name in braces. A missing text shows as its key.
func (l *lexicon) T(key string, values ...any) string {
	text, ok := l.table[key]
	if !ok {
		return key
	}
	if len(values) == 0 {
		return text
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, "{"+fmt.Sprint(values[i])+"}", fmt.Sprint(values[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// N returns the text of a key for a number of things, "{n}" being the number: the keys end in the plural
// category of the language.
func (l *lexicon) N(key string, n int, values ...any) string {
	return l.T(key+"."+plural(l.Lang, n), append(values, "n", l.Number(int64(n)))...)
}

// plural returns the category of a whole number in a language, after the Unicode plural rules.
func plural(lang string, n int) string {
	switch {
	case lang == "sl" && n%100 == 1, lang == "fr" && n < 2, lang != "sl" && n == 1:
		return "one"
	case lang == "sl" && n%100 == 2:
		return "two"
	case lang == "sl" && (n%100 == 3 || n%100 == 4):
		return "few"
	}
	return "other"
}

// Number writes a whole number.
func (l *lexicon) Number(n int64) string {
	digits := strconv.FormatInt(max(n, -n), 10)
	var b strings.Builder
	if n < 0 {
		b.WriteString("−")
	}
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(l.group)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Decimal writes cents, 0 or more, as euro without the sign.
func (l *lexicon) Decimal(cents int64) string {
	return l.Number(cents/100) + l.decimal + strconv.FormatInt(100+cents%100, 10)[1:]
}

// Money writes cents, 0 or more, as euro.
func (l *lexicon) Money(cents int64) string {
	if l.Lang == "en" {
		return "€" + l.Decimal(cents)
	}
	return l.Decimal(cents) + noBreak + "€"
}

// Euro writes whole euro, and cents only where there are any.
func (l *lexicon) Euro(cents int64) string {
	if cents%100 != 0 {
		return l.Money(cents)
	}
	if l.Lang == "en" {
		return "€" + l.Number(cents/100)
	}
	return l.Number(cents/100) + noBreak + "€"
}

// Date writes a civil date in words, "21 novembre 2026".
func (l *lexicon) Date(d engine.Date) string {
	month := l.T("month." + strconv.Itoa(int(d/100%100)))
	return l.T("date", "day", int(d%100), "month", month, "year", int(d/10000))
}

// Clock writes a minute of the day, 0 to 1440.
func (l *lexicon) Clock(minute int) string {
	return l.T("clock", "hour", fmt.Sprintf("%02d", minute/60), "minute", fmt.Sprintf("%02d", minute%60))
}

// DayShort writes the short name of a day of the week, 1 for Monday.
func (l *lexicon) DayShort(weekday int) string { return l.T("weekday.short." + strconv.Itoa(weekday)) }

// Place writes a touchpoint in words.
func (l *lexicon) Place(touchpoint string) string {
	if touchpoint == "" || strings.EqualFold(touchpoint, engine.Any) {
		return l.T("place.any")
	}
	if key := "place." + strings.ToUpper(touchpoint); l.has(key) {
		return l.T(key)
	}
	return l.T("place.unknown", "code", touchpoint)
}

// Way writes a payment type, or a group of them, in words.
func (l *lexicon) Way(way string) string {
	switch {
	case way == "":
		return l.T("way.any")
	case slices.Contains(groups, way):
		return l.T("way." + way)
	}
	if name := brand(way); name != "" {
		return name
	}
	if key := "way." + strings.ToUpper(way); l.has(key) {
		return l.T(key)
	}
	return l.T("way.unknown", "code", way)
}

// Method writes the payment type of a bundle, which is empty for a bundle of any type.
func (l *lexicon) Method(paymentType string) string {
	if paymentType == "" {
		return l.T("way.whichever")
	}
	return l.Way(paymentType)
}

// service returns the name of a taxonomy code; empty where it is not known.
func (l *lexicon) service(code string) string { return l.table["service."+code] }

// Service writes a taxonomy code with its name where that is known.
func (l *lexicon) Service(code string) string {
	if code == serviceStamp {
		return l.T("service.stamp")
	}
	return named{code, l.service(code)}.Label()
}

// negotiate returns the language that suits an Accept-Language header best, Italian where none does.
func negotiate(header string) string {
	best, quality := languages[0], 0.0
	for entry := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(entry), ";")
		lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); ok {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if q > quality && slices.Contains(languages, lang) {
			best, quality = lang, q
		}
	}
	return best
}

// rome returns the zone of all civil dates and times.
func rome() (*time.Location, error) { return time.LoadLocation("Europe/Rome") }
