package rpc

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/bundles"
	"gec/engine"
)

// status returns the state of the current revision.
func (s *quoting) status() *gecv1.GetStatusResponse {
	snapshot, record := s.current()
	settings := snapshot.Settings()
	out := &gecv1.GetStatusResponse{
		Revision: snapshot.Revision(), Bundles: int32(snapshot.Len()), UnusableBundles: int32(len(snapshot.Unusable())),
		Touchpoints: settings.Touchpoints, PaymentTypes: settings.PaymentTypes,
	}
	if record.Revision > 0 {
		out.RevisionAt = timestamppb.New(record.At)
	}
	return out
}

// current returns the current snapshot and the record of the same revision: it takes them again when a
// change came in between.
func (s *quoting) current() (*engine.Snapshot, bundles.Record) {
	for {
		record, snapshot := s.catalogue.Head(), s.catalogue.Current()
		if record.Revision == snapshot.Revision() {
			return snapshot, record
		}
	}
}
