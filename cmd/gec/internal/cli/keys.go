package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/api/access"
	"gec/api/marketplace"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/node"
	"gec/cmd/gec/internal/text"
)

// nativePrefix is where our own operations are served.
const nativePrefix = "/gec/v1"

// keys is the group of commands on access keys and on who acts for whom.
func (p Process) keys() *cobra.Command {
	return p.group("keys", "Make, rotate and revoke access keys, and let partners act for PSPs and creditor institutions",
		p.createKey(), p.listKeys(), p.rotateKey(), p.revokeKey(), p.delegate(), p.listDelegations(), p.withdraw(), p.whoAmI())
}

func (p Process) createKey() *cobra.Command {
	var name, expires string
	var roles []string
	var rate int
	cmd, e := p.errand("create --name NAME [--role ROLE]…", "Make an access key and show its secret, this once", cobra.NoArgs, func(e *errand, _ []string) error {
		question := map[string]any{"name": name, "roles": roles, "ratePerSecond": rate}
		if expires != "" {
			at, err := ask.ParseInstant(expires)
			if err != nil {
				return &usageError{fmt.Errorf("--expires: %w", err)}
			}
			question["expiresAt"] = at.UTC().Format(time.RFC3339)
		}
		if err := e.makeFolder(); err != nil {
			return err
		}
		return e.newSecret("/keys", question)
	})
	flags := e.cmd.Flags()
	flags.StringVar(&name, "name", "", "`name` of whose key it is, up to 35 characters; it is in the journal of every call")
	flags.StringArrayVar(&roles, "role", nil, "`role`: quotes, psp:ID, ec:TAXCODE, operator or auditor; again for more; none: only what is delegated to the key")
	flags.StringVar(&expires, "expires", "", "`instant` at which it ends, as 2027-12-31; none: never")
	flags.IntVar(&rate, "rate", 0, "`calls` a second on one node, twice as many at once; 0: no bound")
	return cmd
}

// makeFolder makes the data folder where the command is on one that is not there yet: a key may be the first
// thing in it, so that a node can be started that asks for keys.
func (e *errand) makeFolder() error {
	if e.server != "" {
		return nil
	}
	c, err := e.process.settings(e.cmd)
	if err != nil {
		return err
	}
	folder, err := node.Open(e.cmd.Context(), c, e.process.warnings())
	if err != nil {
		return err
	}
	return folder.Close()
}

// newSecret asks for a key's secret and shows it: the secret alone on stdout, so that it can be sent to a file.
func (e *errand) newSecret(path string, question any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	var made marketplace.NewKeyView
	if err := e.do(http.MethodPost, nativePrefix+path, nil, body, &made); err != nil || e.json {
		return err
	}
	fmt.Fprintf(e.process.Stderr, "key %s of %s, roles: %s; it is shown this once:\n", made.ID, text.Printable(made.Name), roleList(made.Roles))
	if !made.OldUntil.IsZero() {
		fmt.Fprintf(e.process.Stderr, "the secret before is taken until %s\n", romeTime(made.OldUntil))
	}
	_, err = fmt.Fprintln(e.process.Stdout, made.Secret)
	return err
}

func roleList(roles []access.Role) string {
	if len(roles) == 0 {
		return "none but what is delegated"
	}
	words := make([]string, len(roles))
	for n, r := range roles {
		words[n] = text.Printable(string(r))
	}
	return strings.Join(words, ", ")
}

func (p Process) listKeys() *cobra.Command {
	cmd, _ := p.errand("list", "List access keys, without their secrets", cobra.NoArgs, func(e *errand, _ []string) error {
		var answer struct{ Keys []marketplace.KeyView }
		if err := e.do(http.MethodGet, nativePrefix+"/keys", nil, nil, &answer); err != nil {
			return err
		}
		rows := make([][]string, len(answer.Keys))
		for n, k := range answer.Keys {
			rate := "-"
			if k.RatePerSecond > 0 {
				rate = fmt.Sprint(k.RatePerSecond)
			}
			rows[n] = []string{k.ID, text.Printable(k.Name), k.State, roleList(k.Roles), rate, romeTime(k.ExpiresAt), romeTime(k.RotatedAt)}
		}
		return e.table([]text.Column{{Title: "ID"}, {Title: "NAME"}, {Title: "STATE"}, {Title: "ROLES"}, {Title: "RATE"}, {Title: "EXPIRES"}, {Title: "SECRET OF"}}, rows)
	})
	return cmd
}

// romeTime writes an instant to the minute, "-" for none.
func romeTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	if rome, err := ask.Rome(); err == nil {
		at = at.In(rome)
	}
	return at.Format("2006-01-02 15:04")
}

