package receipt

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/engine"
)

// private is a key of the tests, the same in every run.
var private = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, yes!"))

func publicKey() ed25519.PublicKey { return private.Public().(ed25519.PublicKey) }

var evening = time.Date(2026, time.November, 21, 22, 59, 30, 123456789, time.UTC)

func sample() Receipt {
	r := Receipt{
		Contract: V2, Stated: Stated{Order: engine.OrderFee, OnUsFirst: true, Limit: 10}, Revision: 41, History: [8]byte{1, 2, 3},
		At: evening, Issued: evening.Truncate(time.Second), Seed: 1<<63 + 7, Request: [32]byte{4}, Answer: [32]byte{5},
	}
	r.Sign(private)
	return r
}

func reasonOf(err error) Reason {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return 0
}

// TestTextIsStable holds the format to the text of the first release: receipts that were given stay good.
func TestTextIsStable(t *testing.T) {
	const golden = "AQIFAAAACgAAAAAAAAApAQIDAAAAAAAAAAAAawIiUgdbzRUAAAAAawIiUoAAAAAAAAAH8tEL6ixpJF0EAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAOALItEmO0SBjG1QerxTqeToPb6CIY7madEwIvkjp4i4a6j9uBWWtF4aEZJcVDgjhG3AQw1oFyFT18J_2jv8mBw"
	r := sample()
	if text := r.String(); text != golden || len(text) != TextBytes || TextBytes > 300 {
		t.Errorf("%d characters: %s", len(text), text)
	}
}

func TestEveryReceiptIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Receipt{
			Contract: rapid.SampledFrom([]Contract{V1, V2, Native}).Draw(t, "contract"),
			Stated: Stated{
				View:      rapid.SampledFrom([]engine.View{engine.OnePerPSP, engine.EveryBundle}).Draw(t, "view"),
				Order:     rapid.SampledFrom([]engine.Order{engine.OrderRandom, engine.OrderFee, engine.OrderPSPName, engine.OrderFeeRandom}).Draw(t, "order"),
				OnUsFirst: rapid.Bool().Draw(t, "on us"), WithoutPoste: rapid.Bool().Draw(t, "poste"), SeedGiven: rapid.Bool().Draw(t, "given"),
				Limit: rapid.Int32Min(1).Draw(t, "limit"),
			},
			Revision: rapid.Int64Min(0).Draw(t, "revision"), Seed: rapid.Uint64().Draw(t, "seed"),
			At:     time.Unix(rapid.Int64Range(0, secondsEnd-1).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "nanos")).UTC(),
			Issued: time.Unix(rapid.Int64Range(0, secondsEnd-1).Draw(t, "issued"), 0).UTC(),
		}
		r.Sign(private)
		got, err := Parse(r.String())
		if diff := cmp.Diff(r, got); diff != "" || err != nil || !got.Verify(publicKey()) {
			t.Fatalf("%v %s", err, diff)
		}
	})
}

// TestTamperingWithAnyByteShows changes every character of a receipt to every other one.
func TestTamperingWithAnyByteShows(t *testing.T) {
	r := sample()
	text := r.String()
	keys := KeySet{Keys: []Key{{ID: r.Key, Public: publicKey()}}}
	seen := map[Reason]int{}
	for i := range text {
		for _, other := range "ABCMNOXYZabcxyz0189-_ =\n\x00é" {
			changed := text[:i] + string(other) + text[i+1:]
			if changed == text {
				continue
			}
			parsed, err := Parse(changed)
			if err == nil {
				_, err = keys.Verify(&parsed)
			}
			reason := reasonOf(err)
			if reason != ReasonMalformed && reason != ReasonUnknownKey && reason != ReasonWrongSignature {
				t.Fatalf("character %d as %q is let through: %v", i, other, err)
			}
			seen[reason]++
		}
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
	for _, text := range []string{"", text[:len(text)-1], text + "A", strings.Repeat("A", TextBytes), "B" + text[1:]} {
		if _, err := Parse(text); reasonOf(err) != ReasonMalformed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := sample()
	f.Add(r.String())
	f.Add("wanted")
	f.Add(strings.Repeat("_", TextBytes))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			if reasonOf(err) != ReasonMalformed {
				t.Fatal(err)
			}
			return
		}
		if again := r.String(); again != text {
			t.Fatalf("%q is read and written %q", text, again)
		}
	})
}

