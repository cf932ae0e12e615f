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
//	base                               the base state: its revision, hash, number of rows, and where its chunks are
//	bases/revision/attempt/number      a chunk of the rows of a base state (see [bundles.Base])
//	pruning/                           the lock of the one node that prunes, with a lease
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
// # How old revisions leave etcd
//
// The node that prunes writes the catalogue as it was at the oldest revision to keep, as the base state, and only
// then removes the revisions before it. Whatever it dies at, what is there is enough to join: the base is made
// current by one request, and removing can be repeated. A node that ends before the oldest revision, or with
// nothing, takes the base, whose hash it computes from its own folder before it serves it, and goes on with the
// revisions after it.
//
// # What a node checks
//
// Rows that arrive are hashed before they are written to the folder, and the chain must go on from the folder's
// last record. A folder that states another history than etcd is refused with a DivergedError; one that ends
// before the oldest revision that etcd still has, and finds no base state, with a BehindError.
//
// The package starts no goroutine but in Run. Where to start: [Open], then Store.Run and Store.Commit.
package etcd
