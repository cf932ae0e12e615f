package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gec/bench"
	"gec/bench/service"
)

// What the long version of these tests is given by `make crash`; the short one is part of every run.
const (
	killsEnv   = "GEC_TEST_KILLS"
	bundlesEnv = "GEC_TEST_BUNDLES"
)

// parameter returns the number in an environment variable, or the one for a short run.
func parameter(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// The uploaders, each a PSP of its own, and the bundles of one upload.
const (
	uploaders     = 8
	bundlesUpload = 25
)

// uploader is one client that uploads the same bundles again and again, each time with the number of the
// upload in all of them: what is stored then tells which upload it was, and whether it is whole.
type uploader struct {
	psp string
	// asked is the last upload that was sent, acknowledged the last that was answered with 200, revision
	// what that answer named.
	asked, acknowledged, revision int64
}

func (u *uploader) body(number int64) []byte {
	var list []map[string]any
	for i := range bundlesUpload {
		list = append(list, map[string]any{
			"id": fmt.Sprintf("%s-%d", u.psp, i), "idPsp": u.psp, "idChannel": u.psp, "idBrokerPsp": u.psp, "abi": "99999",
			"pspBusinessName": u.psp, "name": "upload", "description": strconv.FormatInt(number, 10), "type": "GLOBAL", "paymentType": "CP",
			"touchpoint": "CHECKOUT", "minPaymentAmount": i * 1000, "maxPaymentAmount": (i + 1) * 1000, "paymentAmount": 100, "cart": false, "onUs": false,
		})
	}
	text, err := json.Marshal(map[string]any{"bundles": list})
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

// upload sends uploads until one is not answered.
func (u *uploader) upload(t *testing.T, address string) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for {
		u.asked++
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/gec/v1/psps/"+u.psp+"/uploads", bytes.NewReader(u.body(u.asked)))
		if err != nil {
			t.Error(err)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return // killed
		}
		var report struct{ Revision int64 }
		text := new(bytes.Buffer)
		_, err = text.ReadFrom(response.Body)
		response.Body.Close()
		if err == nil {
			err = json.Unmarshal(text.Bytes(), &report)
		}
		if err != nil {
			return // killed while it answered
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("upload: %d %s", response.StatusCode, text)
			return
		}
		u.acknowledged, u.revision = u.asked, report.Revision
	}
}

// check holds what is stored of the uploader against what it was told.
func (u *uploader) check(t *testing.T, s *server) {
	t.Helper()
	status, text := get(t, s.http+"/psps/"+u.psp+"/bundles?limit=1000")
	var page struct {
		Bundles []struct{ Description string }
	}
	if err := json.Unmarshal([]byte(text), &page); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	if len(page.Bundles) == 0 && u.acknowledged == 0 {
		return
	}
	if len(page.Bundles) != bundlesUpload {
		t.Errorf("%s: half an upload: %d of %d bundles", u.psp, len(page.Bundles), bundlesUpload)
		return
	}
	for _, b := range page.Bundles {
		if b.Description != page.Bundles[0].Description {
			t.Errorf("%s: half an upload: bundles of uploads %s and %s", u.psp, b.Description, page.Bundles[0].Description)
			return
		}
	}
	stored, err := strconv.ParseInt(page.Bundles[0].Description, 10, 64)
	if err != nil || stored < u.acknowledged || stored > u.asked {
		t.Errorf("%s: upload %d is stored, %d was acknowledged, %d asked: %v", u.psp, stored, u.acknowledged, u.asked, err)
	}
	u.acknowledged, u.asked = max(u.acknowledged, stored), max(u.asked, stored)
}

// filled returns a data folder with a generated catalogue.
func filled(t *testing.T, bundles int) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := service.StartFill(t.Context(), data, bench.List(bundles)); err != nil {
		t.Fatal(err)
	}
	return data
}

// open is the server on a folder, timed from the start of the process to its ready line.
func reopen(t *testing.T, data string) (*server, time.Duration) {
	t.Helper()
	started := time.Now()
	s := serve(t, data, "--authoring-without-keys", "--log-requests=false", "--watermark-mib", "16")
	return s, time.Since(started)
}

// kill ends a server as a power cut would, as far as a process goes.
func (s *server) kill(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
	s.wait(t)
}