func TestKeysThatEnded(t *testing.T) {
	r := sample()
	key := Key{ID: r.Key, Public: publicKey(), Made: evening.Add(-time.Hour)}
	for name, c := range map[string]struct {
		ended time.Time
		want  Reason
	}{
		"in use": {}, "ended since": {r.Issued.Add(time.Second), 0}, "ended while it was made": {r.Issued.Add(-endedGrace), 0},
		"ended before": {r.Issued.Add(-endedGrace - time.Second), ReasonEndedKey},
	} {
		key.Ended = c.ended
		if _, err := (KeySet{Keys: []Key{key}}).Verify(&r); reasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	stolen := Key{ID: r.Key, Public: make(ed25519.PublicKey, ed25519.PublicKeySize)}
	if _, err := (KeySet{Keys: []Key{stolen}}).Verify(&r); reasonOf(err) != ReasonWrongSignature {
		t.Error(err)
	}
}

// asked is a request in which everything is said.
func asked() *Request {
	at, revision := evening, int64(3)
	return &Request{
		Contract: Native, ID: "id", At: &at, Revision: &revision,
		Options: engine.Options{Order: engine.OrderFee, OnUsFirst: true, Limit: 5, Seed: 9, SeedGiven: true},
		Payment: &engine.Payment{
			Touchpoint: "Checkout", PaymentType: "cp", BIN: "403500", Reference: "iuv",
			PSPs: []engine.PSPFilter{{PSP: "b", Channel: "c"}, {PSP: "A", Broker: "x"}},
			Notices: []engine.Notice{
				{AmountCents: 100, CreditorInstitution: "77777777777", Transfers: []engine.Transfer{
					{CreditorInstitution: "77777777777", TransferCategory: "9/0102100SA/"}, {CreditorInstitution: "8", DigitalStamp: true},
				}},
				{AmountCents: 200, CreditorInstitution: "88888888888", Transfers: []engine.Transfer{{}}},
			},
		},
	}
}

// TestCanonicalFormIsStable holds the canonical form to what docs/receipts.md says.
func TestCanonicalFormIsStable(t *testing.T) {
	const golden = "13:gec request 1,6:gec.v1,2:id,2:37,1:5,1:9,20:1795301970.123456789,1:3,8:CHECKOUT,2:CP,6:403500,3:iuv," +
		"1:2,3:100,11:77777777777,1:2,11:77777777777,9:0102100SA,1:0,1:8,0:,1:1,3:200,11:88888888888,1:1,0:,0:,1:0," +
		"1:2,1:A,0:,1:X,1:B,1:C,0:,"
	if diff := cmp.Diff(golden, string(asked().canonical())); diff != "" {
		t.Error(diff)
	}
}

func TestSameRequests(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"case":          func(r *Request) { r.Payment.Touchpoint, r.Payment.PaymentType = "CHECKOUT", "Cp" },
		"bare category": func(r *Request) { r.Payment.Notices[0].Transfers[0].TransferCategory = "0102100SA" },
		"order of PSPs": func(r *Request) {
			r.Payment.PSPs = []engine.PSPFilter{{PSP: "a", Broker: "X"}, {PSP: "B", Channel: "C"}, {PSP: "A", Broker: "x"}}
		},
		"another instant of the clock": func(r *Request) { r.Payment.At = evening.Add(time.Hour) },
	} {
		r := asked()
		if change(r); r.Hash() != asked().Hash() {
			t.Errorf("%s makes another request:\n%s\n%s", name, r.canonical(), asked().canonical())
		}
	}
	open, plain := asked(), asked()
	open.Payment.Touchpoint, open.Payment.PaymentType, open.Options.Limit = "any", "ANY", 0
	plain.Payment.Touchpoint, plain.Payment.PaymentType, plain.Options.Limit = "", "", engine.DefaultLimit
	if open.Hash() != plain.Hash() {
		t.Error("defaults make another request")
	}
}

