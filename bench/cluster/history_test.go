//go:build unix

package main

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// TestModel holds the model to histories that a cluster may show and to such as it must never show. All begin at
// revision 7.
func TestModel(t *testing.T) {
	made := func(call, end, revision int64) porcupine.Operation {
		return porcupine.Operation{Input: made{}, Call: call, Return: end, Output: revision}
	}
	answer := func(call, end, named, revision int64) porcupine.Operation {
		return porcupine.Operation{Input: told{named: named}, Call: call, Return: end, Output: revision}
	}
	type operations = []porcupine.Operation
	for _, c := range []struct {
		name             string
		changes, answers operations
		want             porcupine.CheckResult
	}{
		{"nothing", nil, nil, porcupine.Ok},
		{"a copy that is late", operations{made(1, 2, 8)}, operations{answer(3, 4, 0, 7), answer(5, 6, 0, 8)}, porcupine.Ok},
		{"answers that overtake each other", operations{made(1, 2, 8)}, operations{answer(1, 9, 0, 7), answer(3, 4, 0, 8)}, porcupine.Ok},
		{"changes that overtake each other", operations{made(1, 9, 9), made(2, 3, 8)}, nil, porcupine.Ok},
		{"a change that is seen before its acknowledgement", operations{made(1, 9, 8)}, operations{answer(2, 3, 0, 8)}, porcupine.Ok},
		{"a copy that goes back", operations{made(1, 2, 8)}, operations{answer(3, 4, 0, 8), answer(5, 6, 0, 7)}, porcupine.Illegal},
		{"a copy before the beginning", nil, operations{answer(1, 2, 0, 6)}, porcupine.Illegal},
		{"a revision that nobody made yet", operations{made(3, 4, 8)}, operations{answer(1, 2, 0, 8)}, porcupine.Illegal},
		{"less than the client named", operations{made(1, 2, 8)}, operations{answer(3, 4, 8, 7)}, porcupine.Illegal},
		{"a change before one that was over", operations{made(1, 2, 9), made(3, 4, 8)}, nil, porcupine.Illegal},
		{"a gap", operations{made(1, 2, 9)}, nil, porcupine.Illegal},
		{"two changes of one revision", operations{made(1, 2, 8), made(1, 2, 8)}, nil, porcupine.Illegal},
	} {
		if got := check(7, c.changes, c.answers); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
