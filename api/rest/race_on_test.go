//go:build race

package rest

// countable says that allocations can be counted: not with the race detector, under which pools forget things on
// purpose.
const countable = false
