package rest

import (
	"net/http"

	"gec/api/journal"
)

// recorder notes what a mounted handler answers, and lets it say what the log, the metrics and the journal tell.
type recorder struct {
	http.ResponseWriter
	x *exchange
}

// Operation names the operation, which is then an event of the journal.
func (w *recorder) Operation(name string) { w.x.operation, w.x.journaled = name, true }

// Caller says who calls.
func (w *recorder) Caller(name string) { w.x.caller = name }

// Facts says what the call is about.
func (w *recorder) Facts(f journal.Facts) { w.x.facts = f }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.x.status == 0 && status >= 200 {
		w.x.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(part []byte) (int, error) {
	if w.x.status == 0 {
		w.x.status = http.StatusOK
	}
	return w.ResponseWriter.Write(part)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
