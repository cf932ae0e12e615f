package rpc

import "gec/api/gecv1"

// NewQuoteServer returns the service without a transport, for benchmarks.
func NewQuoteServer(o Options) gecv1.QuoteServiceServer {
	return &quoteServer{quoting: newQuoting(o.withDefaults())}
}
