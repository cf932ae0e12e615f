package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"gec/api/access"
	"gec/bundles"
	"gec/cmd/gec/internal/config"
	"gec/engine"
)

// isolationRow is one row of testdata/isolation.yaml.
type isolationRow struct {
	Operation, Of, Body, Type string
	Changes                   bool
	Want                      map[string]int
}

// The kinds of callers. Each shows a key but none.
var callerKinds = []string{"own", "delegated", "other", "platform", "none", "operator", "auditor", "expired", "revoked"}

// want is the status that a kind of caller gets; 200 stands for every success.
func (r *isolationRow) want(kind string) int {
	if status, ok := r.Want[kind]; ok {
		return status
	}
	if r.Of == "public" {
		return http.StatusOK
	}
	switch kind {
	case "none", "expired", "revoked":
		return http.StatusUnauthorized
	case "operator":
		return http.StatusOK
	case "auditor":
		if r.Changes {
			return http.StatusForbidden
		}
		return http.StatusOK
	}
	switch of := r.Of; {
	case of == "any", of == "quotes" && kind == "platform", (of == "psp" || of == "ec") && (kind == "own" || kind == "delegated"):
		return http.StatusOK
	case of == "psp" || of == "ec":
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

// world is a node in this process whose catalogue has a thing of every kind, of two PSPs and two ECs.
type world struct {
	t      *testing.T
	data   string
	folder *Folder
	node   *node
	conn   *grpc.ClientConn
	things map[string]string
	keys   map[string]string
	// endJournal closes the journal where there is one.
	endJournal func()
}

const (
	matrixPSP, rivalPSP = "BANK", "RIVAL"
	matrixEC, rivalEC   = "77777777777", "88888888888"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOf(t, false)
}

// worldOf is newWorld with or without a journal.
func worldOf(t *testing.T, journaled bool) *world {
	t.Helper()
	c := config.Config{
		DataDir: t.TempDir(), WatermarkMiB: 16, ProgramsMax: 16, ECPlansMax: 16, SnapshotsMax: 1, Store: "badger", OpsAddress: off,
		HTTPAddress: "127.0.0.1:0", GRPCAddress: "127.0.0.1:0", TestEndpoints: true, OverloadWait: time.Minute, ConnectionsMax: 16, Environment: "test",
	}
	folder, err := Open(t.Context(), c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	w := &world{t: t, data: c.DataDir, folder: folder, keys: map[string]string{}}
	w.fill(folder)
	a, err := access.New(t.Context(), access.Options{Annex: folder.Catalogue})
	if err != nil {
		t.Fatal(err)
	}
	folder.desk = folder.receipts(c, quiet)
	watch, err := newWatch(c, folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	if journaled {
		c.Journal.On = true
		end, err := watch.openJournal(c, folder, quiet)
		if err != nil {
			t.Fatal(err)
		}
		w.endJournal = sync.OnceFunc(end)
		t.Cleanup(w.endJournal)
	}
	if w.node, err = assemble(c, "test", folder, a, proofs{}, watch, quiet); err != nil {
		t.Fatal(err)
	}
	w.node.ready(true)
	listener := bufconn.Listen(1 << 20)
	go w.node.grpc.Serve(listener)
	t.Cleanup(w.node.grpc.Stop)
	w.conn, err = grpc.NewClient("passthrough:///node", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.conn.Close() })
	return w
}

// fill stores the things and the keys.
func (w *world) fill(folder *Folder) {
	ctx, owner := w.t.Context(), Owner()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	bundle := func(psp, id string, kind engine.BundleType, cdi string) bundles.Bundle {
		origin := ""
		if cdi != "" {
			origin = bundles.OriginCDI
		}
		return bundles.Bundle{Origin: origin, Bundle: engine.Bundle{
			ID: id, PSP: psp, Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: psp, Name: id, Type: kind, PaymentType: "CP",
			Touchpoint: "CHECKOUT", Band: engine.Band{MaxCents: 1000}, Cart: true, Fee: engine.Fee{FlatCents: 90},
		}, CDI: cdi}
	}
	_, err := folder.Import(ctx, owner, bundles.Document{
		Settings: &engine.Settings{Touchpoints: []string{"CHECKOUT", "IO", "SPARE"}, PaymentTypes: []string{"CP", "PPAL", "SPARE"}},
		Bundles: []bundles.Bundle{
			bundle(matrixPSP, "global", engine.Global, "cdi"), bundle(matrixPSP, "public", engine.Public, ""), bundle(matrixPSP, "asked", engine.Public, ""),
			bundle(matrixPSP, "free", engine.Public, ""), bundle(matrixPSP, "private", engine.Private, ""), bundle(rivalPSP, "rivals", engine.Global, ""),
		},
		Subscriptions: []bundles.Subscription{{Subscription: engine.Subscription{
			ID: "sub", BundleID: "public", CreditorInstitution: matrixEC, Attributes: []engine.Attribute{{ID: "attribute", MaxPaymentAmountCents: 30, TransferCategory: "0101101IM"}},
		}}},
	}, bundles.ImportOptions{Lenient: true})
	must(err)
	offers, err := folder.MakeOffers(ctx, owner, matrixPSP, "private", []string{matrixEC})
	must(err)
	request, err := folder.MakeRequest(ctx, owner, matrixEC, "asked", nil, engine.Period{})
	must(err)
	_, err = folder.CreatePaymentMethod(ctx, owner, bundles.PaymentMethod{
		ID: "CARDS", Group: "CP", Names: map[string]string{"IT": "Carte"}, Descriptions: map[string]string{"IT": "Carte"}, Status: "ENABLED",
		Types: []string{"CARTE"}, Touchpoints: []string{"IO", "CHECKOUT"}, Devices: []string{"WEB"}, Management: "ONBOARDABLE",
	})
	must(err)
	ring := access.NewKeyring(folder, nil)
	ids := map[string]string{}
	add := func(ring *access.Keyring, name string, expires time.Time, roles ...access.Role) {
		w.t.Helper()
		k, secret, err := ring.New(ctx, owner, access.Key{Name: name, Roles: roles, ExpiresAt: expires})
		must(err)
		w.keys[name], ids[name] = secret, k.ID
	}
	add(ring, "psp", time.Time{}, access.PSPRole(matrixPSP))
	add(ring, "ec", time.Time{}, access.CreditorInstitutionRole(matrixEC))
	add(ring, "rival psp", time.Time{}, access.PSPRole(rivalPSP))
	add(ring, "rival ec", time.Time{}, access.CreditorInstitutionRole(rivalEC))
	add(ring, "delegated", time.Time{})
	add(ring, "spare", time.Time{})
	add(ring, "platform", time.Time{}, access.RoleQuotes)
	add(ring, "operator", time.Time{}, access.RoleOperator)
	add(ring, "auditor", time.Time{}, access.RoleAuditor)
	then := time.Now().Add(-time.Hour)
	add(access.NewKeyring(folder, func() time.Time { return then }), "expired", then.Add(time.Minute), access.RoleOperator)
	add(ring, "revoked", time.Time{}, access.RoleOperator)
	_, err = ring.Revoke(ctx, owner, ids["revoked"])
	must(err)
	until := time.Now().Add(time.Hour)
	for _, party := range []access.Role{access.PSPRole(matrixPSP), access.CreditorInstitutionRole(matrixEC)} {
		_, err = ring.Delegate(ctx, owner, access.Delegation{Party: party, Grantee: ids["delegated"], Until: until})
		must(err)
	}
	spare, err := ring.Delegate(ctx, owner, access.Delegation{Party: access.PSPRole(matrixPSP), Grantee: ids["spare"], Until: until})
	must(err)
	w.things = map[string]string{
		"psp": matrixPSP, "ec": matrixEC, "public": "public", "asked": "asked", "private": "private", "offer": offers[0].ID, "request": request.ID,
		"subscription": "sub", "attribute": "attribute", "key": ids["spare"], "delegation": spare.ID, "method": "CARDS", "cdi": "cdi",
	}
}

// key is the secret that a kind of caller of a row shows, empty for none.
func (w *world) key(r *isolationRow, kind string) string {
	party := "psp"
	if r.Of == "ec" {
		party = "ec"
	}
	switch kind {
	case "own":
		return w.keys[party]
	case "other":
		return w.keys["rival "+party]
	}
	return w.keys[kind]
}

var thing = regexp.MustCompile(`\{[a-z]+\}`)

// put puts things in place of their names.
func put(text string, things map[string]string) string {
	return thing.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := things[strings.Trim(name, "{}")]; ok {
			return value
		}
		return name
	})
}

// answer is what a call came to, in the statuses of HTTP.
type answer struct {
	status int
	body   string
}

// call makes a call of a row.
func (w *world) call(r *isolationRow, things map[string]string, key string) answer {
	w.t.Helper()
	if strings.HasPrefix(r.Operation, "/") {
		return w.callGRPC(r, things, key)
	}
	method, path, _ := strings.Cut(r.Operation, " ")
	return w.callHTTP(method, put(path, things), put(r.Body, things), r.Type, key)
}

func (w *world) callHTTP(method, path, body, contentType, key string) answer {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if key != "" {
		request.Header.Set(access.KeyHeader, key)
	}
	recorded := httptest.NewRecorder()
	w.node.http.Handler.ServeHTTP(recorded, request)
	return answer{recorded.Code, recorded.Body.String()}
}

// callGRPC makes a call by the description of its method, sends one message and takes one.
func (w *world) callGRPC(r *isolationRow, things map[string]string, key string) answer {
	w.t.Helper()
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(r.Operation, "/"), "/", ".")))
	if err != nil {
		w.t.Fatal(err)
	}
	method := found.(protoreflect.MethodDescriptor)
	in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if body := put(r.Body, things); body != "" {
		if err := protojson.Unmarshal([]byte(body), in); err != nil {
			w.t.Fatal(r.Operation, err)
		}
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, access.KeyMetadata, key)
	}
	stream, err := w.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, r.Operation)
	if err == nil {
		if err = stream.SendMsg(in); err == nil || errors.Is(err, io.EOF) {
			err = stream.CloseSend()
		}
	}
	if method.Name() == "WatchRevisions" && err == nil {
		// It says nothing before something happens: its headers say that it was let in.
		if _, err = stream.Header(); err == nil && stream.Trailer() == nil {
			return answer{http.StatusOK, ""}
		}
	}
	if err == nil {
		err = stream.RecvMsg(out)
	}
	s, _ := status.FromError(err)
	return answer{map[codes.Code]int{
		codes.OK: 200, codes.Unauthenticated: 401, codes.PermissionDenied: 403, codes.NotFound: 404, codes.InvalidArgument: 400,
	}[s.Code()], s.Message()}
}

