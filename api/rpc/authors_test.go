package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"gec/api/access/accesstest"
	"gec/api/gecv1"
	"gec/api/rpc"
)

// dialAuthors serves a stored catalogue to callers who say by metadata who they are.
func dialAuthors(t *testing.T) *grpc.ClientConn {
	t.Helper()
	s := openStored(t, t.TempDir())
	t.Cleanup(func() { s.close(t) })
	if err := s.load(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	_, connection := dial(t, rpc.Options{Catalogue: s, Authors: s.Catalogue, Gate: accesstest.Gate{}})
	return connection
}

func as(t *testing.T, who string) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), accesstest.Metadata, who)
}

func draft(id string, kind gecv1.BundleType, min, max, fee int64) *gecv1.Bundle {
	return &gecv1.Bundle{
		Id: id, Channel: "CH", Broker: "BR", Abi: "09999", PspBusinessName: "Banca Nuova", Name: "Nuova " + id, Type: kind, PaymentType: "CP", Touchpoint: "IO",
		MinAmountCents: min, MaxAmountCents: max, Fee: &gecv1.Fee{FlatCents: fee},
	}
}

func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%v for %v: %v", got, want, err)
	}
}

// upload sends bundles one a message and returns the last answer.
func upload(t *testing.T, connection *grpc.ClientConn, who string, head *gecv1.UploadHead, all ...*gecv1.Bundle) (*gecv1.UploadReport, error) {
	t.Helper()
	stream, err := gecv1.NewBundleServiceClient(connection).UploadBundles(as(t, who))
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Send(&gecv1.UploadBundlesRequest{Head: head})
	for _, b := range all {
		err = errors.Join(err, stream.Send(&gecv1.UploadBundlesRequest{Bundles: []*gecv1.Bundle{b}}))
	}
	// EOF says that the server has answered already, which Recv tells.
	if err = errors.Join(err, stream.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var report *gecv1.UploadReport
	for {
		out, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err != nil {
			return nil, err
		}
		report = out.GetReport()
	}
}

// TestA6Upload holds that an upload is stored whole or not at all, with every fault told, and once.
func TestA6Upload(t *testing.T) {
	connection := dialAuthors(t)
	global := gecv1.BundleType_BUNDLE_TYPE_GLOBAL
	faulty := draft("u3", global, 9000, 8000, 1)
	faulty.Type, faulty.Name = gecv1.BundleType_BUNDLE_TYPE_UNSPECIFIED, ""
	report, err := upload(t, connection, "NUOVA", &gecv1.UploadHead{Psp: "NUOVA"}, draft("u1", global, 0, 5000, 90), faulty)
	if err != nil || report.GetRevision() != 1 || len(report.GetBundles()) != 0 {
		t.Fatal(report, err)
	}
	var fields []string
	for _, v := range report.GetViolations() {
		fields = append(fields, v.GetField())
	}
	if diff := cmp.Diff([]string{"bundles[1].maxPaymentAmount", "bundles[1].name", "bundles[1].type"}, fields); diff != "" {
		t.Errorf("A2, all faults at once (-want +got):\n%s", diff)
	}
	steps := draft("u4", global, 0, 5000, 90)
	steps.Fee = &gecv1.Fee{Steps: []*gecv1.FeeStep{{}}}
	report, err = upload(t, connection, "NUOVA", &gecv1.UploadHead{Psp: "NUOVA"}, steps)
	if err != nil || len(report.GetViolations()) != 1 || report.GetViolations()[0].GetField() != "bundles[0].fee.steps[0].fee" {
		t.Error("F2, a step without a fee:", report, err)
	}
	head := &gecv1.UploadHead{Psp: "NUOVA", IdempotencyKey: "once"}
	good := []*gecv1.Bundle{draft("u1", global, 0, 5000, 90), draft("", global, 5000, 9000, 120)}
	first, err := upload(t, connection, "NUOVA", head, good...)
	if err != nil || len(first.GetBundles()) != 2 || first.GetRevision() != 2 || first.GetBundles()[1].GetId() == "" {
		t.Fatal(first, err)
	}
	again, err := upload(t, connection, "NUOVA", head, good...)
	if err != nil || !again.GetRepeated() || again.GetRevision() != 2 || again.GetBundles()[1].GetId() != first.GetBundles()[1].GetId() {
		t.Error(again, err)
	}
	_, err = upload(t, connection, "NUOVA", head, good[0])
	wantCode(t, err, codes.AlreadyExists)
	overlap, err := upload(t, connection, "NUOVA", &gecv1.UploadHead{Psp: "NUOVA", DryRun: true}, draft("u9", global, 4000, 6000, 1))
	if err != nil || len(overlap.GetViolations()) == 0 {
		t.Error(overlap, err)
	}
	_, err = upload(t, connection, "ALTRA", &gecv1.UploadHead{Psp: "NUOVA"}, good...)
	wantCode(t, err, codes.NotFound)
	_, err = upload(t, connection, "auditor", &gecv1.UploadHead{Psp: "NUOVA"}, good...)
	wantCode(t, err, codes.PermissionDenied)
	_, err = upload(t, connection, "", &gecv1.UploadHead{Psp: "NUOVA"}, good...)
	wantCode(t, err, codes.Unauthenticated)
	_, err = upload(t, connection, "NUOVA", nil)
	wantCode(t, err, codes.InvalidArgument)
}

// TestAuthoringOverGRPC goes through the life of a bundle, its offer and its subscription.
func TestAuthoringOverGRPC(t *testing.T) {
	connection := dialAuthors(t)
	b, s := gecv1.NewBundleServiceClient(connection), gecv1.NewSubscriptionServiceClient(connection)
	psp, ec := as(t, "NUOVA"), as(t, regione)
	private := draft("priv", gecv1.BundleType_BUNDLE_TYPE_PRIVATE, 0, 5000, 100)
	private.Schedule = []*gecv1.TimeBand{{Days: []string{"MON", "SUN"}, From: "08:00", To: "24:00"}}
	if _, err := b.CreateBundle(psp, &gecv1.CreateBundleRequest{Psp: "NUOVA", Bundle: private}); err != nil {
		t.Fatal(err)
	}
	read, err := b.GetBundle(psp, &gecv1.GetBundleRequest{Id: "priv"})
	if err != nil || read.GetBundle().GetSchedule()[0].GetTo() != "24:00" || read.GetBundle().GetRevision() != 2 || read.GetBundle().GetValidFrom() != "2026-11-22" {
		t.Fatal(read, err)
	}
	_, err = b.GetBundle(ec, &gecv1.GetBundleRequest{Id: "priv"})
	wantCode(t, err, codes.NotFound) // not offered yet

	change := read.GetBundle()
	change.Fee = &gecv1.Fee{FlatCents: 80}
	if changed, err := b.ChangeBundle(psp, &gecv1.ChangeBundleRequest{Psp: "NUOVA", Bundle: change}); err != nil || changed.GetBundle().GetFee().GetFlatCents() != 80 {
		t.Fatal(changed, err)
	}
	_, err = b.ChangeBundle(psp, &gecv1.ChangeBundleRequest{Psp: "NUOVA", Bundle: change}) // read before the last change
	wantCode(t, err, codes.Aborted)
	change.Revision = 0
	_, err = b.ChangeBundle(psp, &gecv1.ChangeBundleRequest{Psp: "NUOVA", Bundle: change})
	wantCode(t, err, codes.InvalidArgument)

	offers, err := s.MakeOffers(psp, &gecv1.MakeOffersRequest{Psp: "NUOVA", Bundle: "priv", CreditorInstitutions: []string{regione}})
	if err != nil {
		t.Fatal(err)
	}
	offer := offers.GetOffers()[0].GetId()
	if _, err := b.GetBundle(ec, &gecv1.GetBundleRequest{Id: "priv"}); err != nil {
		t.Error("an offered bundle is not seen:", err)
	}
	accept := &gecv1.AnswerOfferRequest{CreditorInstitution: regione, Offer: offer, Answer: gecv1.Answer_ANSWER_ACCEPT, Attributes: []*gecv1.Attribute{{MaxCents: 81}}}
	_, err = s.AnswerOffer(ec, accept)
	wantCode(t, err, codes.InvalidArgument) // above the fee (A17)
	accept.Attributes[0].MaxCents = 80
	accepted, err := s.AnswerOffer(ec, accept)
	if err != nil || accepted.GetSubscription().GetValidFrom() != "2026-11-22" {
		t.Fatal(accepted, err)
	}
	_, err = s.AnswerOffer(ec, accept)
	wantCode(t, err, codes.FailedPrecondition) // A15
	_, err = s.AnswerOffer(psp, &gecv1.AnswerOfferRequest{Psp: "NUOVA", Offer: offer, Answer: gecv1.Answer_ANSWER_ACCEPT})
	wantCode(t, err, codes.InvalidArgument) // not the PSP's to say
	added, err := s.AddAttributes(ec, &gecv1.AddAttributesRequest{CreditorInstitution: regione, Subscription: "priv", Attributes: []*gecv1.Attribute{{MaxCents: 1, TransferCategory: "9/0101100IM/"}}})
	wantCode(t, err, codes.InvalidArgument) // one without category stands alone
	_ = added
	listed, err := s.ListSubscriptions(psp, &gecv1.ListSubscriptionsRequest{Psp: "NUOVA", Bundle: "priv"})
	if err != nil || len(listed.GetSubscriptions()) != 1 || listed.GetSubscriptions()[0].GetAttributes()[0].GetMaxCents() != 80 {
		t.Error(listed, err)
	}
	if _, err := b.RetireBundle(psp, &gecv1.RetireBundleRequest{Psp: "NUOVA", Id: "priv"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.EndSubscription(ec, &gecv1.EndSubscriptionRequest{CreditorInstitution: regione, Subscription: "priv"})
	wantCode(t, err, codes.FailedPrecondition) // it ended with its bundle
}

// TestA8HistoryOverGRPC holds that who changed what can be read, by those who may.
func TestA8HistoryOverGRPC(t *testing.T) {
	connection := dialAuthors(t)
	b, c := gecv1.NewBundleServiceClient(connection), gecv1.NewCatalogueServiceClient(connection)
	watch, err := c.WatchRevisions(as(t, "NUOVA"), &gecv1.WatchRevisionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := watch.Recv(); err != nil || now.GetRevision().GetRevision() != 1 || now.GetRevision().GetCaller() != "" {
		t.Fatal(now, err)
	}
	for n := range 3 {
		bundle := draft(fmt.Sprintf("h%d", n), gecv1.BundleType_BUNDLE_TYPE_GLOBAL, int64(n*1000), int64(n*1000+1000), 10)
		if _, err := b.CreateBundle(as(t, "NUOVA"), &gecv1.CreateBundleRequest{Psp: "NUOVA", Bundle: bundle}); err != nil {
			t.Fatal(err)
		}
	}
	for last := int64(1); last < 4; {
		next, err := watch.Recv()
		if err != nil || next.GetRevision().GetRevision() <= last {
			t.Fatal(next, err)
		}
		last = next.GetRevision().GetRevision()
	}
	page, err := b.ListBundles(as(t, "nuova"), &gecv1.ListBundlesRequest{Psp: "NUOVA", PageSize: 2})
	if err != nil || len(page.GetBundles()) != 2 || page.GetNextPageToken() != "h1" {
		t.Fatal(page, err)
	}
	rest, err := b.ListBundles(as(t, "nuova"), &gecv1.ListBundlesRequest{Psp: "NUOVA", PageSize: 2, PageToken: page.GetNextPageToken()})
	if err != nil || len(rest.GetBundles()) != 1 || rest.GetNextPageToken() != "" {
		t.Fatal(rest, err)
	}
	revisions, err := c.ListRevisions(as(t, "auditor"), &gecv1.ListRevisionsRequest{From: 2, To: 3})
	if err != nil || len(revisions.GetRevisions()) != 2 || revisions.GetRevisions()[0].GetOnBehalfOf() != "NUOVA" {
		t.Error(revisions, err)
	}
	if two, three := revisions.GetRevisions()[0].GetHistorySha256(), revisions.GetRevisions()[1].GetHistorySha256(); len(two) != 64 || len(three) != 64 || two == three {
		t.Errorf("the hashes of the history are %q and %q", two, three)
	}
	_, err = c.ListRevisions(as(t, "NUOVA"), &gecv1.ListRevisionsRequest{})
	wantCode(t, err, codes.PermissionDenied)
	history, err := c.GetHistory(as(t, "NUOVA"), &gecv1.GetHistoryRequest{Bundle: "h0"})
	if err != nil || len(history.GetChanges()) != 1 || history.GetChanges()[0].GetBefore() != nil || history.GetChanges()[0].GetRevision().GetCaller() != "NUOVA" {
		t.Error(history, err)
	}
	_, err = c.GetHistory(as(t, "ALTRA"), &gecv1.GetHistoryRequest{Bundle: "h0"})
	wantCode(t, err, codes.NotFound)
	difference, err := c.DiffRevisions(as(t, "NUOVA"), &gecv1.DiffRevisionsRequest{From: 1})
	var ids []string
	for _, change := range difference.GetChanges() {
		ids = append(ids, change.GetAfter().GetId())
	}
	if diff := cmp.Diff([]string{"h0", "h1", "h2"}, ids); err != nil || diff != "" {
		t.Error(diff, err)
	}
	if others, err := c.DiffRevisions(as(t, "ALTRA"), &gecv1.DiffRevisionsRequest{From: 1}); err != nil || len(others.GetChanges()) != 0 {
		t.Error(others, err)
	}
}
