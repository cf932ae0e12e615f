package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// sameText compares exports and shows the first line that differs. Which revision they are of is not looked at.
func sameText(t *testing.T, want, got string) {
	t.Helper()
	want, got = ofRevision.ReplaceAllString(want, ""), ofRevision.ReplaceAllString(got, "")
	wanted, lines := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(lines)) {
		if wanted[i] != lines[i] {
			t.Errorf("line %d is\n%s\nwant\n%s", i+1, lines[i], wanted[i])
			return
		}
	}
	if len(wanted) != len(lines) {
		t.Errorf("%d lines, want %d", len(lines), len(wanted))
	}
}

var ofRevision = regexp.MustCompile(`\n *"export": .*`)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sampleFolder returns a data folder with the sample, and its export in the native format.
func sampleFolder(t *testing.T) (data, exported string) {
	t.Helper()
	data = t.TempDir()
	serve(t, data, "--sample").stop(t)
	return data, must(t, "export", "--data", data).stdout
}

// TestExportImportRoundTrip holds that import reads what export writes, in every format that can say it
// all, and that nothing changes on the way (A9).
func TestExportImportRoundTrip(t *testing.T) {
	data, exported := sampleFolder(t)
	t.Run("into an empty folder", func(t *testing.T) {
		other := t.TempDir()
		must(t, "import", "--data", other, write(t, "catalogue.json", exported))
		sameText(t, exported, must(t, "export", "--data", other).stdout)
	})
	t.Run("as YAML through standard input", func(t *testing.T) {
		other := t.TempDir()
		file := filepath.Join(t.TempDir(), "catalogue.yaml")
		must(t, "export", "--data", data, "-o", file)
		yaml, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer yaml.Close()
		cmd := command(t, "import", "--data", other, "-")
		cmd.Stdin = yaml
		if r := finish(t, cmd); r.code != 0 {
			t.Fatal(r.stderr)
		}
		sameText(t, exported, must(t, "export", "--data", other).stdout)
	})
	t.Run("onto itself", func(t *testing.T) {
		r := must(t, "import", "--data", data, write(t, "catalogue.json", exported))
		if !strings.Contains(r.stdout, "(0 added, 0 changed, 0 removed,") {
			t.Errorf("importing an export changes something: %s", r.stdout)
		}
	})
}

func TestImportDryRunStoresNothing(t *testing.T) {
	_, exported := sampleFolder(t)
	file, data := write(t, "catalogue.json", exported), filepath.Join(t.TempDir(), "new")
	dry := must(t, "import", "--data", data, "--dry-run", file)
	if !strings.Contains(dry.stdout, "dry run, nothing stored") || !strings.HasPrefix(dry.stdout, "revision 0: ") {
		t.Errorf("a dry run prints %q", dry.stdout)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the dry run made the folder")
	}
	real := must(t, "import", "--data", data, file)
	if !strings.HasPrefix(real.stdout, "revision 1: ") || !strings.Contains(real.stdout, " 0 changed, 0 removed, 0 unchanged)") {
		t.Errorf("the dry run left something: %q", real.stdout)
	}
	if added := between(dry.stdout, "(", ")"); added != between(real.stdout, "(", ")") {
		t.Errorf("the dry run promised %q, the import did %q", dry.stdout, real.stdout)
	}
}

func between(s, open, end string) string {
	_, s, _ = strings.Cut(s, open)
	s, _, _ = strings.Cut(s, end)
	return s
}

func TestImportOnceByIdempotencyKey(t *testing.T) {
	_, exported := sampleFolder(t)
	file, data := write(t, "catalogue.json", exported), t.TempDir()
	must(t, "import", "--data", data, "--idempotency-key", "monday", file)
	again := must(t, "import", "--data", data, "--idempotency-key", "monday", file)
	if !strings.HasPrefix(again.stdout, "revision 1: ") || !strings.Contains(again.stdout, "made before, nothing stored") {
		t.Errorf("the second time prints %q", again.stdout)
	}
}

// TestExportOfThePast holds that every revision can be read again (A8).
func TestExportOfThePast(t *testing.T) {
	data, first := sampleFolder(t)
	changed := strings.Replace(first, `"Banca Esempio S.p.A."`, `"Banca Esempio"`, 1)
	must(t, "import", "--data", data, write(t, "catalogue.json", changed))
	second := must(t, "export", "--data", data).stdout
	if second == first {
		t.Fatal("the change changed nothing")
	}
	sameText(t, first, must(t, "export", "--data", data, "--revision", "1").stdout)
	sameText(t, second, must(t, "export", "--data", data, "--at", quoteInstant).stdout)
	if r := gec(t, "export", "--data", data, "--revision", "3"); r.code != 1 || !strings.Contains(r.stderr, "revision 3") {
		t.Errorf("revision 3: exit code %d, %s", r.code, r.stderr)
	}
}

