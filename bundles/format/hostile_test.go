package format_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"gec/bundles"
	"gec/bundles/format"
)

// hostile is a text that must be refused, and what the refusal says.
type hostile struct {
	title string
	name  format.Name
	text  func() string
	says  string
}

func hostiles() []hostile {
	const million = 1_000_000
	say := func(text string) func() string { return func() string { return text } }
	repeat := func(before, part string, times int, after string) func() string {
		return func() string { return before + strings.Repeat(part, times) + after }
	}
	all := []hostile{
		{"a million brackets", format.Native, repeat("", "[", million, ""), "1:33: objects and lists are nested deeper than 32"},
		{"a million objects", format.Native, repeat("", `{"a":`, million, ""), "nested deeper than 32"},
		{"a million brackets in an ignored field", format.Snapshot, repeat(`{"x":`, "[", million, strings.Repeat("]", million)+"}"), "nested deeper than 32"},
		{"a million YAML brackets", format.Native, repeat("a: ", "[", million, ""), "too large"},
		{"fifty thousand YAML brackets", format.Native, repeat("a: ", "[", 50_000, ""), "exceeded max depth"},
		{"forty YAML brackets", format.Native, repeat("a: ", "[", 40, strings.Repeat("]", 40)), "nested deeper than 32"},
		{"YAML sequences in one line", format.Native, repeat("", "- ", 20_000, "a"), "exceeded max depth"},
		{"a second JSON document", format.Snapshot, say(`{} {}`), "after top-level value"},
		{"a byte order mark", format.Native, say("\xEF\xBB\xBF{}"), "1:1: the file begins with a byte order mark"},
		{"UTF-16", format.Native, say("\xFF\xFE{\x00}\x00"), "UTF-16"},
		{"UTF-16 without a mark", format.Native, say("\x00{\x00}"), "UTF-16"},
		{"bytes that are no UTF-8", format.Native, say("{\"bundles\":\n \"\xff\"}"), "2:3: the file is not valid UTF-8"},
		{"nothing", format.Native, say(""), "the file is empty"},
		{"white space", format.Snapshot, say(" \n"), "the file is empty"},
		{"ten megabytes of text for a number", format.Native, repeat(`{"bundles":[{"paymentAmount":"`, "x", 10<<20, `"}]}`), "bundles[0].paymentAmount: is text, not a number"},
		{"ten megabytes of digits", format.Native, repeat(`{"bundles":[{"paymentAmount":`, "9", 10<<20, `}]}`), "bundles[0].paymentAmount: is too large"},
		{"ten megabytes of a field's name", format.Native, repeat(`{"`, "x", 10<<20, `":1}`), `xxx"…: is not a known field`},
		{"a million unknown fields", format.Native, repeat(`{`, `"x":1,`, million, `"y":1}`), "the rest of the file was not read"},
		{"a million bundles of nothing", format.Native, repeat(`{"bundles":[`, `{},`, million, `{}]}`), "the rest of the file was not read"},
		{"a million bundles of next to nothing", format.Snapshot, repeat(`{"bundles":[`, `{"type":"GLOBAL","paymentAmount":1,"maxPaymentAmount":1},`, million, `{}]}`), "the list may hold 200000"},
		{"a million touchpoints", format.Native, repeat(`{"touchpoints":[`, `"",`, million, `""]}`), "the list may hold 100000"},
		{"a million steps", format.Native, repeat(`{"bundles":[{"fee":{"steps":[`, `{"fee":1},`, million, `{"fee":1}]}}]}`), "the list may hold 1000"},
		{"ten million YAML values", format.Native, repeat("a: [", "a,", 5*million, "a]"), "too large"},
		{"a billion laughs", format.Native, say(laughs()), "anchors are not read"},
		{"a YAML alias of itself", format.Native, say("a: &a [*a]"), "anchors are not read"},
		{"an escape of half a character", format.Native, say(`{"touchpoints":["\udfff"]}`), "half a surrogate pair"},
	}
	for _, name := range format.Names() {
		all = append(all, hostile{"64 MiB and more: " + string(name), name, repeat("", " ", 64<<20, "{}"), "larger than 67108864 bytes"})
	}
	return all
}

// laughs is the billion laughs of YAML.
func laughs() string {
	text := "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
	for level := 'b'; level <= 'j'; level++ {
		text += fmt.Sprintf("%c: &%c [%s]\n", level, level, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", level-1), 10), ", "))
	}
	return text
}

func TestHostileFilesAreRefused(t *testing.T) {
	for _, test := range hostiles() {
		t.Run(test.title, func(t *testing.T) {
			text := test.text()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := format.Read(test.name, strings.NewReader(text), format.ReadOptions{})
			runtime.ReadMemStats(&after)
			var faults bundles.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("accepted, or %v", err)
			}
			found := false
			for _, f := range faults {
				found = found || strings.Contains(f.Error(), test.says)
			}
			if !found || len(err.Error()) > 20_000 {
				t.Errorf("%.2000s\nwant %q", err, test.says)
			}
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d MB of text, %d MB allocated", len(text)>>20, allocated>>20)
			if bound := uint64(32<<20 + 16*len(text)); allocated > bound {
				t.Errorf("more than %d MB allocated", bound>>20)
			}
		})
	}
}

func TestHostileTextOfTenMegabytesIsRead(t *testing.T) {
	text := `{"bundles":[{"id":"a","type":"GLOBAL","onUs":false,"minPaymentAmount":0,"maxPaymentAmount":1,"paymentAmount":1,"name":"` + strings.Repeat("x", 10<<20) + `"}]}`
	d := mustRead(t, format.Native, []byte(text), format.ReadOptions{})
	if faults := bundles.Check(&d.Bundles[0], nil, 20261121); !strings.Contains(faults.Error(), "name: is 10485760 characters long; use at most 255") {
		t.Errorf("%.500s", faults.Error())
	}
}

func TestReadStopsAtTheBound(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"bundles":[`), neverEnding{})
	_, _, err := format.Read(format.Native, endless, format.ReadOptions{BytesMax: 1 << 16})
	if err == nil || !strings.Contains(err.Error(), "larger than 65536 bytes") {
		t.Error(err)
	}
}

// neverEnding is a body that does not end.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
