package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const whatIfDraft = `id;idPsp;idChannel;idBrokerPsp;abi;pspBusinessName;name;type;onUs;paymentType;touchpoint;minPaymentAmount;maxPaymentAmount;paymentAmount
;NUOVA;NUOVA;NUOVA;99999;Banca Nuova;Carte;GLOBAL;no;CP;CHECKOUT;0;1.000,00;1,00
`

// TestWhatIfOnTheFeeList asks where a new PSP would stand on the published list.
func TestWhatIfOnTheFeeList(t *testing.T) {
	dir := t.TempDir()
	data, draft, payments := filepath.Join(dir, "data"), filepath.Join(dir, "draft.csv"), filepath.Join(dir, "payments.csv")
	must(t, "import", "--data", data, "--format", "feelist", feeListFile(t))
	for file, text := range map[string]string{draft: whatIfDraft, payments: "amount;touchpoint;paymentType;count\r\n500,00;CHECKOUT;CP;7\r\n60,00;CHECKOUT;CP;5\r\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := must(t, "whatif", "--data", data, "--psp", "NUOVA", "--format", "csv", draft, "--payments", payments)
	for _, want := range []string{
		"draft-1  CHECKOUT    CP      500.00      –     –       1.00         1  14  BNLIITRR 1.33   -0.33",
		"everybody (12)  after       12         7     0     7.000    7.00",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not in:\n%s", want, r.stdout)
		}
	}
	again := must(t, "whatif", "--data", data, "--psp", "NUOVA", "--format", "csv", draft, "--mix-seed", "7", "--json")
	if other := must(t, "whatif", "--data", data, "--psp", "NUOVA", "--format", "csv", draft, "--mix-seed", "7", "--json"); other.stdout != again.stdout {
		t.Error("the same question has two answers")
	}
	for args, code := range map[string]int{
		"whatif": 2, "whatif --psp NUOVA": 2, "whatif --ec 77777777777": 2, "whatif --psp NUOVA --bear 1 " + draft: 2, "whatif --ec 77777777777 --bear much": 2,
		"whatif --data " + data + " --psp NUOVA none.yaml":        1,
		"whatif --data " + data + " --ec 77777777777 --bear 0.50": 1, // it subscribes to nothing
	} {
		if r := gec(t, strings.Fields(args)...); r.code != code {
			t.Errorf("%s: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}

// TestA6ImportReportsEveryRow imports a file, changes one of its rows, and imports it again.
func TestA6ImportReportsEveryRow(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "rows.csv")
	header, row, _ := strings.Cut(whatIfDraft, "\n")
	second := strings.Replace("N2"+row, "CHECKOUT", "IO", 1)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "import", "--data", data, "--format", "feelist", feeListFile(t)) // registers the names
	write(header + "\nN1" + row + second)
	if r := must(t, "import", "--data", data, "--format", "csv", "--rows", "--dry-run", file); strings.Count(r.stdout, "ADDED") != 2 || !strings.Contains(r.stdout, "3  N2") {
		t.Error(r.stdout)
	}
	must(t, "import", "--data", data, "--format", "csv", file)
	write(header + "\nN1" + row + strings.Replace(second, "1,00\n", "2,00\n", 1))
	r := must(t, "import", "--data", data, "--format", "csv", "--rows", file)
	if strings.Count(r.stdout, "UNCHANGED") != 1 || strings.Count(r.stdout, "CHANGED") != 2 || !strings.Contains(r.stdout, "1 changed") {
		t.Error(r.stdout)
	}
}
