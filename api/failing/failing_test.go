package failing

import (
	"strconv"
	"testing"
	"time"

	"gec/engine"
	"gec/engine/condition"
)

// TestNote counts failures of bundles of two PSPs, tells a first one once, and forgets none of a changed bundle.
func TestNote(t *testing.T) {
	var b Bundles
	at := time.Unix(1, 0)
	one, two := &engine.Bundle{ID: "1", PSP: "A", When: "x"}, &engine.Bundle{ID: "2", PSP: "B"}
	if !b.Note([]engine.Failure{{Bundle: one, Err: condition.ErrFailed}, {Bundle: two}}, at) || b.Note([]engine.Failure{{Bundle: one, Err: engine.ErrFeeOverflow}}, at) {
		t.Error("a failure is new once")
	}
	if all := b.All(); len(all) != 2 || all[0].Count != 2 || all[1].ID != "2" {
		t.Errorf("%+v", all)
	}
	own := b.OfPSP("a")
	if len(own) != 1 || own[0].Err != engine.ErrFeeOverflow || !own[0].Last.Equal(at) { //nolint:errorlint // it is that very one
		t.Fatalf("%+v", own)
	}
	same, changed := *one, *one
	changed.When = "y"
	if !own[0].Is(one) || !own[0].Is(&same) || own[0].Is(&changed) {
		t.Error("which bundle it was is forgotten")
	}
}

// TestBounded holds that bundles beyond the bound share a name.
func TestBounded(t *testing.T) {
	var b Bundles
	for i := range bundlesMax + 10 {
		b.Note([]engine.Failure{{Bundle: &engine.Bundle{PSP: "P", ID: strconv.Itoa(i)}}}, time.Time{})
	}
	if n := len(b.All()); n != bundlesMax+1 {
		t.Errorf("%d are kept", n)
	}
	if shared := b.OfPSP(other); len(shared) != 1 || shared[0].Count != 10 {
		t.Errorf("%+v", shared)
	}
}
