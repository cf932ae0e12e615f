package format

import "gec/bundles"

// ImportDefaults returns how a file of the format is meant to be taken in: a native file adds to the
// catalogue and is checked strictly, a snapshot is the whole catalogue as it is, and a fee list replaces
// the fee list before it as it is (spec 5). A CSV is
// a native file. A CDI is for bundles.Catalogue.ImportCDI, which knows what it replaces.
func ImportDefaults(name Name) bundles.ImportOptions {
	switch name {
	case Snapshot:
		return bundles.ImportOptions{Mode: bundles.ImportReplaceAll, Origin: bundles.OriginSnapshot, Lenient: true}
	case FeeList:
		return bundles.ImportOptions{Mode: bundles.ImportReplaceOrigin, Origin: bundles.OriginFeeList, Lenient: true}
	case CDI:
		return bundles.ImportOptions{Mode: bundles.ImportMerge, Origin: bundles.OriginCDI}
	}
	return bundles.ImportOptions{Mode: bundles.ImportMerge}
}
