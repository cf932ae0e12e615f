package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/lint"
)

func holeFindings() []lint.Finding {
	bs := []bundles.Bundle{with("A", 0, 5000, 3), with("B\n", 5001, 10000, 2)}
	return lint.Check(bs, settings(), today, lint.Options{})
}

func TestA10Text(t *testing.T) {
	var out bytes.Buffer
	if err := lint.WriteText(&out, holeFindings()); err != nil {
		t.Fatal(err)
	}
	want := "warning hole P B\uFFFD: minPaymentAmount is 50.01 €, which is exclusive: exactly that amount has no fee, since bundle \"A\" ends at 50.00 €; set it to 5000, which is 50.00 €\n" +
		"note falling-fee P B\uFFFD: paymentAmount: the fee falls from 0.03 €, up to 50.00 €, to 0.02 €, above 50.01 €: bundle \"A\" is for the smaller amounts; see whether the fees were mixed up\n" +
		"2 found: 1 hole, 1 falling-fee\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := lint.WriteText(&out, nil); err != nil || out.String() != "nothing found\n" {
		t.Error(out.String(), err)
	}
}

func TestA10JSON(t *testing.T) {
	var out bytes.Buffer
	if err := lint.WriteJSON(&out, holeFindings()[:1]); err != nil {
		t.Fatal(err)
	}
	want := `{
  "findings": [
    {
      "rule": "hole",
      "severity": "warning",
      "idPsp": "P",
      "idBundle": "B\n",
      "otherIdBundle": "A",
      "field": "minPaymentAmount",
      "message": "is 50.01 €, which is exclusive: exactly that amount has no fee, since bundle \"A\" ends at 50.00 €",
      "fix": "set it to 5000, which is 50.00 €",
      "mended": {
        "minPaymentAmount": 5000,
        "maxPaymentAmount": 10000
      }
    }
  ],
  "counts": {
    "hole": 1
  }
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := lint.WriteJSON(&out, nil); err != nil || !strings.Contains(out.String(), `"findings": []`) {
		t.Error(out.String(), err)
	}
}

func TestA10SARIF(t *testing.T) {
	var out bytes.Buffer
	if err := lint.WriteSARIF(&out, holeFindings(), "bundles.json", "v1"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					LogicalLocations []struct{ FullyQualifiedName string }
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	driver, results := log.Runs[0].Tool.Driver, log.Runs[0].Results
	if log.Version != "2.1.0" || driver.Name != "gec lint" || driver.Version != "v1" || len(driver.Rules) != len(lint.Rules()) || len(results) != 2 {
		t.Fatalf("%+v", log)
	}
	for _, r := range results {
		place := r.Locations[0]
		if driver.Rules[r.RuleIndex].ID != r.RuleID || driver.Rules[r.RuleIndex].ShortDescription.Text == "" || r.Message.Text == "" ||
			place.PhysicalLocation.ArtifactLocation.URI != "bundles.json" || !strings.HasPrefix(place.LogicalLocations[0].FullyQualifiedName, "P/B\n/") {
			t.Errorf("%+v", r)
		}
	}
	if results[0].Level != "warning" || results[1].Level != "note" {
		t.Errorf("%+v", results)
	}
	out.Reset()
	if err := lint.WriteSARIF(&out, nil, "", ""); err != nil || !strings.Contains(out.String(), `"results": []`) || strings.Contains(out.String(), "physicalLocation") {
		t.Error(out.String(), err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWritersReturnTheErrorOfTheDisk(t *testing.T) {
	for _, err := range []error{lint.WriteText(full{}, nil), lint.WriteJSON(full{}, nil), lint.WriteSARIF(full{}, nil, "", "")} {
		if err == nil || err.Error() != "disk full" {
			t.Error(err)
		}
	}
}
