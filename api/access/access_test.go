package access_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"gec/api/access"
	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/store/badger"
)

// office is an Access with its Keyring on a catalogue, and a clock.
type office struct {
	t         testing.TB
	catalogue *bundles.Catalogue
	ring      *access.Keyring
	*access.Access
	now time.Time
}

func newOffice(t testing.TB, o access.Options) *office {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, FreeBytes: func(string) (uint64, error) { return 1 << 40, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	f := &office{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	if f.catalogue, err = bundles.Open(t.Context(), store, bundles.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	f.ring = access.NewKeyring(f.catalogue, clock)
	o.Annex, o.Now = f.catalogue, clock
	if f.Access, err = access.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return f
}

var owner = bundles.Operator("owner")

func (f *office) key(k access.Key) (access.Key, string) {
	f.t.Helper()
	made, secret, err := f.ring.New(f.t.Context(), owner, k)
	if err != nil {
		f.t.Fatal(err)
	}
	return made, secret
}

// ask makes a request that shows a key.
func (f *office) ask(operation, key string) (*access.Grant, error) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if key != "" {
		r.Header.Set(access.KeyHeader, key)
	}
	return f.HTTP(r, operation)
}

func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return problem.Of(err).Status
}

// carrying is the context of a gRPC call that shows a key.
func (f *office) carrying(key string) context.Context {
	return metadata.NewIncomingContext(f.t.Context(), metadata.Pairs(access.KeyMetadata, key))
}

func (f *office) want(status int, operation, key, what string) {
	f.t.Helper()
	if _, err := f.ask(operation, key); statusOf(err) != status {
		f.t.Errorf("%s: %v, want %d", what, err, status)
	}
}

// TestWhatIsTakenAsAKey holds that nothing but the whole secret of a key in force is taken (goal 27).
func TestWhatIsTakenAsAKey(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, secret := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	f.want(200, "getFees", secret, "the key")
	other := []byte(secret)
	other[20] ^= 1
	for what, key := range map[string]string{
		"none": "", "cut": secret[:len(secret)-1], "longer": secret + "x", "one character differs": string(other), "in capitals": strings.ToUpper(secret),
		"without its prefix": secret[4:], "spaces": " " + secret, "NUL": secret[:len(secret)-1] + "\x00", "long": strings.Repeat(secret, 1000), "not ASCII": strings.Repeat("é", 26) + "x",
	} {
		f.want(401, "getFees", key, what)
	}
	if err := access.CheckSecret(secret); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "gec_", string(other), secret[:len(secret)-1]} {
		if err := access.CheckSecret(wrong); err == nil || len(wrong) > 10 && strings.Contains(err.Error(), wrong[5:]) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	f.want(403, "testAddBundles", secret, "test endpoints are the operator's")
	f.want(403, "no such operation", secret, "an operation that no row opens")
	f.want(200, "info", "", "a public operation")
	if refused := f.Refused(); refused["no key"] != 1 || refused["unknown key"] != 9 || refused["role"] != 2 {
		t.Error(refused)
	}
}

// TestPlacesOfAKey holds where a key may be shown (spec 4).
func TestPlacesOfAKey(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, secret := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	escaped := strings.ReplaceAll(secret, "_", "%5F")
	for _, query := range []string{"?subscription-key=" + secret, "?a=b&subscription-key=" + escaped + "&c", "?subscription-key=" + secret + "&subscription-key=" + escaped} {
		if _, err := f.HTTP(httptest.NewRequest(http.MethodGet, "/"+query, nil), "getFees"); err != nil {
			t.Error(strings.ReplaceAll(query, secret, "…"), err)
		}
	}
	for _, query := range []string{"?subscription-key=", "?subscription-key=%", "?subscription-key=" + secret + "&subscription-key=x", "?subscription-key=x&subscription-key=" + secret, "?xsubscription-key=" + secret, "?Subscription-Key=" + secret} {
		if _, err := f.HTTP(httptest.NewRequest(http.MethodGet, "/"+strings.ReplaceAll(query, "%", "%25"), nil), "getFees"); err == nil {
			t.Error(strings.ReplaceAll(query, secret, "…"), "is taken")
		}
	}
	for header, value := range map[string]string{"ocp-apim-subscription-key": secret, "Authorization": "bearer " + secret} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(header, value)
		if _, err := f.HTTP(r, "getFees"); err != nil {
			t.Error(header, err)
		}
	}
	for name, value := range map[string]string{access.KeyMetadata: secret, "authorization": "Bearer " + secret} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(name, value))
		if g, err := f.GRPC(ctx, "/gec.v1.QuoteService/Quote"); err != nil || g.Name() != "platform" {
			t.Error(name, g, err)
		}
	}
	if _, err := f.GRPC(t.Context(), "/gec.v1.QuoteService/Quote"); statusOf(err) != 401 {
		t.Error(err)
	}
}

