package bundles

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/engine"
	"gec/engine/condition"
)

// TestPSPIndexFollowsTheSnapshot changes a snapshot at random and compares the index that followed it
// with one made anew; and checks that the index of before has not changed.
func TestPSPIndexFollowsTheSnapshot(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	snapshot, err := engine.NewSnapshot(engine.Source{}, engine.Deps{Programs: condition.NewCache(1)})
	if err != nil {
		t.Fatal(err)
	}
	index := newPSPIndex(snapshot.Bundles())
	for revision := range int64(200) {
		change, seen := engine.Change{Revision: revision + 1}, map[string]bool{}
		for range random.IntN(5) {
			id := fmt.Sprint(random.IntN(20))
			if seen[id] {
				continue
			}
			if seen[id] = true; random.IntN(3) == 0 {
				change.Remove = append(change.Remove, id)
				continue
			}
			psp := []string{"abi1", "ABI1", "ABI2", "ABI3"}[random.IntN(4)]
			change.Put = append(change.Put, &engine.Bundle{ID: id, PSP: psp, Touchpoint: engine.Any, Band: engine.Band{MaxCents: revision + 1}})
		}
		before := ids(snapshot, index)
		next, err := snapshot.With(change)
		if err != nil {
			t.Fatal(err)
		}
		derived := index.with(snapshot, next, change)
		if diff := cmp.Diff(before, ids(snapshot, index)); diff != "" {
			t.Fatalf("revision %d changed the index before it:\n%s", revision, diff)
		}
		snapshot, index = next, derived
		if diff := cmp.Diff(ids(snapshot, newPSPIndex(snapshot.Bundles())), ids(snapshot, index)); diff != "" {
			t.Fatalf("revision %d (-want +got):\n%s", revision, diff)
		}
	}
	got, want := []string{}, []string{}
	current := &published{snapshot: snapshot, psps: index}
	for b := range current.neighbours([]*engine.Bundle{{PSP: "Abi1"}, {PSP: "none"}}, index["abi1"][:1]) {
		got = append(got, b.ID)
	}
	want = append(want, index["abi1"][1:]...)
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("neighbours %v, want %v", got, want)
	}
}

func ids(s *engine.Snapshot, p pspIndex) map[string][]string {
	all := map[string][]string{}
	for _, psp := range slices.Sorted(maps.Keys(p)) {
		for _, id := range p[psp] {
			b, there := s.Bundle(id)
			if !there || b.ID != id {
				all[psp] = append(all[psp], id+" is not there")
				continue
			}
			all[psp] = append(all[psp], fmt.Sprintf("%s of %s up to %d", b.ID, b.PSP, b.Band.MaxCents))
		}
	}
	return all
}