// TestKilledAtRandom kills the server again and again while eight clients upload: every reopen is automatic,
// nothing that was acknowledged is lost, and no upload is there by half.
func TestKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server several times")
	}
	t.Parallel()
	kills := parameter(t, killsEnv, 3)
	data := filled(t, parameter(t, bundlesEnv, 2_000))
	clients := make([]*uploader, uploaders)
	for i := range clients {
		clients[i] = &uploader{psp: fmt.Sprintf("KILLED%d", i)}
	}
	var took []time.Duration
	acknowledged := int64(0)
	for range kills {
		s, ready := reopen(t, data)
		took = append(took, ready)
		for _, u := range clients {
			u.check(t, s)
		}
		var working sync.WaitGroup
		for _, u := range clients {
			working.Go(func() { u.upload(t, s.http) })
		}
		<-time.After(time.Duration(20+rand.IntN(400)) * time.Millisecond) // the instant of the kill is the test
		s.kill(t)
		working.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	s, ready := reopen(t, data)
	took = append(took, ready)
	for _, u := range clients {
		u.check(t, s)
		acknowledged += u.acknowledged
		if !revisionServed(t, s, u.revision) {
			t.Errorf("%s: revision %d was acknowledged and is not there", u.psp, u.revision)
		}
	}
	s.stop(t)
	out := must(t, "verify", "--data", data).stdout
	slices.Sort(took)
	t.Logf("%d kills, %d acknowledged uploads of %d bundles; ready after a kill: median %v, p99 %v, most %v\n%s",
		kills, acknowledged, bundlesUpload, took[len(took)/2], took[len(took)*99/100], took[len(took)-1], out)
}

// revisionServed asks for a quote on a revision.
func revisionServed(t *testing.T, s *server, revision int64) bool {
	t.Helper()
	status, _ := post(t, s.http+"/gec/v1/quote", map[string]any{"revision": revision, "payment": map[string]any{"notices": []any{map[string]any{"amountCents": 5000}}}})
	return status == http.StatusOK
}

// failing is the command built with the tag failpoint, once for all tests.
var failing = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gec-failpoint-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gec")
	out, err := exec.Command("go", "build", "-tags", "failpoint", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// TestKilledAtNamedPoints kills the server at each named point of a commit: what is there afterwards is exactly
// the revision before, or the new one.
func TestKilledAtNamedPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server several times")
	}
	t.Parallel()
	path, err := failing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(path)) })
	times := parameter(t, killsEnv, 10) / 10
	for _, at := range []struct {
		point string
		// large uploads go in chunks; changed says that the kill comes after the flip.
		large, changed bool
	}{{"chunk written", true, false}, {"before flip", false, false}, {"after flip", false, true}} {
		t.Run(at.point, func(t *testing.T) {
			data := filled(t, 1_000)
			for range times {
				killedAt(t, path, data, at.point, at.large, at.changed)
			}
			must(t, "verify", "--data", data)
		})
	}
}

func killedAt(t *testing.T, path, data, point string, large, changed bool) {
	t.Helper()
	before := revisionOf(t, data)
	s := start(t, path, []string{"GEC_FAILPOINT=" + point}, "serve", "--data", data, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
		"--authoring-without-keys", "--watermark-mib", "16")
	u := &uploader{psp: fmt.Sprintf("POINT%d", before)}
	body := u.body(1)
	if large {
		body = largeUpload(u.psp)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http+"/gec/v1/psps/"+u.psp+"/uploads", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if response, err := http.DefaultClient.Do(request); err == nil {
		text := new(bytes.Buffer)
		_, _ = text.ReadFrom(response.Body)
		response.Body.Close()
		t.Fatalf("the server lives, and answers %d %.300s", response.StatusCode, text)
	}
	s.wait(t)
	if state := s.cmd.ProcessState.Sys().(syscall.WaitStatus); state.Signal() != syscall.SIGKILL {
		t.Fatalf("the server ended by itself: %v\n%s", s.cmd.ProcessState, s.stderr)
	}
	want := before
	if changed {
		want++
	}
	if after := revisionOf(t, data); after != want {
		t.Errorf("killed at %q: revision %d is there, want %d", point, after, want)
	}
}

// largeUpload is an upload whose rows do not fit into one transaction.
func largeUpload(psp string) []byte {
	u := &uploader{psp: psp}
	var all struct {
		Bundles []map[string]any `json:"bundles"`
	}
	if err := json.Unmarshal(u.body(1), &all); err != nil {
		panic(err) // made a line above
	}
	first := all.Bundles[0]
	all.Bundles = nil
	for i := range 9_000 {
		b := make(map[string]any, len(first))
		for field, value := range first {
			b[field] = value
		}
		b["id"], b["minPaymentAmount"], b["maxPaymentAmount"] = fmt.Sprintf("%s-%d", psp, i), i*10, (i+1)*10
		all.Bundles = append(all.Bundles, b)
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return text
}

var verifiedRevision = strings.NewReplacer("revision ", "", " is whole", "")

// revisionOf returns the revision of a folder that no server has open, all of it verified.
func revisionOf(t *testing.T, data string) int64 {
	t.Helper()
	out := must(t, "verify", "--data", data).stdout
	first, _, _ := strings.Cut(out, ":")
	revision, err := strconv.ParseInt(verifiedRevision.Replace(first), 10, 64)
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return revision
}
