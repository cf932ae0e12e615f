//go:build race

package engine_test

// raceEnabled says that the race detector runs, which allocates on its own.
const raceEnabled = true
