package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// fileBytesMax bounds a settings file.
const fileBytesMax = 64 << 10

// entry is one key of the settings file with its value as text and its place, "gec.yaml:3".
type entry struct {
	text, place string
	line        int
}

// parseFile reads the one YAML document of a settings file: a mapping from names to plain values. An
// empty file is a file without settings. All faults are returned together.
func parseFile(path string, text []byte) (map[string]entry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: holds more than one YAML document", path)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: a settings file is a list of lines like %q", path, root.Line, "http: 127.0.0.1:8080")
	}
	entries := map[string]entry{}
	var faults []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		place := fmt.Sprintf("%s:%d", path, key.Line)
		switch earlier, twice := entries[key.Value]; {
		case twice:
			faults = append(faults, fmt.Errorf("%s: %q is set twice, first at line %d", place, key.Value, earlier.line))
		case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
			faults = append(faults, fmt.Errorf("%s: %q needs one plain value", place, key.Value))
		default:
			entries[key.Value] = entry{text: value.Value, place: place, line: key.Line}
		}
	}
	return entries, errors.Join(faults...)
}
