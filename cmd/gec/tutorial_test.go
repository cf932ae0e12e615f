package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial runs docs/tutorial.md as it stands: every block of commands in one shell, against the real
// service, and holds that what each prints is what the page shows after it. White space is not compared, and
// … in the page stands for anything.
func TestTutorial(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys")
	const between = "\x1e"
	var script strings.Builder
	script.WriteString("set -eu\n")
	var commands, shown []string
	for _, block := range regexp.MustCompile("(?ms)^```(sh|json)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if block[1] == "json" {
			shown[len(shown)-1] = block[2]
			continue
		}
		commands, shown = append(commands, block[2]), append(shown, "")
		script.WriteString(strings.ReplaceAll(block[2], "http://127.0.0.1:8080", s.http) + "printf '" + between + "'\n")
	}
	shell := commandOf(t, "bash", "-c", script.String())
	r := finish(t, shell)
	printed := strings.Split(strings.TrimSuffix(r.stdout, between), between)
	if r.code != 0 || len(printed) != len(commands) || len(commands) < 10 {
		t.Fatalf("exit code %d after %d of %d blocks:\n%s\n%s", r.code, len(printed), len(commands), r.stdout, r.stderr)
	}
	for n, want := range shown {
		if want == "" || !pattern(want).MatchString(bare(printed[n])) {
			t.Errorf("%s\nprints\n%s\nand the page shows\n%s", commands[n], printed[n], want)
		}
	}
}

// bare is a text without white space.
func bare(text string) string { return strings.Join(strings.Fields(text), "") }

// pattern matches what a page shows.
func pattern(shown string) *regexp.Regexp {
	parts := strings.Split(bare(shown), "…")
	for n := range parts {
		parts[n] = regexp.QuoteMeta(parts[n])
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$")
}
