package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial runs the commands of docs/tutorial.md as they stand, against the real binary, and holds that the
// answers are what the text between them says.
func TestTutorial(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not there: the commands of the tutorial are not run", tool)
		}
	}
	text, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys")
	defer s.stop(t)
	script := "set -eu\n"
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, block := range blocks {
		script += "echo; echo '=== step'\n" + block[1]
	}
	script = strings.Replace(script, "http://127.0.0.1:8080", s.http, 1)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	steps := strings.Split(string(out), "=== step")[1:]
	for n, wants := range [][]string{
		{},
		{`"field":"bundles[1].paymentType"`, `"line":3`, "the nearest one is CP", `"field":"bundles[2].pspBusinessName"`, `"field":"bundles[2].maxPaymentAmount"`, `"line":4`},
		{`"dryRun":true`, `"added":4`},
		{`"revision":2`, `"repeated":true`},
		{`"taxPayerFee":80`},
		{`"idBundleRequest"`, `"idCiBundle"`},
		{`"netCents":"60"`},
		{`"netCents":"30"`},
		{`"onBehalfOf":"NUOVITRRXXX"`, `"change":"ADDED"`},
	} {
		for _, want := range wants {
			if n >= len(steps) || !strings.Contains(steps[n], want) {
				t.Fatalf("step %d does not say %s:\n%s", n, want, out)
			}
		}
	}
}
