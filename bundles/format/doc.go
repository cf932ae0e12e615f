// Package format reads and writes catalogues as files: the native form in JSON or YAML, the platform's
// snapshot, the published fee list, CDI XML and CSV (spec 5). Export writes what import reads, and a
// round trip changes nothing.
//
// It knows files, not the catalogue: it neither stores nor decides whether what a file says may be
// stored (that is [bundles.CheckDocument]). All files are hostile until read: sizes, depth and the
// number of things are bounded before memory is spent on them, and nothing that a file says makes a
// reader panic.
//
// A reader works in two layers. A source ([jsonSource], [yamlSource]) walks a text value by value and
// knows where each value stands; a decoder takes the values by tables of fields, one table per thing,
// which all formats share, and gathers every fault with its path. So all faults of a file are reported
// at once, each with line and column. CDI and CSV are no trees of objects and have readers of their own
// (cdi.go, csv.go), which share the gathering of faults.
//
// Where to start: [Read] and [Write]; fields.go has the tables.
package format
