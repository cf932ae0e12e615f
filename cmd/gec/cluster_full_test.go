package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gec/api/gecv1"
)

// TestClusterFull fills the quota of etcd with old versions of a key: changes are refused with what to do, quotes go
// on, and once an operator has made room changes are taken again, all without a restart. It does so twice.
func TestClusterFull(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a member of etcd")
	}
	t.Parallel()
	e := etcdMembers(t, 1, nil, "--quota-backend-bytes", "24000000")
	client := e.client("", "")
	s := start(t, binary, nil, append(clusterNode, "--data", t.TempDir(), "--sample", "--etcd-endpoints", e.endpoints())...)
	for _, touchpoint := range []string{"FIRST", "SECOND"} {
		fill(t, client)
		upload := func() (int, string) { // of several chunks
			return post(t, s.http+"/gec/v1/psps/"+touchpoint+"/uploads", json.RawMessage(largeUpload(touchpoint)))
		}
		before := healthOf(t, s)
		code, body := addTouchpoint(t, s, touchpoint)
		if code != http.StatusInsufficientStorage || !strings.Contains(body, "defragment") || !strings.Contains(body, "disarm") {
			t.Errorf("a change: %d %s", code, body)
		}
		if code, body = upload(); code != http.StatusInsufficientStorage {
			t.Errorf("an upload: %d %s", code, body)
		}
		_, err := gecv1.NewBundleServiceClient(connect(t, s)).RetireBundle(t.Context(), &gecv1.RetireBundleRequest{Psp: "ESEMITM1XXX", Id: "esempio-carta-fino-50"})
		if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "defragment") {
			t.Errorf("a change over gRPC: %v", err)
		}
		eventually(t, "readiness tells that etcd is full", func() bool { return healthOf(t, s).EtcdSpace == "full" })
		if now := healthOf(t, s); now.Revision != before.Revision || now.Connected != "true" || !quoted(t, s) {
			t.Errorf("it stands at %+v, before at %+v, or does not quote", now, before)
		}
		makeRoom(t, client, e.all[0].endpoint)
		began := time.Now()
		eventually(t, "a change is taken again", func() bool {
			code, body = addTouchpoint(t, s, touchpoint)
			return code == http.StatusCreated
		})
		t.Logf("a change was taken %v after there was room", time.Since(began))
		eventually(t, "readiness tells that etcd has space", func() bool { return healthOf(t, s).EtcdSpace == "enough" })
		if code, body = upload(); code != http.StatusOK {
			t.Errorf("an upload once there is room: %d %s", code, body)
		}
	}
	s.stop(t)
}

// fill puts versions of one key until etcd takes no more.
func fill(t *testing.T, client *clientv3.Client) {
	t.Helper()
	for {
		_, err := client.Put(t.Context(), "filling", strings.Repeat("x", 256<<10))
		if err == nil {
			continue
		}
		if err != rpctypes.ErrNoSpace {
			t.Fatal(err)
		}
		return
	}
}

// makeRoom does what an operator does.
func makeRoom(t *testing.T, client *clientv3.Client, endpoint string) {
	t.Helper()
	ctx := t.Context()
	done, err := client.Delete(ctx, "filling")
	if err == nil {
		_, err = client.Compact(ctx, done.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err == nil {
		_, err = client.Defragment(ctx, endpoint)
	}
	if err == nil {
		_, err = client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
	}
	if err != nil {
		t.Fatal(err)
	}
}
