package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/lint"
	"gec/engine"
)

// authors is what the services of those who author and agree have in common.
type authors struct {
	catalogue *bundles.Catalogue
	now       func() time.Time
}

// caller returns who a call is from. Errors: that of a missing key, where nobody may author.
func (a *authors) caller(ctx context.Context) (bundles.Caller, error) {
	grant, ok := ctx.Value(grantKey{}).(*access.Grant)
	if !ok || a.catalogue == nil {
		return bundles.Caller{}, problem.NoKey()
	}
	return grant.Caller, nil
}

// The bounds of lists and uploads.
const (
	pageSizeDefault = 100
	pageSizeMax     = 1000
	// progressEvery is how many bundles are checked between two reports of progress.
	progressEvery = 1000
)

// bundleServer is BundleService over gRPC.
type bundleServer struct {
	gecv1.UnimplementedBundleServiceServer
	authors
}

// CreateBundle implements BundleService.
func (s *bundleServer) CreateBundle(ctx context.Context, in *gecv1.CreateBundleRequest) (*gecv1.CreateBundleResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	var d drafts
	draft := d.bundle("bundle.", in.GetBundle())
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	upload, err := s.catalogue.CreateBundles(ctx, caller, in.GetPsp(), []bundles.Bundle{draft}, bundles.AuthorOptions{Operation: "createBundle", IdempotencyKey: in.GetIdempotencyKey()})
	if err != nil {
		return nil, bundles.Unplaced(err, "bundles[0]")
	}
	return &gecv1.CreateBundleResponse{Id: upload.IDs[0], Revision: upload.Revision}, nil
}

// ChangeBundle implements BundleService.
func (s *bundleServer) ChangeBundle(ctx context.Context, in *gecv1.ChangeBundleRequest) (*gecv1.ChangeBundleResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	var d drafts
	draft := d.bundle("bundle.", in.GetBundle())
	revision := in.GetBundle().GetRevision()
	if revision <= 0 {
		d.fault("bundle.revision", "is missing", "send the revision of the bundle that was read, so that no change of somebody else's is lost (A4)")
	}
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	changed, report, err := s.catalogue.ChangeBundle(ctx, caller, in.GetPsp(), draft.ID, draft, &revision, bundles.AuthorOptions{Operation: "updateBundle", DryRun: in.GetDryRun()})
	if err != nil {
		return nil, err
	}
	return &gecv1.ChangeBundleResponse{Bundle: bundleMessage(&changed), Revision: report.Revision}, nil
}

// RetireBundle implements BundleService.
func (s *bundleServer) RetireBundle(ctx context.Context, in *gecv1.RetireBundleRequest) (*gecv1.RetireBundleResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	var revision *int64
	if in.GetRevision() != 0 {
		revision = &in.Revision
	}
	retired, err := s.catalogue.RetireBundle(ctx, caller, in.GetPsp(), in.GetId(), revision, bundles.AuthorOptions{Operation: "deleteBundle"})
	if err != nil {
		return nil, err
	}
	return &gecv1.RetireBundleResponse{Bundle: bundleMessage(&retired)}, nil
}

// GetBundle implements BundleService.
func (s *bundleServer) GetBundle(ctx context.Context, in *gecv1.GetBundleRequest) (*gecv1.GetBundleResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	b, err := s.catalogue.VisibleBundle(ctx, caller, in.GetId(), in.GetRevision())
	if err != nil {
		return nil, err
	}
	return &gecv1.GetBundleResponse{Bundle: bundleMessage(&b)}, nil
}

// ListBundles implements BundleService. The token of a page is the last id of the one before.
func (s *bundleServer) ListBundles(ctx context.Context, in *gecv1.ListBundlesRequest) (*gecv1.ListBundlesResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.catalogue.PSPBundles(ctx, caller, in.GetPsp(), in.GetRevision())
	if err != nil {
		return nil, err
	}
	after, found := slices.BinarySearchFunc(all, in.GetPageToken(), func(b *engine.Bundle, id string) int { return strings.Compare(b.ID, id) })
	if found {
		after++
	}
	all = all[after:]
	size := min(int(in.GetPageSize()), pageSizeMax)
	if size <= 0 {
		size = pageSizeDefault
	}
	out := &gecv1.ListBundlesResponse{}
	if len(all) > size {
		all = all[:size]
		out.NextPageToken = all[size-1].ID
	}
	for _, b := range all {
		whole, err := s.catalogue.PSPBundle(ctx, caller, in.GetPsp(), b.ID, in.GetRevision())
		if err != nil {
			return nil, err
		}
		out.Bundles = append(out.Bundles, bundleMessage(&whole))
	}
	return out, nil
}

// UploadBundles implements BundleService.
func (s *bundleServer) UploadBundles(stream grpc.BidiStreamingServer[gecv1.UploadBundlesRequest, gecv1.UploadBundlesResponse]) error {
	ctx := stream.Context()
	caller, err := s.caller(ctx)
	if err != nil {
		return err
	}
	head, all, faults, err := receiveUpload(stream)
	if err != nil {
		return err
	}
	o := bundles.AuthorOptions{Operation: "createBundles", DryRun: head.GetDryRun(), IdempotencyKey: head.GetIdempotencyKey()}
	if head.GetBaseRevision() != 0 {
		o.Base = &head.BaseRevision
	}
	o.Progress = func(done, _ int) {
		if done%progressEvery == 0 {
			// A caller that is gone is noticed at the report.
			_ = stream.Send(&gecv1.UploadBundlesResponse{Checked: int32(done)})
		}
	}
	report, err := s.upload(ctx, caller, head.GetPsp(), all, faults, o)
	if err != nil {
		return err
	}
	return stream.Send(&gecv1.UploadBundlesResponse{Checked: int32(len(all)), Report: report})
}

