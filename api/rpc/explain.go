package rpc

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/api/problem"
	"gec/bundles"
	"gec/engine"
)

// The bounds of an explanation.
const (
	verdictsMax     = 1000
	verdictsDefault = 100
	// explainBytesMax keeps an explanation below the 4 MiB that gRPC clients take by default.
	explainBytesMax = 3 << 20
)

// explain says what became of each bundle that the request asks about.
func (s *quoting) explain(ctx context.Context, in *gecv1.ExplainRequest) (*gecv1.ExplainResponse, error) {
	c := s.calls.Get().(*call)
	defer s.release(c)
	if err := checkExplain(&c.request, in).Err(); err != nil {
		return nil, err
	}
	snapshot, at, err := s.resolve(ctx, in.Quote)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedBundles(snapshot, in.GetBundleIds())
	if err != nil {
		return nil, err
	}
	c.request.payment.At = at
	limit := verdictsDefault
	if in.MaxVerdicts != nil {
		limit = int(*in.MaxVerdicts)
	}
	explanation, err := engine.Explain(snapshot, &c.request.payment, c.request.options, engine.Asking{
		About: func(b *engine.Bundle) bool {
			return (wanted == nil || wanted[b.ID]) && (in.GetPsp() == "" || strings.EqualFold(b.PSP, in.GetPsp()))
		},
		Most: limit, Stopped: ctx.Err,
	})
	if err != nil {
		return nil, err
	}
	out := &gecv1.ExplainResponse{
		Id: in.Quote.GetId(), Revision: explanation.Revision, Seed: explanation.Seed,
		At: timestamppb.New(at), BelowThreshold: explanation.BelowThreshold, Total: int32(explanation.Asked),
	}
	addVerdicts(out, explanation.Verdicts)
	return out, nil
}

// checkExplain reads the request to be explained and returns everything that is wrong with the whole.
func checkExplain(r *request, in *gecv1.ExplainRequest) bundles.Faults {
	if in.GetQuote() == nil {
		r.fault("quote", "is missing", "state the request to explain")
	} else {
		r.read(in.GetQuote())
		if in.GetQuote().GetWantReceipt() || in.GetQuote().GetReceipt() != "" {
			r.fault("receipt", "goes with a quote, not with an explanation", "state the at, revision and seed of the answer")
		}
		r.faults.Under("quote")
	}
	r.text("psp", in.GetPsp())
	if n := len(in.GetBundleIds()); n > verdictsMax {
		r.fault("bundle_ids", fmt.Sprintf("has %d ids", n), "use at most 1000, or none for every bundle")
	}
	if in.MaxVerdicts != nil && (*in.MaxVerdicts < 1 || *in.MaxVerdicts > verdictsMax) {
		r.fault("max_verdicts", fmt.Sprintf("is %d", *in.MaxVerdicts), "use 1 to 1000, or leave it out for 100")
	}
	return r.faults
}

// wantedBundles returns the ids as a set, nil for every bundle.
func wantedBundles(s *engine.Snapshot, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		if _, ok := s.Bundle(id); !ok {
			p := problem.New(http.StatusNotFound, codes.NotFound,
				fmt.Sprintf("Cannot find bundle %s in revision %d", bundles.Excerpt(id), s.Revision()))
			p.Title = "Bundle not found"
			return nil, p
		}
		wanted[id] = true
	}
	return wanted, nil
}

// addVerdicts adds verdicts up to explainBytesMax.
func addVerdicts(out *gecv1.ExplainResponse, verdicts []engine.Verdict) {
	size := 0
	for i := range verdicts {
		verdict := newVerdict(&verdicts[i])
		if size += proto.Size(verdict); size > explainBytesMax {
			return
		}
		out.Verdicts = append(out.Verdicts, verdict)
	}
}

func newVerdict(v *engine.Verdict) *gecv1.Verdict {
	out := &gecv1.Verdict{
		BundleId: v.Bundle.ID, Psp: v.Bundle.PSP, Name: v.Bundle.Name, Rank: int32(v.Rank),
		Applies: v.Applies, Rule: v.Rule,
		Reason: strings.ToValidUTF8(v.Reason, "\uFFFD"), Program: v.Program,
	}
	if v.Quote != nil {
		out.Quote = &gecv1.Quote{}
		setQuote(out.Quote, v.Quote)
	}
	return out
}
