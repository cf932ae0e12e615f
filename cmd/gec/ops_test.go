package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var opsAddress = regexp.MustCompile(`ops=(127\.0\.0\.1:\d+)`)

// opsOf returns the operator's address of a server.
func opsOf(t *testing.T, s *server) string {
	t.Helper()
	s.stderr.await(t, "operator's listener")
	found := opsAddress.FindStringSubmatch(s.stderr.String())
	if found == nil {
		t.Fatalf("the log names no operator's address:\n%s", s.stderr)
	}
	return "http://" + found[1]
}

// TestOperator asks a running server for its metrics and profiles, backs it up twice while it serves, and makes
// a data folder of both files that has the same history, byte by byte.
func TestOperator(t *testing.T) {
	dir := t.TempDir()
	data, restored := filepath.Join(dir, "data"), filepath.Join(dir, "restored")
	full, more, again := filepath.Join(dir, "full.gec"), filepath.Join(dir, "more.gec"), filepath.Join(dir, "again.gec")
	s := serve(t, data, "--sample", "--authoring-without-keys", "--ops", "127.0.0.1:0")
	ops := opsOf(t, s)
	must(t, "backup", "--from", ops, "-o", full)
	u := &uploader{psp: "BACKEDUP"}
	if status, text := post(t, s.http+"/gec/v1/psps/BACKEDUP/uploads", jsonText(u.body(1))); status != http.StatusOK {
		t.Fatalf("upload: %d %s", status, text)
	}
	must(t, "backup", "--from", ops, "--continue", full, "-o", more)
	if r := gec(t, "backup", "--from", ops, "--after", "99", "-o", again); r.code != 1 || !strings.Contains(r.stderr, "the last one is 2") {
		t.Errorf("a revision that is not there: %d %s", r.code, r.stderr)
	}
	if _, text := get(t, ops+"/metrics"); !strings.Contains(text, `gec_calls_total{operation="uploadBundles",status="2xx",transport="http"} 1`) ||
		!strings.Contains(text, "gec_catalogue_revision 2\n") {
		t.Errorf("the upload is not counted:\n%s", text)
	}
	if status, _ := get(t, ops+"/debug/pprof/heap"); status != http.StatusOK {
		t.Errorf("profile: %d", status)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/backup"} {
		if status, _ := get(t, s.http+path); status != http.StatusNotFound {
			t.Errorf("%s is on the public address: %d", path, status)
		}
	}
	s.stop(t)

	must(t, "restore", "--data", restored, full, more)
	must(t, "verify", "--data", restored)
	must(t, "verify", full, more)
	before, after := filepath.Join(dir, "before.gec"), filepath.Join(dir, "after.gec")
	must(t, "backup", "--data", data, "-o", before)
	must(t, "backup", "--data", restored, "-o", after)
	if a, b := read(t, before), read(t, after); a != b {
		t.Error("what was restored has another history")
	}
	if a, b := must(t, "export", "--data", data).stdout, must(t, "export", "--data", restored).stdout; a != b {
		t.Error("what was restored is another catalogue")
	}
	refusedRestores(t, dir, data, full, more)
}

// refusedRestores holds that nothing but whole backups in order makes a folder.
func refusedRestores(t *testing.T, dir, data, full, more string) {
	t.Helper()
	cut, changed := filepath.Join(dir, "cut.gec"), filepath.Join(dir, "changed.gec")
	whole := read(t, full)
	flipped := []byte(whole)
	flipped[len(flipped)/2] ^= 1
	for file, content := range map[string][]byte{cut: []byte(whole[:len(whole)-10]), changed: flipped} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	into := filepath.Join(dir, "refused")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"restore", "--data", into, cut}, "it was cut"},
		{[]string{"restore", "--data", into, changed}, "checksum"},
		{[]string{"restore", "--data", into, more}, "restore those between first"},
		{[]string{"restore", "--data", data, full}, "not empty"},
		{[]string{"verify", cut}, "it was cut"},
	} {
		r := gec(t, test.args...)
		if r.code != 1 || !strings.Contains(r.stderr, test.want) {
			t.Errorf("%v: exit code %d, %s", test.args, r.code, r.stderr)
		}
	}
	if left, err := filepath.Glob(into + "*"); err != nil || len(left) > 0 {
		t.Errorf("a refused restore leaves %v, %v", left, err)
	}
}

// jsonText is JSON that is ready.
type jsonText []byte

// MarshalJSON implements json.Marshaler.
func (j jsonText) MarshalJSON() ([]byte, error) { return j, nil }

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
