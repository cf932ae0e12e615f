package format

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"gec/bundles"
	"gec/engine"
)

// Name names a format.
type Name string

// The formats.
const (
	// Native is the model as people write it, in JSON or YAML, told apart by content: a text whose
	// first character is { or [ is JSON. It is read strictly: a field that is not known, or given
	// twice, or of another kind, is a fault.
	Native Name = "native"
	// Snapshot is the platform's current catalogue as it is handed over for a migration, in JSON.
	// It is read leniently: unknown fields are ignored, a number is taken where text is due.
	Snapshot Name = "snapshot"
	// FeeList is the published fee list ("elenco servizi"), in JSON, in euro.
	FeeList Name = "feelist"
	// CDI is the "Catalogo Dati Informativi" of one or more PSPs, in XML. See cdi.go.
	CDI Name = "cdi"
	// CSV has one row a bundle, for spreadsheets. See csv.go for its columns.
	CSV Name = "csv"
)

// Names are the formats that can be read and written.
func Names() []Name { return []Name{Native, Snapshot, FeeList, CDI, CSV} }

// ErrUnknownFormat is returned for a name that is none of Names.
var ErrUnknownFormat = errors.New("format is unknown: use native, snapshot, feelist, cdi or csv")

// The bounds of what is read.
const (
	// BytesMax is the size of the largest file, the default of ReadOptions.BytesMax.
	BytesMax = 64 << 20
	// DepthMax is how deep objects and lists may be nested.
	DepthMax = 32
	// BundlesMax is the number of bundles in one file.
	BundlesMax = 200_000
	// SubscriptionsMax is the number of subscriptions in one file.
	SubscriptionsMax = 1_000_000
	// YAMLBytesMax is the size of the largest YAML file, which takes twenty times its size in
	// memory while it is read. Larger catalogues are exchanged as JSON.
	YAMLBytesMax = 16 << 20
)

// ReadOptions says how a file is read. The zero value reads a file on its own.
type ReadOptions struct {
	// Settings are those in force. A native file and a fee list may state settings in part; what
	// they leave out is taken from here, because a document's settings replace the old ones as a
	// whole. A snapshot is a whole catalogue and does not look at them. nil: there are none yet.
	Settings *engine.Settings
	// CloseHoles mends fee lists: a minimum one cent above the maximum of another band of the
	// same PSP, payment type, touchpoint and on-us flag ("50.01" after "50.00") becomes that
	// maximum, since minima are exclusive and the payment of exactly 50.01 would have no fee (A10).
	CloseHoles bool
	// Today is the day on which a CDI is judged: its validity must begin later. 0 does not judge it.
	Today engine.Date
	// Past takes CDIs whose validity began already, for migrations and tests.
	Past bool
	// BytesMax bounds the file; 0 means [BytesMax].
	BytesMax int64
	// Check, where given, is called with what was read, also when the reader found faults, and
	// what it returns is reported together with those, with line and column. It is meant for
	// bundles.CheckDocument, so that an author sees all faults of a file at once (A2).
	Check Check
	// Rest, where given, is called between the bundles of a document other than a CDI or a CSV table, so that a server can
	// let others go first.
	Rest func()
}

// Check judges what was read of a document: its faults, with native paths, and its warnings.
type Check func(*bundles.Document) (bundles.Faults, []bundles.Fault)

// Read reads one catalogue, or a part of one. The warnings say what was taken otherwise than it may
// have been meant.
//
// Errors: bundles.Faults with every fault of the file, sorted by place; ErrUnknownFormat; those of r.
// With bundles.Faults the document holds what could be made out.
func Read(name Name, r io.Reader, o ReadOptions) (bundles.Document, []bundles.Fault, error) {
	if !slices.Contains(Names(), name) {
		return bundles.Document{}, nil, fmt.Errorf("%w: not %s", ErrUnknownFormat, bundles.Excerpt(string(name)))
	}
	data, err := slurp(r, o.bytesMax())
	if err != nil {
		return bundles.Document{}, nil, err
	}
	return Parse(name, data, o)
}

// Parse is [Read] of a file that is in memory already; it copies no more of it than it must.
func Parse(name Name, data []byte, o ReadOptions) (bundles.Document, []bundles.Fault, error) {
	if !slices.Contains(Names(), name) {
		return bundles.Document{}, nil, fmt.Errorf("%w: not %s", ErrUnknownFormat, bundles.Excerpt(string(name)))
	}
	if int64(len(data)) > o.bytesMax() {
		return bundles.Document{}, nil, tooLarge(o.bytesMax())
	}
	if name == CDI || name == CSV {
		return readForeign(name, data, o)
	}
	src, fault := open(name, data)
	if fault != nil {
		return bundles.Document{}, nil, bundles.Faults{*fault}
	}
	d := newDecoder(src, name)
	if o.Rest != nil {
		d.rest = o.Rest
	}
	var document bundles.Document
	if name == FeeList {
		document = d.feeList(o)
	} else {
		document = d.catalogue(o)
	}
	faults, warnings := d.report(), d.warnings
	if o.Check != nil {
		more, moreWarnings := o.Check(&document)
		more = apart(name, more, faults)
		for _, found := range [][]bundles.Fault{more, moreWarnings} {
			Locate(name, data, found)
			for i := range found {
				found[i].Path = renamed(found[i].Path, fileNames(name))
			}
		}
		faults, warnings = append(faults, more...), append(warnings, moreWarnings...)
	}
	bundles.Faults(warnings).Sort()
	return document, warnings, faults.Err()
}

// slurp reads all of r up to the bound.
func slurp(r io.Reader, bytesMax int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, bytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	if int64(len(data)) > bytesMax {
		return nil, tooLarge(bytesMax)
	}
	return data, nil
}

func (o *ReadOptions) bytesMax() int64 {
	if o.BytesMax <= 0 {
		return BytesMax
	}
	return o.BytesMax
}

func tooLarge(bytesMax int64) bundles.Faults {
	return bundles.Faults{{Reason: fmt.Sprintf("the file is larger than %d bytes", bytesMax), Fix: "split it into several"}}
}

// WriteOptions says how a file is written.
type WriteOptions struct {
	// YAML writes the native format as YAML; else it is JSON, one bundle a line.
	YAML bool
	// Today is the day that a fee list is published on: bundles not valid then are left out.
	// Without it a bundle that is not valid always cannot be published.
	Today engine.Date
}

// Write writes a catalogue, or a part of one, so that Read gives it back: its settings, its bundles in
// their order, and the subscriptions of each. What only the catalogue sets (instants, revisions) is not
// part of a file. A fee list has room for GLOBAL bundles with a fixed fee only; it says neither settings
// nor channel and broker, and of a validity only that it holds on the list's day.
//
// Errors: bundles.Faults naming every bundle that the format cannot express, before anything is
// written; ErrUnknownFormat; those of w.
func Write(name Name, w io.Writer, d bundles.Document, o WriteOptions) error {
	switch name {
	case Native:
		if o.YAML {
			return writeYAML(w, &d)
		}
		return writeCatalogue(w, &d, Native)
	case Snapshot:
		if faults := strays(&d); len(faults) > 0 {
			return faults
		}
		return writeCatalogue(w, &d, Snapshot)
	case FeeList:
		return writeFeeList(w, &d, o)
	case CDI:
		return writeCDI(w, &d)
	case CSV:
		return writeCSV(w, &d)
	}
	return fmt.Errorf("%w: not %s", ErrUnknownFormat, bundles.Excerpt(string(name)))
}
