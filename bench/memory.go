package bench

import (
	"runtime"

	"gec/api/fragment"
	"gec/engine"
)

// Memory is what a catalogue holds in memory.
type Memory struct {
	Bundles int
	// Catalogue is what the bundles themselves take, Index what the snapshot adds, Fragments the ready
	// parts of answers; in bytes.
	Catalogue, Index, Fragments int64
}

// PerBundle returns the bytes that one bundle takes in all.
func (m Memory) PerBundle() int64 {
	return (m.Catalogue + m.Index + m.Fragments) / int64(max(m.Bundles, 1))
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
	catalogue := heap()
	s, err := c.Snapshot()
	if err != nil {
		return m, err
	}
	index := heap()
	fragments := make([]any, 0, len(c.Bundles))
	for _, b := range c.Bundles {
		fragments = append(fragments, fragment.Of(b))
	}
	end := heap()
	m.Catalogue, m.Index, m.Fragments = catalogue-start, index-catalogue, end-index
	keep(c, s, fragments)
	return m, nil
}

// keep holds values until it is called, so that the collector leaves them alone.
func keep(c *Catalogue, s *engine.Snapshot, fragments []any) {
	runtime.KeepAlive(c)
	runtime.KeepAlive(s)
	runtime.KeepAlive(fragments)
}
