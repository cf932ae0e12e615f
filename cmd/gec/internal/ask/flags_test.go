package ask

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
)

func request(t *testing.T, args ...string) (*gecv1.QuoteRequest, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := Register(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f.Request()
}

// plain is the request of `--cents 2500` alone.
func plain(change func(*gecv1.QuoteRequest)) *gecv1.QuoteRequest {
	r := &gecv1.QuoteRequest{
		Payment: &gecv1.Payment{
			Notices: []*gecv1.Notice{{AmountCents: 2500, Transfers: []*gecv1.Transfer{{}}}},
			AllCcp:  proto.Bool(true),
		},
		Order: gecv1.Order_ORDER_RANDOM, OnUsFirst: proto.Bool(true), MaxOccurrences: proto.Int32(10),
	}
	if change != nil {
		change(r)
	}
	return r
}

const ec = "77777777777"

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		args   string
		change func(*gecv1.QuoteRequest)
	}{
		{"--cents 2500", nil},
		{"--amount 25", nil},
		{"--amount 25,00", nil},
		{"--amount 0.29", func(r *gecv1.QuoteRequest) { r.Payment.Notices[0].AmountCents = 29 }},
		{"--amount 25 --ec " + ec + " --category 0102100SA --category 9/0301109AP/ --stamp", func(r *gecv1.QuoteRequest) {
			r.Payment.Notices[0] = &gecv1.Notice{AmountCents: 2500, CreditorInstitution: ec, Transfers: []*gecv1.Transfer{
				{CreditorInstitution: ec, TransferCategory: "0102100SA", DigitalStamp: true},
				{CreditorInstitution: ec, TransferCategory: "9/0301109AP/", DigitalStamp: true},
			}}
		}},
		{"--notice amount=25.00,ec=" + ec + ",category=A,stamp,category=B --notice cents=1,stamp,category=C", func(r *gecv1.QuoteRequest) {
			r.Payment.Notices = []*gecv1.Notice{
				{AmountCents: 2500, CreditorInstitution: ec, Transfers: []*gecv1.Transfer{
					{CreditorInstitution: ec, TransferCategory: "A", DigitalStamp: true},
					{CreditorInstitution: ec, TransferCategory: "B"},
				}},
				{AmountCents: 1, Transfers: []*gecv1.Transfer{{TransferCategory: "C", DigitalStamp: true}}},
			}
		}},
		{"--cents 2500 --touchpoint CHECKOUT --type CP --bin 400000 --order FeeRandom --limit 3 --on-us-first=false --all-ccp=false --reference X --every-bundle", func(r *gecv1.QuoteRequest) {
			r.Payment.Touchpoint, r.Payment.PaymentType, r.Payment.Bin, r.Payment.Reference = "CHECKOUT", "CP", "400000", "X"
			r.Payment.AllCcp, r.OnUsFirst, r.MaxOccurrences = proto.Bool(false), proto.Bool(false), proto.Int32(3)
			r.Order, r.View = gecv1.Order_ORDER_FEE_RANDOM, gecv1.View_VIEW_EVERY_BUNDLE
		}},
		{"--cents 2500 --psp A --psp B,channel=C,broker=D", func(r *gecv1.QuoteRequest) {
			r.Payment.Psps = []*gecv1.PSPFilter{{Psp: "A"}, {Psp: "B", Channel: "C", Broker: "D"}}
		}},
		{"--cents 2500 --revision 0 --seed 0 --at 2026-11-21", func(r *gecv1.QuoteRequest) {
			r.Revision, r.Seed = proto.Int64(0), proto.Uint64(0)
			r.At = timestamppb.New(time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC))
		}},
	} {
		t.Run(test.args, func(t *testing.T) {
			got, err := request(t, strings.Fields(test.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(test.change), got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequestRefusesWhatCanBeReadTwoWays(t *testing.T) {
	for args, want := range map[string]string{
		"":                                   "say how much is paid",
		"--amount 25 --cents 2500":           "say how much is paid",
		"--amount 1.000":                     "no mark for thousands",
		"--cents 25.00":                      "no number of cents",
		"--cents -1":                         "no number of cents",
		"--notice cents=1 --ec " + ec:        "--notice states whole notices",
		"--notice ec=" + ec:                  "needs either amount= in euro",
		"--notice cents=1,amount=1":          "needs either amount= in euro",
		"--notice cents=1,tax=2":             `"tax=2" is none of`,
		"--notice cents=1,stamp=yes":         "stamp stands alone",
		"--cents 1 --psp A,via=B":            "neither channel= nor broker=",
		"--cents 1 --order cheap":            `"cheap" is none of random, fee, pspname, feerandom`,
		"--cents 1 --at yesterday":           "is no instant",
		"--cents 1 --at 2026-02-30":          "is no instant",
		"--cents 1 --at 2026-11-21T24:30":    "is no instant",
		"--amount 99999999999999999999":      "more than any payment",
		"--notice cents=1 --notice amount=x": "no amount in euro",
	} {
		if r, err := request(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: request %v, error %v, want %q", args, r, err, want)
		}
	}
}

func TestParseInstantIsRomesTimeWithoutAnOffset(t *testing.T) {
	for text, want := range map[string]string{
		"2026-07-01":                     "2026-06-30T22:00:00Z",
		"2026-11-21T10:30":               "2026-11-21T09:30:00Z",
		"2026-11-21 10:30":               "2026-11-21T09:30:00Z",
		"2026-11-21T10:30:15":            "2026-11-21T09:30:15Z",
		"2026-11-21T10:30:00Z":           "2026-11-21T10:30:00Z",
		"2026-11-21T10:30:00.5+01:00":    "2026-11-21T09:30:00.5Z",
		"2026-11-21T10:30:00.123456789Z": "2026-11-21T10:30:00.123456789Z",
	} {
		got, err := ParseInstant(text)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("ParseInstant(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}
