// Package bench measures the service beside its floors: the cost of a quote in process, of JSON bytes in
// to JSON bytes out, of building and changing a snapshot, and over the wire of the real binary.
//
// A measured way never stands alone. Beside it, in the same run and in turn with it, runs the floor that
// it is judged by, for absolute times drift by a third on a shared machine while ratios hold. All ways
// answer the same payments, and their answers are compared before anything is timed.
//
// Everything that is measured is generated here from a seed; no file outside this folder is read. Where to
// start: [Generate] makes a catalogue of the shape of the published fee list at any size, [Payments] a mix
// of payments, [Cases] lists what is measured in process, [Measure] measures it. The commands below the
// folder use them: report prints the table of goals, guard fails on a loss. Package service runs processes.
package bench
