//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"gec/api/gecv1"
)

// The same payment in each contract over HTTP.
const (
	paymentV1 = `{"paymentAmount": 5000, "primaryCreditorInstitution": "80000000103", "paymentMethod": "CP", "touchpoint": "CHECKOUT",
		"idPspList": [], "transferList": [{"creditorInstitution": "80000000103", "transferCategory": "0101100IM"}]}`
	paymentV2 = `{"paymentMethod": "CP", "touchpoint": "CHECKOUT", "idPspList": [], "paymentNotice": [{"paymentAmount": 5000,
		"primaryCreditorInstitution": "80000000103", "transferList": [{"creditorInstitution": "80000000103", "transferCategory": "0101100IM"}]}]}`
	pathV2 = "/afm/calculator-service/v2/fees"
)

// exchange is one call over HTTP with any headers.
func (l *lab) exchange(t *testing.T, n int, path, body string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.http[n]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/json")
	w, err := l.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, answer
}

// TestAcross holds what a caller of several nodes is promised, over every protocol: the revision of an answer, and a
// receipt, of one node count on the others.
func TestAcross(t *testing.T) {
	t.Parallel()
	l := startLab(t, "--authoring-without-keys", "--etcd-keep", "2s")
	t.Run("revisions", func(t *testing.T) { revisionsAcross(t, l) })
	receiptsAcross(t, l)
}

// revisionsAcross takes the revision of a change from the answer of node 0 and names it to node 1.
func revisionsAcross(t *testing.T, l *lab) {
	changes := []struct{ name, path, body string }{
		{"test endpoints", "/configuration/touchpoint/add", `[{"name":"ACROSS-1"}]`},
		{"marketplace", "/touchpoints", `{"name":"ACROSS-2"}`},
	}
	for _, c := range changes {
		w, body := l.exchange(t, 0, c.path, c.body, http.Header{})
		made, err := strconv.ParseInt(w.Header.Get("X-Catalogue-Revision"), 10, 64)
		if err != nil || w.StatusCode != http.StatusCreated {
			t.Fatalf("%s: status %d, revision %d, %v: %s", c.name, w.StatusCode, made, err, body)
		}
		revision := strconv.FormatInt(made, 10)
		for _, named := range []struct {
			revisions []string
			want      int
			code      codes.Code
		}{
			{[]string{revision}, 200, codes.OK},
			{[]string{"1", revision}, 200, codes.OK},
			{[]string{strconv.FormatInt(made+1000, 10)}, 503, codes.Unavailable},
			{[]string{strconv.FormatInt(made+1000, 10), "1"}, 503, codes.Unavailable},
			{[]string{"9223372036854775807"}, 503, codes.Unavailable},
			{[]string{"9223372036854775808"}, 400, codes.InvalidArgument},
			{[]string{"-1"}, 400, codes.InvalidArgument},
			{[]string{"latest"}, 400, codes.InvalidArgument},
			{[]string{""}, 400, codes.InvalidArgument},
			{[]string{revision, "latest"}, 400, codes.InvalidArgument},
		} {
			// One beside the other: what is not there yet is waited for.
			t.Run(fmt.Sprintf("%s, then %q", c.name, named.revisions), func(t *testing.T) {
				t.Parallel()
				for name, ask := range map[string]struct{ path, body string }{
					"v1": {"/fees", paymentV1}, "v2": {pathV2, paymentV2}, "gec.v1 as JSON": {"/gec/v1/quote", payment},
				} {
					w, body := l.exchange(t, 1, ask.path, ask.body, http.Header{"X-Catalogue-Revision": named.revisions})
					got, _ := strconv.ParseInt(w.Header.Get("X-Catalogue-Revision"), 10, 64)
					named503, named400 := w.Header.Get("Retry-After") != "", bytes.Contains(body, []byte("X-Catalogue-Revision"))
					if w.StatusCode != named.want || named503 != (named.want == 503) || named400 != (named.want == 400) || named.want == 200 && got < made {
						t.Errorf("%s: status %d, revision %d, headers %v: %s", name, w.StatusCode, got, w.Header, body)
					}
				}
				if got, err := l.quoteGRPC(t.Context(), 1, named.revisions); status.Code(err) != named.code || err == nil && got < made ||
					named.code == codes.InvalidArgument && !strings.Contains(fmt.Sprint(status.Convert(err).Proto()), "X-Catalogue-Revision") {
					t.Errorf("gRPC: revision %d, %v", got, err)
				}
			})
		}
	}
}

