package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/text"
)

// verdictsMax is the number of verdicts that one request may ask for.
const verdictsMax = 1000

// explain is the command that says why each bundle is or is not in the answer to a payment.
func (p Process) explain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain (--amount EURO | --cents CENTS | --notice …) [--bundle ID] [--program]",
		Short: "Say of every bundle whether a payment gets it, and why",
		Long: "Says of every bundle whether it is in the answer to a payment, and if not, the first rule that kept it\n" +
			"out and the values that were compared. The flags of the payment are those of 'gec quote'.",
		Example: "  gec explain --amount 25.00 --type CP --touchpoint CHECKOUT\n" +
			"  gec explain --amount 25.00 --bundle B-17 --program",
		Args: arguments(cobra.NoArgs),
	}
	q := p.question(cmd)
	var only []string
	var ofPSP string
	var programs bool
	cmd.Flags().StringArrayVar(&only, "bundle", nil, "only the bundle of this `id`, in full; again for more")
	cmd.Flags().StringVar(&ofPSP, "of-psp", "", "only the bundles of this `PSP`; unlike --psp it leaves the answer as it is")
	cmd.Flags().BoolVar(&programs, "program", false, "with the canonical program of each bundle: all its conditions in one expression")
	cmd.RunE = func(*cobra.Command, []string) error {
		request, err := q.payment.Request()
		if err != nil {
			return &usageError{err}
		}
		return q.put(func(client *ask.Client) error {
			answer, err := client.Explain(cmd.Context(), &gecv1.ExplainRequest{
				Quote: request, BundleIds: only, Psp: ofPSP, MaxVerdicts: proto.Int32(verdictsMax),
			})
			if err != nil {
				return refused(err)
			}
			switch {
			case q.json:
				return printJSON(p.Stdout, answer)
			case programs || len(only) > 0:
				return printVerdicts(p.Stdout, answer, programs)
			}
			return printVerdictTable(p.Stdout, answer)
		})
	}
	return cmd
}

// printVerdictTable writes one line a bundle.
func printVerdictTable(w io.Writer, a *gecv1.ExplainResponse) error {
	columns := []text.Column{
		{Title: "#", Right: true}, {Title: "PSP", ShrinkTo: 8}, {Title: "BUNDLE", ShrinkTo: 14},
		{Title: "YOU PAY €", Right: true}, {Title: "RULE"}, {Title: "WHY", ShrinkTo: 32},
	}
	rows := make([][]string, len(a.GetVerdicts()))
	for i, v := range a.GetVerdicts() {
		_, net := fees(v)
		rows[i] = []string{rank(v), v.GetPsp(), v.GetBundleId(), net, v.GetRule(), v.GetReason()}
	}
	if err := text.Table(w, width(w), columns, rows); err != nil {
		return err
	}
	return printSummary(w, a)
}

// printVerdicts writes a paragraph a bundle, nothing of it cut.
func printVerdicts(w io.Writer, a *gecv1.ExplainResponse, programs bool) error {
	for _, v := range a.GetVerdicts() {
		gross, net := fees(v)
		lines := [][2]string{
			{"bundle", v.GetBundleId()}, {"name", v.GetName()}, {"psp", v.GetPsp()}, {"row", rank(v)},
			{"fee €", gross}, {"you pay €", net}, {"rule", v.GetRule()}, {"why", v.GetReason()},
		}
		for _, line := range lines {
			fmt.Fprintf(w, "%-10s %s\n", line[0], text.Printable(line[1]))
		}
		if programs {
			fmt.Fprintf(w, "program\n    %s\n", strings.ReplaceAll(v.GetProgram(), "\n", "\n    "))
		}
		fmt.Fprintln(w)
	}
	return printSummary(w, a)
}

func printSummary(w io.Writer, a *gecv1.ExplainResponse) error {
	shown := 0
	for _, v := range a.GetVerdicts() {
		if v.GetRank() > 0 {
			shown++
		}
	}
	fmt.Fprintf(w, "%s: %d in the answer, %d not.", count(len(a.GetVerdicts()), "bundle"), shown, len(a.GetVerdicts())-shown)
	if rest := int(a.GetTotal()) - len(a.GetVerdicts()); rest > 0 {
		fmt.Fprintf(w, " %d more are not listed: ask with --of-psp or --bundle.", rest)
	}
	_, err := fmt.Fprintf(w, "\nRevision %d. The same answer again: --revision %[1]d --at %s --seed %d\n", a.GetRevision(), instant(a.GetAt()), a.GetSeed())
	return err
}

// rank is the row of a bundle in the answer, or a dash.
func rank(v *gecv1.Verdict) string {
	if v.GetRank() == 0 {
		return "-"
	}
	return strconv.Itoa(int(v.GetRank()))
}

// fees returns the fees of a bundle that applies, in euro.
func fees(v *gecv1.Verdict) (gross, net string) {
	if v.GetQuote() == nil {
		return "", ""
	}
	return text.Euro(v.GetQuote().GetGrossCents()), text.Euro(v.GetQuote().GetNetCents())
}
