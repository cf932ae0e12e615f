//go:build !failpoint

package badger

// namedPoint is what happens at the named points of a commit and a sweep where Options has no step: nothing.
func namedPoint(string) {}
