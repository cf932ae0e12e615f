// Package access says who calls and what it may do (spec 6): access keys with roles, expiry and rate, parties
// that act for others by delegation, and what every operation asks of its caller.
//
// It refuses to decide about single things: whether a caller may see or change a bundle is held by package
// bundles, which takes the bundles.Caller that is made here. It keeps no secret: of a key there is only the
// SHA-256 digest, and nothing of it is ever put into an error or a log.
//
// Keys and delegations are rows of the catalogue's annex, so that all nodes of a cluster have them, every change
// of them is a revision with its author, and a backup has them.
//
// Where to start: [Gate] is what the services ask, [Access] the one that a node has, [Keyring] how keys are
// made and withdrawn, needs.go the table of operations.
package access
