package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/api/receipt"
	"gec/api/rest"
	"gec/api/rpc"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
	"gec/cmd/gec/internal/text"
)

// receiptHeader carries receipts in the calculator's contract.
const receiptHeader = "X-Quote-Receipt"

// requestBytesMax is far more than a request of the calculator may have.
const requestBytesMax = 1 << 20

// receipts is the group of commands on quote receipts.
func (p Process) receipts() *cobra.Command {
	return p.group("receipt", "Verify the receipts of quotes, and look after the keys that sign them", p.verifyReceipt(), p.receiptKeys(), p.rotateReceiptKey())
}

func (p Process) verifyReceipt() *cobra.Command {
	var request, path string
	cmd, e := p.errand("verify RECEIPT", "Say what a receipt says and whether it is one of this catalogue; with its request, redeem it", cobra.ExactArgs(1), func(e *errand, args []string) error {
		r, err := receipt.Parse(strings.TrimSpace(args[0]))
		if err != nil {
			return err
		}
		return e.process.ask(e.cmd, e.server, e.localReceipts, func(client *ask.Client) error {
			if request == "" {
				return e.verify(client, &r, e.process.Stdout)
			}
			// The answer goes to stdout as it came, so that it can be kept or compared.
			if err := e.verify(client, &r, e.process.Stderr); err != nil {
				return err
			}
			return e.redeem(client, &r, path, request)
		})
	})
	flags := e.cmd.Flags()
	flags.StringVar(&request, "request", "", "`file` with the body of the request that it was given for: the answer is then printed")
	flags.StringVar(&path, "path", "", "`path` and query that the request was sent to, as /fees/multi?orderBy=fee; none: that of its contract")
	return cmd
}

// verify prints to out what a receipt says, once its signature holds.
func (e *errand) verify(client *ask.Client, r *receipt.Receipt, out io.Writer) error {
	keys, err := e.keysOf(client)
	if err != nil {
		return err
	}
	key, err := keys.Verify(r)
	if err != nil {
		return err
	}
	until := keys.Expires(r)
	state := "redeemed until " + romeTime(until)
	if !time.Now().Before(until) {
		state = "too old to be redeemed since " + romeTime(until)
	}
	if e.json {
		return printValue(out, map[string]any{
			"contract": r.Contract.String(), "revision": r.Revision, "at": r.At, "issued": r.Issued, "redeemedUntil": until, "seed": fmt.Sprint(r.Seed),
			"order": receipt.OrderName(r.Stated.Order), "rowsAtMost": r.Stated.Limit, "key": key.ID.String(), "keyEnded": !key.Ended.IsZero(),
		})
	}
	_, err = fmt.Fprintf(out, "The signature holds, of key %s; %s.\nIt is of an answer of %s on revision %d, for a payment at %s, %d rows at most, order %s.\n",
		key.ID, state, r.Contract, r.Revision, r.At.Format(time.RFC3339Nano), r.Stated.Limit, receipt.OrderName(r.Stated.Order))
	return err
}

// keysOf returns the public keys.
func (e *errand) keysOf(client *ask.Client) (keys receipt.KeySet, err error) {
	out, err := client.Do(e.cmd.Context(), http.MethodGet, nativePrefix+"/receipt-keys", nil, nil)
	if err != nil {
		return keys, ask.Describe(err)
	}
	if err := json.Unmarshal(out, &keys); err != nil {
		return keys, fmt.Errorf("the server does not answer as gec does: %w", err)
	}
	return keys, nil
}