// TestFaultsAreAllReportedWithTheirPlace holds A2 for the command: file:line:column, path, reason, fix.
func TestFaultsAreAllReportedWithTheirPlace(t *testing.T) {
	good := write(t, "good.yaml", "touchpoints: [IO]\npaymentTypes: [CP]\nbundles: []\n")
	bad := write(t, "bad.yaml", `bundles:
  - id: one
    idPsp: PSP
    minPaymentAmount: 100
    maxPaymentAmount: 50
    colour: red
    type: GLOBEL
`)
	r := gec(t, "import", "--data", t.TempDir(), good, bad)
	if r.code != 1 || r.stdout != "" {
		t.Errorf("exit code %d, stdout %q", r.code, r.stdout)
	}
	for _, want := range []string{bad + ":6:", "bundles[0].colour", bad + ":7:", "bundles[0].type", " — ", "gec: " + bad + ": "} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q is not in:\n%s", want, r.stderr)
		}
	}
}

func TestCommandsOnAMissingFolderSayWhatToDo(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nothing")
	for _, args := range [][]string{{"export"}, {"quote", "--amount", "25"}, {"explain", "--amount", "25"}} {
		r := gec(t, append(args, "--data", missing)...)
		if r.code != 1 || !strings.Contains(r.stderr, missing+" holds no catalogue") || !strings.Contains(r.stderr, "gec import --data") {
			t.Errorf("%v: exit code %d\n%s", args, r.code, r.stderr)
		}
		if _, err := os.Stat(missing); err == nil {
			t.Errorf("%v made the folder", args)
		}
	}
}

// TestAPaymentThatIsNoneWasAskedWrongly holds the exit codes of what only the service can judge: wrong values are the
// caller's, names that are not registered the catalogue's.
func TestAPaymentThatIsNoneWasAskedWrongly(t *testing.T) {
	data, _ := sampleFolder(t)
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"--amount 0", "notices[0].amountCents: is 0; use cents above 0", 2},
		{"--amount 5 --limit 0", "maxOccurrences: is 0; use 1 or more", 2},
		{"--amount 5 --psp ,channel=x", "psps[0].psp: is missing", 2},
		{"--amount 5 --at 9999-06-01", "at: is no instant that a payment can have", 2},
		{"--amount 5 --touchpoint MARS", "Cannot find touchpoint with name: 'MARS'", 1},
		{"--amount 5 --revision 99", "Cannot find revision 99", 1},
	} {
		for _, command := range []string{"quote", "explain"} {
			r := gec(t, append([]string{command, "--data", data}, strings.Fields(c.args)...)...)
			if r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
				t.Errorf("%s %s: exit code %d, want %d with %q\n%s", command, c.args, r.code, c.code, c.want, r.stderr)
			}
		}
	}
}

func TestQuoteAndExplainAreReadable(t *testing.T) {
	data, _ := sampleFolder(t)
	payment := []string{"--data", data, "--amount", "50.00", "--type", "CP", "--touchpoint", "CHECKOUT", "--order", "fee"}
	table := must(t, append([]string{"quote"}, payment...)...).stdout
	lines := strings.Split(table, "\n")
	for _, want := range []string{"PSP", "BUNDLE", "FEE €", "EC BEARS €", "YOU PAY €", "ON-US"} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("no column %s in:\n%s", want, table)
		}
	}
	if !strings.Contains(table, "--revision 1 --at ") || !strings.Contains(table, " --seed ") {
		t.Errorf("the footer does not say how to repeat the answer:\n%s", table)
	}
	// The footer can be pasted, and gives the same table.
	_, footer, _ := strings.Cut(strings.TrimSpace(table), "again: ")
	if again := must(t, append(append([]string{"quote"}, payment...), strings.Fields(footer)...)...).stdout; again != table {
		t.Errorf("pasted footer gives:\n%s\nin place of:\n%s", again, table)
	}
	reasons := must(t, append([]string{"explain"}, payment...)...).stdout
	for _, want := range []string{"RULE", "WHY", "Q2", "Q3", "in the answer"} {
		if !strings.Contains(reasons, want) {
			t.Errorf("%q is not in:\n%s", want, reasons)
		}
	}
	one := must(t, append([]string{"explain", "--bundle", "esempio-io-sera", "--program"}, payment...)...).stdout
	for _, want := range []string{"esempio-io-sera", "rule", "amount > 0 and amount <= 500000", "1 bundle: 0 in the answer, 1 not."} {
		if !strings.Contains(one, want) {
			t.Errorf("%q is not in:\n%s", want, one)
		}
	}
	var answer struct{ Verdicts []any }
	whole := must(t, append([]string{"explain", "--json"}, payment...)...).stdout
	if err := json.Unmarshal([]byte(whole), &answer); err != nil || len(answer.Verdicts) == 0 {
		t.Errorf("%v in %.200s", err, whole)
	}
}
