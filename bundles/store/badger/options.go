package badger

import (
	"fmt"
	"log/slog"
	"math"

	badgerdb "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Sizes of the database. They are small on purpose: a node answers quotes from its snapshot, not from
// here, and shall hold 51 300 bundles in 250 MB of resident memory.
const (
	// memTableBytes is the size of the table that takes writes, of which there are up to
	// memTables+1 in memory. 15 % of it is the largest transaction.
	memTableBytes = 16 << 20
	memTables     = 2
	// blockCacheBytes holds decompressed blocks. Scans pass through it once; only plans of ECs
	// read the same blocks again.
	blockCacheBytes = 16 << 20
	blockBytes      = 4 << 10
	// valueLogFileBytes bounds one document; documents over valueLogThreshold go to the value log.
	valueLogFileBytes = 128 << 20
	valueLogThreshold = 1 << 20
	// watermarkBytesMin is the least default of Options.WatermarkBytes.
	watermarkBytesMin = 1 << 30
)

// VerifyRowsDefault is the default of Options.VerifyRows. Reading and hashing that many rows takes
// some 50 ms when one revision wrote them, 0.5 s when each had a revision of its own.
const VerifyRowsDefault = 20_000

// Options says how a store is opened. The zero value is right for a service.
type Options struct {
	// Logger gets what Badger warns of; nil: nobody does.
	Logger *slog.Logger
	// WatermarkBytes is the free space below which commits are refused; 0: 1 GiB, or four times
	// the table that takes writes where that is more.
	WatermarkBytes uint64
	// FreeBytes tells the free space of the file system of a folder; nil asks the system.
	FreeBytes func(dir string) (uint64, error)
	// VerifyRows is how many rows, from the head back, are checked against the hash chain by
	// Open, in whole revisions and at least one. 0: VerifyRowsDefault; below 0: the whole history.
	VerifyRows int
	// LastGood makes Open go back to the last revision whose rows match its record, where it
	// would return a DamagedError for the head. The store then serves that revision and those
	// before it, refuses to commit, and says why by Degraded; Discard ends that state.
	LastGood bool
	// NoSync leaves it to the system when a commit reaches the disk. For tests and for imports
	// that are repeated after a crash.
	NoSync bool
	// Loading says that Settle is called once the catalogue is loaded. Until then no tables are merged: Settle would
	// wait for a merge that a kill had left to do, for seconds.
	Loading bool

	// step, where not nil, is called at the named points of a commit and a sweep. For tests.
	step func(point string)
}

func (o Options) withDefaults() Options {
	if o.WatermarkBytes == 0 {
		o.WatermarkBytes = max(watermarkBytesMin, 4*memTableBytes)
	}
	if o.FreeBytes == nil {
		o.FreeBytes = freeBytes
	}
	if o.VerifyRows == 0 {
		o.VerifyRows = VerifyRowsDefault
	}
	if o.step == nil {
		o.step = namedPoint
	}
	return o
}

// database returns the options of Badger, each that matters set explicitly.
func (o Options) database(dir string) badgerdb.Options {
	return badgerdb.DefaultOptions(dir).
		WithSyncWrites(!o.NoSync).
		WithVerifyValueChecksum(true).
		WithDetectConflicts(true).
		WithNumVersionsToKeep(1). // versions are rows of ours
		WithLogger(logger{o.Logger}).
		WithMetricsEnabled(false). // they are global variables
		WithMemTableSize(memTableBytes).
		WithNumMemtables(memTables).
		WithNumLevelZeroTables(2). // few tables for a scan to merge
		WithNumCompactors(2).
		WithBlockCacheSize(blockCacheBytes).
		WithBlockSize(blockBytes).
		WithIndexCacheSize(0). // without encryption the index is read in place
		WithCompression(options.Snappy).
		// Checked by checkTables before Badger opens; a check on every read would turn a damaged
		// block into a shorter scan, without an error.
		WithChecksumVerificationMode(options.NoVerification).
		WithValueLogFileSize(valueLogFileBytes).
		WithValueThreshold(valueLogThreshold)
}

// unmerged is a database whose tables nobody merges, however many there are.
func unmerged(o badgerdb.Options) badgerdb.Options {
	return o.WithNumCompactors(0).WithNumLevelZeroTablesStall(math.MaxInt)
}

// logger hands what Badger logs to slog: its warnings and errors as they are, all else as debug.
type logger struct{ to *slog.Logger }

func (l logger) Errorf(format string, values ...any) {
	if l.to != nil {
		l.to.Error("badger: " + fmt.Sprintf(format, values...))
	}
}

func (l logger) Warningf(format string, values ...any) {
	if l.to != nil {
		l.to.Warn("badger: " + fmt.Sprintf(format, values...))
	}
}

func (l logger) Infof(format string, values ...any) { l.Debugf(format, values...) }

func (l logger) Debugf(format string, values ...any) {
	if l.to != nil {
		l.to.Debug("badger: " + fmt.Sprintf(format, values...))
	}
}
