// Package engine turns fee bundles into ranked fee quotes: it decides which bundles apply to a
// payment (rules Q1 to Q14), what each costs (Q15, fees F1 to F3), what the creditor institutions
// bear of it (Q16 to Q18) and in which order the rows are shown (Q19 to Q25).
//
// The package is pure. It knows no store, no transport, no clock, no log and no goroutine: the
// instant, the catalogue and the randomness come in as arguments, so that the same payment on the
// same revision gives the same bytes today and in a year (P7). Money is int64 euro cents; no float
// occurs.
//
// Where to start: [Bundle] is what is matched, [Payment] what is asked, [Snapshot] an immutable
// catalogue made for matching, [Quoter.Quotes] the indexed path, [Plain] the reference that runs
// every bundle's own program, [Explain] the reasons.
package engine
