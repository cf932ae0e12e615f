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
	if e.Authoring {
		return fmt.Sprintf("--%s %s is open to other machines, and with --authoring-without-keys whoever reaches it could change every fee. "+
			"Listen on 127.0.0.1, or give out keys instead", e.Setting, e.Address)
	}
	return fmt.Sprintf("--%s %s is open to other machines, and there are no access keys: whoever reaches it can use it. "+
		"Listen on 127.0.0.1, or add --insecure-listen-without-keys if something in front of it keeps others out", e.Setting, e.Address)
}

// CheckAddresses holds that both addresses are well formed and, unless the operator takes the risk, on
// loopback. It resolves no names: of these only localhost is known to be loopback.
func CheckAddresses(c config.Config) error {
	for _, listen := range []struct{ setting, address string }{{"http", c.HTTPAddress}, {"grpc", c.GRPCAddress}} {
		host, _, err := net.SplitHostPort(listen.address)
		if err != nil {
			return fmt.Errorf("--%s %q is no address: write host:port, as 127.0.0.1:8080", listen.setting, listen.address)
		}
		if (!c.ListenWithoutKeys || c.AuthoringWithoutKeys) && !loopback(host) {
			return &ExposedError{listen.setting, listen.address, c.AuthoringWithoutKeys}
		}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
