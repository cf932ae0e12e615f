package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"gec/api/gecv1"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/text"
)

// quote is the command that asks which fees the PSPs ask for a payment.
func (p Process) quote() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quote (--amount EURO | --cents CENTS | --notice …) [--type TYPE] [--touchpoint TOUCHPOINT]",
		Short: "Print the fee of every PSP for a payment, best first",
		Example: "  gec quote --amount 25.00 --type CP --touchpoint CHECKOUT --order fee\n" +
			"  gec quote --server http://127.0.0.1:8080 --notice amount=16.00,stamp --notice amount=25.00,ec=77777777777",
		Args: arguments(cobra.NoArgs),
	}
	q := p.question(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		request, err := q.payment.Request()
		if err != nil {
			return &usageError{err}
		}
		return q.put(func(client *ask.Client) error {
			answer, err := client.Quote(cmd.Context(), request)
			if err != nil {
				return refused(err)
			}
			if q.json {
				return printJSON(p.Stdout, answer)
			}
			return printQuotes(p.Stdout, answer)
		})
	}
	return cmd
}

// printQuotes writes an answer as a table, and below it what repeats the answer.
func printQuotes(w io.Writer, a *gecv1.QuoteResponse) error {
	columns := []text.Column{
		{Title: "#", Right: true}, {Title: "PSP", ShrinkTo: 8}, {Title: "NAME", ShrinkTo: 8}, {Title: "BUNDLE", ShrinkTo: 8},
		{Title: "FEE €", Right: true}, {Title: "EC BEARS €", Right: true}, {Title: "YOU PAY €", Right: true}, {Title: "ON-US"},
	}
	rows := make([][]string, len(a.GetQuotes()))
	for i, q := range a.GetQuotes() {
		rows[i] = []string{
			strconv.Itoa(i + 1), q.GetPsp(), q.GetPspBusinessName(), q.GetBundleId(),
			text.Euro(q.GetGrossCents()), text.Euro(q.GetGrossCents() - q.GetNetCents()), text.Euro(q.GetNetCents()), mark(q.GetOnUs()),
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, "No bundle applies to this payment; 'gec explain' says why.")
	} else if err := text.Table(w, width(w), columns, rows); err != nil {
		return err
	}
	for _, f := range a.GetFailed() {
		fmt.Fprintln(w, text.Printable(fmt.Sprintf("Left out: bundle %s of %s: %s", f.GetBundleId(), f.GetPsp(), f.GetReason())))
	}
	if a.GetBelowThreshold() {
		fmt.Fprintln(w, "The amount is below the operator's threshold: no row counts as on-us.")
	}
	_, err := fmt.Fprintf(w, "Revision %d. The same answer again: --revision %[1]d --at %s --seed %d\n", a.GetRevision(), instant(a.GetAt()), a.GetSeed())
	return err
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}
