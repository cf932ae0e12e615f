package cli

import (
	"testing"

	"gec/bundles"
	"gec/engine"
)

func TestMergeKeepsTheFileOfEveryFault(t *testing.T) {
	var m merged
	for _, file := range []struct {
		name                   string
		bundles, subscriptions int
		settings               *engine.Settings
	}{{"a.json", 2, 1, nil}, {"empty.json", 0, 0, nil}, {"b.json", 3, 2, &engine.Settings{}}} {
		m.add(file.name, bundles.Document{
			Settings: file.settings, Bundles: make([]bundles.Bundle, file.bundles), Subscriptions: make([]bundles.Subscription, file.subscriptions),
		})
	}
	for _, test := range []struct{ path, file, local string }{
		{"bundles[0].name", "a.json", "bundles[0].name"},
		{"bundles[1]", "a.json", "bundles[1]"},
		{"bundles[2].fee.steps[0].upTo", "b.json", "bundles[0].fee.steps[0].upTo"},
		{"bundles[4].name", "b.json", "bundles[2].name"},
		{"subscriptions[0].id", "a.json", "subscriptions[0].id"},
		{"subscriptions[2].id", "b.json", "subscriptions[1].id"},
		{"config.amexAbi", "b.json", "config.amexAbi"},
		{"", "b.json", ""},
		{"bundles[x]", "b.json", "bundles[x]"},
	} {
		file, local := m.locate(bundles.Fault{Path: test.path, Line: 7})
		if file != test.file || local.Path != test.local || local.Line != 7 {
			t.Errorf("%s is %s of %s, want %s of %s", test.path, local.Path, file, test.local, test.file)
		}
	}
}

// TestMergeOfExportsIsAnExport holds that dates in the past are taken back only where nothing is new.
func TestMergeOfExportsIsAnExport(t *testing.T) {
	exported, authored := bundles.Document{Export: &bundles.Export{Revision: 1}}, bundles.Document{}
	for _, test := range []struct {
		files []bundles.Document
		want  bool
	}{
		{[]bundles.Document{exported}, true},
		{[]bundles.Document{exported, exported}, true},
		{[]bundles.Document{exported, authored}, false},
		{[]bundles.Document{authored, exported}, false},
	} {
		var m merged
		for _, d := range test.files {
			m.add("file", d)
		}
		if got := m.document.Export != nil; got != test.want {
			t.Errorf("%v: an export is %v, want %v", test.files, got, test.want)
		}
	}
}
