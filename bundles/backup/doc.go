// Package backup writes the history of a catalogue to a stream and builds a catalogue from such streams.
//
// A backup holds whole revisions: the record of each and the rows that it wrote, as the store has them. As
// revisions are only ever added, a full backup is revisions 1 to N and an incremental one those after the
// last backup; writing one needs no lock and never holds up a change. Restoring commits the revisions one by
// one into a store, which computes every hash of the chain anew: a backup with a changed, missing or added
// bit anywhere gives another hash and is refused, and what is restored is equal to the original, hash by hash.
//
// # Format
//
// The line "gec backup 1\n", then frames: kind (1 byte), length of the content (4, big-endian), the content,
// CRC-32C of kind, length and content (4). The kinds, in the order of a stream:
//
//	B  the beginning: the revision before the first one, and its SHA-256
//	R  a record: the fields of bundles.Record, then its rows follow
//	r  a row: kind, deleted, id, document
//	E  the end: the last revision, its SHA-256; nothing follows
//
// A stream that ends without E was cut. It may be compressed on its way by whatever the operator likes.
//
// It refuses to restore over anything: the store has to end exactly where the backup begins.
//
// Where to start: [Write], [Restore], [Check].
package backup
