package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of every package of this repository.
const module = "gec/"

// goPackage is what the test reads of `go list -deps -json`.
type goPackage struct {
	ImportPath string
	Imports    []string
}

// layer orders the folders of the repository: a package imports from its own layer or a lower one.
// bench and fixtures stand beside the layers, see forbidden.
var layer = map[string]int{"engine": 1, "bundles": 2, "api": 3, "cmd": 4}

// outward are the parts of the standard library by which a package reaches out of the process. The
// engine has none of them: no I/O and no log.
var outward = []string{"net", "os", "log", "database", "syscall", "plugin"}

// TestImportsPointOneWay holds cmd → api → bundles → engine, and what stands beside it.
func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, imported := range p.Imports {
			if why := forbidden(p.ImportPath, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

// forbidden says why a package may not import another, or nothing when it may.
func forbidden(from, to string) string {
	folder, _, _ := strings.Cut(strings.TrimPrefix(from, module), "/")
	if within(to, "github.com/expr-lang/expr") && from != "gec/engine/condition" && folder != "bench" {
		return "engine/condition is the only way to expr"
	}
	if folder == "engine" && slices.ContainsFunc(outward, func(std string) bool { return within(to, std) }) {
		return "the engine reaches nothing outside the process"
	}
	if !strings.HasPrefix(to, module) {
		return ""
	}
	target, _, _ := strings.Cut(strings.TrimPrefix(to, module), "/")
	switch {
	case target == "bench":
		if folder != "bench" {
			return "nothing imports the benchmarks"
		}
	case target == "cmd" && folder != "cmd":
		return "nothing imports cmd"
	case target == "fixtures":
		if folder != "cmd" && folder != "bench" && folder != "fixtures" {
			return "the sample is loaded by cmd; other packages use it in tests only"
		}
	case folder == "fixtures" && target == "api":
		return "the sample is a catalogue and knows no transport"
	case layer[folder] != 0 && layer[target] > layer[folder]:
		return "imports point from cmd to api to bundles to engine"
	case from == "gec/bundles" && target == "bundles":
		return "stores and formats import the catalogue, not the other way"
	case within(to, "gec/bundles/store") && folder == "api":
		return "the api knows the catalogue, not where it is stored"
	}
	return ""
}

// within reports whether an import path is the given one or lies below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// TestForbiddenEdges holds that the test above would notice.
func TestForbiddenEdges(t *testing.T) {
	for _, edge := range []struct {
		from, to string
		want     bool
	}{
		{"gec/engine", "gec/bundles", true},
		{"gec/engine", "gec/engine/condition", false},
		{"gec/engine", "os", true},
		{"gec/engine/condition", "log/slog", true},
		{"gec/engine", "math/bits", false},
		{"gec/engine", "github.com/expr-lang/expr/vm", true},
		{"gec/engine/condition", "github.com/expr-lang/expr/vm", false},
		{"gec/bundles", "gec/bundles/store/badger", true},
		{"gec/bundles", "gec/bundles/format", true},
		{"gec/bundles", "gec/api/problem", true},
		{"gec/bundles/store/badger", "gec/bundles", false},
		{"gec/bundles/format", "gec/bundles", false},
		{"gec/api/rest", "gec/bundles/store/badger", true},
		{"gec/api/rest", "gec/api/problem", false},
		{"gec/api/rest", "gec/cmd/gec/internal/cli", true},
		{"gec/api/rest", "gec/fixtures", true},
		{"gec/fixtures", "gec/bundles/format", false},
		{"gec/fixtures", "gec/api/rest", true},
		{"gec/cmd/gec", "gec/bench", true},
		{"gec/cmd/gec", "gec/fixtures", false},
		{"gec/cmd/gec/internal/cli", "gec/engine", false},
	} {
		if got := forbidden(edge.from, edge.to) != ""; got != edge.want {
			t.Errorf("%s → %s: forbidden is %v, want %v", edge.from, edge.to, got, edge.want)
		}
	}
}

// listPackages returns every package of the repository.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	var errorText strings.Builder
	cmd.Stderr = &errorText
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &errorText)
	}
	var own []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			own = append(own, p)
		}
	}
	for folder := range layer {
		if !slices.ContainsFunc(own, func(p goPackage) bool { return within(p.ImportPath, module+folder) }) {
			t.Errorf("no package below %s was looked at", folder)
		}
	}
	return own
}
