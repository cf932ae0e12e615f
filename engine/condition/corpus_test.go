package condition

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the conditions come to into testdata, for review")

// sample is a line of a table in testdata: a source, and what it comes to. The source is written
// as Go strings joined with + and repeated with *, so that 2 MB fit a line.
type sample struct {
	written string // as in the table
	source  string
	want    string
}

const (
	acceptedTable = "testdata/accepted.txt"
	refusedTable  = "testdata/refused.txt"
)

// readTable reads a table: a sample a line, the source and after a tab what it comes to; # begins
// a heading.
func readTable(t testing.TB, path string) []sample {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var samples []sample
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		written, want, _ := strings.Cut(line, "\t")
		source, err := unwrite(written)
		if err != nil {
			t.Fatalf("%s: %s: %v", path, line, err)
		}
		samples = append(samples, sample{written: written, source: source, want: want})
	}
	return samples
}

// unwrite builds the source that a table writes as `"a" * 3 + "b"`.
func unwrite(written string) (string, error) {
	var source strings.Builder
	for rest := written; ; {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", err
		}
		part, err := strconv.Unquote(quoted)
		if err != nil {
			return "", err
		}
		rest = rest[len(quoted):]
		times := 1
		if after, ok := strings.CutPrefix(rest, " * "); ok {
			count, remainder, _ := strings.Cut(after, " ")
			if times, err = strconv.Atoi(count); err != nil {
				return "", err
			}
			rest = remainder
			if rest != "" {
				rest = " " + rest
			}
		}
		source.WriteString(strings.Repeat(part, times))
		if rest == "" {
			return source.String(), nil
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, " + "); !ok {
			return "", fmt.Errorf("no + before %s", rest)
		}
	}
}

// checkTable compares each sample with what got makes of it; with -update it writes that instead.
func checkTable(t *testing.T, path string, got func(t *testing.T, source string) string) {
	if *update {
		rewriteTable(t, path, got)
		return
	}
	for _, sample := range readTable(t, path) {
		t.Run(fmt.Sprintf("%.60s", sample.written), func(t *testing.T) {
			if got := got(t, sample.source); got != sample.want {
				t.Errorf("%s\n got %s\nwant %s", sample.written, got, sample.want)
			}
		})
	}
}

func rewriteTable(t *testing.T, path string, got func(t *testing.T, source string) string) {
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for scanner := bufio.NewScanner(strings.NewReader(string(file))); scanner.Scan(); {
		line := scanner.Text()
		if line != "" && line[0] != '#' {
			written, _, _ := strings.Cut(line, "\t")
			source, err := unwrite(written)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			line = written + "\t" + got(t, source)
		}
		fmt.Fprintln(&out, line)
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
