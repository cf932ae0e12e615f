package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeRelease makes TestDataOfEveryRelease write the folder of a release instead: go test ./cmd/gec -run
// DataOfEveryRelease -args -write-release 1. It is done once for each release.
var writeRelease = flag.String("write-release", "", "name of the release whose data are written to testdata/releases")

// releases has a data folder, as that release wrote it, and what it answered on it.
const releases = "testdata/releases"

// releaseQuotes are the questions whose answers later releases must give byte for byte.
var releaseQuotes = [][]string{
	{"quote", "--amount", "50.00", "--type", "CP", "--touchpoint", "CHECKOUT", "--at", "2027-01-11T10:00:00Z", "--seed", "7"},
	{"quote", "--amount", "50.00", "--type", "CP", "--touchpoint", "IO", "--at", "2027-01-11T20:30:00Z", "--seed", "7", "--order", "fee"},
}

func TestDataOfEveryRelease(t *testing.T) {
	if *writeRelease != "" {
		dir := filepath.Join(releases, *writeRelease)
		data := filepath.Join(dir, "data")
		must(t, "import", "--data", absolutePath(t, data), "--lenient", "--by", "release "+*writeRelease, absolutePath(t, "../../fixtures/catalogue.yaml"))
		if err := os.WriteFile(filepath.Join(dir, "quotes.txt"), []byte(answers(t, data)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, empty := range []string{"DISCARD", "LOCK"} { // made anew when missing
			_ = os.Remove(filepath.Join(data, empty))
		}
		return
	}
	dirs, err := filepath.Glob(filepath.Join(releases, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no data of a release in %s, %v", releases, err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(dir, "quotes.txt"))
			if err != nil {
				t.Fatal(err)
			}
			data := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(data, os.DirFS(filepath.Join(dir, "data"))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), answers(t, data)); diff != "" {
				t.Errorf("quotes on data of that release (-then +now):\n%s", diff)
			}
			must(t, "verify", "--data", data)
			must(t, "import", "--data", data, "--lenient", "--mode", "merge", absolutePath(t, "../../fixtures/catalogue.yaml"))
			must(t, "verify", "--data", data)
		})
	}
}

func answers(t *testing.T, data string) (all string) {
	t.Helper()
	for _, question := range releaseQuotes {
		all += must(t, append(question, "--data", absolutePath(t, data))...).stdout
	}
	return all
}

func absolutePath(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}
