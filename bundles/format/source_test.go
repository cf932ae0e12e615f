package format

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// value takes the next value as encoding/json would decode it with UseNumber. It reports whether every
// key and text is one that encoding/json keeps as it is and no key comes twice.
func value(s source) (v any, faithful bool) {
	faithful = true
	switch k, _ := s.peek(); k {
	case object:
		members := map[string]any{}
		s.open()
		for {
			name, _, more := s.field()
			if !more {
				return members, faithful
			}
			key := string(name)
			member, ok := value(s)
			_, twice := members[key]
			members[key] = member
			faithful = faithful && ok && !twice && !strings.ContainsRune(key, utf8.RuneError)
		}
	case list:
		elements := []any{}
		s.open()
		for s.element() {
			element, ok := value(s)
			elements = append(elements, element)
			faithful = faithful && ok
		}
		return elements, faithful
	case text:
		return s.scalar()
	case number:
		literal, _ := s.scalar()
		return json.Number(literal), true
	case truth:
		literal, _ := s.scalar()
		return literal == "true", true
	default:
		s.skip()
		return nil, true
	}
}

// FuzzJSONSource holds the walk over JSON against encoding/json: the same values, and skipping a value
// gets as far as taking it.
func FuzzJSONSource(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,"x\"\\\u00e8\ud83d\ude00",true,false,null,{}],"b":{"c":[[]]}}`, ` [ 1 , 2 ] `, `"\ud800"`, `{"a":1,"a":2}`, `"\ud800\u0041"`, `[[[`, "7",
		`{"a\u0062":"\\u"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if fault := checkEncoding(data); fault != nil {
			return
		}
		s, fault := openJSON(data)
		if fault != nil {
			if json.Valid(data) && depthExceeded(data) < 0 {
				t.Fatalf("%q is valid but refused: %v", data, fault)
			}
			return
		}
		got, faithful := value(s)
		if at := s.(*jsonSource).at; at != len(data) {
			t.Fatalf("the walk over %q ended at %d", data, at)
		}
		skipped, _ := openJSON(data)
		skipped.skip()
		if at := skipped.(*jsonSource).at; at != len(data) {
			t.Fatalf("skipping %q ended at %d", data, at)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if faithful && !reflect.DeepEqual(want, got) {
			t.Fatalf("%q became %#v, want %#v", data, got, want)
		}
	})
}

func TestJSONHalfSurrogatePairsAreNoText(t *testing.T) {
	for literal, want := range map[string]bool{
		`"\ud83d\ude00"`: true, `"\u0041"`: true, `"\ufffd"`: true, `"\\ud800"`: true, `"\\\\ud800"`: true,
		`"\ud83d"`: false, `"\ude00"`: false, `"\ud83d\u0041"`: false, `"\ud83dxxxxxx"`: false, `"\ud83d\\ude00"`: false, `"\ude00\ud83d"`: false,
	} {
		s, fault := openJSON([]byte(literal))
		if fault != nil {
			t.Fatal(fault)
		}
		if value, ok := s.scalar(); ok != want {
			t.Errorf("%s: %q, %v", literal, value, ok)
		}
	}
}

func TestPositionsCountLinesAndCharacters(t *testing.T) {
	data := []byte("è{\n\n  \"à\": 1\n}")
	offsets := []mark{0, 2, 4, mark(bytes.IndexByte(data, '"')), mark(bytes.IndexByte(data, '1')), mark(len(data))}
	want := []position{{1, 1}, {1, 2}, {2, 1}, {3, 3}, {3, 8}, {4, 2}}
	if got := positions(data, offsets); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseEuroIsExact(t *testing.T) {
	for literal, want := range map[string]int64{
		"1.33": 133, "0.29": 29, "300.0": 30000, "0": 0, "0.0": 0, "0.01": 1, "1.500000": 150, "7": 700,
		"999999999.99": 99999999999, "92233720368547758.07": 9223372036854775807,
	} {
		if got, reason := parseEuro(literal); got != want || reason != "" {
			t.Errorf("parseEuro(%s) = %d, %q; want %d", literal, got, reason, want)
		}
	}
	for literal, want := range map[string]string{
		"1.335": "has fractions of a cent", "0.001": "has fractions of a cent", "-1": "is negative", "-0.5": "is negative", "1e2": "is written with an exponent",
		"1.5E1": "is written with an exponent", "92233720368547758.08": "is too large", "1.": "is no amount", ".5": "is no amount", "": "is no amount",
		"01": "is no amount", "1.2.3": "is no amount", "1,5": "is no amount", "+1": "is no amount", "--1": "is negative",
	} {
		if got, reason := parseEuro(literal); reason != want {
			t.Errorf("parseEuro(%s) = %d, %q; want %q", literal, got, reason, want)
		}
	}
}

func TestFormatEuroIsReadBack(t *testing.T) {
	for cents, want := range map[int64]string{0: "0.0", 1: "0.01", 10: "0.1", 50: "0.5", 133: "1.33", 30000: "300.0", 9223372036854775807: "92233720368547758.07"} {
		if got := formatEuro(cents); got != want {
			t.Errorf("formatEuro(%d) = %s, want %s", cents, got, want)
		}
		if back, reason := parseEuro(want); back != cents {
			t.Errorf("parseEuro(%s) = %d, %s", want, back, reason)
		}
	}
}
