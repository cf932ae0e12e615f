package badger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	badgerdb "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// prepare makes a folder fit to be opened: it creates it, removes the empty log files that a kill
// between create and truncate leaves and that Badger stumbles over (its issue 2207), and checks all
// tables. It does so under Badger's lock. It reports whether there are tables that the database is not made of: a
// crash leaves the one that was being written, and a manifest that was cut leaves others, which Badger removes.
func prepare(dir string, o badgerdb.Options) (orphans bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	err = locked(dir, func() error {
		if err := removeEmptyLogs(dir); err != nil {
			return err
		}
		tables, err := listTables(dir, o)
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.sst"))
		if err != nil {
			return err
		}
		orphans = slices.ContainsFunc(files, func(file string) bool {
			id, ok := table.ParseFileID(file)
			_, named := tables[id]
			return ok && !named
		})
		return checkTables(dir, o, tables)
	})
	return orphans, err
}

// Owns reports whether a file of a folder, by its name, is the store's.
func Owns(name string) bool {
	switch filepath.Ext(name) {
	case ".mem", ".vlog", ".sst":
		return true
	}
	return name == badgerdb.ManifestFilename || name == badgerdb.KeyRegistryFileName || name == "DISCARD" || name == "LOCK"
}

func removeEmptyLogs(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".mem") && !strings.HasSuffix(file.Name(), ".vlog") {
			continue
		}
		info, err := file.Info()
		if err != nil {
			return err
		}
		if info.Size() == 0 {
			if err := os.Remove(filepath.Join(dir, file.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTables verifies every block of every table that the database is made of. Badger itself would
// leave out a table whose index is damaged, so that its rows are silently gone, and would end the
// process on a damaged footer, in a goroutine where nobody can recover.
func checkTables(dir string, o badgerdb.Options, tables map[uint64]badgerdb.TableManifest) error {
	var (
		checks sync.WaitGroup
		ids    = make(chan uint64)
		mu     sync.Mutex
		faults []error
	)
	for range runtime.GOMAXPROCS(0) {
		checks.Go(func() {
			var room []byte // for one file after the other
			for id := range ids {
				var err error
				if room, err = checkTable(table.NewFilename(id, dir), id, o, tables[id], room); err != nil {
					mu.Lock()
					faults = append(faults, err)
					mu.Unlock()
				}
			}
		})
	}
	for id := range tables {
		ids <- id
	}
	close(ids)
	checks.Wait()
	return errors.Join(faults...)
}

// listTables reads Badger's manifest; a new folder has none.
func listTables(dir string, o badgerdb.Options) (map[uint64]badgerdb.TableManifest, error) {
	file, err := os.Open(filepath.Join(dir, badgerdb.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	manifest, _, err := badgerdb.ReplayManifestFile(file, o.ExternalMagicVersion, o)
	if err != nil {
		return nil, &DamagedError{Part: badgerdb.ManifestFilename, Reason: err.Error()}
	}
	return manifest.Tables, nil
}

// checkTable reads a table from its first key to its last, with the checksum of every block. It holds the
// file in room, which it returns grown.
func checkTable(file string, id uint64, o badgerdb.Options, of badgerdb.TableManifest, room []byte) (_ []byte, err error) {
	damaged := func(reason any) error {
		// Badger's reasons end in dumps of the file.
		text, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprint(reason)), "\n")
		return &DamagedError{Part: filepath.Base(file), Reason: text}
	}
	defer func() {
		if reason := recover(); reason != nil {
			err = damaged(reason)
		}
	}()
	if room, err = readInto(room, file); errors.Is(err, fs.ErrNotExist) {
		return room, damaged("the file is missing")
	} else if err != nil {
		return room, err
	}
	t, err := table.OpenInMemoryTable(room, id, &table.Options{
		Compression: of.Compression, BlockSize: o.BlockSize, ChkMode: options.OnBlockRead,
	})
	if err != nil {
		return room, damaged(err)
	}
	it := t.NewIterator(table.NOCACHE)
	defer it.Close()
	keys := uint32(0)
	for it.Rewind(); it.Valid(); it.Next() { // a block that cannot be read ends it early
		keys++
	}
	if keys != t.KeyCount() {
		return room, damaged(fmt.Sprintf("%d of %d keys can be read", keys, t.KeyCount()))
	}
	return room, nil
}

// readInto reads a file into room, or into new memory where that is too small.
func readInto(room []byte, file string) ([]byte, error) {
	in, err := os.Open(file)
	if err != nil {
		return room, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return room, err
	}
	room = slices.Grow(room[:0], int(info.Size()))[:info.Size()]
	_, err = io.ReadFull(in, room)
	return room, err
}
