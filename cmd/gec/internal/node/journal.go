package node

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"

	"gec/api/journal"
	"gec/cmd/gec/internal/config"
)

// JournalFolder is where the journal of a data folder is.
func JournalFolder(data string) string { return filepath.Join(data, "journal") }

// openJournal opens the journal of a node, unless the settings want none, and registers its numbers. The function
// that it returns writes what is left of it; what is missing was said in it and in the log.
func (w *watch) openJournal(c config.Config, f *Folder, log *slog.Logger) (end func(), err error) {
	if !c.Journal.On {
		log.Warn("the event journal is off")
		return func() {}, nil
	}
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	w.journal, err = journal.Open(JournalFolder(c.DataDir), journal.Options{
		Policy: journal.Policy(c.Journal.Policy), Queue: c.Journal.Queue, Retention: c.Journal.Retention, Sync: c.Journal.Sync,
		Node: name, Catalogue: f.Head, Logger: log,
		Free: func() uint64 {
			if free := f.store.Free(); free > 0 {
				return free
			}
			return math.MaxUint64 // the system does not tell
		},
		// Changes are refused below the watermark, calls are journaled down to a quarter of it: what is left is
		// for the store, which a disk without any room would end.
		ReserveBytes: uint64(c.WatermarkMiB) << 20 / 4,
	})
	if err != nil {
		return nil, err
	}
	end = func() {
		if err := w.journal.Close(); err != nil {
			log.Error("the journal is not complete", "error", err)
		}
	}
	if err := w.registerJournal(w.journal); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// registerJournal registers the numbers of a journal.
func (w *watch) registerJournal(j *journal.Journal) error {
	if w.metrics == nil {
		return nil
	}
	of := func(value func(s *journal.Stats) float64) func() float64 {
		return func() float64 {
			s := j.Stats()
			return value(&s)
		}
	}
	return w.register([]gauge{
		{"gec_journal_queue", "Calls that wait to be journaled.", of(func(s *journal.Stats) float64 { return float64(s.Waiting) })},
		{"gec_journal_written_total", "Calls that were journaled.", of(func(s *journal.Stats) float64 { return float64(s.Written) })},
		{"gec_journal_summed_total", "Calls refused before their caller was known of which the journal has the number only, as they were many.", of(func(s *journal.Stats) float64 { return float64(s.Summed) })},
		{"gec_journal_dropped_total", "Calls that were not, as the queue was full.", of(func(s *journal.Stats) float64 { return float64(s.Dropped) })},
		{"gec_journal_failed_total", "Calls that were not, as the disk was full or failed.", of(func(s *journal.Stats) float64 { return float64(s.Failed) })},
		{"gec_journal_writable", "1 where the journal can be written.", of(func(s *journal.Stats) float64 {
			if s.Failing != nil {
				return 0
			}
			return 1
		})},
		{"gec_journal_bytes", "Bytes of the journal.", of(func(s *journal.Stats) float64 { return float64(s.Bytes) })},
		{"gec_journal_syncs_total", "Times that the journal was synced to the disk.", of(func(s *journal.Stats) float64 { return float64(s.Syncs) })},
		{"gec_journal_sync_seconds_total", "Time that took.", of(func(s *journal.Stats) float64 { return s.SyncTime.Seconds() })},
		{"gec_journal_sync_failures_total", "Times that it failed.", of(func(s *journal.Stats) float64 { return float64(s.SyncFailures) })},
	})
}

// RevisionHash returns how the journal asks for the hash of a revision's record.
func (f *Folder) RevisionHash(ctx context.Context) func(int64) ([32]byte, bool, error) {
	return func(revision int64) (hash [32]byte, known bool, err error) {
		records, err := f.Records(ctx, Owner(), revision, revision)
		if err != nil || len(records) == 0 {
			return hash, false, err
		}
		return records[0].SHA256, true, nil
	}
}
