// Package marketplace serves the wire contract of those who author and agree: PSPs and their bundles, ECs
// and their subscriptions, the operator's touchpoints, payment types and payment methods, and CDIs (spec 4);
// and beside it our own uploads, lint and what-if. It decodes, calls the catalogue, and encodes; it decides
// nothing.
//
// It is a handler below the prefixes that [Prefixes] names, to be mounted in package rest, which takes care
// of request ids, panics and the log.
//
// Where to start: routes.go is the table of everything that is served here.
package marketplace
