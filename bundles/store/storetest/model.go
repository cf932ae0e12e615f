package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gec/bundles"
)

// testModel commits at random and compares every read at every revision with plain maps.
func testModel(t *testing.T, s bundles.Store) {
	random := rand.New(rand.NewPCG(1, 2))
	ids := []string{"", "a", "aa", "a/", "a/b", "b", "b\x01", "b\xff", "c"}
	kinds := []bundles.Kind{'b', 's'}
	states := []map[string]string{{}} // by kind and id
	const revisions = 40
	for revision := 1; revision <= revisions; revision++ {
		state := maps.Clone(states[revision-1])
		var rows []bundles.Row
		for _, kind := range kinds {
			for _, id := range ids {
				name := string(kind) + id
				switch random.IntN(6) {
				case 0:
					document := fmt.Sprintf("%s@%d", name, revision)
					state[name] = document
					rows = append(rows, put(kind, id, document))
				case 1:
					delete(state, name)
					rows = append(rows, gone(kind, id))
				}
			}
		}
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		commit(t, s, rows...)
		states = append(states, state)
	}
	for at, state := range states {
		for _, kind := range kinds {
			for _, prefix := range []string{"", "a", "a/", "b", "x"} {
				want := []string{}
				for _, name := range slices.Sorted(maps.Keys(state)) {
					if id, ok := strings.CutPrefix(name, string(kind)); ok && strings.HasPrefix(id, prefix) {
						want = append(want, id+"="+state[name])
					}
				}
				equal(t, fmt.Sprintf("Scan at %d of %c %q", at, kind, prefix), want, list(t, s, int64(at), kind, prefix))
			}
			for _, id := range ids {
				row, err := s.Get(t.Context(), int64(at), kind, id)
				want, there := state[string(kind)+id]
				if there != (err == nil) || string(row.Document) != want {
					t.Errorf("Get at %d of %c %q: %q, %v, want %q", at, kind, id, row.Document, err, want)
				}
			}
		}
	}
}
