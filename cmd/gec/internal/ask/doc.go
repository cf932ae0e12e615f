// Package ask puts questions about one payment to a catalogue: it makes the request from the flags of
// a command line and carries it to a server or to a catalogue in this process.
//
// It refuses to compute anything: both ways end in the same handler of api/rpc, so that a folder and a
// server that serves it give the same answer.
//
// Where to start: [Register] and [Flags.Request], [Client].
package ask
