// Package etcd shares one catalogue between the nodes of a cluster: its truth is in etcd, and each node has a
// full copy in a folder of its own, from which it answers every read, also while etcd is away. It is the
// [bundles.Store] of a node of a cluster.
//
// # Layout
//
// Below the prefix; revisions are 16 hexadecimal digits.
//
//	head                               the current revision and the SHA-256 of its record
//	records/revision                   the record, the attempt that wrote it, its number of chunks and bytes
//	rows/revision/attempt/number       a chunk of the rows of a revision, in order of kind and id
//	keys/idempotency key               the revision with that key
//
// # How a change becomes current
//
// Whoever writes takes a random name for the attempt and puts the chunks of the rows, one a request and each only
// while the head is still the one that the change was made on. The last request puts the last chunk, the record,
// the idempotency key and the head, if the head is still that one and the key is new, and removes what other
// attempts left under the same revision: so that at every instant the chunks at or below the head are exactly
// those of its history, whatever died on the way, and nothing has to be swept later.
//
// # When the answer to the last request does not come
//
// The request may still be on its way. The writer rewrites the head with its own value, if it is still the one
// that it was: then the request can never succeed any more, and the change was not stored. Otherwise the record
// of the next revision tells whose it is. Only if etcd answers nothing at all does the caller get
// ErrOutcomeUnknown.
//
// # What a node checks
//
// Rows that arrive are hashed before they are written to the folder, and the chain must go on from the folder's
// last record. A folder that states another history than etcd is refused with a DivergedError; one that ends
// before the oldest revision that etcd still has, with a BehindError.
//
// The package starts no goroutine but in Run. Where to start: [Open], then Store.Run and Store.Commit.
package etcd
