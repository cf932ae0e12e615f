package rest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/api/journal"
	"gec/engine"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestWireAnswers holds the answers to every kind of request against testdata/answers, byte for byte; the files
// hold the request and the answer, laid out for reading.
func TestWireAnswers(t *testing.T) {
	const one = `"paymentAmount":10050,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777","transferCategory":"9/0102100SA/"}]`
	const two = `"paymentAmount":50,"primaryCreditorInstitution":"88888888888","transferList":[{"creditorInstitution":"88888888888","transferCategory":"0102100SA"}]`
	const small = `"paymentAmount":4999,"primaryCreditorInstitution":"","transferList":[{"creditorInstitution":""}]`
	fee := Query{AllCcp: true, OnUsFirst: true, Order: engine.OrderFee}
	psp, noPoste := fee, fee
	psp.PSP, noPoste.AllCcp = "p2", false
	for _, c := range []struct {
		name, body string
		contract   contract
		query      Query
	}{
		{"v1-all-kinds-of-rows", `{` + one + `,"bin":"400012","paymentMethod":"CP","touchpoint":"CHECKOUT"}`, contractV1, fee},
		{"v1-by-psp", `{` + one + `}`, contractV1, psp},
		{"v1-below-threshold", `{` + small + `,"bin":"4000"}`, contractV1, fee},
		{"v1-empty", `{` + one + `,"idPspList":[{"idPsp":"NOBODY"}]}`, contractV1, fee},
		{"v2-all-kinds-of-rows", `{"paymentNotice":[{` + one + `}],"bin":"400012","paymentMethod":"CP","touchpoint":"CHECKOUT"}`, contractV2, fee},
		{"v2-two-contributions-cut", `{"paymentNotice":[{` + one + `},{` + two + `}],"idPspList":[{"idPsp":"P3"}]}`, contractV2, fee},
		{"v2-by-psp", `{"paymentNotice":[{` + one + `}]}`, contractV2, psp},
		{"v2-without-poste", `{"paymentNotice":[{` + small + `}],"paymentMethod":"BPAY"}`, contractV2, noPoste},
		{"v2-below-threshold", `{"paymentNotice":[{` + small + `}],"bin":"4000"}`, contractV2, fee},
		{"v2-empty", `{"paymentNotice":[{"paymentAmount":1000001,"primaryCreditorInstitution":"1","transferList":[{"creditorInstitution":"1"}]}]}`, contractV2, fee},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, outcome, err := calculatorOf(smallWorld(t)).answer([]byte("before "), []byte(c.body), &c.query, c.contract, new(journal.Facts))
			if err != nil {
				t.Fatal(err)
			}
			answer, ok := bytes.CutPrefix(answer, []byte("before "))
			if !ok || outcome.Revision != 7 {
				t.Errorf("%+v, %s", outcome, answer)
			}
			golden(t, filepath.Join("testdata", "answers", c.name+".json"), fmt.Appendf(nil, `{"request":%s,"answer":%s}`, c.body, answer))
			checkShape(t, answer, c.contract)
		})
	}
}

// golden compares a JSON document, indented, with a file.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("%s, golden (-) and now (+):\n%s", file, diff)
	}
}

// checkShape requires every member that spec 4 lists and no other, and the ones that are never null.
func checkShape(t *testing.T, answer []byte, c contract) {
	t.Helper()
	members := []string{"paymentMethod", "touchpoint", "idBundle", "bundleName", "bundleDescription", "idPsp", "idChannel", "idBrokerPsp", "onUs", "abi", "pspBusinessName", "taxPayerFee"}
	notNull := []string{"onUs", "taxPayerFee", "paymentMethod", "touchpoint", "idBundle", "idPsp"}
	if c == contractV1 {
		members = append(members, "primaryCiIncurredFee", "idCiBundle")
		notNull = append(notNull, "primaryCiIncurredFee")
	} else {
		members = append(members, "actualPayerFee", "idsCiBundle", "fees")
		notNull = append(notNull, "actualPayerFee", "idsCiBundle", "fees")
	}
	var got struct {
		BelowThreshold *bool            `json:"belowThreshold"`
		BundleOptions  []map[string]any `json:"bundleOptions"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if got.BelowThreshold == nil || got.BundleOptions == nil {
		t.Errorf("belowThreshold or bundleOptions is null: %s", answer)
	}
	for _, row := range got.BundleOptions {
		for _, name := range members {
			if _, ok := row[name]; !ok {
				t.Errorf("%s is missing in %v", name, row)
			}
		}
		if len(row) != len(members) {
			t.Errorf("%d members for %d: %v", len(row), len(members), row)
		}
		for _, name := range notNull {
			if row[name] == nil {
				t.Errorf("%s is null in %v", name, row)
			}
		}
	}
}