func readIsolation(t *testing.T) map[string][]isolationRow {
	t.Helper()
	file, err := os.Open("testdata/isolation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var rows map[string][]isolationRow
	if err := decoder.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestIsolation holds who may what: every operation with every kind of caller (spec 6, goal 29).
func TestIsolation(t *testing.T) {
	shared := newWorld(t)
	for _, rows := range readIsolation(t) {
		for _, r := range rows {
			t.Run(strings.ReplaceAll(r.Operation, "/", "_"), func(t *testing.T) {
				t.Parallel()
				for _, kind := range callerKinds {
					w, want := shared, r.want(kind)
					if r.Changes && want < http.StatusBadRequest {
						w = newWorld(t)
					}
					got := w.call(&r, w.things, w.key(&r, kind))
					if got.status != want && (want != http.StatusOK || got.status >= 300) {
						t.Errorf("%s: %d, want %d: %s", kind, got.status, want, got.body)
					}
					if want == http.StatusUnauthorized && !strings.HasPrefix(r.Operation, "/") && got.body != "" {
						t.Errorf("%s: a 401 has no body, but this: %s", kind, got.body)
					}
				}
			})
		}
	}
}

// TestOthersThingsAreNotThere holds that what belongs to others is answered with the same bytes as what is not
// there, whether the caller names the other party or its own.
func TestOthersThingsAreNotThere(t *testing.T) {
	w := newWorld(t)
	absent := map[string]string{"psp": "NOBODY", "ec": "99999999999"}
	for name := range w.things {
		if absent[name] == "" && name != "key" {
			absent[name] = "absent"
		}
	}
	absent["key"] = w.things["key"]
	checked := 0
	for _, rows := range readIsolation(t) {
		for _, r := range rows {
			if r.want("other") != http.StatusNotFound {
				continue
			}
			checked++
			key := w.key(&r, "other")
			theirs, nobodys := w.call(&r, w.things, key), w.call(&r, absent, key)
			if theirs != nobodys {
				t.Errorf("%s: %v where it is another's, %v where it is not there", r.Operation, theirs, nobodys)
			}
			if !thing.MatchString(strings.NewReplacer("{psp}", "", "{ec}", "").Replace(r.Operation + r.Body)) {
				continue // it names the party only
			}
			mine, mineAbsent := maps.Clone(w.things), maps.Clone(absent)
			for _, things := range []map[string]string{mine, mineAbsent} {
				things["psp"], things["ec"] = rivalPSP, rivalEC
			}
			if got, want := w.call(&r, mine, key), w.call(&r, mineAbsent, key); got != want && r.Operation != "POST /gec/v1/delegations" && r.Operation != "POST /gec/v1/whatif" {
				t.Errorf("%s in its own name: %v where it is another's, %v where it is not there", r.Operation, got, want)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d operations were looked at", checked)
	}
}

// TestSpellingsOpenNothing holds that no spelling of a party's id opens what the id itself does not (goal 29).
func TestSpellingsOpenNothing(t *testing.T) {
	w := newWorld(t)
	for _, spelling := range []string{
		"bank", "Bank", "BANK%00", "BANK%2F", "%42ANK", "BANK%20", "%EF%BC%A2ANK", "BA%CE%9DK", "BANK%2F..%2FRIVAL", "..%2FBANK", "RIVAL%2F..%2FBANK", "BANK;RIVAL", "BANK,RIVAL", "*",
	} {
		for _, path := range []string{"/psps/%s/bundles", "/psps/%s/bundles/private", "/afm/marketplace-service/v1/psps/%s/offers", "/gec/v1/psps/%s/lint"} {
			if got := w.callHTTP(http.MethodGet, fmt.Sprintf(path, spelling), "", "", w.keys["rival psp"]); got.status < 300 || strings.Contains(got.body, "private") {
				t.Errorf("%s: %v", fmt.Sprintf(path, spelling), got)
			}
		}
	}
	const rival = "rival psp"
	for _, path := range []string{
		"//psps/BANK/bundles/private", "/psps/RIVAL/../BANK/bundles/private", "/psps/RIVAL/%2e%2e/BANK/bundles/private", "/psps//BANK/bundles/private",
		"/psps/BANK/bundles/private/", "/psps/BANK/bundles/private//", "/psps/BANK/bundles/%70rivate", "/psps/RIVAL/bundles/..%2F..%2FBANK%2Fbundles%2Fprivate",
		"/psps/BANK/bundles/private?idPsp=RIVAL", "/psps/RIVAL/bundles/private?idPsp=BANK&idPsp=RIVAL", "/psps/RIVAL/bundles?idPsp=BANK", "/bundles/private?idPsp=RIVAL", "/bundles/PRIVATE",
		"/afm/marketplace-service/v1/psps/BANK/bundles/private/", "/gec/v1/psps/BANK/lint/", "/gec/v1/psps/BANK%00/lint",
	} {
		if got := w.callHTTP(http.MethodGet, path, "", "", w.keys[rival]); strings.Contains(got.body, "idBundle\":\"private\"") || got.status == http.StatusOK && !strings.Contains(path, "/psps/RIVAL/bundles?") {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, ec := range []string{matrixEC + "%20", "0" + matrixEC, matrixEC + "%00", "%EF%BC%90" + matrixEC[1:], matrixEC + "%2F", rivalEC + "%2F..%2F" + matrixEC} {
		for _, path := range []string{"/cis/%s/bundles", "/cis/%s/offers", "/cis/%s/requests"} {
			if got := w.callHTTP(http.MethodGet, fmt.Sprintf(path, ec), "", "", w.keys["rival ec"]); got.status == http.StatusOK {
				t.Errorf("%s: %v", fmt.Sprintf(path, ec), got)
			}
		}
	}
	draft := `"draft":{"bundles":[{"name":"x"}]}`
	for _, body := range []string{`{"idPsp":"BANK",` + draft + `}`, `{"idPsp":"RIVAL","idPsp":"BANK",` + draft + `}`, `{"idPsp":"RIVAL","IDPSP":"BANK",` + draft + `}`, `{"idPsp":"BANK\u0000",` + draft + `}`} {
		if got := w.callHTTP(http.MethodPost, "/gec/v1/whatif", body, "application/json", w.keys[rival]); got.status != http.StatusNotFound && got.status != http.StatusBadRequest {
			t.Errorf("%s: %v", body, got)
		}
	}
	for _, psp := range []string{"BANK", "bank", "BANK ", "BANK\x00", "\uff22ANK", "*", "RIVAL,BANK", ""} {
		r := isolationRow{Operation: "/gec.v1.BundleService/ListBundles", Body: fmt.Sprintf(`{"psp":%q}`, strings.ReplaceAll(psp, "\x00", " "))}
		if got := w.callGRPC(&r, w.things, w.keys[rival]); got.status == http.StatusOK {
			t.Errorf("gRPC %q: %v", psp, got)
		}
	}
	if got := w.callHTTP(http.MethodGet, "/psps/bank/bundles/private", "", "", w.keys["psp"]); got.status != http.StatusOK {
		t.Errorf("ids of PSPs are compared ignoring case: %v", got)
	}
}

// TestEveryOperationHasARow fails for an operation of a document or a proto file that the table lacks, and for one
// that access.Needs lacks.
func TestEveryOperationHasARow(t *testing.T) {
	rows := readIsolation(t)
	var tabled []string
	needs := access.Needs()
	for _, r := range slices.Concat(rows["http"], rows["grpc"]) {
		tabled = append(tabled, shape(r.Operation))
	}
	for operation, id := range described(t) {
		if needs[id] == 0 {
			t.Errorf("%s is not in access.Needs", id)
		}
		if !slices.Contains(tabled, operation) {
			t.Errorf("%s has no row in testdata/isolation.yaml", operation)
		}
	}
}

// shape is an operation of a row or of a document with a star for every part of the path that stands for a thing.
func shape(operation string) string {
	operation = strings.NewReplacer("/openapi/gec-v1.yaml", "/openapi/{document}", "?idPsp={psp}", "", "/touchpoints/IO", "/touchpoints/{t}",
		"/touchpoints/SPARE", "/touchpoints/{t}", "/paymenttypes/CP", "/paymenttypes/{t}", "/delete/SPARE", "/delete/{t}").Replace(operation)
	return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(operation, "*")
}

// described returns the names of all operations of the OpenAPI documents and the proto files, as access.Needs has
// them, by their shapes.
func described(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	paths, err := filepath.Glob("../../../../api/rest/openapi/*.yaml")
	if err != nil || len(paths) < 5 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Servers []struct{ URL string }
			Paths   map[string]map[string]yaml.Node
		}
		if err := yaml.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		for at, item := range d.Paths {
			for method, node := range item {
				if method == "servers" || method == "parameters" {
					continue
				}
				var o struct {
					OperationID string `yaml:"operationId"`
					Servers     []struct{ URL string }
				}
				if err := node.Decode(&o); err != nil {
					t.Fatal(err)
				}
				servers := d.Servers
				if own, is := item["servers"]; is {
					if err := own.Decode(&servers); err != nil {
						t.Fatal(err)
					}
				}
				if o.Servers != nil {
					servers = o.Servers
				}
				found[shape(strings.ToUpper(method)+" "+strings.TrimSuffix(servers[0].URL, "/")+at)] = strings.TrimSuffix(o.OperationID, "OfService")
			}
		}
	}
	protoregistry.GlobalFiles.RangeFilesByPackage("gec.v1", func(file protoreflect.FileDescriptor) bool {
		for n := range file.Services().Len() {
			for m := range file.Services().Get(n).Methods().Len() {
				method := file.Services().Get(n).Methods().Get(m)
				name := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
				found[name] = name
			}
		}
		return true
	})
	return found
}
