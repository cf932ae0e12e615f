// Package rest serves the platform's HTTP contract (spec 4): the calculator, v1 and v2, in every form of
// its paths, with health, information and, where they are turned on, test endpoints. It decodes, asks the
// catalogue's current snapshot, and encodes; it knows no rule of quotes and checks no key.
//
// Two things stand out. Requests are read leniently where production clients are sloppy and strictly where
// money is concerned: a number is an integer of cents, a field is given once, a document is whole. And the
// way of a quote allocates nothing of its own: bodies, payments and answers live in pooled buffers, strings
// of a payment point into the request's bytes, and rows are copied from fragments made with the snapshot.
//
// Where to start: routes.go is the table of everything that is served, [Calculator] the way from bytes to
// bytes without a socket, decode.go and encode.go its two ends, openapi/ the contract in documents.
package rest
