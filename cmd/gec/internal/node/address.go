package node

import (
	"fmt"
	"net"

	"gec/cmd/gec/internal/config"
)

// ExposedError is returned for an address beyond loopback, where callers would need a key.
type ExposedError struct {
	Setting, Address string
	// Authoring says that changes would need none either.
	Authoring bool
}

func (e *ExposedError) Error() string {
	if e.Setting == "ops" {
		return fmt.Sprintf("--ops %s is open to other machines, and asks for no key: whoever reaches it reads the metrics. "+
			"Listen on 127.0.0.1, or add --ops-without-keys if only those who may can reach it", e.Address)
	}
	if e.Authoring {
		return fmt.Sprintf("--%s %s is open to other machines, and with --authoring-without-keys whoever reaches it could change every fee. "+
			"Listen on 127.0.0.1, or make keys with 'gec keys create' and leave that flag out", e.Setting, e.Address)
	}
	return fmt.Sprintf("--%s %s is open to other machines, and there are no access keys: whoever reaches it can use it. "+
		"Make keys with 'gec keys create' first, listen on 127.0.0.1, or add --insecure-listen-without-keys if something in front of it keeps others out", e.Setting, e.Address)
}

// CheckAddresses holds that all addresses are well formed, and on loopback where everybody may change the
// catalogue. The operator's, which asks for no key, is beyond it by its own flag only.
func CheckAddresses(c config.Config) error {
	for _, listen := range []struct{ setting, address string }{{"http", c.HTTPAddress}, {"grpc", c.GRPCAddress}} {
		if _, _, err := net.SplitHostPort(listen.address); err != nil {
			return fmt.Errorf("--%s %q is no address: write host:port, as 127.0.0.1:8080", listen.setting, listen.address)
		}
	}
	if exposed := exposed(c); exposed != nil && c.AuthoringWithoutKeys {
		return exposed
	}
	return checkOpsAddress(c)
}

// exposed returns what is open to other machines: the first address beyond loopback, nil for none. It resolves
// no names: of these only localhost is known to be loopback.
func exposed(c config.Config) *ExposedError {
	for _, listen := range []struct{ setting, address string }{{"http", c.HTTPAddress}, {"grpc", c.GRPCAddress}} {
		if host, _, _ := net.SplitHostPort(listen.address); !loopback(host) {
			return &ExposedError{listen.setting, listen.address, c.AuthoringWithoutKeys}
		}
	}
	return nil
}

// checkOpsAddress is CheckAddresses for the operator's listener, which never asks for a key.
func checkOpsAddress(c config.Config) error {
	if c.OpsAddress == off {
		return nil
	}
	host, _, err := net.SplitHostPort(c.OpsAddress)
	if err != nil {
		return fmt.Errorf("--ops %q is no address: write host:port, as 127.0.0.1:9100, or off", c.OpsAddress)
	}
	if !c.OpsWithoutKeys && !loopback(host) {
		return &ExposedError{Setting: "ops", Address: c.OpsAddress}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
