package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	"gec/api/gecv1"
	"gec/bundles"
)

// catalogueServer is CatalogueService over gRPC.
type catalogueServer struct {
	gecv1.UnimplementedCatalogueServiceServer
	*quoting
	authors  authors
	stopping <-chan struct{}
}

// revisionsListed is how many revisions are listed where no first one is named, revisionsMax how many at most.
const (
	revisionsListed = 100
	revisionsMax    = 1000
)

// GetStatus implements CatalogueService.
func (s *catalogueServer) GetStatus(context.Context, *gecv1.GetStatusRequest) (*gecv1.GetStatusResponse, error) {
	return s.status(), nil
}

// ListRevisions implements CatalogueService.
func (s *catalogueServer) ListRevisions(ctx context.Context, in *gecv1.ListRevisionsRequest) (*gecv1.ListRevisionsResponse, error) {
	caller, err := s.authors.caller(ctx)
	if err != nil {
		return nil, err
	}
	from, to := in.GetFrom(), in.GetTo()
	if head := s.authors.catalogue.Head().Revision; to == 0 || to > head {
		to = head
	}
	if from == 0 {
		from = max(to-revisionsListed+1, 1)
	}
	records, err := s.authors.catalogue.Records(ctx, caller, from, min(to, from+revisionsMax-1))
	if err != nil {
		return nil, err
	}
	out := &gecv1.ListRevisionsResponse{}
	for _, r := range records {
		out.Revisions = append(out.Revisions, revisionMessage(r))
	}
	return out, nil
}

// GetHistory implements CatalogueService.
func (s *catalogueServer) GetHistory(ctx context.Context, in *gecv1.GetHistoryRequest) (*gecv1.GetHistoryResponse, error) {
	caller, err := s.authors.caller(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := s.authors.catalogue.History(ctx, caller, in.GetBundle())
	if err != nil {
		return nil, err
	}
	out := &gecv1.GetHistoryResponse{}
	for _, v := range versions {
		out.Changes = append(out.Changes, changeMessage(&v.Record, v.Before, v.After, bundles.FieldDiffs(v.Before, v.After)))
	}
	return out, nil
}

func changeMessage(record *bundles.Record, before, after *bundles.Bundle, fields []bundles.FieldDiff) *gecv1.BundleChange {
	m := &gecv1.BundleChange{Before: bundleMessage(before), After: bundleMessage(after)}
	if record != nil {
		m.Revision = revisionMessage(*record)
	}
	for _, f := range fields {
		m.Fields = append(m.Fields, &gecv1.FieldDiff{Field: f.Field, Before: f.Before, After: f.After})
	}
	return m
}

// DiffRevisions implements CatalogueService.
func (s *catalogueServer) DiffRevisions(ctx context.Context, in *gecv1.DiffRevisionsRequest) (*gecv1.DiffRevisionsResponse, error) {
	caller, err := s.authors.caller(ctx)
	if err != nil {
		return nil, err
	}
	to := in.GetTo()
	if to == 0 {
		to = s.authors.catalogue.Head().Revision
	}
	diffs, err := s.authors.catalogue.Diff(ctx, caller, in.GetFrom(), to)
	if err != nil {
		return nil, err
	}
	out := &gecv1.DiffRevisionsResponse{}
	for _, d := range diffs {
		out.Changes = append(out.Changes, changeMessage(nil, d.Before, d.After, d.Fields))
	}
	return out, nil
}

// WatchRevisions implements CatalogueService.
func (s *catalogueServer) WatchRevisions(_ *gecv1.WatchRevisionsRequest, stream grpc.ServerStreamingServer[gecv1.WatchRevisionsResponse]) error {
	caller, err := s.authors.caller(stream.Context())
	if err != nil {
		return err
	}
	shown := func(r bundles.Record) *gecv1.Revision {
		if !caller.Operator && !caller.Auditor { // who changed what is not for all to know; that something changed is
			r = bundles.Record{Revision: r.Revision, At: r.At}
		}
		return revisionMessage(r)
	}
	for {
		changed := s.authors.catalogue.Changed() // before the head is read, so that no change falls between
		if err := stream.Send(&gecv1.WatchRevisionsResponse{Revision: shown(s.authors.catalogue.Head())}); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-s.stopping:
			return nil
		case <-stream.Context().Done():
			if errors.Is(stream.Context().Err(), context.Canceled) {
				return nil // as every watch ends
			}
			return stream.Context().Err()
		}
	}
}
