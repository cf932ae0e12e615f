// Package rpc serves the native contract, api/proto/gec/v1: as a gRPC server ([New]) and, with the same
// messages as JSON, over HTTP below /gec/v1/ ([JSON]).
//
// It decodes a request, reports every fault of it at once, picks the revision of the catalogue that is
// meant, asks the engine, and encodes the answer. It decides nothing about fees, knows no keys and no
// roles, and listens on nothing: who starts it hands it connections that were let in.
//
// Where to start: [Options], then quoting.quote, which both forms call.
package rpc
