package format_test

import (
	"os"
	"path/filepath"
	"testing"
)

// shared returns the contents of a file of the folder that the specification comes with: the one named
// by GEC_SHARED, else one called shared beside the module or above it. The test is skipped without it.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	folders := []string{os.Getenv("GEC_SHARED")}
	if folders[0] == "" {
		folders = nil
		at, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for ; at != filepath.Dir(at); at = filepath.Dir(at) {
			folders = append(folders, filepath.Join(at, "shared"))
		}
	}
	for _, folder := range folders {
		if data, err := os.ReadFile(filepath.Join(folder, name)); err == nil {
			return data
		}
	}
	t.Skipf("%s is not here: set GEC_SHARED to the folder that holds it", name)
	return nil
}