// TestEveryFieldMakesAnotherRequest changes one field at a time; what is stated in the clear is also named.
func TestEveryFieldMakesAnotherRequest(t *testing.T) {
	hour, revision := evening.Add(time.Hour), int64(4)
	changes := map[string]struct {
		change func(*Request)
		named  string
	}{
		"contract":        {func(r *Request) { r.Contract = V2 }, "the contract, which was gec.v1"},
		"id":              {func(r *Request) { r.ID = "" }, ""},
		"at":              {func(r *Request) { r.At = &hour }, ""},
		"no at":           {func(r *Request) { r.At = nil }, ""},
		"revision":        {func(r *Request) { r.Revision = &revision }, ""},
		"order":           {func(r *Request) { r.Options.Order = engine.OrderRandom }, "order, which was fee"},
		"on us first":     {func(r *Request) { r.Options.OnUsFirst = false }, "on_us_first, which was true"},
		"view":            {func(r *Request) { r.Options.View = engine.EveryBundle }, "view, which was one per PSP"},
		"limit":           {func(r *Request) { r.Options.Limit = 6 }, "max_occurrences, which was 5"},
		"seed":            {func(r *Request) { r.Options.Seed = 10 }, "seed, which was 9"},
		"seed left out":   {func(r *Request) { r.Options.SeedGiven = false }, "seed, which was given"},
		"poste":           {func(r *Request) { r.Payment.WithoutPoste = true }, "payment.all_ccp, which was true"},
		"touchpoint":      {func(r *Request) { r.Payment.Touchpoint = "IO" }, ""},
		"payment type":    {func(r *Request) { r.Payment.PaymentType = "" }, ""},
		"BIN":             {func(r *Request) { r.Payment.BIN = "4035000" }, ""},
		"reference":       {func(r *Request) { r.Payment.Reference = "IUV" }, ""},
		"order of cart":   {func(r *Request) { n := r.Payment.Notices; n[0], n[1] = n[1], n[0] }, ""},
		"amount":          {func(r *Request) { r.Payment.Notices[1].AmountCents++ }, ""},
		"EC":              {func(r *Request) { r.Payment.Notices[1].CreditorInstitution = "" }, ""},
		"transfer":        {func(r *Request) { r.Payment.Notices[1].Transfers = nil }, ""},
		"EC of transfer":  {func(r *Request) { r.Payment.Notices[1].Transfers[0].CreditorInstitution = "1" }, ""},
		"category":        {func(r *Request) { r.Payment.Notices[0].Transfers[0].TransferCategory = "0102100sa" }, ""},
		"stamp":           {func(r *Request) { r.Payment.Notices[1].Transfers[0].DigitalStamp = true }, ""},
		"order of shares": {func(r *Request) { s := r.Payment.Notices[0].Transfers; s[0], s[1] = s[1], s[0] }, ""},
		"PSP":             {func(r *Request) { r.Payment.PSPs[0].PSP = "bb" }, ""},
		"channel":         {func(r *Request) { r.Payment.PSPs[0].Channel = "" }, ""},
		"broker":          {func(r *Request) { r.Payment.PSPs[1].Broker = "y" }, ""},
		"all PSPs":        {func(r *Request) { r.Payment.PSPs = nil }, ""},
	}
	of := sample()
	of.Contract, of.Stated, of.Seed, of.Request = Native, asked().stated(), 9, asked().Hash()
	hashes := map[[32]byte]string{of.Request: "the request itself"}
	for name, c := range changes {
		r := asked()
		c.change(r)
		if other, taken := hashes[r.Hash()]; taken {
			t.Errorf("%s is the same request as %s", name, other)
		}
		hashes[r.Hash()] = name
		if got := strings.Join(r.differences(&of), "; "); got != c.named {
			t.Errorf("%s is told as %q", name, got)
		}
		if err := otherRequest(&of, r); reasonOf(err) != ReasonOtherRequest || !strings.Contains(err.Error(), c.named) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkGive(b *testing.B) {
	r, q := sample(), asked()
	b.ReportAllocs()
	for b.Loop() {
		r.Request = q.Hash()
		r.Sign(private)
		if len(r.String()) != TextBytes {
			b.Fatal("no receipt")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	r := sample()
	text := r.String()
	for b.Loop() {
		if got, err := Parse(text); err != nil || !got.Verify(publicKey()) {
			b.Fatal(err)
		}
	}
}
