package badger

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// plenty is a probe of free space that never finds any shortage, so that tests run on small disks.
func plenty(string) (uint64, error) { return 1 << 40, nil }

// mustOpen opens a store; who calls closes it.
func mustOpen(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(dir string, o Options) (*Store, error) {
	if o.FreeBytes == nil {
		o.FreeBytes = plenty
	}
	return Open(dir, o)
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// put returns the rows "id-000000" and on, all with one document.
func put(count int, document string) []bundles.Row {
	rows := make([]bundles.Row, count)
	for i := range rows {
		rows[i] = bundles.Row{Kind: bundles.KindBundle, ID: fmt.Sprintf("id-%06d", i), Document: []byte(document)}
	}
	return rows
}

func mustCommit(t testing.TB, s *Store, rows []bundles.Row) bundles.Record {
	t.Helper()
	head := *s.head.Load()
	r, err := s.Commit(t.Context(), bundles.Commit{Base: head.Revision, Record: record(head.Revision + 1), Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func record(revision int64) bundles.Record {
	return bundles.Record{
		At: time.Unix(1_800_000_000+revision, 0), Caller: "test", Operation: "put",
		IdempotencyKey: fmt.Sprintf("key-%d", revision),
	}
}

// content returns "count × document" of the bundles at the head, which all have one document.
func content(t testing.TB, s *Store) string {
	t.Helper()
	count, document := 0, ""
	err := s.Scan(t.Context(), s.head.Load().Revision, bundles.KindBundle, "", func(r bundles.Row) error {
		if count++; count > 1 && document != string(r.Document) {
			return fmt.Errorf("%s has document %s, others have %s", r.ID, r.Document, document)
		}
		document = string(r.Document)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d × %s", count, document)
}

// keys returns the number of keys in the database that begin with one of the bytes.
func keys(t testing.TB, s *Store, spaces string) (count int) {
	t.Helper()
	if err := s.db.View(func(txn *badgerdb.Txn) error {
		it := txn.NewIterator(badgerdb.IteratorOptions{})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if strings.IndexByte(spaces, it.Item().Key()[0]) >= 0 {
				count++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return count
}

// copyFolder copies the files as a process killed at this moment leaves them: what Badger wrote into
// mapped memory is read from the files. A kill stops everything at once, a copy does not: where Badger
// moved data between files meanwhile, it is made again.
func copyFolder(t testing.TB, from string) string {
	t.Helper()
	for range 100 {
		to, before := t.TempDir(), layout(from)
		err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return copySparse(path, filepath.Join(to, entry.Name()))
		})
		if after := layout(from); before != "" && before == after {
			if err != nil {
				t.Fatal(err)
			}
			return to
		}
	}
	t.Fatal("Badger does not come to rest")
	return ""
}

// layout returns the names of the files and what Badger's manifest says of them.
func layout(dir string) string {
	files, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var names strings.Builder
	for _, file := range files {
		names.WriteString(file.Name() + "\n")
	}
	manifest, err := os.ReadFile(filepath.Join(dir, badgerdb.ManifestFilename))
	if err != nil {
		return ""
	}
	return names.String() + string(manifest)
}

// copySparse copies a file and leaves out what is zero, of which logs have a lot.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	block, zeros := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := io.ReadFull(in, block)
		if n > 0 && !bytes.Equal(block[:n], zeros[:n]) {
			if _, err := out.WriteAt(block[:n], at); err != nil {
				return err
			}
		}
		if at += int64(n); err != nil {
			return out.Truncate(at)
		}
	}
}
