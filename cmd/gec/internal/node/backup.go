package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"gec/bundles/backup"
	"gec/bundles/store/badger"
)

// Backup writes the revisions of the folder after the given one to out.
func (f *Folder) Backup(ctx context.Context, after int64, out io.Writer) (backup.Summary, error) {
	return backup.Write(ctx, f.store, after, out)
}

// Stream is one file of a backup: its name for people, and how to open it.
type Stream struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Restore builds the data folder dir from a full backup and the incremental ones after it, in this order.
// The folder has to be empty or missing; it is there whole, checked to its first revision, or not at all.
func Restore(ctx context.Context, dir string, streams []Stream, log *slog.Logger) (last backup.Summary, err error) {
	if !empty(dir) {
		return last, fmt.Errorf("data folder %s is not empty: restore into a new one, then swap the two", absolute(dir))
	}
	building := absolute(dir) + ".restoring"
	if !empty(building) {
		return last, fmt.Errorf("%s is left of a restore that was cut short: remove it", building)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(building))
		}
	}()
	// Nothing waits for the disk until Close: a restore that is cut short leaves no data folder.
	store, err := badger.Open(building, badger.Options{Logger: log, NoSync: true})
	if err != nil {
		return last, err
	}
	for _, stream := range streams {
		if last, err = restoreOne(ctx, store, stream); err != nil {
			return last, errors.Join(fmt.Errorf("%s: %w", stream.Name, err), store.Close())
		}
	}
	if err := store.Close(); err != nil {
		return last, err
	}
	store, err = badger.Open(building, badger.Options{Logger: log, VerifyRows: -1})
	if err != nil {
		return last, fmt.Errorf("what was restored does not open: %w", err)
	}
	if err := store.Close(); err != nil {
		return last, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return last, err
	}
	return last, os.Rename(building, dir)
}

func restoreOne(ctx context.Context, store *badger.Store, stream Stream) (backup.Summary, error) {
	in, err := stream.Open()
	if err != nil {
		return backup.Summary{}, err
	}
	defer in.Close()
	return backup.Restore(ctx, store, in)
}
