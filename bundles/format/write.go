package format

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-faster/jx"
	"go.yaml.in/yaml/v3"

	"gec/bundles"
	"gec/engine"
)

// part is one field of a file: a single value, or a list written one element a line, so that two
// exports can be compared line by line.
type part struct {
	name string
	list bool
	// count is the number of elements of a list; write writes the i-th, or the single value.
	count int
	write func(e *jx.Encoder, i int)
}

// parts are the fields of a native file or a snapshot, in their order.
func parts(d *bundles.Document, name Name) (all []part) {
	if x := d.Export; x != nil && name == Native {
		all = append(all, part{name: "export", write: func(e *jx.Encoder, _ int) { writeExport(e, x) }})
	}
	if s := d.Settings; s != nil {
		all = append(all,
			part{name: "config", write: func(e *jx.Encoder, _ int) { writeConfig(e, s) }},
			part{name: "touchpoints", write: func(e *jx.Encoder, _ int) { writeTexts(e, s.Touchpoints) }},
			part{name: "paymentTypes", write: func(e *jx.Encoder, _ int) { writeTexts(e, s.PaymentTypes) }},
			part{name: "issuers", list: true, count: len(s.Issuers), write: func(e *jx.Encoder, i int) { writeIssuer(e, s.Issuers[i]) }})
	}
	nested, others := group(d)
	all = append(all, part{name: "bundles", list: true, count: len(d.Bundles), write: func(e *jx.Encoder, i int) {
		writeBundle(e, d, i, nested[i], name)
	}})
	if len(others) > 0 {
		all = append(all, part{name: "subscriptions", list: true, count: len(others), write: func(e *jx.Encoder, i int) {
			s := &d.Subscriptions[others[i]]
			e.ObjStart()
			e.FieldStart("idBundle")
			e.Str(s.BundleID)
			bundles.WriteSubscription(e, s)
			e.ObjEnd()
		}})
	}
	if len(d.PaymentMethods) > 0 && name == Native {
		all = append(all, part{name: "paymentMethods", list: true, count: len(d.PaymentMethods), write: func(e *jx.Encoder, i int) {
			writeMethod(e, d.PaymentMethods[i])
		}})
	}
	return all
}

// group returns the indexes of the subscriptions of each bundle of the document, and of all others.
func group(d *bundles.Document) (nested [][]int, others []int) {
	nested = make([][]int, len(d.Bundles))
	position := make(map[string]int, len(d.Bundles))
	for i := range d.Bundles {
		position[d.Bundles[i].ID] = i
	}
	for i := range d.Subscriptions {
		if at, found := position[d.Subscriptions[i].BundleID]; found {
			nested[at] = append(nested[at], i)
		} else {
			others = append(others, i)
		}
	}
	return nested, others
}

// strays are the faults of subscriptions that a snapshot has no place for.
func strays(d *bundles.Document) (faults bundles.Faults) {
	_, others := group(d)
	for _, i := range others {
		faults = append(faults, bundles.Fault{Path: fmt.Sprintf("subscriptions[%d]", i),
			Reason: fmt.Sprintf("is for bundle %s, which is not in the document", bundles.Excerpt(d.Subscriptions[i].BundleID)),
			Fix:    "export the bundle too, or use the native format"})
	}
	return faults
}

func writeExport(e *jx.Encoder, x *bundles.Export) {
	e.ObjStart()
	e.FieldStart("revision")
	e.Int64(x.Revision)
	e.FieldStart("at")
	e.Str(x.At.UTC().Format(time.RFC3339Nano))
	e.ObjEnd()
}

func writeConfig(e *jx.Encoder, s *engine.Settings) {
	e.ObjStart()
	e.FieldStart("amountThreshold")
	e.Int64(s.ThresholdCents)
	e.FieldStart("idPspPoste")
	e.Str(s.PostePSP)
	e.FieldStart("amexAbi")
	e.Str(s.AmexABI)
	e.FieldStart("pspBlacklist")
	writeTexts(e, s.BlockedPSPs)
	e.ObjEnd()
}

func writeTexts(e *jx.Encoder, texts []string) {
	e.ArrStart()
	for _, text := range texts {
		e.Str(text)
	}
	e.ArrEnd()
}

