package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write docs/cli.md")

// TestReference holds that docs/cli.md is what the commands say of themselves.
func TestReference(t *testing.T) {
	const path = "../../../../docs/cli.md"
	var page bytes.Buffer
	if err := reference(&page); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(there), page.String()); diff != "" {
		t.Errorf("docs/cli.md is not current; go test ./cmd/gec/internal/cli -run TestReference -update\n%s", diff)
	}
}

// reference writes the manual of all commands as Markdown, from the commands themselves. Errors: those of w.
func reference(w io.Writer) error {
	var page strings.Builder
	page.WriteString("# The command line of gec\n\nWritten from the commands themselves: `go test ./cmd/gec/internal/cli -run TestReference -update`. Flags may come before or behind\n" +
		"arguments. Exit codes: 0 done, 1 it could not be done, 2 it was asked wrongly. In brackets behind a flag is the variable\n" +
		"of the environment that says the same.\n")
	root := Process{}.command()
	root.InitDefaultCompletionCmd()
	for _, cmd := range commandsBelow(root) {
		describe(&page, cmd)
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// commandsBelow returns the commands that do something, in order of name.
func commandsBelow(cmd *cobra.Command) (all []*cobra.Command) {
	for _, c := range cmd.Commands() { // which cobra keeps sorted
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.HasSubCommands() {
			all = append(all, commandsBelow(c)...)
		} else {
			all = append(all, c)
		}
	}
	return all
}

// describe writes the section of one command.
func describe(page *strings.Builder, cmd *cobra.Command) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(page, "\n## %s\n\n```\n%s\n```\n\n%s\n", cmd.CommandPath(), strings.TrimSuffix(cmd.UseLine(), " [flags]"), prose(about))
	if cmd.Example != "" {
		fmt.Fprintf(page, "\n```sh\n%s\n```\n", dedent(cmd.Example))
	}
	var rows strings.Builder
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			value = " " + value
		}
		standing := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			standing = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&rows, "| `--%s%s` | %s | %s |\n", f.Name, value, cell(usage), standing)
	})
	if rows.Len() > 0 {
		page.WriteString("\n| flag | what it says | default |\n|---|---|---|\n" + rows.String())
	}
}

// prose is a help text as Markdown: its indented lines are shown as they are.
func prose(text string) string {
	var out strings.Builder
	within := false
	for _, line := range strings.Split(text, "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != within && (line != "" || !within) {
			out.WriteString("```\n")
			within = indented
		}
		if !within {
			line = strings.NewReplacer("<", "\\<", "*", "\\*").Replace(line)
		}
		out.WriteString(line + "\n")
	}
	if within {
		out.WriteString("```\n")
	}
	return strings.TrimRight(out.String(), "\n")
}

func dedent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

// cell is a text as a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<", "\\<", "\n", " ").Replace(text)
}