func (p Process) rotateKey() *cobra.Command {
	var overlap time.Duration
	cmd, e := p.errand("rotate ID", "Give a key another secret and show it, this once", cobra.ExactArgs(1), func(e *errand, args []string) error {
		return e.newSecret("/keys/"+url.PathEscape(args[0])+"/rotate", map[string]int64{"overlapSeconds": int64(overlap / time.Second)})
	})
	e.cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "`time` for which the secret before is taken too; 0s: no longer")
	return cmd
}

func (p Process) revokeKey() *cobra.Command {
	cmd, _ := p.errand("revoke ID", "End a key, from the next call on", cobra.ExactArgs(1), func(e *errand, args []string) error {
		return e.done(http.MethodDelete, nativePrefix+"/keys/"+url.PathEscape(args[0]), nil, "key "+args[0]+" is revoked")
	})
	return cmd
}

func (p Process) delegate() *cobra.Command {
	var grantee, until string
	var functions []string
	cmd, e := p.errand("delegate (--psp PSP | --ec TAXCODE) --to KEY --until DAY", "Let a partner's key act for a PSP or a creditor institution", cobra.NoArgs, func(e *errand, _ []string) error {
		if (e.psp == "") == (e.ec == "") {
			return usage("say who is acted for: --psp or --ec")
		}
		party := access.PSPRole(e.psp)
		if e.ec != "" {
			party = access.CreditorInstitutionRole(e.ec)
		}
		at, err := ask.ParseInstant(until)
		if err != nil {
			return &usageError{fmt.Errorf("--until: %w", err)}
		}
		body, err := json.Marshal(map[string]any{"party": party, "grantee": grantee, "functions": functions, "until": at.UTC().Format(time.RFC3339)})
		if err != nil {
			return err
		}
		var made access.Delegation
		if err := e.do(http.MethodPost, nativePrefix+"/delegations", nil, body, &made); err != nil {
			return err
		}
		e.say("%s may act for %s until %s: delegation %s", text.Printable(made.Grantee), text.Printable(string(made.Party)), romeTime(made.Until), made.ID)
		return nil
	})
	e.party(true, true)
	flags := e.cmd.Flags()
	flags.StringVar(&grantee, "to", "", "`id` of the partner's key, as 'gec keys whoami' tells its holder")
	flags.StringArrayVar(&functions, "function", nil, "`function` that the partner may use: bundles, offers, requests or subscriptions; again for more; none: all")
	flags.StringVar(&until, "until", "", "`instant` at which it ends, as 2027-12-31")
	return cmd
}

func (p Process) listDelegations() *cobra.Command {
	cmd, _ := p.errand("delegations", "List who acts for whom", cobra.NoArgs, func(e *errand, _ []string) error {
		var answer struct{ Delegations []access.Delegation }
		if err := e.do(http.MethodGet, nativePrefix+"/delegations", nil, nil, &answer); err != nil {
			return err
		}
		return e.delegations(answer.Delegations)
	})
	return cmd
}

// delegations prints a table of delegations.
func (e *errand) delegations(all []access.Delegation) error {
	rows := make([][]string, len(all))
	for n, d := range all {
		functions := "all"
		if len(d.Functions) > 0 {
			functions = strings.Trim(fmt.Sprint(d.Functions), "[]")
		}
		rows[n] = []string{d.ID, text.Printable(string(d.Party)), text.Printable(d.Grantee), functions, romeTime(d.Until), text.Printable(d.GivenBy)}
	}
	return e.table([]text.Column{{Title: "ID"}, {Title: "FOR"}, {Title: "WHO"}, {Title: "FUNCTIONS"}, {Title: "UNTIL"}, {Title: "GIVEN BY"}}, rows)
}

func (p Process) withdraw() *cobra.Command {
	cmd, _ := p.errand("withdraw ID", "End a delegation, from the next call on", cobra.ExactArgs(1), func(e *errand, args []string) error {
		return e.done(http.MethodDelete, nativePrefix+"/delegations/"+url.PathEscape(args[0]), nil, "delegation "+args[0]+" is withdrawn")
	})
	return cmd
}

func (p Process) whoAmI() *cobra.Command {
	cmd, _ := p.errand("whoami", "Tell whose key is shown, and what it may do", cobra.NoArgs, func(e *errand, _ []string) error {
		var who marketplace.AccessView
		if err := e.do(http.MethodGet, nativePrefix+"/access", nil, nil, &who); err != nil {
			return err
		}
		e.say("%s, id %s, roles: %s", text.Printable(who.Name), text.Printable(orDash(who.ID)), roleList(who.Roles))
		if len(who.Delegations) == 0 {
			return nil
		}
		return e.delegations(who.Delegations)
	})
	return cmd
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
