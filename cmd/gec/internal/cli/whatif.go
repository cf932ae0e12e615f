package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gec/api/marketplace"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/whatif"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/text"
)

// wondering is one call of the whatif command.
type wondering struct {
	process             Process
	cmd                 *cobra.Command
	format, psp, ec     string
	day, sample, server string
	bundles, bears      []string
	count               int
	seed                uint64
	json, everyRank     bool
}

// whatIf is the command that says what a draft would do before it is stored.
func (p Process) whatIf() *cobra.Command {
	q := &wondering{process: p}
	cmd := &cobra.Command{
		Use:   "whatif (--psp PSP DRAFT | --ec TAXCODE --bear EURO[:CATEGORY]…)",
		Short: "Say what a draft would do before it is stored: rank, shadows, yield; or what bearing fees would cost an EC",
		Long: "For a PSP: where it would rank with the bundles of a file and without them, per touchpoint, payment type and\n" +
			"amount; which of its own bundles would never win any more; what a sample of payments would yield. Rivals are\n" +
			"looked at as every payer sees them: by their GLOBAL bundles. Nothing is stored.\n\n" +
			"For a creditor institution: what it would cost to bear a share of the fees of bundles that it subscribes to.\n\n" +
			"The built-in sample: 23 % of the payments up to 25 €, 17 % to 50 €, 200 € in the mean. A sample of your own is\n" +
			"JSON lines (amountCents, touchpoint, paymentType, transferCategory, bin, time, count) or CSV with these\n" +
			"columns, or amount in euro.",
		Example: "  gec whatif --psp PSP1 draft.csv --format csv\n" +
			"  gec whatif --psp PSP1 draft.yaml --day 2027-01-01 --payments payments.csv --server http://127.0.0.1:8080\n" +
			"  gec whatif --ec 77777777777 --bundle B1 --bear 0.50:0102100SA --bear 0.20:0102100SA:NOT_EQUAL",
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&q.psp, "psp", "", "`PSP` whose draft it is")
	flags.StringVar(&q.format, "format", string(format.Native), "`format` of the draft: native, csv")
	flags.StringVar(&q.ec, "ec", "", "tax `code` of the creditor institution that would bear a share")
	flags.StringSliceVar(&q.bundles, "bundle", nil, "with --ec: `id` of a bundle; none: those that it subscribes to")
	flags.StringArrayVar(&q.bears, "bear", nil, "with --ec: `EURO[:CATEGORY[:NOT_EQUAL]]` that it would bear of each fee")
	flags.StringVar(&q.day, "day", "", "`day` of the payments and the catalogue, as 2027-01-01; none: the first on which the draft is in force")
	flags.StringVar(&q.sample, "payments", "", "`file` of payments; none: the built-in mix")
	flags.IntVar(&q.count, "mix-count", whatif.MixCountDefault, "`number` of payments of the built-in mix")
	flags.Uint64Var(&q.seed, "mix-seed", 0, "`seed` of the built-in mix")
	flags.BoolVar(&q.everyRank, "all", false, "print every rank; else only those that change")
	serverFlags(flags, &q.server)
	flags.BoolVar(&q.json, "json", false, "print the whole answer as JSON")
	config.Register(flags, false)
	q.cmd = cmd
	cmd.RunE = func(_ *cobra.Command, files []string) error { return q.run(files) }
	return cmd
}

// run asks and prints.
func (q *wondering) run(files []string) error {
	request, err := q.request(files)
	if err != nil {
		return err
	}
	return q.put(func(client *ask.Client) error {
		w := q.process.Stdout
		if q.ec != "" {
			var cost whatif.Cost
			if err := client.JSON(q.cmd.Context(), "whatif", request, &cost); err != nil {
				return ask.Describe(err)
			}
			if q.json {
				return printValue(w, cost)
			}
			return printCost(w, &cost)
		}
		var answer whatif.Answer
		if err := client.JSON(q.cmd.Context(), "whatif", request, &answer); err != nil {
			return ask.Describe(err)
		}
		if q.json {
			return printValue(w, answer)
		}
		return q.print(&answer)
	})
}

// request makes the question of the flags and the files.
func (q *wondering) request(files []string) (*marketplace.WhatIfRequest, error) {
	switch {
	case (q.psp == "") == (q.ec == ""):
		return nil, usage("say who asks: --psp or --ec")
	case q.psp != "" && len(files) == 0:
		return nil, usage("name the file of the draft, or - for standard input")
	case q.ec != "" && (len(files) > 0 || len(q.bears) == 0):
		return nil, usage("an EC says what it would bear with --bear, and has no draft")
	case q.psp != "" && len(q.bears)+len(q.bundles) > 0:
		return nil, usage("--bear and --bundle are for --ec")
	case !slices.Contains([]string{string(format.Native), string(format.CSV)}, q.format):
		return nil, usage("--format: %q is none of native, csv", q.format)
	}
	r := &marketplace.WhatIfRequest{IDPsp: q.psp, CiFiscalCode: q.ec, IDsBundle: q.bundles, Day: q.day}
	var err error
	if r.Attributes, err = shares(q.bears); err != nil {
		return nil, &usageError{err}
	}
	if q.psp != "" {
		if r.Draft, err = q.draft(files[0]); err != nil {
			return nil, err
		}
	}
	r.Sample = &marketplace.WhatIfSample{Mix: &marketplace.WhatIfMix{Count: q.count, Seed: q.seed}}
	if q.sample != "" {
		payments, err := readSample(q.sample)
		if err != nil {
			return nil, err
		}
		r.Sample = &marketplace.WhatIfSample{Payments: payments}
	}
	return r, nil
}

