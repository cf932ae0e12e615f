package rpc_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"gec/api/fragment"
	"gec/api/gecv1"
	"gec/api/rpc"
	"gec/bundles"
	"gec/engine"
	"gec/engine/condition"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tax codes of the fixture's creditor institutions.
const (
	comune  = "77777777777"
	regione = "88888888888"
)

// noon is the instant of every request that names none: a Saturday, 12:00 in Rome.
var noon = time.Date(2026, time.November, 21, 11, 0, 0, 0, time.UTC)

// history is a catalogue with its past, in memory.
type history struct {
	snapshots []*engine.Snapshot
	instants  []time.Time
	// fail, when set, is what every look into the past fails with.
	fail error
}

func (h *history) Current() *engine.Snapshot { return h.snapshots[len(h.snapshots)-1] }

func (h *history) At(_ context.Context, revision int64) (*engine.Snapshot, error) {
	if h.fail != nil {
		return nil, h.fail
	}
	if revision >= int64(len(h.snapshots)) {
		return nil, fmt.Errorf("revision %d: %w", revision, bundles.ErrNotFound)
	}
	return h.snapshots[revision], nil
}

func (h *history) AsOf(_ context.Context, instant time.Time) (*engine.Snapshot, error) {
	found := h.snapshots[0]
	for i := range h.snapshots {
		if !h.instants[i].After(instant) {
			found = h.snapshots[i]
		}
	}
	return found, h.fail
}

func (h *history) Head() bundles.Record {
	head := len(h.snapshots) - 1
	return bundles.Record{Revision: int64(head), At: h.instants[head]}
}

// add makes the next revision of a change.
func (h *history) add(t testing.TB, at time.Time, c engine.Change) {
	t.Helper()
	c.Revision = int64(len(h.snapshots))
	next, err := h.Current().With(c)
	if err != nil {
		t.Fatal(err)
	}
	h.snapshots, h.instants = append(h.snapshots, next), append(h.instants, at)
}

// newHistory returns a catalogue of three revisions: empty; the fixture, of the first of November;
// and with other fees, of the tenth.
func newHistory(t testing.TB) *history {
	t.Helper()
	subscriptions := func(revision int64, ec string) ([]engine.Subscription, error) {
		return []engine.Subscription{
			{ID: "sub-a-" + ec, BundleID: "a-cards", CreditorInstitution: ec, Attributes: []engine.Attribute{{ID: "attribute", MaxPaymentAmountCents: 30}}},
			{ID: "sub-b-" + ec, BundleID: "b-public", CreditorInstitution: ec},
		}, nil
	}
	empty, err := engine.NewSnapshot(engine.Source{}, engine.Deps{
		Programs: condition.NewCache(64), Subscriptions: subscriptions, Annotate: fragment.Of,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &history{snapshots: []*engine.Snapshot{empty}, instants: []time.Time{{}}}
	h.add(t, time.Date(2026, time.November, 1, 9, 0, 0, 0, time.UTC), engine.Change{
		Settings: fixtureSettings(), Put: fixtureBundles(0), ECs: []string{comune},
	})
	h.add(t, time.Date(2026, time.November, 10, 9, 0, 0, 0, time.UTC), engine.Change{Put: fixtureBundles(7)})
	return h
}

func fixtureSettings() *engine.Settings {
	return &engine.Settings{
		ThresholdCents: 100, PostePSP: "POSTE", AmexABI: "AMREX",
		Touchpoints: []string{"CHECKOUT", "IO"}, PaymentTypes: []string{"CP", "PPAL"},
		Issuers: []engine.IssuerRange{{Low: 4000000000000000000, High: 4009999999999999999, ABI: "01234"}},
	}
}

// fixtureBundles returns the bundles of the fixture, every fee dearer by some cents.
func fixtureBundles(dearer int64) []*engine.Bundle {
	bundle := func(id, psp, name string, flat int64, change func(*engine.Bundle)) *engine.Bundle {
		b := &engine.Bundle{
			ID: id, PSP: psp, Channel: psp + "_01", Broker: "broker-" + psp, ABI: "0" + id, PSPBusinessName: name,
			Name: "Pagamento " + id, Description: "Perché sì, \"" + id + "\" <&>", Type: engine.Global, Touchpoint: engine.Any,
			Band: engine.Band{MaxCents: 100_000_00}, Cart: true, Fee: engine.Fee{FlatCents: flat + dearer},
		}
		change(b)
		return b
	}
	percent := int64(10_000)
	return []*engine.Bundle{
		bundle("a-cards", "ALFA", "Banca Alfa", 120, func(b *engine.Bundle) { b.PaymentType = "CP" }),
		bundle("a-any", "ALFA", "Banca Alfa", 180, func(*engine.Bundle) {}),
		bundle("b-public", "BETA", "Banca Beta", 100, func(b *engine.Bundle) { b.Type = engine.Public }),
		bundle("c-onus", "CARTA", "Carta", 50, func(b *engine.Bundle) { b.PaymentType, b.OnUs, b.ABI = "CP", true, "01234" }),
		bundle("d-weekend", "DELTA", "Delta", 90, func(b *engine.Bundle) { b.When = "weekend()" }),
		bundle("e-morning", "EPSILON", "Epsilon", 80, func(b *engine.Bundle) {
			b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: 6 * 60, ToMinute: 10 * 60}}
		}),
		bundle("f-overflow", "PHI", "Phi", engine.FeeCentsMax-dearer, func(b *engine.Bundle) { b.Fee.BasisPoints = percent }),
		bundle("g-poste", "POSTE", "Poste", 150, func(*engine.Bundle) {}),
		bundle("h-io", "IOTA", "Iota", 70, func(b *engine.Bundle) { b.Touchpoint = "IO" }),
	}
}

// fixedNow is the clock of the tests.
func fixedNow() time.Time { return noon }

// dial serves a catalogue over an in-memory connection.
func dial(t testing.TB, o rpc.Options) (*rpc.Server, *grpc.ClientConn) {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	server := rpc.New(o)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = connection.Close()
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return server, connection
}

// client returns a client of QuoteService on the fixture.
func client(t testing.TB) gecv1.QuoteServiceClient {
	t.Helper()
	_, connection := dial(t, rpc.Options{Catalogue: newHistory(t), Now: fixedNow})
	return gecv1.NewQuoteServiceClient(connection)
}

// cardPayment is a payment of 100.00 € by card to one EC.
func cardPayment() *gecv1.Payment {
	return &gecv1.Payment{
		Notices: []*gecv1.Notice{{
			AmountCents: 100_00, CreditorInstitution: comune,
			Transfers: []*gecv1.Transfer{{CreditorInstitution: comune, TransferCategory: "9/0102100SA/"}},
		}},
		Touchpoint: "CHECKOUT", PaymentType: "cp",
	}
}

// failing returns a catalogue whose every look into the past fails.
func failing(t testing.TB) *history {
	t.Helper()
	h := newHistory(t)
	h.fail = errors.New("disk /secret/path is gone")
	return h
}

// panicking is a catalogue that panics.
type panicking struct{ *history }

func (panicking) At(context.Context, int64) (*engine.Snapshot, error) { panic("secret") }
