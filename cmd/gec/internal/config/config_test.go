package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// load parses the arguments as a server's flags and loads the settings.
func load(t *testing.T, environ []string, args ...string) (Config, map[string]Value, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Register(flags, true)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, values, err := Load(flags, environ)
	byName := map[string]Value{}
	for _, v := range values {
		byName[v.Name] = v
	}
	return c, byName, err
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gec.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreValid(t *testing.T) {
	c, values, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings() {
		v, ok := values[s.Name]
		if !ok {
			t.Errorf("%s: not listed", s.Name)
		}
		if diff := cmp.Diff(Value{s.Name, s.Default, "default"}, v); diff != "" {
			t.Error(diff)
		}
	}
	if c.HTTPAddress != "127.0.0.1:8080" || c.StopTimeout != 30*time.Second || c.TestEndpoints || c.ListenWithoutKeys {
		t.Errorf("defaults are %+v", c)
	}
}

func TestTableIsSound(t *testing.T) {
	for _, s := range Settings() {
		numeric := s.Kind() == "int" || s.Kind() == "number" || s.Kind() == "duration"
		if numeric != (s.Min != "" && s.Max != "") {
			t.Errorf("%s: numbers and durations, and only they, have both bounds", s.Name)
		}
		if s.Help == "" || strings.ContainsAny(s.Help, "\n") {
			t.Errorf("%s: help is one line", s.Name)
		}
		for _, bound := range []string{s.Min, s.Max} {
			var c Config
			if !numeric {
				continue
			}
			if err := s.set(&c, bound); err != nil {
				t.Errorf("%s: bound: %v", s.Name, err)
			}
			if err := s.validate(&c); err != nil {
				t.Errorf("%s: a bound is in bounds: %v", s.Name, err)
			}
		}
	}
}

// TestPrecedence holds that file, environment and flags overrule each other in this order.
func TestPrecedence(t *testing.T) {
	path := file(t, "# comment\nhttp: 127.0.0.1:1\nstop-timeout: 5s\n")
	env := []string{"GEC_HTTP=127.0.0.1:2", "PATH=/bin"}
	for _, test := range []struct {
		name     string
		env      []string
		args     []string
		want     string
		wantFrom string
	}{
		{"default", nil, nil, "127.0.0.1:8080", "default"},
		{"file", nil, []string{"--config", path}, "127.0.0.1:1", "file " + path + ":2"},
		{"file by environment", []string{"GEC_CONFIG=" + path}, nil, "127.0.0.1:1", "file " + path + ":2"},
		{"environment over file", env, []string{"--config", path}, "127.0.0.1:2", "environment GEC_HTTP"},
		{"flag over both", env, []string{"--config", path, "--http", "127.0.0.1:3"}, "127.0.0.1:3", "flag --http"},
		{"flag at its default", env, []string{"--http", "127.0.0.1:8080"}, "127.0.0.1:8080", "flag --http"},
		{"empty environment is absent", []string{"GEC_HTTP="}, nil, "127.0.0.1:8080", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, values, err := load(t, test.env, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := values["http"]; got.Text != test.want || got.Source != test.wantFrom || c.HTTPAddress != test.want {
				t.Errorf("http is %q from %q (%q in the Config), want %q from %q", got.Text, got.Source, c.HTTPAddress, test.want, test.wantFrom)
			}
		})
	}
}

func TestFaultsNameThePlaceAndAreAllReported(t *testing.T) {
	path := file(t, "htpp: 127.0.0.1:1\nstop-timeout: 0s\nhttp: [1]\ndata: a\ndata: b\n")
	_, _, err := load(t, []string{"GEC_LOG_LEVEL=loud", "GEC_PROGRAMS_MAX=many"}, "--config", path, "--test-endpoints=maybe", "--snapshots-max", "65")
	var faults *Error
	if !errors.As(err, &faults) {
		t.Fatalf("error is %v", err)
	}
	for _, want := range []string{
		path + `:3: "http" needs one plain value`,
		path + `:5: "data" is set twice, first at line 4`,
		`environment GEC_LOG_LEVEL: log-level: "loud" is none of debug, info, warn, error`,
		`environment GEC_PROGRAMS_MAX: programs-max: "many" is no whole number: use 16 to 1048576`,
		`flag --test-endpoints: test-endpoints: "maybe" is neither true nor false`,
		`flag --snapshots-max: snapshots-max: 65 is out of bounds: use 1 to 64`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
}

func TestFileKeys(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"unknown, near one", "htpp: x\n", `:1: unknown setting "htpp": did you mean "http"?`},
		{"unknown, near none", "colour: red\n", `:1: unknown setting "colour"`},
		{"out of bounds", "http: 127.0.0.1:1\nstop-timeout: 11m\n", `:2: stop-timeout: 11m0s is out of bounds: use 1s to 10m`},
		{"a file names no other", "config: x\n", `unknown setting "config"`},
		{"a list", "- http\n", `:1: a settings file is a list of lines like "http: 127.0.0.1:8080"`},
		{"two documents", "http: x\n---\nhttp: y\n", "more than one YAML document"},
		{"no YAML", "http: [\n", "yaml: "},
		{"no value", "http:\n", `"http" needs one plain value`},
		{"empty", "http: ''\n", "http: is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := load(t, nil, "--config", file(t, test.content))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
	for _, content := range []string{"", "# nothing\n", "---\n"} {
		if _, _, err := load(t, nil, "--config", file(t, content)); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, _, err := load(t, []string{"GEC_CONFIG=/nowhere/gec.yaml"}); err == nil || !strings.Contains(err.Error(), "GEC_CONFIG named it") {
		t.Errorf("missing file: %v", err)
	}
}

func TestUnusedEnvironmentIsPointedOut(t *testing.T) {
	got := Unused([]string{"GEC_HTPP=1", "GEC_HTTP=2", "GEC_SERVICE_HOST=10.0.0.1", "HOME=/"})
	want := []string{
		`environment variable GEC_HTPP is not a setting: did you mean "GEC_HTTP"?`,
		`environment variable GEC_SERVICE_HOST is not a setting`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
