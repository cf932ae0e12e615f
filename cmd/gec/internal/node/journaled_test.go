package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"gec/api/journal"
	"gec/api/problem"
)

// unjournaled are the operations whose calls are no events: they ask about the service itself.
var unjournaled = []string{"info", "health", "liveness", "readiness", "listDocuments", "getDocument"}

// unchanging are the operations that change something, but not with what their rows send.
var unchanging = []string{
	"testAddBundles", "testDeleteBundles", "testAddTouchpoints", "testDeleteTouchpoints", "testAddPaymentTypes", "testDeletePaymentTypes", "testRefresh",
	"syncCdis", "uploadBundles", "/gec.v1.BundleService/ValidateBundles",
}

// journalName is the name of an operation in the journal: its own, and the method's with a small letter in gRPC.
func journalName(id string) string {
	if !strings.HasPrefix(id, "/") {
		return id
	}
	name := id[strings.LastIndexByte(id, '/')+1:]
	return strings.ToLower(name[:1]) + name[1:]
}

// journaledOf closes the journal of a world and returns "operation category caller outcome" of all its answers.
func (w *world) journaledOf() (got []string) {
	w.t.Helper()
	w.endJournal()
	records, err := w.folder.Records(w.t.Context(), Owner(), 1, w.folder.Head().Revision)
	if err != nil {
		w.t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := journal.Export(&out, journal.JSONLines, []string{JournalFolder(w.data)}, records, journal.Filter{}); err != nil {
		w.t.Fatal(err)
	}
	requests := 0
	for line := range bytes.Lines(out.Bytes()) {
		var r journal.Record
		if err := json.Unmarshal(line, &r); err != nil {
			w.t.Fatal(err)
		}
		switch {
		case r.SottoTipoEvento == "req":
			requests++
		case r.CategoriaEvento == "INTERFACCIA":
			requests--
			fallthrough
		default:
			got = append(got, strings.Join([]string{r.TipoEvento, r.CategoriaEvento, r.IdentificativoFruitore, r.Esito}, " "))
		}
	}
	if requests != 0 {
		w.t.Errorf("%d more requests than responses", requests)
	}
	return got
}

func outcome(status int) string {
	if status < http.StatusBadRequest {
		return "OK"
	}
	return fmt.Sprint("KO ", status)
}

// TestEveryCallIsJournaled holds that each operation of the documents and of the proto files has a record for a call that
// is answered or refused by what it is, and for one that is refused for want of a key, and that nothing else has (spec 6).
// An operation that is new is in the test by being described.
func TestEveryCallIsJournaled(t *testing.T) {
	rows, names := readIsolation(t), described(t)
	// Not so many at a time that those without a key would only be counted.
	for some := range slices.Chunk(slices.Concat(rows["http"], rows["grpc"]), 50) {
		w := worldOf(t, true)
		var want []string
		for _, r := range some {
			name, ours := names[shape(r.Operation)]
			if name == "index" {
				name = "simulate" // the citizens' page takes its place
			}
			for kind, caller := range map[string]string{"auditor": "auditor", "none": "UNKNOW"} {
				got := w.call(&r, w.things, w.key(&r, kind))
				if !ours || slices.Contains(unjournaled, name) {
					continue
				}
				switch {
				case name == "simulate":
					caller = "UNKNOW"
				case r.Of == "public":
					caller = "anonymous"
				}
				want = append(want, strings.Join([]string{journalName(name), "INTERFACCIA", caller, outcome(got.status)}, " "))
			}
		}
		w.wantCalls(want)
	}
}

// TestWhatNobodyServesIsJournaled holds that calls of paths and methods that are not served have records, in each of the
// services that share the ports, and calls that overload turns away (spec 6).
func TestWhatNobodyServesIsJournaled(t *testing.T) {
	w := worldOf(t, true)
	var want []string
	for _, path := range []string{"GET /nothing", "GET /psps/BANK", "POST /cis/77777777777/bundles", "GET /fees", "POST /gec/v1/nothing", "PUT /gec/v1/quote", "POST /gec/v1/keys/x", "GET /?" + strings.Repeat("x", 1<<14)} {
		method, path, _ := strings.Cut(path, " ")
		got := w.callHTTP(method, path, "", "", w.keys["operator"])
		if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed && got.status != http.StatusRequestURITooLong {
			t.Errorf("%s %s: %v", method, path, got)
		}
		want = append(want, "UNKNOW INTERFACCIA UNKNOW "+outcome(got.status))
	}
	err := w.conn.Invoke(t.Context(), "/gec.v1.QuoteService/Nothing", new(emptypb.Empty), new(emptypb.Empty))
	if status.Code(err) != codes.Unimplemented {
		t.Error(err)
	}
	want = append(want, "UNKNOW INTERFACCIA UNKNOW KO 404")
	refused := httptest.NewRecorder()
	w.node.rest.Refuse(refused, httptest.NewRequest(http.MethodPost, "/fees", nil), problem.TooMany(0))
	if refused.Code != http.StatusTooManyRequests || refused.Header().Get("X-Request-Id") == "" {
		t.Error(refused)
	}
	w.wantCalls(append(want, "getFees INTERFACCIA UNKNOW KO 429"))
}

// wantCalls ends the services of a world and compares the calls that it journaled.
func (w *world) wantCalls(want []string) {
	w.t.Helper()
	w.node.grpc.Stop() // returns once the last handler has
	got := slices.DeleteFunc(w.journaledOf(), func(record string) bool { return strings.Contains(record, " INTERNO ") })
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("-want +got\n%s", diff)
	}
}

// TestEveryChangeIsJournaled holds that each operation that changes something leaves the record of its change, by the
// key that did it, beside the record of its call (spec 6).
func TestEveryChangeIsJournaled(t *testing.T) {
	names := described(t)
	for _, rows := range readIsolation(t) {
		for _, r := range rows {
			name := names[shape(r.Operation)]
			if !r.Changes || slices.Contains(unchanging, name) {
				continue
			}
			t.Run(strings.ReplaceAll(name, "/", "_"), func(t *testing.T) {
				t.Parallel()
				w := worldOf(t, true)
				before := w.folder.Head().Revision
				if got := w.call(&r, w.things, w.keys["operator"]); got.status >= 300 {
					t.Fatal(got)
				}
				head := w.folder.Head()
				journaled := w.journaledOf()
				change := strings.Join([]string{head.Operation, "INTERNO", "operator", "OK"}, " ")
				call := strings.Join([]string{journalName(name), "INTERFACCIA", "operator", "OK"}, " ")
				if head.Revision != before+1 || !slices.Contains(journaled, change) || !slices.Contains(journaled, call) {
					t.Errorf("revision %d after %d, %q and %q in %q", head.Revision, before, change, call, journaled)
				}
			})
		}
	}
}