// draft reads the file of the draft and returns it in the native format.
func (q *wondering) draft(file string) ([]byte, error) {
	r := &reading{stdin: q.process.Stdin}
	data, err := r.text(file)
	if err != nil {
		return nil, err
	}
	d, _, err := format.Parse(format.Name(q.format), data, format.ReadOptions{})
	if err != nil {
		return nil, inFile(file, err)
	}
	var native bytes.Buffer
	err = format.Write(format.Native, &native, bundles.Document{Bundles: d.Bundles}, format.WriteOptions{})
	return native.Bytes(), err
}

// inFile says of faults which file they are in.
func inFile(file string, err error) error {
	var faults bundles.Faults
	if errors.As(err, &faults) {
		return failures{&fileFaults{displayed(file), faults}}
	}
	return err
}

func readSample(file string) ([]whatif.Payment, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	payments, err := format.ReadSample(f)
	if err != nil {
		return nil, inFile(file, err)
	}
	return payments, nil
}

// shares reads what an EC would bear.
func shares(all []string) (attributes []whatif.AttributeWire, err error) {
	for _, one := range all {
		euro, rest, _ := strings.Cut(one, ":")
		category, relation, _ := strings.Cut(rest, ":")
		cents, err := text.ParseEuro(euro)
		if err != nil {
			return nil, fmt.Errorf("--bear: %w", err)
		}
		attributes = append(attributes, whatif.AttributeWire{MaxPaymentAmount: cents, TransferCategory: category, TransferCategoryRelation: relation})
	}
	return attributes, nil
}

// put calls f with a client of the server or the folder that the flags name.
func (q *wondering) put(f func(*ask.Client) error) error {
	return q.process.ask(q.cmd, q.server, localMarketplace, f)
}

// print writes an answer as tables.
func (q *wondering) print(a *whatif.Answer) error {
	w := q.process.Stdout
	fmt.Fprintf(w, "%s on %s, revision %d\n\n", text.Printable(a.PSP), a.Day, a.Revision)
	columns := []text.Column{
		{Title: "BUNDLE", ShrinkTo: 8}, {Title: "TOUCHPOINT", ShrinkTo: 6}, {Title: "TYPE"}, {Title: "AMOUNT €", Right: true},
		{Title: "FEE €", Right: true}, {Title: "RANK", Right: true}, {Title: "NEW FEE €", Right: true}, {Title: "NEW RANK", Right: true},
		{Title: "OF", Right: true}, {Title: "CHEAPEST OTHER", ShrinkTo: 8}, {Title: "GAP €", Right: true},
	}
	var rows [][]string
	for n := range a.Ranks {
		r := &a.Ranks[n]
		if !q.everyRank && r.Before == r.After {
			continue
		}
		cheapest := ""
		if r.Cheapest != nil {
			cheapest = r.Cheapest.PSP + " " + text.Euro(r.Cheapest.NetCents)
		}
		rows = append(rows, []string{
			r.Bundle, r.Touchpoint, r.PaymentType, text.Euro(r.AmountCents), fee(&r.Before), place(&r.Before), fee(&r.After), place(&r.After),
			fmt.Sprint(r.Others + 1), cheapest, gap(r),
		})
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, "No rank changes.")
	} else if err := text.Table(w, width(w), columns, rows); err != nil {
		return err
	}
	for _, s := range a.Shadows {
		fmt.Fprintln(w, text.Printable(fmt.Sprintf("Shadow: bundle %s would never win: %s", s.Bundle, s.Reason)))
	}
	for _, note := range a.Notes {
		fmt.Fprintln(w, text.Printable("Note: "+note))
	}
	return printYields(q.process, a.Yields)
}

func fee(s *whatif.Standing) string {
	if !s.Quoted {
		return "–"
	}
	return text.Euro(s.NetCents)
}

// place words the rank, with a sign where others ask the same.
func place(s *whatif.Standing) string {
	switch {
	case !s.Quoted:
		return "–"
	case s.Tied > 0:
		return fmt.Sprintf("=%d", s.Rank)
	}
	return fmt.Sprint(s.Rank)
}

func gap(r *whatif.Rank) string {
	if !r.After.Quoted || r.Cheapest == nil {
		return ""
	}
	return text.Euro(r.After.GapCents)
}

// printYields writes what the sample brings.
func printYields(p Process, yields []whatif.Yield) error {
	columns := []text.Column{
		{Title: "PAYMENTS OF"}, {Title: "", Right: false}, {Title: "QUOTED", Right: true}, {Title: "CHEAPEST", Right: true}, {Title: "TIED", Right: true},
		{Title: "EXPECTED", Right: true}, {Title: "FEES €", Right: true},
	}
	var rows [][]string
	for n := range yields {
		y := &yields[n]
		for _, side := range []struct {
			name string
			e    *whatif.Earnings
		}{{"before", &y.Before}, {"after", &y.After}} {
			rows = append(rows, []string{
				fmt.Sprintf("%s (%d)", strings.ToLower(string(y.Audience)), y.Payments), side.name, fmt.Sprint(side.e.Quoted), fmt.Sprint(side.e.Won), fmt.Sprint(side.e.Tied),
				fmt.Sprintf("%d.%03d", side.e.ExpectedPaymentsMilli/1000, side.e.ExpectedPaymentsMilli%1000), text.Euro(side.e.ExpectedFeesCents),
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(p.Stdout)
	return text.Table(p.Stdout, width(p.Stdout), columns, rows)
}
