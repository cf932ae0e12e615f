package main

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// revisionIn returns the revision that the answer to an upload begins with.
func revisionIn(answer string) string {
	revision, _, _ := strings.Cut(answer, ",")
	return revision
}

// TestMigrate moves a catalogue with keys, a delegation, settings, history and idempotency keys to etcd and into
// another folder, each interrupted by kill -9 and repeated: the two folders' backups have the same bytes, and a node
// of the cluster knows the keys, and what was done under an idempotency key.
func TestMigrate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a member of etcd")
	}
	t.Parallel()
	data := filled(t, parameter(t, bundlesEnv, 2_000))
	operator := strings.TrimSpace(must(t, "keys", "create", "--name", "operator", "--role", "operator", "--data", data).stdout)
	partner := must(t, "keys", "create", "--name", "partner", "--data", data)
	id := regexp.MustCompile(`key (\S+) of`).FindStringSubmatch(partner.stderr)
	if id == nil {
		t.Fatalf("no id in %q", partner.stderr)
	}
	must(t, "keys", "delegate", "--psp", "MOVED", "--to", id[1], "--until", time.Now().AddDate(1, 0, 0).Format(time.DateOnly), "--data", data)
	upload := func(s *server, secret, key string) (int, string) {
		t.Helper()
		body := (&uploader{psp: "MOVED"}).body(1)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http+"/gec/v1/psps/MOVED/uploads", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
		request.Header.Set("Ocp-Apim-Subscription-Key", secret)
		return do(t, request)
	}
	s := serve(t, data)
	done, first := upload(s, strings.TrimSpace(partner.stdout), "once")
	if done != http.StatusOK {
		t.Fatalf("an upload of the partner: %d %s", done, first)
	}
	s.stop(t)
	e := etcdMembers(t, 1, nil)
	copied := filepath.Join(t.TempDir(), "copied")
	migrate := func(to, data string) string {
		t.Helper()
		args := []string{"migrate", "--to", to, "--data", data, "--etcd-endpoints", e.endpoints()}
		for range parameter(t, killsEnv, 4) {
			cmd := command(t, args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond) // the instant of the kill is the test
			_ = cmd.Process.Signal(syscall.SIGKILL)                      // it may have ended
			_ = cmd.Wait()
		}
		last := must(t, args...).stdout
		if again := must(t, args...).stdout; again != last {
			t.Errorf("repeated it ends with %q, at first with %q", again, last)
		}
		return last
	}
	if there, back := migrate("etcd", data), migrate("badger", copied); there != back {
		t.Errorf("to etcd %q, back %q", there, back)
	}
	backup := func(data string) []byte {
		t.Helper()
		file := filepath.Join(t.TempDir(), "backup")
		must(t, "backup", "-o", file, "--data", data)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if !bytes.Equal(backup(data), backup(copied)) {
		t.Error("the folders' histories have other bytes")
	}
	node := start(t, binary, nil, "serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--store", "etcd", "--watermark-mib", "16",
		"--overload-wait", "10s", "--data", t.TempDir(), "--etcd-endpoints", e.endpoints())
	if status, again := upload(node, strings.TrimSpace(partner.stdout), "once"); status != http.StatusOK || !strings.Contains(again, `"repeated":true`) || revisionIn(again) != revisionIn(first) {
		t.Errorf("the upload repeated on a node of the cluster: %d %s, want %s", status, again, first)
	}
	if status, _ := upload(node, "gec_nobody", "never"); status != http.StatusUnauthorized {
		t.Errorf("a key that is none: %d", status)
	}
	if who := must(t, "keys", "list", "--server", node.http, "--key-file", write(t, "operator.key", operator)).stdout; !strings.Contains(who, "partner") {
		t.Errorf("the operator's key lists %q", who)
	}
	node.stop(t)
}
