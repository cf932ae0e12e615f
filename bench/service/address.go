package service

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports of FreeAddress are below those that systems give to connections by themselves.
const portMin, portEnd = 20_000, 32_000

// FreeAddress returns an address on loopback where nobody listens, for a process that shall come back to it: a port
// that the system chooses may be a connection's when it does. Errors: no port is free.
func FreeAddress() (string, error) {
	var last error
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", portMin+rand.IntN(portEnd-portMin)))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
		last = err
	}
	return "", errors.Join(errors.New("no port is free"), last)
}
