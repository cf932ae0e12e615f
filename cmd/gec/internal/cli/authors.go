package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"gec/api/access"
	"gec/api/marketplace"
	"gec/bundles"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
	"gec/cmd/gec/internal/text"
)

// The commands of this file and its neighbours are for those who author and agree. They speak the wire
// contract, to a server or to a handler on the folder, so that both say and do the same.

// errand is one call of such a command.
type errand struct {
	process Process
	cmd     *cobra.Command
	server  string
	json    bool
	psp, ec string
}

// marketplacePrefix is where the contract is served.
const marketplacePrefix = "/afm/marketplace-service/v1"

// errand makes a command of a group.
func (p Process) errand(use, short string, args cobra.PositionalArgs, run func(*errand, []string) error) (*cobra.Command, *errand) {
	e := &errand{process: p, cmd: &cobra.Command{Use: use, Short: short, Args: arguments(args)}}
	flags := e.cmd.Flags()
	flags.SortFlags = false
	serverFlags(flags, &e.server)
	flags.BoolVar(&e.json, "json", false, "print the answer as JSON")
	config.Register(flags, false)
	e.cmd.RunE = func(_ *cobra.Command, args []string) error { return run(e, args) }
	return e.cmd, e
}

// party adds the flags that say who acts.
func (e *errand) party(psp, ec bool) {
	if psp {
		e.cmd.Flags().StringVar(&e.psp, "psp", "", "the `PSP` that acts")
	}
	if ec {
		e.cmd.Flags().StringVar(&e.ec, "ec", "", "tax `code` of the creditor institution that acts")
	}
}

// place is the path of what is the party's that the flags name. Errors: usageError.
func (e *errand) place(rest ...string) (string, error) {
	path := ""
	switch {
	case (e.psp == "") == (e.ec == ""):
		var flags []string
		for _, name := range []string{"psp", "ec"} {
			if e.cmd.Flags().Lookup(name) != nil {
				flags = append(flags, "--"+name)
			}
		}
		return "", usage("say who acts: %s", strings.Join(flags, " or "))
	case e.psp != "":
		path = "/psps/" + url.PathEscape(e.psp)
	default:
		path = "/cis/" + url.PathEscape(e.ec)
	}
	for _, part := range rest {
		path += "/" + url.PathEscape(part)
	}
	return marketplacePrefix + path, nil
}

// do sends a request and reads the answer into a value; a nil value is not looked at.
func (e *errand) do(method, path string, header http.Header, body []byte, answer any) error {
	return e.process.ask(e.cmd, e.server, localMarketplace, func(client *ask.Client) error {
		out, err := client.Do(e.cmd.Context(), method, path, header, body)
		if err != nil {
			return ask.Describe(err)
		}
		if e.json && len(out) > 0 {
			var value any
			if err := json.Unmarshal(out, &value); err != nil {
				return err
			}
			return printValue(e.process.Stdout, value)
		}
		if answer == nil || len(out) == 0 {
			return nil
		}
		if err := json.Unmarshal(out, answer); err != nil {
			return fmt.Errorf("the server does not answer as gec does: %w", err)
		}
		return nil
	})
}

// say prints what was done, unless the answer was printed as JSON.
func (e *errand) say(format string, values ...any) {
	if !e.json {
		fmt.Fprintf(e.process.Stdout, format+"\n", values...)
	}
}

// table prints rows, unless the answer was printed as JSON.
func (e *errand) table(columns []text.Column, rows [][]string) error {
	if e.json {
		return nil
	}
	return text.Table(e.process.Stdout, width(e.process.Stdout), columns, rows)
}

// localMarketplace is the handler of the contract on a folder, for its owner.
func localMarketplace(folder *node.Folder) (http.Handler, error) {
	return marketplace.New(marketplace.Options{
		Catalogue: func() *bundles.Catalogue { return folder.Catalogue },
		Gate:      access.Fixed(node.Owner()),
	})
}

// group is a command that only has commands below it.
func (p Process) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: unknownCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	g.AddCommand(commands...)
	return g
}

// pages reads a list page by page, of which page returns how many things there are in all and on the page.
func (e *errand) pages(page func(number int) (total int, found int, err error)) error {
	for number, read := 0, 0; ; number++ {
		total, found, err := page(number)
		if err != nil {
			return err
		}
		if read += found; read >= total || found == 0 || e.json {
			return nil
		}
	}
}
