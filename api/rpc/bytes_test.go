package rpc_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/fragment"
	"gec/api/gecv1"
	"gec/api/rpc"
	"gec/engine"
)

// caseRequests returns the requests for quotes among the cases that have a binary form.
func caseRequests(t testing.TB) map[string]*gecv1.QuoteRequest {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	requests := map[string]*gecv1.QuoteRequest{}
	for _, file := range files {
		var c caseFile
		readJSON(t, file, &c)
		in := &gecv1.QuoteRequest{}
		if c.Path == "quote" && protojson.Unmarshal(c.Request, in) == nil {
			requests[strings.TrimSuffix(filepath.Base(file), ".json")] = in
		}
	}
	return requests
}

// TestBytesAreThoseOfTheMessage holds that the ready bytes of an answer are those of the message that the
// JSON form is made of, to the last one.
func TestBytesAreThoseOfTheMessage(t *testing.T) {
	server := rpc.NewQuoteServer(rpc.Options{Catalogue: newHistory(t), Now: fixedNow})
	contributed := cardPayment()
	contributed.Notices[0].AmountCents = 50_00
	requests := caseRequests(t)
	requests["contributed"] = &gecv1.QuoteRequest{Id: "è", Payment: contributed, At: timestamppb.New(noon.AddDate(0, 0, -8))}
	requests["every bundle"] = &gecv1.QuoteRequest{Payment: contributed, View: gecv1.View_VIEW_EVERY_BUNDLE, MaxOccurrences: proto.Int32(100)}
	compared := 0
	for name, in := range requests {
		request, err := proto.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		out, messageErr := server.Quote(t.Context(), in)
		bytesErr := server.QuoteBytes(t.Context(), request, func(got []byte) {
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(out)
			if err != nil || !bytes.Equal(want, got) {
				t.Errorf("%s: %v\nwant %x\ngot  %x", name, err, want, got)
			}
			compared++
		})
		if (messageErr == nil) != (bytesErr == nil) {
			t.Errorf("%s: %v as a message, %v as bytes", name, messageErr, bytesErr)
		}
	}
	if compared < 10 {
		t.Errorf("only %d answers were compared", compared)
	}
}

// TestFragmentsAreTheFieldsOfTheBundle holds that ready fields read back as the bundle's.
func TestFragmentsAreTheFieldsOfTheBundle(t *testing.T) {
	for _, b := range []*engine.Bundle{
		{ID: "a", PSP: "P", Name: "N", Description: "D\xff", Channel: "C", Broker: "B", ABI: "A", PSPBusinessName: "è", Touchpoint: "ANY"},
		{ID: "b", PSP: "P", PaymentType: "CP", Touchpoint: "IO"},
	} {
		var got gecv1.Quote
		if err := proto.Unmarshal(fragment.New(b).Message(), &got); err != nil {
			t.Fatal(err)
		}
		paymentType := b.PaymentType
		if paymentType == "" {
			paymentType = engine.Any
		}
		want := &gecv1.Quote{
			BundleId: b.ID, Name: b.Name, Description: strings.ToValidUTF8(b.Description, "\uFFFD"), Psp: b.PSP, Channel: b.Channel,
			Broker: b.Broker, Abi: b.ABI, PspBusinessName: b.PSPBusinessName, PaymentType: paymentType, Touchpoint: b.Touchpoint,
		}
		if !proto.Equal(want, &got) {
			t.Errorf("got %v, want %v", &got, want)
		}
	}
}

// TestPlainRequestsNeedNoPackageProto holds that what clients send is read on the short way.
func TestPlainRequestsNeedNoPackageProto(t *testing.T) {
	for name, in := range caseRequests(t) {
		request, err := proto.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, plain, err := rpc.Decode(request); err != nil || !plain && len(in.GetPayment().GetNotices()) <= engine.NoticesMax {
			t.Errorf("%s is read the long way: %v", name, err)
		}
	}
}

// FuzzDecode holds, for any bytes, that they mean the same to the decoder as to package proto.
func FuzzDecode(f *testing.F) {
	for _, in := range caseRequests(f) {
		request, err := proto.Marshal(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
		f.Add(append(request, request...)) // messages in two pieces
		f.Add(request[:len(request)/2])
	}
	f.Add([]byte("\x12\x02\x32\x00"))                                 // a flag in the wrong wire type
	f.Add([]byte("\x0a\x01\xff"))                                     // no UTF-8
	f.Add([]byte("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))     // a negative number
	f.Add([]byte("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) // too long
	f.Add([]byte("\x9a\x06\x01x"))                                    // an unknown field
	f.Add([]byte("\x92\x80\x00\x02\x12\x00"))                         // a tag longer than it must be
	f.Add(bytes.Repeat([]byte("\x12\x02\x0a\x00"), 7))
	f.Add(append([]byte("\x12\x0e"), bytes.Repeat([]byte("\x0a\x00"), 7)...)) // too many notices
	f.Fuzz(func(t *testing.T, request []byte) {
		want := &gecv1.QuoteRequest{}
		wantErr := proto.Unmarshal(request, want)
		got, _, err := rpc.Decode(request)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if err == nil && !proto.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