// redeem sends the request once more with its receipt and prints the answer.
func (e *errand) redeem(client *ask.Client, r *receipt.Receipt, path, file string) error {
	body, err := readFileMax(file, requestBytesMax)
	if err != nil {
		return err
	}
	header := http.Header{}
	switch {
	case r.Contract == receipt.Native:
		var request map[string]any
		if err := json.Unmarshal(body, &request); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		request["receipt"] = r.String()
		delete(request, "wantReceipt")
		if body, err = json.Marshal(request); err != nil {
			return err
		}
		path = nativePrefix + "/quote"
	case path == "" && r.Contract == receipt.V1:
		path = "/fees"
	case path == "":
		path = "/fees/multi"
	}
	if r.Contract != receipt.Native {
		header.Set(receiptHeader, r.String())
		if !strings.HasPrefix(path, "/") {
			return usage("--path %s begins with no slash", path)
		}
	}
	out, err := client.Do(e.cmd.Context(), http.MethodPost, path, header, body)
	if err != nil {
		return ask.Describe(err)
	}
	_, err = e.process.Stdout.Write(out)
	return err
}

// localReceipts is the handler of quotes and their receipts on a folder.
func (e *errand) localReceipts(folder *node.Folder) (http.Handler, error) {
	desk, err := e.desk(folder)
	if err != nil {
		return nil, err
	}
	calculator, err := rest.New(rest.Options{Name: "gec", Catalogue: folder.Catalogue, Receipts: desk})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(rpc.JSONPrefix, rpc.JSON(rpc.Options{Catalogue: folder.Catalogue, Receipts: desk}))
	mux.Handle("/", calculator)
	return mux, nil
}

func (e *errand) desk(folder *node.Folder) (*receipt.Desk, error) {
	c, err := e.process.settings(e.cmd)
	if err != nil {
		return nil, err
	}
	return folder.Receipts(c)
}

func (p Process) receiptKeys() *cobra.Command {
	cmd, _ := p.errand("keys", "List the public keys that receipts are verified with", cobra.NoArgs, func(e *errand, _ []string) error {
		return e.process.ask(e.cmd, e.server, e.localReceipts, func(client *ask.Client) error {
			keys, err := e.keysOf(client)
			if err != nil {
				return err
			}
			if e.json {
				return printValue(e.process.Stdout, keys)
			}
			rows := make([][]string, len(keys.Keys))
			for n, k := range keys.Keys {
				rows[n] = []string{k.ID.String(), romeTime(k.Made), romeTime(k.Ended)}
			}
			return e.table([]text.Column{{Title: "KEY"}, {Title: "MADE"}, {Title: "ENDED"}}, rows)
		})
	})
	return cmd
}

// rotateReceiptKey lets another key sign from now on; what the one before signed still verifies.
func (p Process) rotateReceiptKey() *cobra.Command {
	var ops string
	cmd := &cobra.Command{Use: "rotate", Short: "Let another key sign receipts; those of the key before still verify", Args: arguments(cobra.NoArgs)}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&ops, "ops", "", "`URL` of the operator's listener of a running node, as http://127.0.0.1:9100, in place of a data folder")
	config.Register(flags, false)
	e := &errand{process: p, cmd: cmd}
	cmd.RunE = func(*cobra.Command, []string) error {
		key, err := e.rotated(ops)
		if err != nil {
			return err
		}
		e.say("receipts are signed with key %s from now on", key.ID)
		return nil
	}
	return cmd
}

func (e *errand) rotated(ops string) (key receipt.Key, err error) {
	if ops != "" {
		client, err := ask.NewRemote(ops)
		if err != nil {
			return key, &usageError{fmt.Errorf("--ops: %w", err)}
		}
		out, err := client.Do(e.cmd.Context(), http.MethodPost, "/receipt-keys", nil, nil)
		if err != nil {
			return key, ask.Describe(err)
		}
		return key, json.Unmarshal(out, &key)
	}
	c, err := e.process.settings(e.cmd)
	if err != nil {
		return key, err
	}
	err = e.process.withFolder(e.cmd.Context(), c, func(folder *node.Folder) error {
		desk, err := folder.Receipts(c)
		if err != nil {
			return err
		}
		key, err = desk.Rotate(e.cmd.Context(), node.Owner())
		return err
	})
	return key, err
}
