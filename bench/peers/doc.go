// Command peers compares quotes with what general rules engines make of the same catalogue and the same
// payments: expr and CEL with one program a bundle, OPA with one rule a bundle and with the bundles as data,
// and Grule with one rule a bundle. Each says which bundles apply; the cheapest of each PSP, sorted, is the
// answer, and the answers of all ways are asserted equal before anything is timed.
//
// It is a module of its own, so that the service depends on none of these engines: run it with
// `make bench-peers`. Where to start: ways.go lists the ways, condition.go is what all of them are told.
package main
