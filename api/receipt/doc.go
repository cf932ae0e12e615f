// Package receipt keeps a fee that a payer has seen: an answer of the quote service can carry a receipt, a short
// signed text that names the revision, the instant, the seed and the options that it was computed with, the
// request and the answer themselves by their hashes. Given back with the same request it yields the same bytes,
// whatever became of the catalogue and of the day meanwhile, or a [Refusal] that says why not.
//
// A receipt holds no fee and is no cache: the answer is computed again, on that revision at that instant, and
// held to the hash. So a receipt that was forged with a stolen key buys at most a true fee of the past, and an
// engine that answers otherwise than it did is found out instead of believed.
//
// The package refuses to answer quotes: api/rest and api/rpc do, and ask here what for. It never gives a private
// key away: [Vault] holds it, and what is shared with the catalogue and the world are public keys.
//
// Where to start: [Receipt] is the text, [Request] what counts as the same request, [Desk] gives and takes.
// docs/receipts.md describes the format for those who verify without us.
package receipt
