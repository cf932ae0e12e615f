package lint

import "io"

// The parts of SARIF 2.1.0 that a run of lint has.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               Rule      `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID     Rule            `json:"ruleId"`
		RuleIndex  int             `json:"ruleIndex"`
		Level      Severity        `json:"level"`
		Message    sarifText       `json:"message"`
		Locations  []sarifLocation `json:"locations"`
		Properties Finding         `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name          string `json:"name"`
		QualifiedName string `json:"fullyQualifiedName"`
		Kind          string `json:"kind"`
	}
)

// WriteSARIF writes a SARIF 2.1.0 log of one run, as code review tools show it. The place of a finding is
// the field of its bundle, "PSP/bundle/field"; where uri is not empty, the file that was linted as well.
// version is that of the tool and may be empty. Errors: those of w.
func WriteSARIF(w io.Writer, findings []Finding, uri, version string) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "gec lint", Version: version}}, Results: make([]sarifResult, len(findings))}
	places := map[Rule]int{}
	for i, rule := range Rules() {
		places[rule] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule, sarifText{rule.Describe()}})
	}
	for i := range findings {
		f := &findings[i]
		location := sarifLocation{Logical: []sarifLogical{{f.Field, f.PSP + "/" + f.Bundle + "/" + f.Field, "member"}}}
		if uri != "" {
			location.Physical = &sarifPhysical{sarifArtifact{uri}}
		}
		run.Results[i] = sarifResult{
			RuleID: f.Rule, RuleIndex: places[f.Rule], Level: f.Severity, Message: sarifText{f.sentence()},
			Locations: []sarifLocation{location}, Properties: *f,
		}
	}
	return encode(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}
