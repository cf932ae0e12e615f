package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/cmd/gec/internal/tlsfiles"
	"gec/cmd/gec/internal/tlsfiles/tlstest"
)

// The accounts of the secured cluster and their passwords, by which logs are searched for what must not be there.
const (
	nodePassword, otherPassword, wrongPassword = "node-s3cret-a1", "other-s3cret-b2", "wrong-s3cret-c3"
)

// securedEtcd is a cluster of etcd that speaks TLS only, demands a client certificate and knows accounts: node may use
// the prefix gec/, other nothing at all. Tokens live for a second.
type securedEtcd struct {
	*members
	dir string
}

func (e *securedEtcd) path(name string) string { return filepath.Join(e.dir, name) }

func newSecuredEtcd(t *testing.T) *securedEtcd {
	t.Helper()
	e := &securedEtcd{dir: t.TempDir()}
	authority, stranger := tlstest.New(t), tlstest.New(t)
	tlstest.Write(t, e.dir, "ca.pem", authority.PEM)
	tlstest.Write(t, e.dir, "stranger-ca.pem", stranger.PEM)
	for name, by := range map[string]*tlstest.Authority{"member": authority, "node": authority, "stranger": stranger} {
		cert, key := by.Pair(t, tlstest.WithURI(t, "urn:"+name))
		tlstest.Write(t, e.dir, name+".pem", cert)
		tlstest.Write(t, e.dir, name+".key", key)
	}
	for name, text := range map[string]string{"node": nodePassword + "\n", "other": otherPassword, "wrong": wrongPassword, "empty": "\n"} {
		tlstest.Write(t, e.dir, name+".password", []byte(text))
	}
	settings, err := tlsfiles.Client(e.path("ca.pem"), e.path("node.pem"), e.path("node.key"))
	if err != nil {
		t.Fatal(err)
	}
	e.members = etcdMembers(t, 3, settings, "--cert-file", e.path("member.pem"), "--key-file", e.path("member.key"), "--client-cert-auth",
		"--trusted-ca-file", e.path("ca.pem"), "--auth-token-ttl", "1", "--bcrypt-cost", "4", "--log-level", "debug")
	e.accounts()
	return e
}

// accounts makes the accounts and turns authentication on.
func (e *securedEtcd) accounts() {
	e.t.Helper()
	c, ctx := e.client("", ""), e.t.Context()
	done := func(_ any, err error) {
		e.t.Helper()
		if err != nil {
			e.t.Fatal(err)
		}
	}
	for user, password := range map[string]string{"root": "root-s3cret-d4", "node": nodePassword, "other": otherPassword} {
		done(c.UserAdd(ctx, user, password))
	}
	done(c.RoleAdd(ctx, "root"))
	done(c.UserGrantRole(ctx, "root", "root"))
	done(c.RoleAdd(ctx, "catalogue"))
	done(c.RoleGrantPermission(ctx, "catalogue", "gec/", clientv3.GetPrefixRangeEnd("gec/"), clientv3.PermissionType(clientv3.PermReadWrite)))
	done(c.UserGrantRole(ctx, "node", "catalogue"))
	done(c.AuthEnable(ctx))
}

// settings are those of a node that is let in, by name.
func (e *securedEtcd) settings() map[string]string {
	return map[string]string{
		"etcd-endpoints": e.endpoints(), "etcd-ca": e.path("ca.pem"), "etcd-cert": e.path("node.pem"), "etcd-key": e.path("node.key"),
		"etcd-user": "node", "etcd-password-file": e.path("node.password"),
	}
}

// flags writes settings as flags, with what differs; "" leaves one out.
func flags(settings map[string]string, differ ...string) (args []string) {
	for i := 0; i < len(differ); i += 2 {
		settings[differ[i]] = differ[i+1]
	}
	for name, value := range settings {
		if value != "" {
			args = append(args, "--"+name, value)
		}
	}
	return args
}

// noSecret fails the test where a password, or a part of one, is in a text.
func noSecret(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, "s3cret") {
		t.Errorf("a password is in:\n%s", text)
	}
}

