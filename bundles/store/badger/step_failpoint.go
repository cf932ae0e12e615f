//go:build failpoint

package badger

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// FailpointEnv names the point at which a binary built with the tag "failpoint" kills itself, and at which
// passing of it: "before flip" or "chunk written:3". Binaries built without the tag know nothing of it.
const FailpointEnv = "GEC_FAILPOINT"

var passed atomic.Int64

// namedPoint kills the process as the kernel would, without a chance to finish anything.
func namedPoint(point string) {
	name, count, _ := strings.Cut(os.Getenv(FailpointEnv), ":")
	if name != point {
		return
	}
	nth, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		nth = 1
	}
	if passed.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing is written after it
	}
}
