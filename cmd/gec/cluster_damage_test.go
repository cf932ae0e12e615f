package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// tearsEnv is how often the long version of TestClusterCopyDamaged damages the copy of a node.
const tearsEnv = "GEC_TEST_TEARS"

// instant is when a quote was made, which differs between two of the same.
var instant = regexp.MustCompile(`"at":"[^"]*",`)

// quotesAt are the quotes of some payments, one with an EC that has subscriptions, at a revision.
func quotesAt(t *testing.T, s *server, revision int64) string {
	t.Helper()
	var all []string
	for _, payment := range []string{
		`{"paymentType": "CP", "touchpoint": "CHECKOUT", "notices": [{"amountCents": 5000}]}`,
		`{"paymentType": "MYBK", "touchpoint": "IO", "notices": [{"amountCents": 123456}]}`,
		`{"notices": [{"amountCents": 5000, "creditorInstitution": "80000000103", "transfers": [{"creditorInstitution": "80000000103", "transferCategory": "0101100IM"}]}]}`,
	} {
		status, body := post(t, s.http+"/gec/v1/quote", json.RawMessage(fmt.Sprintf(`{"revision": %d, "payment": %s}`, revision, payment)))
		if status != http.StatusOK && status != http.StatusNotFound {
			t.Fatalf("a quote at revision %d: %d %s; log:\n%s", revision, status, body, s.stderr)
		}
		all = append(all, instant.ReplaceAllString(body, ""))
	}
	return strings.Join(all, "\n")
}

// readyRevision is the revision that a node was ready with.
func readyRevision(t *testing.T, s *server) int64 {
	t.Helper()
	_, rest, _ := strings.Cut(s.ready, "revision=")
	text, _, _ := strings.Cut(rest, " ")
	revision, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// TestClusterCopyDamaged damages the copy of a node, in an old row that shows only when the catalogue is loaded, and
// by flipping bits and cutting files: the node comes to the right catalogue by itself, and never quotes another.
func TestClusterCopyDamaged(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a member of etcd")
	}
	t.Parallel()
	e := etcdMembers(t, 1, nil)
	node := func(data string, args ...string) *server {
		return start(t, binary, nil, append(append(clusterNode, "--data", data, "--etcd-endpoints", e.endpoints()), args...)...)
	}
	data := filepath.Join(t.TempDir(), "data")
	s := node(data, "--sample")
	for _, psp := range []string{"ONE", "TWO", "THREE"} { // more than is checked at a start
		if status, body := post(t, s.http+"/gec/v1/psps/"+psp+"/uploads", json.RawMessage(largeUpload(psp))); status != http.StatusOK {
			t.Fatalf("%d %.300s", status, body)
		}
	}
	s.stop(t) // into tables
	s = node(data)
	for i := range 3 {
		if status, body := addTouchpoint(t, s, fmt.Sprint("T", i)); status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
	}
	s.kill(t) // and a log to be replayed
	truth := node(t.TempDir())
	head := readyRevision(t, truth)
	check := func(what, copied string) {
		t.Helper()
		s := node(copied)
		if at := readyRevision(t, s); at > head || at > 0 && quotesAt(t, s, at) != quotesAt(t, truth, at) {
			t.Errorf("%s: other quotes at revision %d, with which it is ready", what, at)
		}
		eventually(t, what+": the node is at the head", func() bool {
			h := healthOf(t, s)
			return h.Connected == "true" && h.Revision == strconv.FormatInt(head, 10)
		})
		if got, want := quotesAt(t, s, head), quotesAt(t, truth, head); got != want {
			t.Errorf("%s: other quotes at the head:\n%s\nwant\n%s", what, got, want)
		}
		s.stop(t)
		if got := revisionOf(t, copied); got != head {
			t.Errorf("%s: the folder is at revision %d, want %d", what, got, head)
		}
	}
	old := copyOf(t, data)
	damageOldRow(t, old)
	check("an old row", old)
	if aside, err := filepath.Glob(old + ".damaged-*/*.sst"); err != nil || len(aside) == 0 {
		t.Errorf("the damaged copy was not moved aside: %v, %v", aside, err)
	}
	random := rand.New(rand.NewPCG(12, 12))
	for range parameter(t, tearsEnv, 4) {
		torn := copyOf(t, data)
		check(tear(t, torn, random), torn)
		if t.Failed() {
			t.FailNow()
		}
		os.RemoveAll(filepath.Dir(torn))
	}
}

// copyOf copies the files of a data folder into a new one.
func copyOf(t *testing.T, data string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(to, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return to
}

// damageOldRow changes a row of a bundle that revision 1 wrote.
func damageOldRow(t *testing.T, data string) {
	t.Helper()
	db, err := badgerdb.Open(badgerdb.DefaultOptions(data).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *badgerdb.Txn) error {
		it := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte("rbesempio-carta-fino-50\x00")})
		defer it.Close()
		it.Rewind()
		if !it.Valid() {
			return fmt.Errorf("there is no such row")
		}
		value, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		value[len(value)/2] ^= 1
		return txn.Set(it.Item().KeyCopy(nil), value)
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tear flips a bit of one of the store's files, or cuts one, where it has content, and says what it did.
func tear(t *testing.T, data string, random *rand.Rand) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "*"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool {
		return !slices.Contains([]string{".sst", ".mem", ".vlog", ""}, filepath.Ext(file)) || filepath.Base(file) == "LOCK" || filepath.Base(file) == "ballast"
	})
	for {
		file := files[random.IntN(len(files))]
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := len(bytes.TrimRight(content, "\x00"))
		if used == 0 {
			continue
		}
		at := random.IntN(used)
		what := fmt.Sprintf("%s at %d of %d", filepath.Base(file), at, used)
		if random.IntN(3) == 0 {
			if err := os.Truncate(file, int64(at)); err != nil {
				t.Fatal(err)
			}
			return what + " cut"
		}
		content[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return what + " flipped"
	}
}