// quoteGRPC asks a node over gRPC, with revisions in the metadata, and returns the one that it quoted on.
func (l *lab) quoteGRPC(ctx context.Context, n int, revisions []string) (int64, error) {
	connection, err := grpc.NewClient(l.grpc[n], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD{"x-catalogue-revision": revisions})
	answer, err := gecv1.NewQuoteServiceClient(connection).Quote(ctx, &gecv1.QuoteRequest{
		Payment: &gecv1.Payment{PaymentType: "CP", Touchpoint: "CHECKOUT", Notices: []*gecv1.Notice{{AmountCents: 5000}}},
	})
	return answer.GetRevision(), err
}

// receiptsAcross gives a receipt of node 0 to the others: at once, after its key was rotated, and once node 2 has been
// filled anew from a base state that begins after it.
func receiptsAcross(t *testing.T, l *lab) {
	w, answer := l.exchange(t, 0, pathV2, paymentV2, http.Header{"X-Quote-Receipt": {"wanted"}})
	receipt := w.Header.Get("X-Quote-Receipt")
	if w.StatusCode != http.StatusOK || receipt == "" {
		t.Fatalf("status %d, receipt %q: %s", w.StatusCode, receipt, answer)
	}
	redeem := func(n int) (int, []byte) {
		t.Helper()
		w, body := l.exchange(t, n, pathV2, paymentV2, http.Header{"X-Quote-Receipt": {receipt}})
		return w.StatusCode, body
	}
	for n := range size {
		if status, body := redeem(n); status != http.StatusOK || !bytes.Equal(body, answer) {
			t.Errorf("node %d: status %d: %s, want %s", n, status, body, answer)
		}
	}
	// The key ends with the folder of its node, which makes another: the old one still verifies.
	l.nodes[0].end(syscall.SIGTERM)
	if err := os.Remove(l.folder(0) + "/receipt-key.pem"); err != nil {
		t.Fatal(err)
	}
	if err := l.nodes[0].start(); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitNode(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if w, body := l.exchange(t, 0, pathV2, paymentV2, http.Header{"X-Quote-Receipt": {"wanted"}}); w.Header.Get("X-Quote-Receipt") == "" {
		t.Errorf("node 0 gives no receipt with another key: %s", body)
	}
	if status, body := redeem(0); status != http.StatusOK || !bytes.Equal(body, answer) {
		t.Errorf("signed with the key before: status %d: %s", status, body)
	}
	// Each try makes revisions and fills node 2 anew: a node has the revision until it has left etcd, which it does
	// once what would go with it is worth a new base.
	for ctx, try := t.Context(), 0; ; try++ {
		var revision int64
		for n := range 25 {
			var err error
			if revision, err = l.add(ctx, 1, fmt.Sprintf("LATER-%d-%d", try, n)); err != nil {
				t.Fatal(err)
			}
		}
		l.refill(t, 2)
		if err := l.everywhere(ctx, revision); err != nil {
			t.Fatal(err)
		}
		status, body := redeem(2)
		if status == http.StatusGone {
			if !bytes.Contains(body, []byte("Receipt revision gone")) || !bytes.Contains(body, []byte("another node")) {
				t.Errorf("the answer does not say what is wrong: %s", body)
			}
			break
		}
		if status != http.StatusOK || !bytes.Equal(body, answer) || try > 100 {
			t.Fatalf("try %d: status %d: %s", try, status, body)
		}
	}
	if status, body := redeem(1); status != http.StatusOK || !bytes.Equal(body, answer) {
		t.Errorf("node 1 still has the revision: status %d: %s", status, body)
	}
}

// refill starts a node with an empty folder.
func (l *lab) refill(t *testing.T, n int) {
	t.Helper()
	l.nodes[n].end(syscall.SIGTERM)
	if err := os.RemoveAll(l.folder(n)); err != nil {
		t.Fatal(err)
	}
	if err := l.nodes[n].start(); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitNode(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}
