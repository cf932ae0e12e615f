// Package bundles is the catalogue as people author it: fee bundles, the subscriptions of creditor
// institutions and the operator's settings, their checks (A2), their history by revision (A8) and the
// snapshots that quotes are computed on.
//
// A change goes one way: it is checked whole, written under the next revision, made current by one
// guarded transaction of the [Store], derived into the next [engine.Snapshot], swapped in, and only
// then acknowledged. Readers take the current snapshot with one atomic load and never wait.
//
// The package knows no transport. Every method that changes something takes the [Caller] first.
//
// Where to start: [Catalogue] is the service, [Bundle] and [Document] the model, [Store] the port that
// bundles/store/badger implements, bundles/format the ways in and out.
package bundles