// TestLifeOfAKey holds rotation with its overlap, expiry, and revocation from the next call on.
func TestLifeOfAKey(t *testing.T) {
	f := newOffice(t, access.Options{})
	k, first := f.key(access.Key{Name: "bank", Roles: []access.Role{access.PSPRole("BANK")}, ExpiresAt: f.now.Add(48 * time.Hour)})
	k, second, err := f.ring.Rotate(t.Context(), owner, k.ID, time.Hour)
	if err != nil || first == second {
		t.Fatal(err)
	}
	f.want(200, "getBundles", first, "the old secret within the overlap")
	f.want(200, "getBundles", second, "the new secret")
	f.now = f.now.Add(time.Hour)
	f.want(401, "getBundles", first, "the old secret after the overlap")
	f.want(200, "getBundles", second, "the new secret")
	_, third, err := f.ring.Rotate(t.Context(), owner, k.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.want(401, "getBundles", second, "without an overlap")
	f.want(200, "getBundles", third, "the third secret")
	f.now = k.ExpiresAt.Add(-1)
	f.want(200, "getBundles", third, "just before its end")
	f.now = k.ExpiresAt
	f.want(401, "getBundles", third, "at its end")
	if _, _, err := f.ring.Rotate(t.Context(), owner, k.ID, 0); statusOf(err) != 409 {
		t.Error("an expired key is rotated:", err)
	}

	again, secret := f.key(access.Key{Name: "bank"})
	f.want(200, "getBundles", secret, "the name of an expired key is free")
	if _, _, err := f.ring.New(t.Context(), owner, access.Key{Name: "bank"}); statusOf(err) != 409 {
		t.Error("two keys in force have one name:", err)
	}
	for range 2 {
		if k, err := f.ring.Revoke(t.Context(), owner, again.ID); err != nil || k.State(f.now) != "REVOKED" {
			t.Error(k, err)
		}
		f.want(401, "getBundles", secret, "revoked")
	}
	if f.Open() {
		t.Error("with all keys over, quotes are open to all")
	}
	f.want(401, "getFees", "", "no key while all are over")
	if refused := f.Refused(); refused["expired key"] != 2 || refused["revoked key"] != 2 {
		t.Error(refused)
	}
	for _, id := range []string{"", "key-0", "\x00", strings.Repeat("x", 300)} {
		if _, err := f.ring.Revoke(t.Context(), owner, id); !errors.Is(err, bundles.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestWithoutKeys holds least authority: quotes are open, authoring is not, unless a flag says so.
func TestWithoutKeys(t *testing.T) {
	f := newOffice(t, access.Options{})
	f.want(200, "getFees", "", "quotes")
	f.want(200, "getFees", "whatever clients send", "quotes with a key that nobody made")
	f.want(200, "testAddBundles", "", "test endpoints")
	f.want(401, "createBundle", "", "authoring")
	f.want(401, "getKeys", "", "keys")
	open := newOffice(t, access.Options{AnybodyOperates: true})
	if g, err := open.ask("createBundle", ""); err != nil || !g.Caller.Operator {
		t.Error(g, err)
	}
	_, secret := open.key(access.Key{Name: "bank", Roles: []access.Role{access.PSPRole("BANK")}})
	if g, err := open.ask("createBundle", secret); err != nil || g.Caller.Operator {
		t.Error("a key counts for what it is:", g, err)
	}
	open.want(401, "createBundle", secret[:20], "a wrong key is not nobody's")
}

// TestRate holds that calls above a key's rate are told when to come again, each key by itself.
func TestRate(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, slow := f.key(access.Key{Name: "slow", Roles: []access.Role{access.RoleQuotes}, RatePerSecond: 2})
	_, fast := f.key(access.Key{Name: "fast", Roles: []access.Role{access.RoleQuotes}})
	for n := range 4 {
		f.want(200, "getFees", slow, fmt.Sprint("call ", n))
	}
	_, err := f.ask("getFees", slow)
	if p := problem.Of(err); p.Status != 429 || p.RetryAfter <= 0 || !p.Bodyless() {
		t.Error(err)
	}
	f.key(access.Key{Name: "another", Roles: []access.Role{access.RoleQuotes}}) // a change of the keys gives no calls
	f.want(429, "getFees", slow, "after a change of the keys")
	if err := f.Stay(f.carrying(slow), "/gec.v1.QuoteService/Quote").Still(); err != nil {
		t.Error("a stream that goes on takes nothing of the rate:", err)
	}
	f.want(200, "getFees", fast, "another key")
	f.now = f.now.Add(time.Second)
	for n := range 2 {
		f.want(200, "getFees", slow, fmt.Sprint("a second later, call ", n))
	}
	f.want(429, "getFees", slow, "the burst is spent")
}

// TestStay holds that a stream that goes on is held to the keys as they are at each question: to the rate where it
// counts as a call, to rotation, revocation and end of the key, and to its roles.
func TestStay(t *testing.T) {
	f := newOffice(t, access.Options{})
	const batch = "/gec.v1.QuoteService/BatchQuote"
	stay := func(secret, method string) access.Stay {
		return f.Stay(f.carrying(secret), method)
	}
	want := func(status int, err error, what string) {
		t.Helper()
		if statusOf(err) != status {
			t.Errorf("%s: %v, want %d", what, err, status)
		}
	}
	quotes := []access.Role{access.RoleQuotes}
	slow, slowSecret := f.key(access.Key{Name: "slow", Roles: quotes, RatePerSecond: 2})
	_, brief := f.key(access.Key{Name: "brief", Roles: quotes, ExpiresAt: f.now.Add(time.Hour)})
	turned, turnedSecret := f.key(access.Key{Name: "turned", Roles: quotes})
	_, bank := f.key(access.Key{Name: "bank", Roles: []access.Role{access.PSPRole("BANK")}})
	s, b, r := stay(slowSecret, batch), stay(brief, batch), stay(turnedSecret, batch)
	for range 4 {
		want(200, s.Again(), "within the burst")
		want(200, b.Again(), "no rate")
		want(200, r.Again(), "no rate")
	}
	want(429, s.Again(), "beyond the burst")
	want(200, s.Still(), "what is no call")
	want(403, stay(bank, batch).Again(), "a key without the role")
	want(401, stay("gec_", batch).Still(), "no key of this node")
	want(200, stay("", "/grpc.health.v1.Health/Watch").Again(), "a public method")

	if _, _, err := f.ring.Rotate(t.Context(), owner, turned.ID, 0); err != nil {
		t.Fatal(err)
	}
	want(401, r.Again(), "a secret that was turned in")
	if _, err := f.ring.Revoke(t.Context(), owner, slow.ID); err != nil {
		t.Fatal(err)
	}
	want(401, s.Again(), "a key that was revoked")
	want(401, s.Still(), "a key that was revoked")
	f.now = f.now.Add(time.Hour)
	want(401, b.Again(), "a key that has ended")
}

// TestExplanationsWeighMore holds that a key has spent its rate with few explanations, over HTTP and gRPC, that it hears
// when there is room for the next, and that a key of a small rate may explain all the same (spec 7, API4).
func TestExplanationsWeighMore(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, key := f.key(access.Key{Name: "checkout", Roles: []access.Role{access.RoleQuotes}, RatePerSecond: 10})
	f.want(200, "explain", key, "the first")
	if _, err := f.GRPC(f.carrying(key), "/gec.v1.QuoteService/Explain"); err != nil {
		t.Error(err)
	}
	_, err := f.ask("explain", key)
	if p := problem.Of(err); p == nil || p.Status != 429 || p.RetryAfter != time.Second {
		t.Errorf("%+v", p)
	}
	f.want(429, "getFees", key, "a quote when all is spent")
	f.now = f.now.Add(time.Second)
	for n := range 10 {
		f.want(200, "getFees", key, fmt.Sprint("a second later, quote ", n))
	}
	f.want(429, "explain", key, "after ten quotes")
	_, small := f.key(access.Key{Name: "auditor", Roles: []access.Role{access.RoleAuditor}, RatePerSecond: 1})
	f.want(200, "explain", small, "of a small rate")
	f.want(429, "explain", small, "of a small rate again")
}

// TestDelegation holds that partners act for a party in the functions that it gave, until the end or its withdrawal,
// and pass nothing on.
func TestDelegation(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, bankSecret := f.key(access.Key{Name: "bank", Roles: []access.Role{access.PSPRole("BANK")}})
	partner, partnerSecret := f.key(access.Key{Name: "partner"})
	who := func(secret string) bundles.Caller {
		t.Helper()
		g, err := f.ask("getBundles", secret)
		if err != nil {
			t.Fatal(err)
		}
		return g.Caller
	}
	give := access.Delegation{Party: access.PSPRole("bank"), Grantee: partner.ID, Functions: []bundles.Function{bundles.FunctionOffers}, Until: f.now.Add(time.Hour)}
	if _, err := f.ring.Delegate(t.Context(), who(partnerSecret), give); !errors.Is(err, bundles.ErrNotFound) {
		t.Error("somebody gave what is another's:", err)
	}
	d, err := f.ring.Delegate(t.Context(), who(bankSecret), give)
	if err != nil {
		t.Fatal(err)
	}
	c := who(partnerSecret)
	if c.MayForPSP("BANK", bundles.FunctionOffers) != nil || c.MayForPSP("BANK", bundles.FunctionBundles) == nil || c.MayReadPSP("BANK") != nil || c.MayReadPSP("OTHER") == nil {
		t.Errorf("%+v", c)
	}
	if _, err := f.ring.Delegate(t.Context(), c, give); !errors.Is(err, bundles.ErrForbidden) {
		t.Error("a partner passed it on:", err)
	}
	if err := f.ring.Withdraw(t.Context(), c, d.ID); !errors.Is(err, bundles.ErrForbidden) {
		t.Error("a partner withdrew what it was given:", err)
	}
	for _, see := range []struct {
		caller bundles.Caller
		id     string
		want   int
	}{{who(bankSecret), "", 1}, {c, partner.ID, 1}, {c, "", 0}, {owner, "", 1}, {bundles.Caller{Auditor: true}, "", 1}, {bundles.Caller{}, "", 0}} {
		if all, err := f.ring.Delegations(t.Context(), see.caller, see.id); err != nil || len(all) != see.want {
			t.Errorf("%+v sees %v, %v", see.caller, all, err)
		}
	}
	f.now = give.Until
	if c := who(partnerSecret); c.MayReadPSP("BANK") == nil {
		t.Error("it did not end:", c)
	}
	give.Until = f.now.Add(time.Hour)
	if d, err = f.ring.Delegate(t.Context(), who(bankSecret), give); err != nil {
		t.Fatal(err)
	}
	if who(partnerSecret).MayReadPSP("BANK") != nil {
		t.Error("given again, it does not hold")
	}
	if err := f.ring.Withdraw(t.Context(), who(bankSecret), d.ID); err != nil || who(partnerSecret).MayReadPSP("BANK") == nil {
		t.Error("withdrawn, it holds:", err)
	}
	if err := f.ring.Withdraw(t.Context(), who(bankSecret), d.ID); !errors.Is(err, bundles.ErrNotFound) {
		t.Error(err)
	}
	records, err := f.catalogue.Records(t.Context(), owner, 1, f.catalogue.Head().Revision)
	if err != nil {
		t.Fatal(err)
	}
	if last := records[len(records)-2]; last.Operation != "createDelegation" || last.Caller != "bank" || last.OnBehalfOf != "bank" {
		t.Errorf("%+v", last)
	}
}

// TestFaultsOfKeysAndDelegations holds that every fault is told with its place.
func TestFaultsOfKeysAndDelegations(t *testing.T) {
	f := newOffice(t, access.Options{})
	partner, _ := f.key(access.Key{Name: "partner"})
	for want, k := range map[string]access.Key{
		"name":          {},
		"name:":         {Name: strings.Repeat("x", 36)},
		"roles[0]":      {Name: "a", Roles: []access.Role{"admin"}},
		"roles[1]":      {Name: "a", Roles: []access.Role{"operator", "operator"}},
		"roles[0]:":     {Name: "a", Roles: []access.Role{"psp:a b"}},
		"ratePerSecond": {Name: "a", RatePerSecond: -1},
		"expiresAt":     {Name: "a", ExpiresAt: f.now},
	} {
		var faults bundles.Faults
		if _, _, err := f.ring.New(t.Context(), owner, k); !errors.As(err, &faults) || faults[0].Path != strings.TrimSuffix(want, ":") {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, role := range []access.Role{
		"", "psp:", "psp:*", "psp:a*", "psp:a/b", "psp:a\x00", "psp:\u212a", "psp: a", " psp:a", "PSP:a", "psp:" + access.Role(strings.Repeat("x", 65)),
		"ec:", "ec:*", "ec:7777777777", "ec:777777777777", "ec:7777777777x", "Operator", "operator ", "psp", "quotes,operator",
	} {
		var faults bundles.Faults
		if _, _, err := f.ring.New(t.Context(), owner, access.Key{Name: "a", Roles: []access.Role{role}}); !errors.As(err, &faults) || faults[0].Path != "roles[0]" {
			t.Errorf("role %q: %v", role, err)
		}
	}
	for _, name := range []string{"a\x00b", "a\nb", "\u202ea", " "} {
		var faults bundles.Faults
		if _, _, err := f.ring.New(t.Context(), owner, access.Key{Name: name}); !errors.As(err, &faults) || faults[0].Path != "name" {
			t.Errorf("name %q: %v", name, err)
		}
	}
	until := f.now.Add(time.Hour)
	for want, d := range map[string]access.Delegation{
		"party":        {Grantee: partner.ID, Until: until, Party: "operator"},
		"grantee":      {Party: "psp:a", Until: until},
		"grantee:":     {Party: "psp:a", Until: until, Grantee: "key-nobody"},
		"functions[0]": {Party: "psp:a", Until: until, Grantee: partner.ID, Functions: []bundles.Function{"all"}},
		"until":        {Party: "psp:a", Grantee: partner.ID},
		"until:":       {Party: "psp:a", Grantee: partner.ID, Until: f.now.AddDate(6, 0, 0)},
	} {
		_, err := f.ring.Delegate(t.Context(), owner, d)
		if p := problem.Of(err); p == nil || p.Status != 400 || len(p.Fields) != 1 || p.Fields[0].Path != strings.TrimSuffix(want, ":") {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, c := range []bundles.Caller{{Name: "auditor", Auditor: true}, {Name: "bank", PSPs: []bundles.Party{{ID: "BANK"}}}} {
		if _, _, err := f.ring.New(t.Context(), c, access.Key{Name: "a"}); !errors.Is(err, bundles.ErrForbidden) {
			t.Error(c.Name, err)
		}
	}
}

// TestSecretsAreNowhere holds that neither the store nor a list has a secret, in any form but its digest.
func TestSecretsAreNowhere(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, secret := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	rows := 0
	err := f.catalogue.Annex(t.Context(), 0, bundles.KindKey, func(r bundles.Row) error {
		rows++
		for n := 4; n+8 <= len(secret); n++ {
			if strings.Contains(string(r.Document), secret[n:n+8]) {
				t.Errorf("the row holds %q of the secret", secret[n:n+8])
			}
		}
		return nil
	})
	if err != nil || rows != 1 {
		t.Error(rows, err)
	}
}

// TestKeysWhileTheyChange holds that calls and changes at once are safe, and that a revoked key is refused by every
// call that begins after the revocation (run with -race).
func TestKeysWhileTheyChange(t *testing.T) {
	f := newOffice(t, access.Options{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, steady := f.key(access.Key{Name: "steady", Roles: []access.Role{access.RoleQuotes}})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, err := f.ask("getFees", steady); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 20 {
		k, secret := f.key(access.Key{Name: fmt.Sprint("key ", n), Roles: []access.Role{access.RoleQuotes}, RatePerSecond: 100})
		f.want(200, "getFees", secret, "made")
		if _, err := f.ring.Revoke(ctx, owner, k.ID); err != nil {
			t.Fatal(err)
		}
		f.want(401, "getFees", secret, "revoked")
	}
	stop()
	callers.Wait()
}

// TestTwoKeysAtOnce holds that of two different keys in one place none is taken, whatever was looked at in front of the
// node, and that of keys in several places the first counts, also where it is none.
func TestTwoKeysAtOnce(t *testing.T) {
	f := newOffice(t, access.Options{Bearer: func(context.Context, string) (access.Identity, error) {
		return access.Identity{ID: "sub:x", Name: "x", Roles: []access.Role{access.RoleOperator}}, nil
	}})
	_, platform := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	_, operator := f.key(access.Key{Name: "operator", Roles: []access.Role{access.RoleOperator}})
	const header, authorization, several = access.KeyHeader, "Authorization", 401
	for _, c := range []struct {
		what    string
		headers [][2]string
		query   string
		caller  string
		status  int
	}{
		{"the same twice", [][2]string{{header, platform}, {header, platform}}, "", "platform", 200},
		{"two", [][2]string{{header, platform}, {header, operator}}, "", "", several},
		{"an empty one first", [][2]string{{header, ""}, {header, operator}}, "", "", several},
		{"in one line", [][2]string{{header, platform + ", " + operator}}, "", "", several},
		{"a key and a query", [][2]string{{header, platform}}, "?subscription-key=" + operator, "platform", 200},
		{"no key and a query", [][2]string{{header, "x"}}, "?subscription-key=" + operator, "", 401},
		{"a key and a token", [][2]string{{header, platform}, {authorization, "Bearer token"}}, "", "platform", 200},
		{"two tokens", [][2]string{{authorization, "Bearer a"}, {authorization, "Bearer b"}}, "", "", several},
		{"a token and a key as such", [][2]string{{authorization, "Bearer a"}, {authorization, "Bearer " + platform}}, "", "", several},
		{"another scheme", [][2]string{{authorization, "Basic " + platform}}, "", "", 401},
		{"a header of another name", [][2]string{{"X-Api-Key", operator}}, "", "", 401},
		{"5 KiB", [][2]string{{header, strings.Repeat(operator, 100)}}, "", "", 401},
	} {
		r := httptest.NewRequest(http.MethodPost, "/"+c.query, nil)
		pairs := []string{}
		for _, h := range c.headers {
			r.Header.Add(h[0], h[1])
			pairs = append(pairs, strings.ToLower(h[0]), h[1])
		}
		if g, err := f.HTTP(r, "getFees"); statusOf(err) != c.status || g.Name() != c.caller {
			t.Errorf("%s: %q, %v", c.what, g.Name(), err)
		}
		if c.query != "" {
			continue
		}
		if g, err := f.GRPC(metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...)), "/gec.v1.QuoteService/Quote"); statusOf(err) != c.status || g.Name() != c.caller {
			t.Errorf("%s over gRPC: %q, %v", c.what, g.Name(), err)
		}
	}
	if _, err := f.GRPC(metadata.NewIncomingContext(t.Context(), metadata.Pairs(access.KeyMetadata+"-bin", operator)), "/gec.v1.QuoteService/Quote"); statusOf(err) != 401 {
		t.Errorf("a key as binary metadata: %v", err)
	}
}

// TestDelegationsAtTheirEnd holds that one that ends at an instant is not taken at that instant, that a partner of many
// parties may act for each of them and for nobody else, and that what ends for one goes on for the others.
func TestDelegationsAtTheirEnd(t *testing.T) {
	f := newOffice(t, access.Options{})
	broker, secret := f.key(access.Key{Name: "broker"})
	const parties = 100
	for n := range parties {
		_, err := f.ring.Delegate(t.Context(), owner, access.Delegation{
			Party: access.PSPRole(fmt.Sprintf("PSP%03d", n)), Grantee: broker.ID, Until: f.now.Add(time.Duration(n+1) * time.Second),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	begun := f.now
	for _, elapsed := range []time.Duration{0, time.Second - 1, time.Second, 50*time.Second + 1, 99 * time.Second, 100 * time.Second} {
		f.now = begun.Add(elapsed)
		g, err := f.ask("getAccess", secret)
		if err != nil {
			t.Fatal(err)
		}
		for n := range parties {
			may := g.Caller.MayForPSP(fmt.Sprintf("PSP%03d", n), bundles.FunctionBundles) == nil
			if want := elapsed < time.Duration(n+1)*time.Second; may != want {
				t.Errorf("after %v PSP %d: %v, want %v", elapsed, n, may, want)
			}
		}
		for _, other := range []string{"PSP100", "PSP", "PSP0000", "PSP00", "", "*"} {
			if err := g.Caller.MayForPSP(other, bundles.FunctionBundles); !errors.Is(err, bundles.ErrNotFound) {
				t.Errorf("%q: %v", other, err)
			}
		}
		if _, err := f.ring.Delegate(t.Context(), g.Caller, access.Delegation{Party: "psp:PSP099", Grantee: "somebody", Until: f.now.Add(time.Hour)}); err == nil {
			t.Error("the partner passes on what was delegated to it")
		}
	}
}

// TestChangesAreTakenOverOneByOne changes keys and delegations at random and holds that what was taken over change by
// change is what a node that starts now reads.
func TestChangesAreTakenOverOneByOne(t *testing.T) {
	f := newOffice(t, access.Options{})
	dice := rand.New(rand.NewPCG(6, 7))
	var ids, secrets, given []string
	for step := range 300 {
		f.now = f.now.Add(time.Duration(dice.IntN(20)) * time.Second)
		var err error
		switch any := dice.IntN(max(len(ids), 1)); {
		case len(ids) < 3 || dice.IntN(5) == 0:
			k, secret := f.key(access.Key{Name: fmt.Sprint("key ", step), Roles: []access.Role{access.PSPRole(fmt.Sprint("P", step))}, RatePerSecond: dice.IntN(3) * 1000})
			ids, secrets = append(ids, k.ID), append(secrets, secret)
		case dice.IntN(4) == 0:
			var secret string
			_, secret, err = f.ring.Rotate(t.Context(), owner, ids[any], time.Duration(dice.IntN(2))*time.Minute)
			secrets = append(secrets, secret)
			if errors.As(err, new(*bundles.StateError)) { // revoked
				err = nil
			}
		case dice.IntN(6) == 0:
			_, err = f.ring.Revoke(t.Context(), owner, ids[any])
		case len(given) > 0 && dice.IntN(3) == 0:
			if err = f.ring.Withdraw(t.Context(), owner, given[dice.IntN(len(given))]); errors.Is(err, bundles.ErrNotFound) {
				err = nil
			}
		default:
			var d access.Delegation
			d, err = f.ring.Delegate(t.Context(), owner, access.Delegation{Party: access.PSPRole(fmt.Sprint("D", step)), Grantee: ids[any], Until: f.now.Add(time.Duration(1+dice.IntN(100)) * time.Second)})
			given = append(given, d.ID)
			if statusOf(err) == http.StatusBadRequest && err != nil { // to a revoked key
				given, err = given[:len(given)-1], nil
			}
		}
		if err != nil {
			t.Fatal(step, err)
		}
		fresh, err := access.New(t.Context(), access.Options{Annex: f.catalogue, Now: func() time.Time { return f.now }})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set(access.KeyHeader, secret)
			want, wantErr := fresh.HTTP(r, "getAccess")
			got, err := f.HTTP(r, "getAccess")
			if statusOf(err) != statusOf(wantErr) || err == nil && !reflect.DeepEqual(parties(got), parties(want)) {
				t.Fatalf("step %d: %+v %v, a fresh node %+v %v", step, got, err, want, wantErr)
			}
		}
	}
}

// parties are those that a grant is for, in order.
func parties(g *access.Grant) []string {
	var all []string
	for _, p := range g.Caller.PSPs {
		all = append(all, fmt.Sprint(p))
	}
	slices.Sort(all)
	return append(all, fmt.Sprint(g.ID, g.Roles))
}

// TestNoAllocation holds that a call with a key costs no memory.
func TestNoAllocation(t *testing.T) {
	f := newOffice(t, access.Options{})
	_, secret := f.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}, RatePerSecond: 1_000_000})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set(access.KeyHeader, secret)
	if allocs := testing.AllocsPerRun(100, func() { f.HTTP(r, "getFees") }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// BenchmarkKey is what a key costs on the way of a quote.
func BenchmarkKey(b *testing.B) {
	f := newOffice(b, access.Options{})
	var secret string
	for n := range 1000 {
		_, secret = f.key(access.Key{Name: fmt.Sprint("key ", n), Roles: []access.Role{access.RoleQuotes}})
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set(access.KeyHeader, secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.HTTP(r, "getFees"); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzKey holds that no text but the secret is taken as a key, and none does harm.
func FuzzKey(f *testing.F) {
	o := newOffice(f, access.Options{})
	_, secret := o.key(access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}})
	f.Add(secret, "")
	f.Add("", "subscription-key=%zz")
	f.Add("gec_", "a&subscription-key=+&&=")
	f.Fuzz(func(t *testing.T, key, query string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header[access.KeyHeader] = []string{key}
		r.URL.RawQuery = query
		if _, err := o.HTTP(r, "getFees"); err == nil && key != secret && !strings.Contains(query, "subscription-key=") {
			t.Errorf("%q is taken", key)
		}
		if err := access.CheckSecret(key); err == nil && len(key) != len(secret) {
			t.Errorf("%q looks like a key", key)
		}
	})
}

// BenchmarkReload takes over a change of one key among 10 000, with 100 delegations.
func BenchmarkReload(b *testing.B) {
	f := newOffice(b, access.Options{})
	_, err := f.catalogue.ChangeAnnex(b.Context(), owner, "test", func(func(bundles.Kind, string) (bundles.Row, error)) (rows []bundles.Row, err error) {
		for n := range 10_000 {
			rows = append(rows, bundles.Row{Kind: bundles.KindKey, ID: fmt.Sprintf("k%05d", n), Document: fmt.Appendf(nil, `{"id":"k%05d","name":"key","roles":["psp:P%d"],"createdAt":"2026-11-26T12:00:00Z","secrets":[{"sha256":"%064x"}]}`, n, n, n)})
		}
		return rows, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	made, secret := f.key(access.Key{Name: "one", Roles: []access.Role{access.RoleQuotes}})
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		var err error
		if _, secret, err = f.ring.Rotate(b.Context(), owner, made.ID, 0); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := f.ask("getFees", secret); err != nil {
			b.Fatal(err)
		}
	}
}
