package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateModules = flag.Bool("update-modules", false, "write docs/modules.txt")

// licences are told by what their texts say, the first that holds.
var licences = []struct{ id, says string }{
	{"MPL-2.0", "Mozilla Public License"},
	{"MIT-0", "MIT No Attribution"},
	{"MIT and Apache-2.0", "two different licenses: MIT and Apache"},
	{"Apache-2.0", "Apache License"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"BSD-3-Clause", "Neither the name"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
}

// TestModules holds the modules that the binary is made of, and their licences, to docs/modules.txt: nobody adds one,
// or one that changes its licence, without saying so.
func TestModules(t *testing.T) {
	const path = "../../docs/modules.txt"
	got := "# The modules that the binary is made of, and their licences; versions are in go.mod.\n" +
		"# go test ./cmd/gec -run TestModules -update-modules writes it.\n" + strings.Join(modules(t), "\n") + "\n"
	if *updateModules {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), got); diff != "" {
		t.Errorf("the binary is made of other modules than docs/modules.txt says; if they are wanted, say why in the commit and write it anew\n%s", diff)
	}
}

// modules returns a line for each module of the binary: its path and licence.
func modules(t *testing.T) (lines []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if path, dir, found := strings.Cut(strings.TrimSpace(line), " "); found {
			lines = append(lines, path+" "+licenceOf(t, path, dir))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func licenceOf(t *testing.T, path, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "LICEN[CS]E*"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no licence: %v", path, err)
		return "none"
	}
	text := strings.Join(strings.Fields(read(t, files[0])), " ")
	for _, l := range licences {
		if strings.Contains(text, l.says) {
			return l.id
		}
	}
	t.Errorf("%s: the licence in %s is not known", path, files[0])
	return "unknown"
}
