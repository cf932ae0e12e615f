package bundles_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// morning is the instant of the first change in the tests of the catalogue; the clock of a test moves
// on by a minute with every look at it.
var morning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func clock() func() time.Time {
	minutes := 0
	return func() time.Time {
		minutes++
		return morning.Add(time.Duration(minutes-1) * time.Minute)
	}
}

// openStore opens a store that the test closes after everything else.
func openStore(t testing.TB, dir string) *badger.Store {
	t.Helper()
	store, err := badger.Open(dir, badger.Options{
		NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func openCatalogue(t testing.TB, store bundles.Store, o bundles.Options) *bundles.Catalogue {
	t.Helper()
	if o.Now == nil {
		o.Now = clock()
	}
	c, err := bundles.Open(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newCatalogue(t testing.TB) *bundles.Catalogue {
	t.Helper()
	return openCatalogue(t, openStore(t, t.TempDir()), bundles.Options{})
}

var tester = bundles.Caller{Name: "tester", OnBehalfOf: "ABI14156", Operator: true}

// plainBundle is GLOBAL, in force since long, for 0 to 1000 € with a flat fee.
func plainBundle(id string, fee int64) bundles.Bundle {
	return bundles.Bundle{
		Bundle: engine.Bundle{
			ID: id, PSP: "PSP-" + id, Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: "Banca " + id, Name: "Carte " + id,
			Touchpoint: engine.Any, Band: engine.Band{MaxCents: 100_000}, Cart: true,
			Validity: engine.Period{From: 20260101}, Fee: engine.Fee{FlatCents: fee},
		},
		PolicyURL: "https://psp.example/" + id,
	}
}

// privateBundle reaches only the ECs that subscribe.
func privateBundle(id string, fee int64) bundles.Bundle {
	b := plainBundle(id, fee)
	b.Type = engine.Private
	return b
}

// subscription lets an EC bear share cents of the fee.
func subscription(ec, bundle string, share int64) bundles.Subscription {
	return bundles.Subscription{Subscription: engine.Subscription{
		ID: "S-" + ec + "-" + bundle, BundleID: bundle, CreditorInstitution: ec, Validity: engine.Period{From: 20260101},
		Attributes: []engine.Attribute{{ID: "A1", MaxPaymentAmountCents: share}},
	}}
}

const (
	firstEC  = "77777777777"
	secondEC = "88888888888"
)

// seed is a document of two GLOBAL bundles and a PRIVATE one that firstEC subscribes to.
func seed() bundles.Document {
	return bundles.Document{
		Settings:      settings(),
		Bundles:       []bundles.Bundle{plainBundle("A", 100), plainBundle("B", 150), privateBundle("C", 50)},
		Subscriptions: []bundles.Subscription{subscription(firstEC, "C", 20)},
	}
}

// asItIs are options that take documents with dates in the past.
func asItIs(mode bundles.ImportMode) bundles.ImportOptions {
	return bundles.ImportOptions{Mode: mode, Lenient: true, Operation: "test import"}
}

func mustImport(t testing.TB, c *bundles.Catalogue, d bundles.Document, o bundles.ImportOptions) bundles.Report {
	t.Helper()
	report, err := c.Import(t.Context(), tester, d, o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Revision != c.Current().Revision() && !report.Repeated {
		t.Errorf("the report names revision %d, the current one is %d", report.Revision, c.Current().Revision())
	}
	return report
}

// fees returns "bundle net" of every row that a payment of 50 € to an EC gets, in order of fee.
func fees(t testing.TB, s *engine.Snapshot, ec string) []string {
	t.Helper()
	answer, err := engine.NewQuoter().Quotes(s, payment(ec), engine.Options{Order: engine.OrderFee})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Revision != s.Revision() {
		t.Errorf("the answer is of revision %d, the snapshot of %d", answer.Revision, s.Revision())
	}
	rows := []string{}
	for _, q := range answer.Quotes {
		rows = append(rows, fmt.Sprintf("%s %d", q.Bundle.ID, q.NetCents))
	}
	return rows
}

func payment(ec string) *engine.Payment {
	return &engine.Payment{
		At: morning, Touchpoint: "CHECKOUT",
		Notices: []engine.Notice{{AmountCents: 5000, CreditorInstitution: ec, Transfers: []engine.Transfer{{CreditorInstitution: ec, TransferCategory: "0102100SA"}}}},
	}
}

func wantEqual(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEmptyCatalogue(t *testing.T) {
	c := newCatalogue(t)
	s := c.Current()
	if s.Revision() != 0 || s.Len() != 0 || c.Head().Revision != 0 {
		t.Errorf("revision %d with %d bundles", s.Revision(), s.Len())
	}
	for name, get := range map[string]func() (*engine.Snapshot, error){
		"At 0": func() (*engine.Snapshot, error) { return c.At(t.Context(), 0) },
		"AsOf": func() (*engine.Snapshot, error) { return c.AsOf(t.Context(), morning) },
	} {
		if got, err := get(); err != nil || got.Revision() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.At(t.Context(), 1); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("At 1: %v", err)
	}
	d, err := c.Export(t.Context(), tester, 0)
	if err != nil || len(d.Bundles) != 0 {
		t.Errorf("Export: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	store := openStore(t, t.TempDir())
	for _, o := range []bundles.Options{{ProgramsMax: -1}, {ECPlansMax: -1}, {SnapshotsMax: -1}} {
		if _, err := bundles.Open(t.Context(), store, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestA7ChangeIsQuotedWhenAcknowledged(t *testing.T) {
	c := newCatalogue(t)
	report := mustImport(t, c, seed(), asItIs(bundles.ImportReplaceAll))
	wantEqual(t, "report", bundles.Report{Revision: 1, Bundles: 3, Added: 3, Subscriptions: 1}, report)
	wantEqual(t, "fees of the EC that subscribes", []string{"C 30", "A 100", "B 150"}, fees(t, c.Current(), firstEC))
	wantEqual(t, "fees of another", []string{"A 100", "B 150"}, fees(t, c.Current(), secondEC))

	before := c.Current()
	report = mustImport(t, c, bundles.Document{
		Bundles:       []bundles.Bundle{plainBundle("A", 90), plainBundle("D", 80)},
		Subscriptions: []bundles.Subscription{subscription(firstEC, "C", 50), subscription(secondEC, "C", 10)},
	}, asItIs(bundles.ImportMerge))
	wantEqual(t, "report", bundles.Report{Revision: 2, Bundles: 2, Added: 1, Changed: 1, Subscriptions: 2}, report)
	wantEqual(t, "fees of the first EC", []string{"C 0", "D 80", "A 90", "B 150"}, fees(t, c.Current(), firstEC))
	wantEqual(t, "fees of the second EC", []string{"C 40", "D 80", "A 90", "B 150"}, fees(t, c.Current(), secondEC))
	wantEqual(t, "fees of who still holds revision 1", []string{"C 30", "A 100", "B 150"}, fees(t, before, firstEC))
}

func TestA8EveryRevisionCanBeQuoted(t *testing.T) {
	dir := t.TempDir()
	store, err := badger.Open(dir, badger.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	c := openCatalogue(t, store, bundles.Options{SnapshotsMax: 2})
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 90)}}, asItIs(bundles.ImportMerge))
	if _, err := c.Remove(t.Context(), tester, []string{"C", "unknown", "C"}, "test removal"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ChangeSettings(t.Context(), tester, "block a PSP", func(s *engine.Settings) { s.BlockedPSPs = []string{"PSP-A"} }); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{},
		{"C 30", "A 100", "B 150"},
		{"C 30", "A 90", "B 150"},
		{"A 90", "B 150"},
		{"B 150"},
	}
	check := func(c *bundles.Catalogue) {
		t.Helper()
		for revision := 1; revision < len(want); revision++ { // revision 0 knows no touchpoint
			s, err := c.At(t.Context(), int64(revision))
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, fmt.Sprintf("at %d", revision), want[revision], fees(t, s, firstEC))
			// The clock of the test made revision n at minute n-1.
			at := morning.Add(time.Duration(revision-1) * time.Minute)
			for _, instant := range []time.Time{at, at.Add(time.Minute - 1)} {
				s, err = c.AsOf(t.Context(), instant)
				if err != nil || s.Revision() != int64(revision) {
					t.Errorf("AsOf %v: %v, want revision %d", instant, err, revision)
				}
			}
		}
		if s, err := c.AsOf(t.Context(), morning.Add(-1)); err != nil || s.Revision() != 0 {
			t.Errorf("AsOf before the first change: %v", err)
		}
	}
	check(c)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	check(openCatalogue(t, openStore(t, dir), bundles.Options{})) // and after a restart
}

func TestA8HistorySaysWhoWhenAndWhat(t *testing.T) {
	c := newCatalogue(t)
	mustImport(t, c, seed(), asItIs(bundles.ImportMerge))
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 90)}}, asItIs(bundles.ImportMerge))
	mustImport(t, c, bundles.Document{Bundles: []bundles.Bundle{plainBundle("B", 10)}}, asItIs(bundles.ImportMerge))
	if _, err := c.Remove(t.Context(), bundles.Operator("operator"), []string{"A"}, "remove"); err != nil {
		t.Fatal(err)
	}
	versions, err := c.History(t.Context(), tester, "A")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range versions {
		fee := func(b *bundles.Bundle) string {
			if b == nil {
				return "none"
			}
			return fmt.Sprintf("%d (revision %d, inserted %s, updated %s)", b.Fee.FlatCents, b.Revision, b.Inserted.Format("15:04"), b.Updated.Format("15:04"))
		}
		lines = append(lines, fmt.Sprintf("%d %s %s for %s: %s: %s -> %s", v.Record.Revision, v.Record.At.Format("15:04"),
			v.Record.Caller, v.Record.OnBehalfOf, v.Record.Operation, fee(v.Before), fee(v.After)))
	}
	wantEqual(t, "history of A", []string{
		"1 09:00 tester for ABI14156: test import: none -> 100 (revision 1, inserted 09:00, updated 09:00)",
		"2 09:01 tester for ABI14156: test import: 100 (revision 1, inserted 09:00, updated 09:00) -> 90 (revision 2, inserted 09:00, updated 09:01)",
		"4 09:03 operator for : remove: 90 (revision 2, inserted 09:00, updated 09:01) -> none",
	}, lines)
	if _, err := c.History(t.Context(), tester, "Z"); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("history of what never was: %v", err)
	}
	records, err := c.Records(t.Context(), tester, 0, 99)
	if err != nil || len(records) != 4 || records[3].Operation != "remove" || records[0].Revision != 1 {
		t.Errorf("records %+v, %v", records, err)
	}
	records, err = c.Records(t.Context(), tester, 2, 3)
	if err != nil || len(records) != 2 || records[0].Revision != 2 {
		t.Errorf("records 2 to 3: %+v, %v", records, err)
	}
}

func TestA9ExportAndImportChangeNothing(t *testing.T) {
	c := newCatalogue(t)
	d := seed()
	d.Settings.Issuers = []engine.IssuerRange{{Low: 10, High: 19, ABI: "1/4%"}, {Low: 10, High: 19, ABI: "1"}, {Low: 5, High: 7, ABI: "1"}}
	d.Settings.ThresholdCents, d.Settings.AmexABI = 7, "AMEX"
	full := goodBundle()
	full.ID, full.Validity = "ALL", engine.Period{From: 20260101, To: 20301231}
	full.CDI, full.Origin = "CDI-1", "cdi"
	d.Bundles = append(d.Bundles, full)
	mustImport(t, c, d, asItIs(bundles.ImportReplaceAll))

	exported, err := c.Export(t.Context(), tester, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "issuers are in order", []engine.IssuerRange{{Low: 5, High: 7, ABI: "1"}, {Low: 10, High: 19, ABI: "1"}, {Low: 10, High: 19, ABI: "1/4%"}}, exported.Settings.Issuers)
	for _, o := range []bundles.ImportOptions{asItIs(bundles.ImportReplaceAll), asItIs(bundles.ImportMerge), {}} {
		report := mustImport(t, c, exported, o)
		if report.Revision != 1 || report.Unchanged != 4 || report.Added+report.Changed+report.Removed+report.Subscriptions != 0 {
			t.Errorf("importing the export again: %+v", report)
		}
	}
	other := newCatalogue(t)
	mustImport(t, other, exported, asItIs(bundles.ImportReplaceAll))
	again, err := other.Export(t.Context(), tester, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "export of the import of the export", exported, again)
	if again.Bundles[1].ID != "ALL" || again.Bundles[1].LanguageVersion == 0 || again.Bundles[0].LanguageVersion != 0 {
		t.Errorf("the version of the language of conditions is not recorded (E5): %+v", again.Bundles[1])
	}
	if _, err := c.Export(t.Context(), tester, 9); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("Export of a revision that is not there: %v", err)
	}
}

// TestRefresh lets two catalogues share a store, as nodes of a cluster share theirs.
func TestRefresh(t *testing.T) {
	store := openStore(t, t.TempDir())
	writer, reader := openCatalogue(t, store, bundles.Options{}), openCatalogue(t, store, bundles.Options{})
	refresh := func() {
		t.Helper()
		if err := reader.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if reader.Current().Revision() != writer.Current().Revision() {
			t.Errorf("revision %d after Refresh, want %d", reader.Current().Revision(), writer.Current().Revision())
		}
		for _, ec := range []string{firstEC, secondEC} {
			wantEqual(t, "fees after Refresh", fees(t, writer.Current(), ec), fees(t, reader.Current(), ec))
		}
	}
	mustImport(t, writer, seed(), asItIs(bundles.ImportMerge))
	refresh()
	mustImport(t, writer, bundles.Document{Bundles: []bundles.Bundle{plainBundle("A", 1)}}, asItIs(bundles.ImportMerge))
	mustImport(t, writer, bundles.Document{
		Bundles:       []bundles.Bundle{plainBundle("A", 2), plainBundle("X", 3)},
		Subscriptions: []bundles.Subscription{subscription(secondEC, "C", 5)},
	}, asItIs(bundles.ImportMerge))
	if _, err := writer.Remove(t.Context(), tester, []string{"B"}, "remove"); err != nil {
		t.Fatal(err)
	}
	refresh()
	if _, err := writer.ChangeSettings(t.Context(), tester, "block", func(s *engine.Settings) { s.BlockedPSPs = []string{"PSP-X"} }); err != nil {
		t.Fatal(err)
	}
	refresh()
	refresh() // nothing to do
}

func TestCallerAndContextAreNeeded(t *testing.T) {
	c := newCatalogue(t)
	if _, err := c.Import(t.Context(), bundles.Caller{}, seed(), asItIs(bundles.ImportMerge)); err == nil {
		t.Error("a change by nobody is accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Import(ctx, tester, seed(), asItIs(bundles.ImportMerge)); !errors.Is(err, context.Canceled) {
		t.Errorf("a change of someone who left: %v", err)
	}
	if c.Current().Revision() != 0 {
		t.Error("it was stored")
	}
}
