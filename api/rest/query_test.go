package rest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
)

func TestQuery(t *testing.T) {
	change := func(change func(*Query)) Query {
		q := DefaultQuery()
		change(&q)
		return q
	}
	limit := func(n int32) Query { return change(func(q *Query) { q.Limit = n }) }
	order := func(o engine.Order) Query { return change(func(q *Query) { q.Order = o }) }
	noPoste := change(func(q *Query) { q.AllCcp = false })
	notFirst := change(func(q *Query) { q.OnUsFirst = false })
	for raw, want := range map[string]Query{
		"":                                  DefaultQuery(),
		"&&=&x=1&maxoccurrences=no":         DefaultQuery(),
		"maxOccurrences=1":                  limit(1),
		"maxOccurrences=2147483647":         limit(2147483647),
		"maxOccurrences=%31%30":             limit(10),
		"max%4fccurrences=5":                limit(5),
		"maxOccurrences=+5":                 limit(5),
		"maxOccurrences=%2B5":               limit(5),
		"maxOccurrences=007":                limit(7),
		"maxOccurrences=":                   limit(0),
		"maxOccurrences":                    limit(0),
		"maxOccurrences=3&maxOccurrences=x": limit(3),
		"allCcp=":                           DefaultQuery(),
		"allCcp":                            DefaultQuery(),
		"allCcp=%20":                        DefaultQuery(),
		"allCcp=TrUe":                       DefaultQuery(),
		"allCcp=false":                      noPoste,
		"allCcp=FALSE":                      noPoste,
		"allCcp=1":                          noPoste,
		"allCcp=yes":                        noPoste,
		"allCcp=%zz":                        noPoste,
		"allCcp=false&allCcp=true":          noPoste,
		"allCCp=false":                      DefaultQuery(),
		"onUsFirst=false":                   notFirst,
		"onusFirst=false":                   notFirst,
		"onusFirst=false&onUsFirst=true":    notFirst,
		"onUsFirst=":                        DefaultQuery(),
		"orderBy=fee":                       order(engine.OrderFee),
		"orderBy=FEE":                       order(engine.OrderFee),
		"orderBy=pspName":                   order(engine.OrderPSPName),
		"orderBy=FeeRandom":                 order(engine.OrderFeeRandom),
		"orderBy=random":                    DefaultQuery(),
		"orderBy=cheapest":                  DefaultQuery(),
		"orderBy=":                          DefaultQuery(),
		"subscription-key=abc&orderBy=fee":  order(engine.OrderFee),
	} {
		var got Query
		if err := readQuery(raw, http.Header{}, &got); err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestQ23LimitIsAPositiveInt32(t *testing.T) {
	const fix = "; send a whole number from 1 to 2147483647, or leave it out for 10"
	for _, text := range []string{"0", "-1", "x", "1.0", "1e1", "0x10", "2147483648", "99999999999999999999", "1 0", "--1", "+", "١"} {
		var q Query
		want := "Invalid value " + text + " for property maxOccurrences" + fix
		if err := readQuery("", http.Header{headerMaxOccurrences: {text}}, &q); detail(err) != want {
			t.Errorf("header %s: %s", text, detail(err))
		}
	}
	var q Query
	if err := readQuery("maxOccurrences=a%20%22b%22", nil, &q); detail(err) != `Invalid value a "b" for property maxOccurrences`+fix {
		t.Error(detail(err))
	}
	long := strings.Repeat("9", 5000)
	if err := readQuery("maxOccurrences="+long, nil, &q); detail(err) != "Invalid value "+long[:100]+"… for property maxOccurrences"+fix {
		t.Error(detail(err))
	}
}

func TestHeadersOfAQuery(t *testing.T) {
	header := http.Header{}
	header.Set("maxOccurrences", "3")
	header.Set("x-iuv", "01000000000000001")
	for raw, want := range map[string]int32{"": 3, "maxOccurrences=": 3, "maxOccurrences=7": 7} {
		var q Query
		if err := readQuery(raw, header, &q); err != nil || q.Limit != want || q.Reference != "01000000000000001" {
			t.Errorf("%q: %+v, %v", raw, q, err)
		}
	}
}

func TestReadingAQueryAllocatesNothing(t *testing.T) {
	var q Query
	header := http.Header{"X-Iuv": {"1"}}
	if allocations := testing.AllocsPerRun(100, func() {
		if err := readQuery("maxOccurrences=10&allCcp=true&onUsFirst=true&orderBy=fee", header, &q); err != nil {
			t.Fatal(err)
		}
	}); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
