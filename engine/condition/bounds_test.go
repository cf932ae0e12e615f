package condition

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestE3Bounds compiles sources on each side of each bound.
func TestE3Bounds(t *testing.T) {
	list := func(items int) string { return "day in [" + strings.Repeat("1,", items-1) + "1]" }
	padded := func(bytes int) string { return "onUs" + strings.Repeat(" ", bytes-len("onUs")) }
	nested := func(levels int) string { return strings.Repeat("(", levels) + "onUs" + strings.Repeat(")", levels) }
	tests := []struct {
		name   string
		source func(size int) string
		most   int
		reason string
	}{
		{"source bytes", padded, SourceBytesMax, "at most 2048 bytes"},
		{"brackets", nested, NestingMax, "nested deeper than 16"},
		{"prefixes", func(n int) string { return strings.Repeat("!", n) + "onUs" }, NestingMax, "nested deeper than 16"},
		{"ternaries", func(n int) string { return strings.Repeat("onUs ? true : ", n) + "false" }, NestingMax, "nested deeper than 16"},
		{"prefixes in brackets", func(n int) string { return strings.Repeat("(", n-2) + "!!onUs" + strings.Repeat(")", n-2) }, NestingMax, "nested deeper than 16"},
		{"list items", list, ListItemsMax, "at most 256 items"},
		// A chain of n names has n-1 operators; the parser shares nothing here.
		{"nodes", func(n int) string {
			return "!onUs" + strings.Repeat("&&onUs", (n-2)/2) + strings.Repeat("&&!onUs", n%2)
		}, NodesMax, "at most 512 names"},
		// 1<2<3 compares 2 twice: each link costs 4 nodes when it runs, though it is written with 2.
		{"nodes that the parser shares", func(n int) string { return "1<2" + strings.Repeat("<3", n) }, (NodesMax - 3) / 4, "at most 512 names"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Compile(test.source(test.most)); err != nil {
				t.Errorf("at %d: %v", test.most, err)
			}
			var refusal *Error
			if _, err := Compile(test.source(test.most + 1)); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, test.reason) {
				t.Errorf("at %d: %v, want a refusal for %q", test.most+1, err, test.reason)
			}
		})
	}
}

// TestE3ChecksComeInOrder gives sources that break several bounds at once.
func TestE3ChecksComeInOrder(t *testing.T) {
	tests := []struct{ source, reason string }{
		{"\xff" + strings.Repeat("(", 3000), "UTF-8"},
		{strings.Repeat("(", 3000) + "\xff", "bytes"}, // nobody reads that far
		{strings.Repeat("(", 3000), "bytes"},
		{strings.Repeat("(", 20) + "now() + ", "nested"},
		{"now() &&", "not a name"},
		{"onUs && amount && ", "ends before"},
		{"amount" + strings.Repeat("&&onUs", 300), "at most 512"},
	}
	for _, test := range tests {
		var refusal *Error
		if _, err := Compile(test.source); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, test.reason) {
			t.Errorf("%.30q: %v, want %q", test.source, err, test.reason)
		}
	}
}

// TestE3ScannerCountsWhatIsOpen gives sources that are long but never deep: what closes must no
// longer count.
func TestE3ScannerCountsWhatIsOpen(t *testing.T) {
	for _, part := range []string{"(onUs)", "!onUs", "not (not (onUs))", "(onUs ? !onUs : onUs)", "day in [1]", "day not in [1]", `ec("77777777777")`} {
		source := "onUs" + strings.Repeat("||"+part, 40)
		if _, err := Compile(source); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// TestE1NearestName holds that an unknown name is met with the nearest that there is.
func TestE1NearestName(t *testing.T) {
	for _, known := range symbols {
		if known.canonical {
			continue
		}
		for _, wrong := range []string{known.name + "x", strings.ToUpper(known.name), known.name[:len(known.name)/2] + "_" + known.name[len(known.name)/2:]} {
			source, want := wrong+" == 1", "nearest name is "+known.name+";"
			if known.kind == function {
				source, want = wrong+`("x")`, "nearest function is "+known.usage
			}
			var refusal *Error
			_, err := Compile(source)
			if !errors.As(err, &refusal) || refusal.Column != 1 || !strings.Contains(refusal.Fix, want) {
				t.Errorf("%s: %v, want %q", source, err, want)
			}
		}
	}
}

// TestE1CanonicalNamesAreNotForAuthors holds that the engine's own names stay its own.
func TestE1CanonicalNamesAreNotForAuthors(t *testing.T) {
	for _, source := range []string{"taxonomyAsked", `issuer == "33111"`, "amex", "subscribed", `admits("P", "C", "B")`, `carries("0102100SA")`} {
		if _, err := Compile(source); err == nil {
			t.Errorf("Compile(%s) accepted it", source)
		}
		if _, err := CompileCanonical(source); err != nil {
			t.Errorf("CompileCanonical(%s): %v", source, err)
		}
	}
}

// TestE4CanonicalBounds holds that a canonical program may be as large as a bundle makes it, and
// no larger.
func TestE4CanonicalBounds(t *testing.T) {
	codes := make([]string, 4000)
	for i := range codes {
		codes[i] = fmt.Sprintf("%07dSA", i)
	}
	each := `carries("` + strings.Join(codes, `") || carries("`) + `")`
	atOnce := `carries("` + strings.Join(codes, `", "`) + `")`
	inList := `touchpoint in ["` + strings.Join(codes, `", "`) + `"]`
	payment := Facts{Touchpoint: "0003999SA", Categories: []string{"0000000ZZ", "0003999SA"}}
	evaluator := NewEvaluator()
	evaluator.Reset(&payment)
	for _, source := range []string{each, atOnce, inList, strings.Repeat("(", 64) + "true" + strings.Repeat(")", 64), "true" + strings.Repeat("&&true", 32767)} {
		program, err := CompileCanonical(source)
		if err != nil {
			t.Fatalf("%.40s: %v", source, err)
		}
		if holds, err := evaluator.Holds(program, false, false); !holds || err != nil {
			t.Errorf("%.40s: %v, %v, want true", source, holds, err)
		}
	}
	for _, source := range []string{strings.Repeat("(", 65), strings.Repeat("(", 1<<20), "true" + strings.Repeat("&&true", 32768), strings.Repeat(" ", 1<<20+1), "len(ecs) == 1", "map(1..9, #)"} {
		var refusal *Error
		if _, err := CompileCanonical(source); !errors.As(err, &refusal) {
			t.Errorf("%.40s: %v, want an *Error", source, err)
		}
	}
}
