package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"gec/api/access"
	"gec/cmd/gec/internal/config"
)

var quiet = slog.New(slog.DiscardHandler)

// TestLeastAuthority holds that without keys only loopback is listened on, unless the risk is named (spec 6).
func TestLeastAuthority(t *testing.T) {
	for address, exposed := range map[string]bool{
		"127.0.0.1:8080": false, "127.8.9.1:0": false, "[::1]:8080": false, "localhost:8080": false,
		":8080": true, "0.0.0.0:8080": true, "[::]:8080": true, "10.0.0.1:80": true, "example.org:80": true, "localhost.example.org:80": true,
	} {
		for _, c := range []config.Config{
			{HTTPAddress: address, GRPCAddress: "127.0.0.1:0", OpsAddress: off},
			{HTTPAddress: "127.0.0.1:0", GRPCAddress: address, OpsAddress: off},
		} {
			folder, err := Open(t.Context(), config.Config{DataDir: t.TempDir(), WatermarkMiB: 16, ProgramsMax: 16, ECPlansMax: 16, SnapshotsMax: 1}, quiet)
			if err != nil {
				t.Fatal(err)
			}
			var refused *ExposedError
			if _, err := gate(t.Context(), c, folder, proofs{}, quiet); errors.As(err, &refused) != exposed {
				t.Errorf("%+v: %v, want exposed %v", c, err, exposed)
			}
			if exposed && !strings.Contains(refused.Error(), "--insecure-listen-without-keys") {
				t.Errorf("the refusal names no way out: %v", refused)
			}
			risk := c
			risk.ListenWithoutKeys = true
			if _, err := gate(t.Context(), risk, folder, proofs{}, quiet); err != nil {
				t.Errorf("%+v: the risk was named: %v", risk, err)
			}
			risk.AuthoringWithoutKeys = true
			if err := CheckAddresses(risk); errors.As(err, &refused) != exposed {
				t.Errorf("%+v: everybody may change the catalogue: %v", risk, err)
			}
			if _, _, err := access.NewKeyring(folder, nil).New(t.Context(), Owner(), access.Key{Name: "platform", Roles: []access.Role{access.RoleQuotes}}); err != nil {
				t.Fatal(err)
			}
			if _, err := gate(t.Context(), c, folder, proofs{}, quiet); err != nil {
				t.Errorf("%+v: there is a key: %v", c, err)
			}
			if err := folder.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := CheckAddresses(config.Config{HTTPAddress: "8080", OpsAddress: off, ListenWithoutKeys: true}); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Error(err)
	}
}

// TestOperatorsAddress holds that the operator's listener, which asks for no key, is opened to others by its own
// flag only.
func TestOperatorsAddress(t *testing.T) {
	for address, exposed := range map[string]bool{"off": false, "127.0.0.1:9100": false, ":9100": true, "10.0.0.1:9100": true} {
		c := config.Config{HTTPAddress: "127.0.0.1:0", GRPCAddress: "127.0.0.1:0", OpsAddress: address}
		var refused *ExposedError
		if err := CheckAddresses(c); errors.As(err, &refused) != exposed || exposed && !strings.Contains(err.Error(), "--ops-without-keys") {
			t.Errorf("%s: %v, want exposed %v", address, err, exposed)
		}
		c.OpsWithoutKeys = true
		if err := CheckAddresses(c); err != nil {
			t.Errorf("%s: the risk was named: %v", address, err)
		}
	}
	if err := CheckAddresses(config.Config{HTTPAddress: "127.0.0.1:0", GRPCAddress: "127.0.0.1:0", OpsAddress: "9100"}); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Error(err)
	}
}
