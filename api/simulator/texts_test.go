package simulator

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
)

// plurals are the categories of whole numbers that a language has.
func plurals(lang string) []string {
	if lang == "sl" {
		return []string{"one", "two", "few", "other"}
	}
	return []string{"one", "other"}
}

var (
	pluralKey = regexp.MustCompile(`^(.*)\.(one|two|few|other)$`)
	places    = regexp.MustCompile(`\{[a-z]+\}`)
)

// TestTextsComplete holds that every text exists in every language, not empty, with the same places to fill.
func TestTextsComplete(t *testing.T) {
	all, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	type shape struct{ base, filled string }
	shapeOf := func(l *lexicon) map[string]shape {
		keys := map[string]shape{}
		for key, text := range l.table {
			if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s: %q is %q", l.Lang, key, text)
			}
			base := key
			if m := pluralKey.FindStringSubmatch(key); m != nil {
				base = m[1]
				for _, category := range plurals(l.Lang) {
					if !l.has(base + "." + category) {
						t.Errorf("%s: %s.%s is missing", l.Lang, base, category)
					}
				}
				if !slices.Contains(plurals(l.Lang), m[2]) {
					t.Errorf("%s: %s is never used", l.Lang, key)
				}
				continue
			}
			found := places.FindAllString(text, -1)
			slices.Sort(found)
			keys[base] = shape{base, strings.Join(slices.Compact(found), " ")}
		}
		return keys
	}
	italian := shapeOf(all["it"])
	for _, lang := range languages[1:] {
		if diff := cmp.Diff(italian, shapeOf(all[lang]), cmp.AllowUnexported(shape{})); diff != "" {
			t.Errorf("it and %s differ:\n%s", lang, diff)
		}
	}
}

// TestTextsUsed holds that every key in the templates and the code has a text, and every text is used.
func TestTextsUsed(t *testing.T) {
	all, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	table := all["it"].table
	for _, m := range regexp.MustCompile(`\.T\(? ?"([^"]+)"`).FindAllStringSubmatch(source.String(), -1) {
		if _, ok := table[m[1]]; !ok && !strings.HasSuffix(m[1], ".") {
			t.Errorf("%s has no text", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\.N\(? ?"([^"]+)"`).FindAllStringSubmatch(source.String(), -1) {
		if _, ok := table[m[1]+".other"]; !ok {
			t.Errorf("%s has no text", m[1])
		}
	}
	computed := []string{"month.", "weekday.short.", "place.", "way.", "service.", "why.Q", "fault.", "refused."}
	for key := range maps.Keys(table) {
		base := key
		if m := pluralKey.FindStringSubmatch(key); m != nil {
			base = m[1]
		}
		isComputed := slices.ContainsFunc(computed, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !isComputed && !strings.Contains(source.String(), `"`+base+`"`) {
			t.Errorf("the text %s is never shown", key)
		}
	}
}

// TestEveryRuleHasWords holds that each rule can be said in every language.
func TestEveryRuleHasWords(t *testing.T) {
	all, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	for lang, l := range all {
		for _, rule := range []string{"Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "Q10", "Q11", "Q12.from", "Q12.to", "Q13", "Q14", "Q15", "Q19", "Q23"} {
			if !l.has("why." + rule) {
				t.Errorf("%s has no words for %s", lang, rule)
			}
		}
	}
}

func TestNumbersAndDatesOfEachLanguage(t *testing.T) {
	all, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	type written struct{ Money, Small, Euro, Date, Clock, Count string }
	want := map[string]written{
		"it": {"1.234.567,89 €", "0,05 €", "1.000 €", "21 novembre 2026", "08:30", "2 avvisi"},
		"en": {"€1,234,567.89", "€0.05", "€1,000", "21 November 2026", "08:30", "2 notices"},
		"de": {"1.234.567,89 €", "0,05 €", "1.000 €", "21. November 2026", "08:30", "2 Mitteilungen"},
		"fr": {"1 234 567,89 €", "0,05 €", "1 000 €", "21 novembre 2026", "08h30", "2 avis"},
		"sl": {"1.234.567,89 €", "0,05 €", "1.000 €", "21. november 2026", "08.30", "2 obvestili"},
	}
	for lang, w := range want {
		l := all[lang]
		got := written{l.Money(123456789), l.Money(5), l.Euro(100000), l.Date(20261121), l.Clock(510), l.N("notices", 2)}
		plainSpaces := strings.NewReplacer(noBreak, " ", narrowNoBreak, " ")
		got.Money, got.Small, got.Euro = plainSpaces.Replace(got.Money), plainSpaces.Replace(got.Small), plainSpaces.Replace(got.Euro)
		if got != w {
			t.Errorf("%s writes %+v, want %+v", lang, got, w)
		}
	}
	for n, category := range map[int]string{0: "other", 1: "one", 2: "two", 3: "few", 4: "few", 5: "other", 11: "other", 101: "one", 102: "two", 104: "few", 111: "other"} {
		if got := plural("sl", n); got != category {
			t.Errorf("%d in Slovenian is %s, want %s", n, got, category)
		}
	}
	if plural("fr", 0) != "one" || plural("it", 0) != "other" {
		t.Error("0 is singular in French and plural in Italian")
	}
}

func TestNegotiateLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"": "it", "de-AT,de;q=0.9,en;q=0.8": "de", "es,sl;q=0.3,fr;q=0.5": "fr", "ja": "it", "EN-us": "en",
		"it;q=0,sl": "sl", "en;q=abc,de;q=0.1": "de", "*": "it", ";;,,": "it",
	} {
		if got := negotiate(header); got != want {
			t.Errorf("%q gets %s, want %s", header, got, want)
		}
	}
}

// TestSunday holds that the days of the engine and of the texts are the same.
func TestSunday(t *testing.T) {
	all, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	sunday := engine.LocalAt(time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC))
	if got := all["it"].DayShort(sunday.Weekday); got != "dom" {
		t.Errorf("Sunday is %q", got)
	}
}
