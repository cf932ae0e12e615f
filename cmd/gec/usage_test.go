package main

import (
	"runtime"
	"strings"
	"testing"
)

// TestExitCodes holds 0 for done, 1 for could not be done, 2 for asked wrongly.
func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
		want string // on stdout for 0, on stderr else
	}{
		{"", 0, "Available Commands"},
		{"help", 0, "serve"},
		{"--help", 0, "serve"},
		{"import --help", 0, "--dry-run"},
		{"version", 0, "gec v0.0.0-test " + runtime.Version()},
		{"completion bash", 0, "__start_gec"},
		{"config", 0, "127.0.0.1:8080"},
		{"export --data nowhere", 1, "holds no catalogue"},
		{"import missing.json", 1, "missing.json: no such file"},
		{"quote --server http://127.0.0.1:1 --amount 1", 1, "start one with gec serve"},
		{"qoute", 2, `there is no command "qoute": did you mean "quote"?`},
		{"--no-such", 2, "unknown flag: --no-such"},
		{"import", 2, "it does not take 0 arguments: write 'gec import --format FORMAT FILE…'"},
		{"bundles diff 1 2 3", 2, "it does not take 3 arguments: write 'gec bundles diff FROM [TO]'"},
		{"help bundles list", 0, "--psp"},
		{"help qoute", 2, "quote"},
		{"help bundles nope", 2, `there is no command "nope"`},
		{"verify .", 2, "is a folder, not a backup: write --data ."},
		{"import --format xlsx x", 2, `"xlsx" is none of native, snapshot, feelist`},
		{"import --past x", 2, "--past is for --format cdi only"},
		{"import --format cdi --mode merge x", 2, "a CDI says itself what it replaces"},
		{"import --mode all x", 2, `"all" is none of merge, replace-origin, replace-all`},
		{"import --mode replace-origin x", 2, "use merge or replace-all"},
		{"import --close-holes x", 2, "--close-holes is for --format feelist only"},
		{"lint missing.yaml", 1, "missing.yaml: no such file"},
		{"lint --rule nice x", 2, `"nice" is none of overlap, hole`},
		{"lint --output-format html x", 2, `"html" is none of text, json, sarif`},
		{"export --format pdf", 2, `"pdf" is none of`},
		{"export --revision 1 --at 2026-11-21", 2, "choose one"},
		{"export --at noon", 2, "is no instant"},
		{"quote", 2, "say how much is paid"},
		{"quote --amount 1.000", 2, "no mark for thousands"},
		{"quote --amount 1 --server here", 2, "--server"},
		{"quote --amount 1 --server http://127.0.0.1:1 --data x", 2, "choose one"},
		{"quote --amount 1 --limit many", 2, "--limit"},
		{"config --stop-timeout 1h", 2, "use 1s to 10m"},
		{"config --config nowhere.yaml", 2, "flag --config named it"},
		{"version now", 2, "it does not take 1 argument"},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := gec(t, strings.Fields(test.args)...)
			text, other := r.stdout, r.stderr
			if test.code != 0 {
				text, other = r.stderr, r.stdout
			}
			if r.code != test.code || !strings.Contains(text, test.want) {
				t.Errorf("exit code %d, want %d with %q\nstdout:\n%s\nstderr:\n%s", r.code, test.code, test.want, r.stdout, r.stderr)
			}
			if other != "" {
				t.Errorf("prints on the other stream: %s", other)
			}
		})
	}
}

// TestConfigShowsWhereValuesComeFrom holds the order of file, environment and flags for the binary as a
// whole; package config holds the details.
func TestConfigShowsWhereValuesComeFrom(t *testing.T) {
	file := write(t, "gec.yaml", "http: 127.0.0.1:1\ngrpc: 127.0.0.1:1\nenvironment: file\n")
	cmd := command(t, "config", "--config", file, "--grpc", "127.0.0.1:3")
	cmd.Env = append(cmd.Env, "GEC_GRPC=127.0.0.1:2", "GEC_ENVIRONMENT=env", "GEC_ENVIROMENT=typo")
	r := finish(t, cmd)
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	found := map[string][]string{}
	for _, line := range strings.Split(r.stdout, "\n") {
		if fields := strings.Fields(line); len(fields) > 1 {
			found[fields[0]] = []string{fields[1], strings.Join(fields[2:], " ")}
		}
	}
	for name, want := range map[string][]string{
		"config":      {file, "flag --config"},
		"http":        {"127.0.0.1:1", "file " + file + ":1"},
		"grpc":        {"127.0.0.1:3", "flag --grpc"},
		"environment": {"env", "environment GEC_ENVIRONMENT"},
		"log-level":   {"info", "default"},
	} {
		if got := found[name]; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if !strings.Contains(r.stderr, `GEC_ENVIROMENT is not a setting: did you mean "GEC_ENVIRONMENT"?`) {
		t.Errorf("the typo is not pointed out: %s", r.stderr)
	}
}
