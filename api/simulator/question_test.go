package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuestionOfURL(t *testing.T) {
	p := newPage(t)
	for query, canonical := range map[string]string{
		"amount=2500":                         "amount=2500",
		"euro=25,00":                          "amount=2500",
		"euro=1.234,56&place=checkout&way=cp": "amount=123456&place=CHECKOUT&way=CP",
		"way=accounts&amount=100&bank=10001":  "amount=100&way=accounts&bank=10001",
		"euro=1&euro=2&ec=80000000103&ec=&service=&service=0101101TS":        "amount=100&amount=200&ec=80000000103&service=&service=0101101TS",
		"amount=100&ec=Comune+di+Borgoverde+(80000000103)":                   "amount=100&ec=80000000103",
		"amount=100&ec=valdoro":                                              "amount=100&ec=80000000202",
		"amount=100&service=Tassa+sui+rifiuti+(0101101TS)":                   "amount=100&service=0101101TS",
		"amount=100&service=rifiuti":                                         "amount=100&service=0101101TS",
		"amount=100&service=9/0101101ts/":                                    "amount=100&service=0101101TS",
		"amount=100&service=Marca+da+bollo+digitale":                         "amount=100&service=stamp",
		"amount=100&day=2026-11-23&time=08:30&sort=name":                     "amount=100&day=2026-11-23&time=08%3A30&sort=name",
		"amount=100&chart=ALFA&chart=BETA&chart=ALFA&chart=NOBODY&why=GAMMA": "amount=100&chart=ALFA&chart=BETA&why=GAMMA",
		"amount=100&sort=size&why=NOBODY&unknown=1":                          "amount=100",
	} {
		q := p.parse(t, query)
		if len(q.Faults) > 0 {
			t.Errorf("%s: %+v", query, q.Faults)
		}
		if got := q.Query(); got != canonical {
			t.Errorf("%s becomes %s, want %s", query, got, canonical)
		}
		if again := p.parse(t, q.Query()).Query(); again != canonical {
			t.Errorf("%s is not stable: it becomes %s", canonical, again)
		}
	}
}

func TestQuestionFaults(t *testing.T) {
	p := newPage(t)
	for query, want := range map[string][]string{
		"euro=dodici":                      {"amount-1 fault.amount"},
		"amount=-5":                        {"amount-1 fault.amount"},
		"amount=12.5":                      {"amount-1 fault.amount"},
		"euro=1&euro=":                     {"amount-2 fault.amount.missing"},
		"amount=100&ec=borgo":              {"ec-1 fault.ec.many"},
		"amount=100&ec=Atlantide":          {"ec-1 fault.ec.none"},
		"amount=100&service=xyz":           {"service-1 fault.service.none"},
		"amount=100&service=s":             {"service-1 fault.service.many"},
		"amount=100&place=MOON":            {"place fault.place"},
		"amount=100&way=GOLD":              {"way fault.way"},
		"amount=100&bank=4012888888881881": {"bank fault.bank"},
		"amount=100&day=31.12.2026":        {"day fault.day"},
		"amount=100&day=2026-02-30":        {"day fault.day"},
		"amount=100&time=24:00":            {"time fault.time"},
		"euro=x&day=y":                     {"amount-1 fault.amount", "day fault.day"},
	} {
		q := p.parse(t, query)
		var got []string
		for _, f := range q.Faults {
			got = append(got, f.Field+" "+f.Key)
			if !p.lexicons["it"].has(f.Key) {
				t.Errorf("%s has no words", f.Key)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", query, diff)
		}
		if q.answerable() {
			t.Errorf("%s is answered", query)
		}
	}
}

func TestCartGrowsAndShrinksWithoutJavaScript(t *testing.T) {
	p := newPage(t)
	one := p.get(t, "/?euro=10&add=1")
	if one.Code != http.StatusOK || strings.Count(one.Body.String(), `name="euro"`) != 2 {
		t.Errorf("adding gives %d with %d amounts", one.Code, strings.Count(one.Body.String(), `name="euro"`))
	}
	full := p.get(t, "/?euro=1&euro=2&euro=3&euro=4&euro=5&add=1")
	if got := full.Header().Get("Location"); full.Code != http.StatusSeeOther || got != "/?amount=100&amount=200&amount=300&amount=400&amount=500" {
		t.Errorf("a cart of five grows: %d %s", full.Code, got)
	}
	contains(t, p.get(t, full.Header().Get("Location")).Body.String(), `name="add"`, false)
	less := p.get(t, "/?euro=1&euro=2&ec=80000000103&remove=1")
	if got := less.Header().Get("Location"); less.Code != http.StatusSeeOther || got != "/?amount=200" {
		t.Errorf("removing gives %d %s", less.Code, got)
	}
	if q := p.parse(t, "amount=1&amount=1&amount=1&amount=1&amount=1&amount=1&amount=1"); len(q.Notices) != 5 {
		t.Errorf("%d notices", len(q.Notices))
	}
}

func TestFormIsAnsweredWithItsLink(t *testing.T) {
	p := newPage(t)
	w := p.get(t, "/?euro=1.234%2C56&place=CHECKOUT&way=&ec=&service=&bank=&day=&time=&lang=de")
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/?amount=123456&place=CHECKOUT&lang=de" {
		t.Errorf("%d %s", w.Code, got)
	}
	contains(t, p.get(t, w.Header().Get("Location")).Body.String(), `value="1.234,56"`, true)
}

func FuzzQuestion(f *testing.F) {
	for _, seed := range []string{"amount=2500&place=IO", "euro=1,5&euro=&ec=x&service=0101100IM&remove=2", "day=2026-01-01&time=23:59&chart=ALFA&lang=fr"} {
		f.Add(seed)
	}
	p := newPage(f)
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		d, err := p.current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := readQuestion(values, d.directory, p.lexicons["it"])
		if len(q.Faults) > 0 || q.adding {
			return
		}
		again := p.parse(t, q.Query())
		if again.Query() != q.Query() {
			t.Fatalf("%q becomes %q and then %q", query, q.Query(), again.Query())
		}
		if q.Cents() > 0 {
			if _, err := p.quoters.answer(d.directory, q, q.at(saturday, p.zone)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
