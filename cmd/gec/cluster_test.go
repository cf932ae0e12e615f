package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"gec/bench/service"
)

// etcdBinary is the server that `make bin/etcd` builds.
const etcdBinary = "../../bin/etcd"

// members is a cluster of real members of etcd on loopback.
type members struct {
	t   *testing.T
	all []*member
	tls *tls.Config
}

// member is one of them, which can be killed and started again.
type member struct {
	endpoint, log string
	args          []string
	cmd           *exec.Cmd
}

// etcdMembers starts so many members with further flags; with settings for TLS clients have to use it, and the
// flags have to name the members' certificate. The test is skipped where there is no etcd.
func etcdMembers(t *testing.T, count int, settings *tls.Config, flags ...string) *members {
	t.Helper()
	path, err := filepath.Abs(etcdBinary)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Skipf("there is no etcd: run 'make bin/etcd' first (%v)", err)
	}
	scheme := "http://"
	if settings != nil {
		scheme = "https://"
	}
	m := &members{t: t, tls: settings}
	var peers, cluster []string
	for n := range count {
		peers = append(peers, "http://"+freeAddress(t))
		cluster = append(cluster, fmt.Sprintf("m%d=%s", n, peers[n]))
	}
	for n := range count {
		dir, endpoint := t.TempDir(), scheme+freeAddress(t)
		m.all = append(m.all, &member{endpoint: endpoint, log: filepath.Join(dir, "log"), args: append([]string{
			path, "--name", fmt.Sprintf("m%d", n), "--data-dir", filepath.Join(dir, "data"), "--listen-client-urls", endpoint,
			"--advertise-client-urls", endpoint, "--listen-peer-urls", peers[n], "--initial-advertise-peer-urls", peers[n],
			"--initial-cluster", strings.Join(cluster, ","), "--unsafe-no-fsync"}, flags...)})
	}
	for n := range m.all {
		m.start(n)
	}
	t.Cleanup(func() {
		for n := range m.all {
			m.kill(n)
		}
	})
	return m
}

// freeAddress returns a free address on loopback.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := service.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (m *members) start(n int) {
	m.t.Helper()
	one := m.all[n]
	log, err := os.OpenFile(one.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	one.cmd = exec.Command(one.args[0], one.args[1:]...)
	one.cmd.Stdout, one.cmd.Stderr = log, log
	if err := one.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *members) kill(n int) {
	if one := m.all[n]; one.cmd != nil {
		_ = one.cmd.Process.Kill()
		_ = one.cmd.Wait()
		one.cmd = nil
	}
}

func (m *members) endpoints() string {
	var all []string
	for _, one := range m.all {
		all = append(all, one.endpoint)
	}
	return strings.Join(all, ",")
}

// logged returns how often the members wrote a text to their logs.
func (m *members) logged(text string) (times int) {
	m.t.Helper()
	for _, one := range m.all {
		log, err := os.ReadFile(one.log)
		if err != nil {
			m.t.Fatal(err)
		}
		times += strings.Count(string(log), text)
	}
	return times
}

// client returns a client of the members, in an account unless its name is empty.
func (m *members) client(user, password string) *clientv3.Client {
	m.t.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints: strings.Split(m.endpoints(), ","), TLS: m.tls, Username: user, Password: password, DialTimeout: patience, Logger: zap.NewNop(),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = c.Close() })
	return c
}

// eventually asks again and again until something holds, and fails the test where it does not come to that.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-pause.C:
		case <-ctx.Done():
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// clusterNode are the arguments of a node of a cluster, to which its folder and what is of etcd are added. It turns
// nobody away on a machine that does other things beside.
var clusterNode = []string{"serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--store", "etcd", "--test-endpoints",
	"--authoring-without-keys", "--watermark-mib", "16", "--overload-wait", "10s"}

// health is what the readiness of a node of a cluster tells.
type health struct{ Status, Connected, Revision, EtcdSpace string }

func healthOf(t *testing.T, s *server) (h health) {
	t.Helper()
	status, body := get(t, s.http+"/actuator/health/readiness")
	if err := json.Unmarshal([]byte(body), &h); err != nil || status != http.StatusOK {
		t.Fatalf("readiness: %d %s: %v; log:\n%s", status, body, err, s.stderr)
	}
	return h
}

// addTouchpoint makes a small change through a node.
func addTouchpoint(t *testing.T, s *server, name string) (status int, body string) {
	t.Helper()
	return post(t, s.http+"/configuration/touchpoint/add", []any{map[string]any{"name": name}})
}

// quoted reports whether a node answers a quote with rows.
func quoted(t *testing.T, s *server) bool {
	t.Helper()
	status, body := post(t, s.http+"/gec/v1/quote", map[string]any{"payment": map[string]any{
		"paymentType": "CP", "touchpoint": "CHECKOUT", "notices": []any{map[string]any{"amountCents": 5000}},
	}})
	return status == http.StatusOK && strings.Contains(body, "bundleId")
}
