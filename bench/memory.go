package bench

import (
	"runtime"

	"gec/api/fragment"
	"gec/engine"
)

// Memory is what a catalogue holds in memory.
type Memory struct {
	Bundles int
	// Snapshot is what its snapshot takes of which no bundle was quoted, Quoted what it takes more once all were: the
	// bundles and the ready parts of answers; in bytes.
	Snapshot, Quoted int64
}

// MeasureMemory measures the catalogue of the options. Nothing else may allocate meanwhile.
func MeasureMemory(o Options) (m Memory, err error) {
	m.Bundles = o.Bundles
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what the first one finalized
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	start := heap()
	c := Generate(o)
	s, err := c.Snapshot()
	if err != nil {
		return m, err
	}
	c.Bundles = nil
	snapshot := heap()
	quoted, fragments := make([]*engine.Bundle, 0, s.Len()), make([]any, 0, s.Len())
	for b := range s.Bundles() {
		quoted, fragments = append(quoted, b), append(fragments, fragment.Of(b))
	}
	m.Snapshot, m.Quoted = snapshot-start, heap()-snapshot
	runtime.KeepAlive(s)
	runtime.KeepAlive(quoted)
	runtime.KeepAlive(fragments)
	return m, nil
}
