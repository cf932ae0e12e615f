package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"gec/api/fragment"
	"gec/bench"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/store/badger"
	"gec/engine"
)

// fillCommand is the first argument by which the program that measures, run once more, fills a data folder: a
// process of its own, so that what this takes in memory is given back.
const fillCommand = "fill"

// IsFill reports whether the arguments of the process, without its name, ask for a data folder; then it has to
// call [Fill] and nothing else.
func IsFill(args []string) bool { return len(args) == 5 && args[0] == fillCommand }

// StartFill runs this program once more to make a data folder with the generated catalogue of the options, of
// which only the numbers of bundles, ECs and subscriptions count, and waits until it is there.
func StartFill(ctx context.Context, folder string, o bench.Options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, self, fillCommand, folder, strconv.Itoa(o.Bundles), strconv.Itoa(o.ECs), strconv.Itoa(o.SubscriptionsPerEC))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("filling a data folder: %w: %s", err, output)
	}
	return nil
}

// Fill makes the data folder itself, for the arguments that [IsFill] knows.
func Fill(ctx context.Context, args []string) error {
	o := bench.List(0)
	for i, number := range []*int{&o.Bundles, &o.ECs, &o.SubscriptionsPerEC} {
		var err error
		if *number, err = strconv.Atoi(args[i+2]); err != nil {
			return err
		}
	}
	store, err := badger.Open(args[1], badger.Options{NoSync: true})
	if err != nil {
		return err
	}
	catalogue, err := bundles.Open(ctx, store, bundles.Options{})
	if err == nil {
		err = fill(ctx, catalogue, bench.Generate(o).Document())
	}
	return errors.Join(err, store.Close())
}

// fill imports a document, the bundles at once and the subscriptions in parts, as they come about in time.
func fill(ctx context.Context, catalogue *bundles.Catalogue, d bundles.Document) error {
	const part = 50_000
	subscriptions := d.Subscriptions
	d.Subscriptions = nil
	if _, err := catalogue.Import(ctx, author(), d, bundles.ImportOptions{Mode: bundles.ImportReplaceAll, Lenient: true}); err != nil {
		return err
	}
	for some := range slices.Chunk(subscriptions, part) {
		if _, err := catalogue.Import(ctx, author(), bundles.Document{Subscriptions: some}, bundles.ImportOptions{Mode: bundles.ImportMerge, Lenient: true}); err != nil {
			return err
		}
	}
	return nil
}

// author is whom the history names for the changes of this package.
func author() bundles.Caller { return bundles.Operator("bench") }

// Changes is how long changes of a stored catalogue take, fsynced and with all checks.
type Changes struct {
	// One is the time of one changed bundle, by try: from the document to the quote that shows it.
	One []time.Duration
	// Upload is the time of a file of new bundles, all or nothing: from its bytes to the quote.
	Upload time.Duration
}

// MeasureChanges changes the catalogue in a data folder in this process, as a node does. Errors: a quote that
// does not show a change, too.
func MeasureChanges(ctx context.Context, folder string, tries, uploaded int) (c Changes, err error) {
	store, err := badger.Open(folder, badger.Options{})
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	catalogue, err := bundles.Open(ctx, store, bundles.Options{Annotate: fragment.Of})
	if err != nil {
		return c, err
	}
	quoter := engine.NewQuoter()
	for n := range tries {
		changed := bench.Generate(bench.List(1)).Bundles[0]
		changed.PSP, changed.PaymentType, changed.Touchpoint, changed.OnUs = "BENCH", "", engine.Any, false
		changed.Band = engine.Band{MaxCents: 1_000_000}
		changed.Fee = engine.Fee{FlatCents: int64(n) + 1}
		document := bundles.Document{Bundles: []bundles.Bundle{{Bundle: *changed}}}
		started := time.Now()
		if _, err = catalogue.Import(ctx, author(), document, bundles.ImportOptions{Mode: bundles.ImportMerge, Lenient: true}); err != nil {
			return c, err
		}
		if err = shows(catalogue.Current(), quoter, &document.Bundles[0]); err != nil {
			return c, err
		}
		c.One = append(c.One, time.Since(started))
	}
	c.Upload, err = upload(ctx, catalogue, quoter, uploaded)
	return c, err
}

func upload(ctx context.Context, catalogue *bundles.Catalogue, quoter *engine.Quoter, count int) (time.Duration, error) {
	document := bench.Upload(count, catalogue.Current().Len(), time.Now())
	var file bytes.Buffer
	if err := format.Write(format.Native, &file, document, format.WriteOptions{}); err != nil {
		return 0, err
	}
	started := time.Now()
	read, _, err := format.Read(format.Native, &file, format.ReadOptions{})
	if err != nil {
		return 0, err
	}
	report, err := catalogue.Import(ctx, author(), read, bundles.ImportOptions{Mode: bundles.ImportMerge})
	if err != nil {
		return 0, err
	}
	if report.Added != count {
		return 0, fmt.Errorf("the upload added %d bundles instead of %d", report.Added, count)
	}
	err = shows(catalogue.Current(), quoter, &document.Bundles[0])
	return time.Since(started), err
}

// shows checks that a bundle, which is not on-us, is quoted with its fee on its first day.
func shows(s *engine.Snapshot, quoter *engine.Quoter, b *bundles.Bundle) error {
	p := engine.Payment{
		Notices: []engine.Notice{{AmountCents: b.Band.MinCents + 1}}, PSPs: []engine.PSPFilter{{PSP: b.PSP}},
		Touchpoint: b.Touchpoint, PaymentType: b.PaymentType, At: time.Now(),
	}
	if from := b.Validity.From; from > engine.LocalAt(p.At).Date {
		p.At = p.At.AddDate(0, 0, 1)
	}
	answer, err := quoter.Quotes(s, &p, engine.Options{View: engine.EveryBundle, Limit: 100})
	if err != nil {
		return err
	}
	for i := range answer.Quotes {
		if q := &answer.Quotes[i]; q.Bundle.ID == b.ID && q.GrossCents == b.Fee.FlatCents {
			return nil
		}
	}
	return fmt.Errorf("bundle %s is not quoted at %d cents after it was acknowledged", b.ID, b.Fee.FlatCents)
}
