package node

import (
	"errors"
	"strings"
	"testing"

	"gec/cmd/gec/internal/config"
)

// TestLeastAuthority holds that without keys only loopback is listened on, unless the risk is named (spec 6).
func TestLeastAuthority(t *testing.T) {
	for address, exposed := range map[string]bool{
		"127.0.0.1:8080": false, "127.8.9.1:0": false, "[::1]:8080": false, "localhost:8080": false,
		":8080": true, "0.0.0.0:8080": true, "[::]:8080": true, "10.0.0.1:80": true, "example.org:80": true, "localhost.example.org:80": true,
	} {
		for _, c := range []config.Config{
			{HTTPAddress: address, GRPCAddress: "127.0.0.1:0"},
			{HTTPAddress: "127.0.0.1:0", GRPCAddress: address},
		} {
			var refused *ExposedError
			if err := CheckAddresses(c); errors.As(err, &refused) != exposed {
				t.Errorf("%+v: %v, want exposed %v", c, err, exposed)
			}
			if exposed && !strings.Contains(refused.Error(), "--insecure-listen-without-keys") {
				t.Errorf("the refusal names no way out: %v", refused)
			}
			c.ListenWithoutKeys = true
			if err := CheckAddresses(c); err != nil {
				t.Errorf("%+v: the risk was named: %v", c, err)
			}
		}
	}
	if err := CheckAddresses(config.Config{HTTPAddress: "8080", ListenWithoutKeys: true}); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Error(err)
	}
}
