package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/rpc"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
)

// The tests of this file run on the real catalogue and its store.

// stored is a catalogue in a folder.
type stored struct {
	*bundles.Catalogue
	store *badger.Store
}

func openStored(t *testing.T, dir string) *stored {
	t.Helper()
	store, err := badger.Open(dir, badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := bundles.Open(t.Context(), store, bundles.Options{Now: fixedNow, SnapshotsMax: 1})
	if err != nil {
		t.Fatal(errors.Join(err, store.Close()))
	}
	return &stored{catalogue, store}
}

func (s *stored) close(t *testing.T) {
	t.Helper()
	if err := s.store.Close(); err != nil {
		t.Error(err)
	}
}

// load imports the fixture with every fee dearer by some cents.
func (s *stored) load(ctx context.Context, dearer int64) error {
	document := bundles.Document{Settings: fixtureSettings()}
	for _, b := range fixtureBundles(dearer) {
		document.Bundles = append(document.Bundles, bundles.Bundle{Bundle: *b})
	}
	document.Subscriptions = []bundles.Subscription{
		{Subscription: engine.Subscription{ID: "sub-a", BundleID: "a-cards", CreditorInstitution: comune, Attributes: []engine.Attribute{{ID: "attribute", MaxPaymentAmountCents: 30 + dearer}}}},
		{Subscription: engine.Subscription{ID: "sub-b", BundleID: "b-public", CreditorInstitution: comune}},
	}
	_, err := s.Import(ctx, bundles.Operator("test"), document, bundles.ImportOptions{Lenient: true})
	return err
}

// TestP7StoredRevisions holds that a revision, once stored, is answered byte for byte the same after
// later changes and after a restart, in every order and view.
func TestP7StoredRevisions(t *testing.T) {
	dir := t.TempDir()
	s := openStored(t, dir)
	var requests []*gecv1.QuoteRequest
	for order := range gecv1.Order_name {
		for view := range gecv1.View_name {
			requests = append(requests, &gecv1.QuoteRequest{Order: gecv1.Order(order), View: gecv1.View(view), Payment: cardPayment()})
		}
	}
	ask := func(catalogue rpc.Catalogue, in *gecv1.QuoteRequest) []byte {
		out, err := rpc.NewQuoteServer(rpc.Options{Catalogue: catalogue, Now: fixedNow}).Quote(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return binaryOf(t, out)
	}
	want := map[int64][][]byte{}
	for revision := int64(1); revision <= 4; revision++ {
		if err := s.load(t.Context(), 3*revision); err != nil {
			t.Fatal(err)
		}
		for _, in := range requests {
			want[revision] = append(want[revision], ask(s, in))
		}
	}
	check := func() {
		t.Helper()
		for revision, answers := range want {
			for i, in := range requests {
				again := proto.CloneOf(in)
				again.Revision = proto.Int64(revision)
				if string(ask(s, again)) != string(answers[i]) {
					t.Errorf("revision %d answers %v differently", revision, in)
				}
			}
		}
	}
	check()
	s.close(t)
	s = openStored(t, dir)
	defer s.close(t)
	check()
}

// TestStoredRevisionUnknown holds the answer to a revision that there is not, or not yet.
func TestStoredRevisionUnknown(t *testing.T) {
	s := openStored(t, t.TempDir())
	defer s.close(t)
	server := rpc.NewQuoteServer(rpc.Options{Catalogue: s, Now: fixedNow})
	_, err := server.Quote(t.Context(), &gecv1.QuoteRequest{Payment: cardPayment(), Revision: proto.Int64(1)})
	if status.Code(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.load(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	_, err = server.Quote(cancelled, &gecv1.QuoteRequest{Payment: &gecv1.Payment{Notices: cardPayment().Notices}, Revision: proto.Int64(0)})
	if err == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

// TestP6QuotesDuringChanges holds that every answer is of one revision, whole, while revisions come.
// Every revision states its number in its fees.
func TestP6QuotesDuringChanges(t *testing.T) {
	const revisions = 30
	s := openStored(t, t.TempDir())
	defer s.close(t)
	if err := s.load(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	_, connection := dial(t, rpc.Options{Catalogue: s})
	var clients sync.WaitGroup
	defer clients.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 4 {
		clients.Go(func() {
			if err := quoteUntil(ctx, connection, revisions); err != nil {
				t.Error(err)
			}
		})
	}
	for revision := int64(2); revision <= revisions; revision++ {
		if err := s.load(t.Context(), revision); err != nil {
			t.Fatal(err)
		}
	}
	clients.Wait()
}

// quoteUntil quotes on one stream until it is answered on a revision, and checks every answer.
func quoteUntil(ctx context.Context, connection *grpc.ClientConn, last int64) error {
	stream, err := gecv1.NewQuoteServiceClient(connection).BatchQuote(ctx)
	if err != nil {
		return err
	}
	in := &gecv1.QuoteRequest{Payment: cardPayment()}
	for revision := int64(0); revision < last; {
		if err := stream.Send(in); err != nil {
			return err
		}
		out, err := stream.Recv()
		if err != nil {
			return err
		}
		if out.GetRevision() < revision {
			return fmt.Errorf("revision %d came after %d", out.GetRevision(), revision)
		}
		revision = out.GetRevision()
		for _, row := range out.GetQuotes() {
			base := map[string]int64{"a-cards": 120, "b-public": 100, "d-weekend": 90, "e-morning": 80, "g-poste": 150}[row.GetBundleId()]
			if row.GetGrossCents() != base+revision {
				return fmt.Errorf("bundle %s costs %d on revision %d", row.GetBundleId(), row.GetGrossCents(), revision)
			}
			if c := row.GetContributions(); len(c) > 0 && c[0].GetDeclaredCents() != 30+revision {
				return fmt.Errorf("contribution of %d on revision %d", c[0].GetDeclaredCents(), revision)
			}
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, _ = stream.Recv() // the end of the stream
	return nil
}
