// Package node puts a node of gec together: the store in its folder, the catalogue on it, the services on
// the catalogue, and the listeners, and takes them apart again in order.
//
// It refuses to listen beyond loopback unless the operator says so, as no caller needs a key. It holds no
// rule of its own.
//
// Where to start: [Open] for a folder alone, [Serve] for a whole node.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"gec/api/fragment"
	"gec/api/receipt"
	"gec/api/trace"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/bundles/store/etcd"
	"gec/cmd/gec/internal/config"
)

// Folder is an open data folder. Nobody else can open it until Close.
type Folder struct {
	*bundles.Catalogue
	store *badger.Store
	// shared is the store of the cluster whose copy the folder is, nil for a node by itself.
	shared *etcd.Store
	// space is that of etcd when it was last asked.
	space atomic.Pointer[etcd.Space]
	// desk gives and redeems receipts while the folder is served, else nil.
	desk *receipt.Desk
	// trial is the folder to remove at the end, if any.
	trial string
}

// Open opens the catalogue of the data folder and makes the folder when it is not there. Errors say what
// to do where a person can do something.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*Folder, error) {
	c.Store = "badger" // a command works on the folder alone
	return openFolder(ctx, c, badger.Options{Logger: log})
}

// OpenExisting is [Open] for commands that only read: a folder without a catalogue is an error.
func OpenExisting(ctx context.Context, c config.Config, log *slog.Logger) (*Folder, error) {
	if empty(c.DataDir) {
		return nil, fmt.Errorf("data folder %s holds no catalogue: fill one with 'gec import --data %[1]s …', or name another with --data", absolute(c.DataDir))
	}
	return Open(ctx, c, log)
}

// OpenForTrial is [Open] for commands that store nothing: where there is no catalogue yet it opens an empty
// one in a folder that Close removes.
func OpenForTrial(ctx context.Context, c config.Config, log *slog.Logger) (*Folder, error) {
	if !empty(c.DataDir) {
		return Open(ctx, c, log)
	}
	trial, err := os.MkdirTemp("", "gec-trial-")
	if err != nil {
		return nil, err
	}
	c.DataDir = trial
	folder, err := Open(ctx, c, log)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(trial))
	}
	folder.trial = trial
	return folder, nil
}

// empty reports whether there is nothing in the folder, or no folder.
func empty(dir string) bool {
	files, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0
}

func openFolder(ctx context.Context, c config.Config, o badger.Options) (*Folder, error) {
	o.WatermarkBytes = uint64(c.WatermarkMiB) << 20
	store, err := badger.Open(c.DataDir, o)
	if errors.Is(err, badger.ErrInUse) {
		return nil, fmt.Errorf("data folder %s is in use by another gec: stop that one, or ask it with --server http://…: %w", absolute(c.DataDir), err)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", absolute(c.DataDir), err)
	}
	served, shared, err := share(ctx, c, store, o.Logger)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	catalogue, err := bundles.Open(ctx, served, bundles.Options{
		ProgramsMax: c.ProgramsMax, ECPlansMax: c.ECPlansMax, SnapshotsMax: c.SnapshotsMax, Annotate: fragment.Of, Stage: trace.Stage,
	})
	if err != nil {
		if errors.Is(err, bundles.ErrCorrupt) {
			// A row that cannot be decoded is damaged where its hash says so, else of a later version.
			_, damage := store.Verify(ctx)
			err = errors.Join(err, damage)
		}
		return nil, errors.Join(fmt.Errorf("data folder %s: %w", absolute(c.DataDir), err), served.Close())
	}
	return &Folder{Catalogue: catalogue, store: store, shared: shared}, nil
}

// collectEvery gives space that the store no longer needs back to the disk, now and then. The function that
// it returns ends that, and returns when it has ended.
func (f *Folder) collectEvery(ctx context.Context, interval time.Duration, log *slog.Logger) (end func()) {
	return background(ctx, func(ctx context.Context) {
		every(ctx, interval, func() {
			if err := f.store.Collect(ctx); err != nil && ctx.Err() == nil {
				log.Warn("collecting unused space of the data folder failed", "error", err)
			}
		})
	})
}

// Close closes the store. Nothing else may use the folder's catalogue any more.
func (f *Folder) Close() error {
	if f.shared != nil {
		return f.shared.Close() // and the folder, its copy
	}
	err := f.store.Close()
	if f.trial != "" {
		err = errors.Join(err, os.RemoveAll(f.trial))
	}
	return err
}

// absolute returns the path as somebody in another folder would name it.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// Owner is who acts on a data folder from the command line: whoever can open it may do everything.
func Owner() bundles.Caller { return bundles.Operator("owner of the data folder") }

// publisher reads what the open data are made of.
func publisher() bundles.Caller { return bundles.Caller{Name: "open data", Auditor: true} }

// exported returns the catalogue of a revision for the open data.
func (f *Folder) exported(ctx context.Context, revision int64) (bundles.Document, error) {
	return f.Export(ctx, publisher(), revision)
}

// published returns the instant at which a revision became current, the zero time when there is none.
func (f *Folder) published(ctx context.Context, revision int64) (time.Time, error) {
	records, err := f.Records(ctx, publisher(), revision, revision)
	if err != nil || len(records) == 0 {
		return time.Time{}, err
	}
	return records[0].At, nil
}
