// Package journal keeps the event journal of a node (Giornale degli Eventi, spec 6): a record of every request
// and every response that crosses an interface, in files to which is only ever added, chained by hashes so that
// an edit, a removal, an insertion or a gap shows.
//
// The path of a call only copies what is to be said into a bounded queue ([Journal.Add]); hashing, writing,
// syncing and expiring are done aside. Changes of the catalogue are not written here a second time: the record of
// their revision, stored with them in one transaction, is their record, and [ChangeRecord] shows it as one.
//
// It refuses to hold a BIN, a body or a key: of a body there is only its hash. It does not defend against who can
// write the folder and computes the whole chain anew; for that, keep the head of the chain elsewhere (it is in the
// log at every start, stop and new segment) and hold the journal to it with [VerifyOptions.Head].
//
// Where to start: [Open] and [Journal.Add] to write, [Verify] to check, [Export] to hand it over.
package journal
