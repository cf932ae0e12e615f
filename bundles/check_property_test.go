package bundles_test

import (
	"testing"

	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/internal/draw"
)

// Whatever a document says, the checks come to an end without a panic, they do not depend on the order
// of calls, and what a lenient check refuses a strict one refuses, too.
func TestA2ChecksOfAnyDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw.Document(true).Draw(t, "document")
		strict, none := bundles.CheckDocument(&d, settings(), today, false, nil)
		if len(none) > 0 {
			t.Fatalf("a strict check warns: %v", none)
		}
		again, _ := bundles.CheckDocument(&d, settings(), today, false, nil)
		if strict.Error() != again.Error() {
			t.Fatalf("checked twice:\n%v\n%v", strict, again)
		}
		refused := map[bundles.Fault]bool{}
		for _, f := range strict {
			refused[f] = true
		}
		lenient, _ := bundles.CheckDocument(&d, settings(), today, true, nil)
		for _, f := range lenient {
			if !refused[f] {
				t.Fatalf("only a lenient check refuses %v", f)
			}
		}
	})
}
