// Package badger keeps a catalogue in one folder with the embedded database Badger. It is the default
// [bundles.Store] of a node.
//
// # Layout
//
// Integers in keys are 8 bytes, big-endian; ^ inverts all bits, so that newer sorts first.
//
//	r kind id 0 ^revision   a row: the document; the entry's meta byte says whether it is deleted
//	c revision kind id      an index of what each revision wrote; no value
//	h revision              the record of a revision
//	k idempotency key       the revision with that key
//	m format                the version of this layout
//	m head                  the current revision and the SHA-256 of its record
//	b revision              a base: the revision before it, the number of its rows and its SHA-256
//	o revision              the record of a revision before a base, which has no other
//
// Ids have no NUL, so that no id's rows lie among those of another that it is a prefix of. Every value
// begins with a CRC-32C of its key and content: Badger hands out an empty value, without an error, when
// it cannot read one.
//
// # How a change becomes current
//
// All rows but the last chunk's are written under the next revision in transactions of bounded size;
// then one last transaction, which has read the head, writes the rest, the record, the idempotency key
// and the head. Readers take the revision first and never look above it, so that they see all of a
// change or nothing. Rows that no head reaches, left by a crash or a failed commit, are removed before
// their revision number is used again.
//
// # Bases
//
// A folder whose history ends before what its cluster still has goes on from a base, the state at a later revision
// (see [bundles.Base]). The rows of the base are written under the revisions that wrote them, all above the head,
// where nobody reads; things that are gone are deleted under the revision of the base. When the state that
// results has the hash of the base, one transaction makes it the head. The revisions between have no state that
// could be read, and their records are only those that rows of the base name.
//
// # What is checked before anything is served
//
// Badger can refuse to open after a kill because of empty log files (removed, see prepare), skips a
// table whose checksum is wrong without an error, and dies on a table with a damaged footer (both
// refused with a DamagedError, see checkTables). Then the latest revisions are checked against the hash
// chain of their records (see verifyRecent).
//
// The package refuses to be opened by two processes, to open a folder of a later format, and to write
// when free space is low: on a full disk Badger dies of SIGBUS instead of returning an error.
//
// Where to start: [Open], then Store.Commit.
package badger