// TestClusterSecured runs two nodes, one with flags, one with variables, on a cluster of etcd with TLS, client
// certificates and accounts. Tokens that end, and members that forget theirs in a restart, are noticed by nobody.
func TestClusterSecured(t *testing.T) {
	if testing.Short() {
		t.Skip("starts members of etcd")
	}
	t.Parallel()
	e := newSecuredEtcd(t)
	one := start(t, binary, nil, append(append(clusterNode, "--data", t.TempDir(), "--sample"), flags(e.settings())...)...)
	var environ []string
	for name, value := range e.settings() {
		environ = append(environ, "GEC_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	two := start(t, binary, environ, append(clusterNode, "--data", t.TempDir())...)
	nodes := []*server{one, two}
	changes := 0
	change := func() (int, string) {
		changes++
		return addTouchpoint(t, nodes[changes%2], fmt.Sprint("T", changes))
	}
	same := func(what string) {
		t.Helper()
		eventually(t, what, func() bool {
			a, b := healthOf(t, one), healthOf(t, two)
			return a.Connected == "true" && b.Connected == "true" && a.Revision == b.Revision
		})
	}
	const ended = "deleted a simple token"
	for range 6 {
		before := e.logged(ended)
		eventually(t, "the end of a token", func() bool { return e.logged(ended) > before })
		if status, body := change(); status != http.StatusCreated {
			t.Fatalf("a change while tokens end: %d %s", status, body)
		}
	}
	same("both nodes at one revision after tokens ended")
	for _, s := range nodes {
		if text := s.stderr.String(); strings.Contains(text, "away") {
			t.Errorf("the end of a token is told as an absence:\n%s", text)
		}
		if space := healthOf(t, s).EtcdSpace; space != "enough" {
			t.Errorf("the space of etcd is %q", space)
		}
	}
	for n := range e.all {
		e.kill(n)
		e.start(n)
		eventually(t, "a change after a member's restart", func() bool { status, _ := change(); return status == http.StatusCreated })
		same("both nodes at one revision after a member's restart")
	}
	for n := range e.all {
		e.kill(n)
	}
	if !quoted(t, one) || !quoted(t, two) {
		t.Error("no quote while etcd is away")
	}
	for n := range e.all {
		e.start(n)
	}
	same("both nodes at one revision after all members were away")
	eventually(t, "a change after that", func() bool { status, _ := change(); return status == http.StatusCreated })
	for _, s := range nodes {
		s.stop(t)
		noSecret(t, s.stderr.String())
	}
}

// TestClusterRefused starts nodes that etcd does not let in: each ends with what to change, and shows no password; one
// with a catalogue in its folder quotes from that, and says so in its log.
func TestClusterRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("starts members of etcd")
	}
	t.Parallel()
	e := newSecuredEtcd(t)
	data := t.TempDir()
	start(t, binary, nil, append(append(clusterNode, "--data", data, "--sample"), flags(e.settings())...)...).stop(t)
	for _, test := range []struct {
		name   string
		differ []string
		want   string
		// here says that it is known before etcd is asked: the node does not start with any folder.
		here bool
	}{
		{"another authority", []string{"etcd-ca", e.path("stranger-ca.pem")}, "--etcd-ca", false},
		{"no authority", []string{"etcd-ca", ""}, "--etcd-ca", false},
		{"no certificate", []string{"etcd-cert", "", "etcd-key", ""}, "--etcd-cert", false},
		{"certificate of another authority", []string{"etcd-cert", e.path("stranger.pem"), "etcd-key", e.path("stranger.key")}, "--etcd-cert", false},
		{"wrong password", []string{"etcd-password-file", e.path("wrong.password")}, "--etcd-password-file", false},
		{"unknown account", []string{"etcd-user", "nobody"}, "--etcd-user", false},
		{"no account", []string{"etcd-user", "", "etcd-password-file", ""}, "--etcd-user", false},
		{"account without rights", []string{"etcd-user", "other", "etcd-password-file", e.path("other.password")}, "--etcd-prefix", false},
		{"another prefix", []string{"etcd-prefix", "elsewhere/"}, "--etcd-prefix", false},
		{"in the clear", []string{"etcd-endpoints", strings.ReplaceAll(e.endpoints(), "https:", "http:"), "etcd-ca", "", "etcd-cert", "", "etcd-key", ""}, "--etcd-endpoints", false},
		{"key of another certificate", []string{"etcd-key", e.path("stranger.key")}, "--etcd-key", true},
		{"certificate without key", []string{"etcd-key", ""}, "etcd-key", true},
		{"account without password", []string{"etcd-password-file", ""}, "etcd-password-file", true},
		{"password without account", []string{"etcd-user", ""}, "etcd-user", true},
		{"empty password", []string{"etcd-password-file", e.path("empty.password")}, "--etcd-password-file", true},
		{"no such file", []string{"etcd-password-file", e.path("nowhere")}, "--etcd-password-file", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits for what etcd says
			args := slices.Concat(clusterNode, flags(e.settings(), test.differ...))
			r := gec(t, append(args, "--data", t.TempDir())...)
			if r.code < 1 || r.stdout != "" || !strings.Contains(r.stderr, test.want) {
				t.Errorf("exit code %d, %q is wanted in:\n%s%s", r.code, test.want, r.stdout, r.stderr)
			}
			noSecret(t, r.stderr)
			if test.here {
				return
			}
			own := t.TempDir()
			if err := os.CopyFS(own, os.DirFS(data)); err != nil {
				t.Fatal(err)
			}
			s := start(t, binary, nil, append(args, "--data", own)...)
			s.stderr.await(t, test.want)
			if !quoted(t, s) || healthOf(t, s).Connected != "false" {
				t.Errorf("it does not quote from its folder, or takes itself for connected: %+v", healthOf(t, s))
			}
			status, body := addTouchpoint(t, s, "NEVER")
			if status != http.StatusServiceUnavailable {
				t.Errorf("a change: %d %s", status, body)
			}
			s.stop(t)
			noSecret(t, s.stderr.String()+body)
		})
	}
}
