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
	page := pageToRun(t, "tutorial.md")
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys")
	const between = "\x1e"
	var script strings.Builder
	script.WriteString("set -eu\n")
	var commands, shown []string
	for _, block := range regexp.MustCompile("(?ms)^```(sh|json)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
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

// TestAccessPage runs docs/access.md: what stands before the service is started on a folder alone, the rest
// against the service on it.
func TestAccessPage(t *testing.T) {
	page := pageToRun(t, "access.md")
	before, after, found := strings.Cut(page, "```console\ngec serve --sample\n```")
	if !found {
		t.Fatal("the page does not start the service")
	}
	dir, data := t.TempDir(), t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "gec")); err != nil {
		t.Fatal(err)
	}
	run := func(text string) {
		t.Helper()
		blocks := regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```$").FindAllStringSubmatch(text, -1)
		var script, shown strings.Builder
		script.WriteString("set -eu\n")
		for _, block := range blocks {
			if block[1] == "sh" {
				script.WriteString(block[2])
			} else {
				shown.WriteString(block[2])
			}
		}
		shell := commandOf(t, "bash", "-c", script.String())
		shell.Dir = dir
		shell.Env = append(shell.Env, "GEC_DATA="+data, "PATH="+dir+":"+os.Getenv("PATH"))
		r := finish(t, shell)
		if r.code != 0 || len(blocks) < 2 || !pattern(shown.String()).MatchString(bare(r.stdout)) {
			t.Fatalf("exit code %d:\n%s\n%s\nand the page shows\n%s", r.code, r.stdout, r.stderr, shown.String())
		}
	}
	run(before)
	s := serve(t, data, "--sample")
	run(strings.ReplaceAll(after, "http://127.0.0.1:8080", s.http))
	for _, file := range []string{"operations.key", "bank.key", "lost.key"} {
		secret, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || strings.Contains(s.stderr.String(), strings.TrimSpace(string(secret))) {
			t.Errorf("%s: its key is in the log, or %v", file, err)
		}
	}
}

// pageToRun reads a page of docs/ whose commands are going to be run; without the tools that they use the test is
// skipped.
func pageToRun(t *testing.T, name string) string {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
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