// uploadBundlesMax bounds an upload, as files are bounded.
const uploadBundlesMax = 200_000

// receiveUpload reads an upload to its end.
func receiveUpload(stream grpc.BidiStreamingServer[gecv1.UploadBundlesRequest, gecv1.UploadBundlesResponse]) (head *gecv1.UploadHead, all []bundles.Bundle, faults bundles.Faults, err error) {
	var d drafts
	for first := true; ; first = false {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) && !first {
			return head, all, d.faults, nil
		}
		switch {
		case errors.Is(err, io.EOF) || err == nil && first && in.GetHead() == nil:
			return nil, nil, nil, bundles.Faults{{Path: "head", Reason: "is missing in the first message", Fix: "say there for which PSP the upload is"}}
		case err != nil:
			return nil, nil, nil, err
		case !first && in.GetHead() != nil:
			return nil, nil, nil, bundles.Faults{{Path: "head", Reason: "is given again", Fix: "send it in the first message only"}}
		case first:
			head = in.GetHead()
		}
		for _, m := range in.GetBundles() {
			all = append(all, d.bundle(bundles.BundlePath(len(all))+".", m))
		}
		if len(all) > uploadBundlesMax {
			return nil, nil, nil, bundles.Faults{{Path: "bundles", Reason: "are too many", Fix: fmt.Sprintf("upload at most %d at once", uploadBundlesMax)}}
		}
	}
}

// ValidateBundles implements BundleService.
func (s *bundleServer) ValidateBundles(ctx context.Context, in *gecv1.ValidateBundlesRequest) (*gecv1.ValidateBundlesResponse, error) {
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	var d drafts
	all := make([]bundles.Bundle, len(in.GetBundles()))
	for n, m := range in.GetBundles() {
		all[n] = d.bundle(bundles.BundlePath(n)+".", m)
	}
	report, err := s.upload(ctx, caller, in.GetPsp(), all, d.faults, bundles.AuthorOptions{DryRun: true})
	if err != nil {
		return nil, err
	}
	return &gecv1.ValidateBundlesResponse{Report: report}, nil
}

// others adds to the faults of messages what else is wrong with the bundles, so that an author sees all at once (A2).
func (s *bundleServer) others(ctx context.Context, caller bundles.Caller, psp string, all []bundles.Bundle, faults bundles.Faults) bundles.Faults {
	_, err := s.catalogue.CreateBundles(ctx, caller, psp, all, bundles.AuthorOptions{DryRun: true})
	var more bundles.Faults
	if errors.As(err, &more) {
		faults = append(faults, slices.DeleteFunc(more, func(f bundles.Fault) bool {
			return slices.ContainsFunc(faults, func(known bundles.Fault) bool { return known.Path == f.Path })
		})...)
	}
	faults.Sort()
	return faults
}

// upload makes an upload and reports on it; what is wrong with the bundles is part of the report.
func (s *bundleServer) upload(ctx context.Context, caller bundles.Caller, psp string, all []bundles.Bundle, faults bundles.Faults, o bundles.AuthorOptions) (*gecv1.UploadReport, error) {
	if err := caller.MayForPSP(psp, bundles.FunctionBundles); err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return &gecv1.UploadReport{Revision: s.catalogue.Head().Revision, Violations: violations(s.others(ctx, caller, psp, all, faults))}, nil
	}
	upload, err := s.catalogue.CreateBundles(ctx, caller, psp, all, o)
	if errors.As(err, &faults) {
		return &gecv1.UploadReport{Revision: upload.Revision, Violations: violations(faults), Warnings: violations(upload.Warnings)}, nil
	}
	if err != nil {
		return nil, err
	}
	report := &gecv1.UploadReport{Revision: upload.Revision, Repeated: upload.Repeated, Warnings: violations(upload.Warnings)}
	for n, id := range upload.IDs {
		u := &gecv1.UploadedBundle{Id: id}
		if n < len(upload.Outcomes) {
			u.Outcome = upload.Outcomes[n].String()
		}
		report.Bundles = append(report.Bundles, u)
	}
	if !o.DryRun {
		return report, nil
	}
	stored, err := s.catalogue.PSPBundles(ctx, caller, psp, 0)
	if err != nil {
		return nil, err
	}
	drafts := bundles.Completed(psp, all)
	for n := range drafts {
		drafts[n].ID = upload.IDs[n]
	}
	for _, f := range lint.CheckDrafts(drafts, stored, s.catalogue.Current().Settings(), engine.LocalAt(s.now()).Date) {
		report.Warnings = append(report.Warnings, &gecv1.FieldViolation{Field: f.Bundle + "." + f.Field, Description: f.Message + "; " + f.Fix})
	}
	return report, nil
}
