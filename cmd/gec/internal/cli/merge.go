package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gec/bundles"
)

// merged is several documents as one change, and where each part of it came from.
type merged struct {
	document bundles.Document
	parts    []part
	// byID is the place of every bundle in the document.
	byID map[string]int
}

// part is one file of a merged document.
type part struct {
	file string
	// bundles, subscriptions and methods are how many of each the files before it have.
	bundles, subscriptions, methods int
	settings                        bool
}

// add appends the document of a file. Its settings, where it has some, are those of the files before with
// what it states itself.
func (m *merged) add(file string, d bundles.Document) {
	m.parts = append(m.parts, part{
		file: file, bundles: len(m.document.Bundles), subscriptions: len(m.document.Subscriptions), methods: len(m.document.PaymentMethods), settings: d.Settings != nil,
	})
	if m.byID == nil {
		m.byID, m.document.Export = map[string]int{}, d.Export
	}
	if d.Export == nil {
		m.document.Export = nil // something is newly authored: all of it is checked as such
	}
	for i := range d.Bundles {
		m.byID[d.Bundles[i].ID] = len(m.document.Bundles) + i
	}
	if len(m.parts) == 1 {
		m.document.Export = d.Export
	} else if d.Export == nil {
		m.document.Export = nil // together with authored files, an export is one
	}
	m.document.Bundles = append(m.document.Bundles, d.Bundles...)
	m.document.Subscriptions = append(m.document.Subscriptions, d.Subscriptions...)
	m.document.PaymentMethods = append(m.document.PaymentMethods, d.PaymentMethods...)
	if d.Settings != nil {
		m.document.Settings = d.Settings
	}
}

// bundle returns the bundle with an id.
func (m *merged) bundle(id string) (*bundles.Bundle, bool) {
	i, ok := m.byID[id]
	if !ok {
		return nil, false
	}
	return &m.document.Bundles[i], true
}

// locate returns the file that a fault of the merged document is in, and the fault with the path that it
// has in that file.
func (m *merged) locate(f bundles.Fault) (file string, local bundles.Fault) {
	for _, list := range []struct {
		name  string
		first func(part) int
	}{
		{"bundles", func(p part) int { return p.bundles }},
		{"subscriptions", func(p part) int { return p.subscriptions }},
		{"paymentMethods", func(p part) int { return p.methods }},
	} {
		rest, ok := strings.CutPrefix(f.Path, list.name+"[")
		index, rest, closed := strings.Cut(rest, "]")
		n, err := strconv.Atoi(index)
		if !ok || !closed || err != nil {
			continue
		}
		at := len(m.parts) - 1
		for at > 0 && list.first(m.parts[at]) > n {
			at--
		}
		f.Path = fmt.Sprintf("%s[%d]%s", list.name, n-list.first(m.parts[at]), rest)
		return m.parts[at].file, f
	}
	for _, p := range slices.Backward(m.parts) {
		if p.settings {
			return p.file, f
		}
	}
	return m.parts[0].file, f
}

// perFile sorts the faults of the merged document by file, in the order of the files.
func (m *merged) perFile(faults []bundles.Fault) []*fileFaults {
	var all []*fileFaults
	byFile := map[string]*fileFaults{}
	for _, p := range m.parts {
		if byFile[p.file] == nil {
			byFile[p.file] = &fileFaults{file: p.file}
			all = append(all, byFile[p.file])
		}
	}
	for _, f := range faults {
		file, local := m.locate(f)
		byFile[file].faults = append(byFile[file].faults, local)
	}
	return slices.DeleteFunc(all, func(f *fileFaults) bool { return len(f.faults) == 0 })
}