func writeIssuer(e *jx.Encoder, r engine.IssuerRange) {
	e.ObjStart()
	e.FieldStart("low")
	e.Int64(r.Low)
	e.FieldStart("high")
	e.Int64(r.High)
	e.FieldStart("abi")
	e.Str(r.ABI)
	e.ObjEnd()
}

// writeBundle writes the i-th bundle with its subscriptions. In a snapshot the origin snapshot goes
// without saying, because the reader gives it to every bundle that states none.
func writeBundle(e *jx.Encoder, d *bundles.Document, i int, subscriptions []int, name Name) {
	b := d.Bundles[i]
	if name == Snapshot && b.Origin == bundles.OriginSnapshot {
		b.Origin = ""
	}
	e.ObjStart()
	bundles.WriteBundle(e, &b)
	if len(subscriptions) > 0 {
		e.FieldStart(subscriptionsField(name))
		e.ArrStart()
		for _, at := range subscriptions {
			e.ObjStart()
			bundles.WriteSubscription(e, &d.Subscriptions[at])
			e.ObjEnd()
		}
		e.ArrEnd()
	}
	e.ObjEnd()
}

// writeCatalogue writes a native file or a snapshot as JSON.
func writeCatalogue(w io.Writer, d *bundles.Document, name Name) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var e jx.Encoder
	separator := "{\n  "
	for _, p := range parts(d, name) {
		fmt.Fprintf(out, "%s%q: ", separator, p.name)
		separator = ",\n  "
		if !p.list {
			e.Reset()
			p.write(&e, 0)
			out.Write(e.Bytes())
			continue
		}
		writeLines(out, &e, p)
	}
	out.WriteString("\n}\n")
	return out.Flush()
}

func writeLines(out *bufio.Writer, e *jx.Encoder, p part) {
	if p.count == 0 {
		out.WriteString("[]")
		return
	}
	for i := range p.count {
		if i == 0 {
			out.WriteString("[\n    ")
		} else {
			out.WriteString(",\n    ")
		}
		e.Reset()
		p.write(e, i)
		out.Write(e.Bytes())
	}
	out.WriteString("\n  ]")
}

// writeYAML writes a native file as YAML, an element of a list at a time, so that the tree in memory
// stays small.
func writeYAML(w io.Writer, d *bundles.Document) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var e jx.Encoder
	for _, p := range parts(d, Native) {
		e.Reset()
		e.ObjStart()
		e.FieldStart(p.name)
		if !p.list {
			p.write(&e, 0)
		} else {
			e.ArrStart()
			e.ArrEnd()
		}
		e.ObjEnd()
		if p.count > 0 {
			fmt.Fprintf(out, "%s:\n", p.name)
		} else if err := writeNode(out, e.Bytes()); err != nil {
			return err
		}
		for i := range p.count {
			e.Reset()
			e.ArrStart()
			p.write(&e, i)
			e.ArrEnd()
			if err := writeNode(out, e.Bytes()); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// writeNode writes JSON as YAML.
func writeNode(out *bufio.Writer, document []byte) error {
	src := &jsonSource{data: document}
	text, err := yamlText(yamlNode(src))
	if err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	_, err = out.Write(text)
	return err
}

func yamlText(n *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	return text.Bytes(), e.Close()
}

// yamlNode makes the tree of the next value of a source.
func yamlNode(src *jsonSource) *yaml.Node {
	switch k, _ := src.peek(); k {
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		src.open()
		for {
			name, _, more := src.field()
			if !more {
				return n
			}
			n.Content = append(n.Content, yamlString(string(name)), yamlNode(src))
		}
	case list:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		src.open()
		for src.element() {
			n.Content = append(n.Content, yamlNode(src))
		}
		if !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }) {
			n.Style = yaml.FlowStyle
		}
		return n
	case text:
		value, _ := src.scalar()
		return yamlString(value)
	default:
		value, _ := src.scalar()
		return &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	}
}

// oldYAML are the plain scalars that YAML 1.1 took for something else, and many tools still do: truth in
// many spellings and numbers to the base of 60.
var oldYAML = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// yamlString makes the node of a text. Whatever is not printable ASCII or Latin letters in one line is
// put in double quotes, where every character has an escape; the library quotes the rest where YAML
// would take it for something else.
func yamlString(value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	strange := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' && r < '\u00A0' || r > '\u024F' })
	if strange >= 0 || oldYAML.MatchString(value) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
