package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"gec/bundles"
)

// yamlPlacesMax bounds the places in a YAML text where a value may begin, and so the memory that its
// tree takes: at most two values begin after a comma, a line end or a bracket.
const yamlPlacesMax = 600_000

// yamlSource walks the tree that the YAML library makes of a text. Only the plain part of YAML is let
// in: one document of mappings, sequences and scalars.
type yamlSource struct {
	next  *yaml.Node
	stack []yamlFrame
}

// yamlFrame is a mapping or sequence that was entered and the index of its next child.
type yamlFrame struct {
	node *yaml.Node
	at   int
}

func openYAML(data []byte) (source, *bundles.Fault) {
	if len(data) > YAMLBytesMax || yamlPlaces(data) > yamlPlacesMax {
		return nil, &bundles.Fault{Reason: "the YAML is too large", Fix: "write it as JSON, or split it into several files"}
	}
	root, fault := parseYAML(data)
	if fault != nil {
		return nil, fault
	}
	if fault := checkYAML(root, 0); fault != nil {
		return nil, fault
	}
	return &yamlSource{next: root}, nil
}

func yamlPlaces(data []byte) int {
	places := 0
	for i, c := range data {
		switch c {
		case ',', '\n', '\r', '[', '{':
			places++
		case '-', '?', ':':
			if i+1 == len(data) || data[i+1] == ' ' || data[i+1] == '\t' {
				places++
			}
		}
	}
	return places
}

// parseYAML returns the root of the only document. A panic of the library is a refusal too: a file must
// not end a process.
func parseYAML(data []byte) (root *yaml.Node, fault *bundles.Fault) {
	defer func() {
		if r := recover(); r != nil {
			root, fault = nil, &bundles.Fault{Reason: bundles.Excerpt(fmt.Sprint("the YAML library failed: ", r)), Fix: "write plain YAML"}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &bundles.Fault{Reason: "the file is empty", Fix: "write an object with the field bundles"}
		}
		return nil, yamlFault(err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, &bundles.Fault{Line: second.Line, Column: second.Column, Reason: "a second document begins", Fix: "write one document a file"}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlFault(err)
	}
	if len(document.Content) == 0 {
		return nil, &bundles.Fault{Reason: "the file is empty", Fix: "write an object with the field bundles"}
	}
	return document.Content[0], nil
}

// yamlFault takes the line out of the library's message: "yaml: line 3: did not find …".
func yamlFault(err error) *bundles.Fault {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	fault := &bundles.Fault{Fix: "write plain YAML"}
	var line int
	if n, scanErr := fmt.Sscanf(reason, "line %d:", &line); n == 1 && scanErr == nil {
		fault.Line, fault.Column = line, 1
		_, reason, _ = strings.Cut(reason, ": ")
	}
	fault.Reason = "the file is no YAML: " + strings.ToValidUTF8(strings.Join(strings.Fields(reason), " "), "?")
	return fault
}

// checkYAML lets through mappings with scalar keys, sequences and scalars, nested no deeper than
// DepthMax, without anchors, aliases, tags and merge keys.
func checkYAML(n *yaml.Node, depth int) *bundles.Fault {
	refuse := func(reason, fix string) *bundles.Fault {
		return &bundles.Fault{Line: n.Line, Column: n.Column, Reason: reason, Fix: fix}
	}
	switch {
	case n.Kind == yaml.AliasNode:
		return refuse("aliases are not read", "write the value out")
	case n.Anchor != "":
		return refuse("anchors are not read", "write the value out where it is used")
	case n.Style&yaml.TaggedStyle != 0:
		return refuse("tags are not read", "leave "+bundles.Excerpt(n.Tag)+" out")
	case n.Kind == yaml.ScalarNode:
		return nil
	}
	if depth++; depth > DepthMax {
		return refuse(tooDeep(), "")
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if child.Kind != yaml.ScalarNode || child.Tag == "!!merge" {
				n = child
				return refuse("merge keys and keys that are no plain names are not read", "write the fields out")
			}
		}
		if fault := checkYAML(child, depth); fault != nil {
			return fault
		}
	}
	return nil
}

func (s *yamlSource) peek() (kind, mark) {
	n := s.next
	at := mark(n.Line)<<32 | mark(n.Column)
	switch {
	case n.Kind == yaml.MappingNode:
		return object, at
	case n.Kind == yaml.SequenceNode:
		return list, at
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return text, at
	case n.ShortTag() == "!!null":
		return null, at
	}
	return plain, at
}

func (s *yamlSource) open() { s.stack = append(s.stack, yamlFrame{node: s.next}) }

// child takes the next child of what was entered last; nil, and leaves it, if there is none.
func (s *yamlSource) child() *yaml.Node {
	top := &s.stack[len(s.stack)-1]
	if top.at == len(top.node.Content) {
		s.stack = s.stack[:len(s.stack)-1]
		return nil
	}
	top.at++
	return top.node.Content[top.at-1]
}

func (s *yamlSource) field() (name []byte, at mark, more bool) {
	key := s.child()
	if key == nil {
		return nil, 0, false
	}
	s.next = s.child()
	return []byte(key.Value), mark(key.Line)<<32 | mark(key.Column), true
}

func (s *yamlSource) element() bool {
	child := s.child()
	if child != nil {
		s.next = child
	}
	return child != nil
}

func (s *yamlSource) scalar() (string, bool) { return s.next.Value, true }

func (s *yamlSource) skip() {}

func (s *yamlSource) places(marks []mark) []position {
	found := make([]position, len(marks))
	for i, m := range marks {
		found[i] = position{int(m >> 32), int(m & (1<<32 - 1))}
	}
	return found
}
