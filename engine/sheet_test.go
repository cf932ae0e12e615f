package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gec/engine/condition"
)

// TestA8RowsComeAndGo changes a snapshot at random and compares what it tells of its bundles with a map that is changed
// alike; and holds that no snapshot changes afterwards, though later ones use the places of sheets that are gone.
func TestA8RowsComeAndGo(t *testing.T) {
	const revisions, ids = 400, 700
	random := rand.New(rand.NewPCG(3, 4))
	s, err := NewSnapshot(Source{}, Deps{Programs: condition.NewCache(16)})
	if err != nil {
		t.Fatal(err)
	}
	type kept struct {
		snapshot *Snapshot
		bundles  map[string]*Bundle
	}
	model, past := map[string]*Bundle{}, []kept{{s, nil}}
	reused, most := 0, 0
	for revision := range int64(revisions) {
		change, seen := Change{Revision: revision + 1}, map[string]bool{}
		for range []int{1, 1, 3, 80}[random.IntN(4)] {
			id := fmt.Sprint("b", random.IntN(ids))
			if seen[id] {
				continue
			}
			seen[id] = true
			if random.IntN(4) == 0 {
				change.Remove = append(change.Remove, id)
				delete(model, id)
				continue
			}
			b := &Bundle{
				ID: id, PSP: []string{"abi1", "ABI1", "ABI2", "ABI3"}[random.IntN(4)], PSPBusinessName: []string{"", "Banca", "Posta"}[random.IntN(3)],
				Touchpoint: Any, Band: Band{MaxCents: revision + 1}, Fee: Fee{FlatCents: random.Int64N(50)}, ABI: fmt.Sprint(random.IntN(3)),
				OnUs: random.IntN(5) == 0, Type: BundleType(random.IntN(3)),
			}
			if random.IntN(5) == 0 {
				b.When, b.TransferCategories = "amount > 3", []string{"9/" + id}
			}
			change.Put, model[id] = append(change.Put, b), b
		}
		free := len(s.free)
		if s, err = s.With(change); err != nil {
			t.Fatal(err)
		}
		if len(s.free) < free {
			reused++
		}
		most = max(most, s.rows)
		past = append(past, kept{s, maps.Clone(model)})
	}
	if reused == 0 {
		t.Error("no place of a sheet was used again: the test shows nothing")
	}
	if bound := rowsPerBundleMax*max(len(model), pageRows) + 80; most > bound {
		t.Errorf("the sheets have %d rows for %d bundles, want at most %d", most, len(model), bound)
	}
	for _, k := range past {
		checkRows(t, k.snapshot, k.bundles)
	}
}

func checkRows(t *testing.T, s *Snapshot, want map[string]*Bundle) {
	t.Helper()
	if s.Len() != len(want) || len(slices.Collect(s.Bundles())) != len(want) {
		t.Fatalf("revision %d: %d bundles, want %d", s.revision, s.Len(), len(want))
	}
	ofPSP, open, onUs := map[string][]string{}, 0, 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		b := want[id]
		got, there := s.Bundle(id)
		if !there || fmt.Sprint(*got) != fmt.Sprint(*b) {
			t.Fatalf("revision %d: bundle %s is %+v, want %+v", s.revision, id, got, b)
		}
		psp := strings.ToUpper(b.PSP)
		ofPSP[psp] = append(ofPSP[psp], id)
		switch {
		case b.Type == Global && b.OnUs:
			onUs++
		case b.Type == Global:
			open++
		}
	}
	if b, there := s.Bundle("none"); there {
		t.Fatalf("an unknown id has bundle %+v", b)
	}
	for _, psp := range []string{"ABI1", "abi2", "ABI3", "none"} {
		ids := slices.Collect(s.IDsOf(psp))
		if !slices.Equal(ids, ofPSP[strings.ToUpper(psp)]) {
			t.Fatalf("revision %d: PSP %s has %v, want %v", s.revision, psp, ids, ofPSP[strings.ToUpper(psp)])
		}
		at := 0
		for b := range s.BundlesOf(psp) {
			if b.ID != ids[at] || !strings.EqualFold(b.PSP, psp) {
				t.Fatalf("revision %d: bundle %d of PSP %s is %s of %s", s.revision, at, psp, b.ID, b.PSP)
			}
			at++
		}
	}
	indexed := 0
	for psp, p := range s.psps {
		if p == nil {
			continue
		}
		if len(p.all) > fewOfPSP && p.open.Load() == nil {
			t.Fatalf("revision %d: PSP %d has %d bundles and no index", s.revision, psp, len(p.all))
		}
		for _, b := range s.openOf(uint32(psp)).blocks {
			indexed += len(b.rows)
		}
	}
	if indexed != open {
		t.Fatalf("revision %d: the indexes of PSPs have %d rows instead of %d", s.revision, indexed, open)
	}
	for _, x := range append(slices.Clone(s.onUs), s.open) {
		var last row
		if x == nil {
			continue
		}
		for _, b := range x.blocks {
			for i, number := range b.rows {
				r := s.sheets.at(number)
				if r.digest != b.digests[i] || r.number != number || want[r.id()] == nil || last.there() && compareRows(last, r) >= 0 {
					t.Fatalf("revision %d: row %d of a block is %s", s.revision, i, r.id())
				}
				if last = r; r.onUs {
					onUs--
				} else {
					open--
				}
			}
		}
	}
	if open != 0 || onUs != 0 {
		t.Fatalf("revision %d: the indexes miss %d open and %d on-us rows", s.revision, open, onUs)
	}
}

// TestA8SlotsOfEqualHash holds that bundles whose ids have one hash keep slots of their own, whichever of them come, go
// and come back, in this snapshot and in those before.
func TestA8SlotsOfEqualHash(t *testing.T) {
	const hash = 42
	random := rand.New(rand.NewPCG(5, 6))
	var s slots
	ids, there, slotOf := []string{"a", "b", "c"}, map[string]bool{}, map[string]uint32{}
	for range 300 {
		before, had := s, maps.Clone(slotOf)
		holds := func(id string) func(uint32) bool {
			return func(slot uint32) bool { return there[id] && slotOf[id] == slot }
		}
		e, id := s.edit(), ids[random.IntN(len(ids))]
		slot, found := e.find(hash, id, holds(id))
		if want, known := slotOf[id]; found != known || slot != want {
			t.Fatalf("%s has slot %d, %t, want %d, %t", id, slot, found, want, known)
		}
		wasThere := maps.Clone(there)
		if there[id] {
			e.leave(hash, id, slot)
			there[id] = false
		} else {
			if !found {
				slot = uint32(e.count)
				e.count++
				slotOf[id] = slot
			}
			e.come(hash, id, slot)
			there[id] = true
		}
		s = *e.slots
		for id, slot := range had {
			got, found := before.find(hash, id, func(slot uint32) bool { return wasThere[id] && had[id] == slot })
			if !found || got != slot {
				t.Fatalf("before the change %s had slot %d, now %d, %t", id, slot, got, found)
			}
		}
	}
	if s.count != len(ids) {
		t.Errorf("%d ids have %d slots", len(ids), s.count)
	}
}
