package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newBundles are two bundles of a PSP that the sample does not have; one is PUBLIC.
const newBundles = `id;idChannel;idBrokerPsp;abi;pspBusinessName;name;type;paymentType;touchpoint;minPaymentAmount;maxPaymentAmount;paymentAmount;onUs
nuova-tutti;CH1;BR1;99777;Banca Nuova;Nuova;GLOBAL;CP;CHECKOUT;0;50,00;0,90;false
nuova-enti;CH1;BR1;99777;Banca Nuova;Nuova per enti;PUBLIC;CP;CHECKOUT;0;50,00;1,00;false
`

// TestAuthorsOnAFolder goes through the day of a PSP and an EC with the commands that they use.
func TestAuthorsOnAFolder(t *testing.T) {
	data, _ := sampleFolder(t)
	on := func(args ...string) result { return gec(t, append(args, "--data", data)...) }
	says := func(r result, code int, want string) {
		t.Helper()
		if r.code != code || !strings.Contains(r.stdout+r.stderr, want) {
			t.Fatalf("exit %d, wanted %d with %q:\n%s%s", r.code, code, want, r.stdout, r.stderr)
		}
	}
	file := write(t, "nuova.csv", newBundles)
	says(on("bundles", "put", "--psp", "NUOVA", "--format", "csv", "--dry-run", file), 0, "2 added, 0 changed, 0 unchanged; nothing was stored")
	faulty := write(t, "faulty.csv", strings.Replace(newBundles, "PUBLIC", "PUBBLICO", 1))
	says(on("bundles", "put", "--psp", "NUOVA", "--format", "csv", faulty), 1, "PUBBLICO")
	says(on("bundles", "put", "--psp", "NUOVA", "--format", "csv", file), 0, "revision 2")
	says(on("bundles", "put", "--psp", "NUOVA", "--format", "csv", file), 0, "2 unchanged")
	says(on("bundles", "list", "--psp", "NUOVA", "--types", "PUBLIC"), 0, "nuova-enti")
	says(on("bundles", "list"), 2, "--psp")

	cheaper := filepath.Join(t.TempDir(), "cheaper.yaml")
	read := on("bundles", "get", "--psp", "NUOVA", "nuova-tutti", "--yaml")
	if err := os.WriteFile(cheaper, []byte(strings.Replace(read.stdout, "paymentAmount: 90", "paymentAmount: 80", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	says(on("bundles", "put", "--psp", "NUOVA", cheaper), 0, "0 added, 1 changed")
	says(on("bundles", "history", "nuova-tutti"), 0, "+ paymentAmount: 80")
	says(on("bundles", "diff", "2"), 0, "- paymentAmount: 90")
	says(on("revisions"), 0, "NUOVA")

	says(on("requests", "make", "--ec", "80000000202", "--bundle", "nuova-tutti"), 1, "GLOBAL")
	says(on("requests", "make", "--ec", "80000000202", "--bundle", "nuova-enti", "--bear", "1.01"), 1, "above the lowest fee")
	asked := on("requests", "make", "--ec", "80000000202", "--bundle", "nuova-enti", "--bear", "0.40")
	says(asked, 0, "asked: request ")
	request := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(asked.stdout)
	says(on("requests", "accept", "--psp", "ALTRA", request), 1, "NOT FOUND")
	says(on("requests", "accept", "--psp", "NUOVA", request), 0, "accepted: subscription ")
	says(on("requests", "reject", "--psp", "NUOVA", request), 1, "was accepted on")
	says(on("requests", "list", "--ec", "80000000202"), 0, "ACCEPTED")
	says(on("subscriptions", "list", "--psp", "NUOVA", "--bundle", "nuova-enti"), 0, "0.40")
	says(on("subscriptions", "bear", "--ec", "80000000202", "--bear", "0.10:0101100IM", "nuova-enti"), 1, "is not the only attribute")
	says(on("subscriptions", "leave", "--ec", "80000000202", "nuova-enti"), 0, "ends today")
	says(on("bundles", "retire", "--psp", "NUOVA", "nuova-enti"), 0, "ends with today")
	says(on("offers", "make", "--psp", "NUOVA", "--bundle", "nuova-tutti", "80000000202"), 1, "offer PRIVATE bundles")
	says(on("offers", "list", "--ec", "80000000202", "--json"), 0, `"offers": []`)
}
