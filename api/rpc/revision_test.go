package rpc_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/api/rpc"
	"gec/engine"
)

// TestInstantAndRevision holds which revision and which instant a request is answered on.
func TestInstantAndRevision(t *testing.T) {
	past, between, future := noon.AddDate(0, 0, -20), noon.AddDate(0, 0, -15), noon.AddDate(1, 0, 0)
	number := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name         string
		at           *time.Time
		revision     *int64
		wantRevision int64
		wantAt       time.Time
	}{
		{"neither", nil, nil, 2, noon},
		{"an instant in the past", &between, nil, 1, between},
		{"the present instant", &noon, nil, 2, noon},
		{"an instant in the future", &future, nil, 2, future},
		{"a revision", nil, number(1), 1, noon},
		{"a revision and an instant", &future, number(1), 1, future},
		{"a revision and an instant before it", &past, number(2), 2, past},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &gecv1.QuoteRequest{Payment: cardPayment(), Revision: c.revision}
			if c.at != nil {
				in.At = timestamppb.New(*c.at)
			}
			got, err := client(t).Quote(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got.GetRevision() != c.wantRevision || !got.GetAt().AsTime().Equal(c.wantAt) {
				t.Errorf("revision %d at %v, want %d at %v", got.GetRevision(), got.GetAt().AsTime(), c.wantRevision, c.wantAt)
			}
		})
	}
}

// TestP7SameAnswerAfterChanges holds that an answer, asked for again with its own revision, instant and
// seed, is byte-identical in both forms after the catalogue and the day have changed.
func TestP7SameAnswerAfterChanges(t *testing.T) {
	h := newHistory(t)
	now := noon
	options := rpc.Options{Catalogue: h, Now: func() time.Time { return now }}
	_, connection := dial(t, options)
	quotes, handler := gecv1.NewQuoteServiceClient(connection), rpc.JSON(options)
	first, err := quotes.Quote(t.Context(), &gecv1.QuoteRequest{Id: "p7", Payment: cardPayment()})
	if err != nil {
		t.Fatal(err)
	}
	again := &gecv1.QuoteRequest{
		Id: "p7", Payment: cardPayment(), Revision: &first.Revision, Seed: &first.Seed, At: first.GetAt(),
	}
	firstJSON := post(handler, "/gec/v1/quote", jsonOf(t, again)).Body.String()
	h.add(t, noon.Add(time.Hour), engine.Change{Put: fixtureBundles(33), Remove: []string{"d-weekend"}})
	now = now.AddDate(1, 0, 2)

	second, err := quotes.Quote(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	if string(binaryOf(t, first)) != string(binaryOf(t, second)) {
		t.Errorf("first  %v\nsecond %v", first, second)
	}
	if secondJSON := post(handler, "/gec/v1/quote", jsonOf(t, again)).Body.String(); firstJSON != secondJSON {
		t.Errorf("first  %s\nsecond %s", firstJSON, secondJSON)
	}
	if current, err := quotes.Quote(t.Context(), &gecv1.QuoteRequest{Id: "p7", Payment: cardPayment()}); err != nil ||
		string(binaryOf(t, first)) == string(binaryOf(t, current)) {
		t.Errorf("the change shows nowhere: %v %v", current, err)
	}
}

func binaryOf(t *testing.T, m proto.Message) []byte {
	t.Helper()
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
