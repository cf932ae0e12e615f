package condition

import (
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"weak"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Cache keeps the programs that were used last, by the SHA-256 of their language and source, so
// that equal conditions share one program and memory stays bounded however many bundles there are
// (E4). It may be used by many goroutines at once. A miss compiles.
type Cache struct {
	programs     *lru.Cache[[sha256.Size]byte, *Program]
	hits, misses atomic.Uint64
}

// Stats counts what a Cache did since it was made.
type Stats struct {
	Hits   uint64 // lookups that found their program; those that a Handle answers itself do not count
	Misses uint64 // lookups that compiled, whether or not that succeeded
	Size   int    // programs held now
}

// dialect is which of the two languages a source is in.
type dialect string

const (
	authored  dialect = "authored"
	canonical dialect = "canonical"
)

// NewCache returns an empty cache for up to capacity programs; below 1 counts as 1. A program of
// an ordinary condition takes some 4 KB.
func NewCache(capacity int) *Cache {
	programs, err := lru.New[[sha256.Size]byte, *Program](max(capacity, 1))
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Cache{programs: programs}
}

// Program gives the program of an authored condition, as Compile does. Errors: *Error.
func (c *Cache) Program(source string) (*Program, error) { return c.get(authored, source) }

// Canonical gives the program of a generated source, as CompileCanonical does. Errors: *Error.
func (c *Cache) Canonical(source string) (*Program, error) { return c.get(canonical, source) }

// Stats gives the counts; each is exact, all three together are not one instant's.
func (c *Cache) Stats() Stats {
	return Stats{Hits: c.hits.Load(), Misses: c.misses.Load(), Size: c.programs.Len()}
}

func (c *Cache) get(language dialect, source string) (*Program, error) {
	key := cacheKey(language, source)
	if program, ok := c.programs.Get(key); ok {
		c.hits.Add(1)
		return program, nil
	}
	c.misses.Add(1)
	build := Compile
	if language == canonical {
		build = CompileCanonical
	}
	program, err := build(source)
	if err != nil {
		return nil, err
	}
	// Whoever compiled the same source first wins, so that equal sources share one program.
	if earlier, ok, _ := c.programs.PeekOrAdd(key, program); ok {
		return earlier, nil
	}
	return program, nil
}

// cacheKey hashes language and source. The version is part of it, so that a key is never taken
// for that of another version.
func cacheKey(language dialect, source string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s %s", LanguageVersion, language, source))
}

// Handle is a source with a way to its program that takes no lock while the program lives. The
// cache alone keeps it alive; when it has dropped it and the garbage collector has taken it, the
// next call compiles anew through the cache. Such calls do not tell the cache that the program is
// in use: one that is dropped all the same costs one compilation, and is then the newest. The row
// of a bundle with a `when` holds one. It may be used by many goroutines at once.
type Handle struct {
	cache  *Cache
	source string
	latest atomic.Pointer[outcome]
}

// outcome is what compiling a Handle's source came to: a program, or for good an error.
type outcome struct {
	program weak.Pointer[Program]
	err     error
}

// Handle returns a handle on an authored condition, as Program takes. Nothing is compiled yet.
func (c *Cache) Handle(source string) *Handle { return &Handle{cache: c, source: source} }

// Source gives the text that the handle stands for.
func (h *Handle) Source() string { return h.source }

// Program gives the program of the handle's source. Errors: *Error, the same one at every call.
func (h *Handle) Program() (*Program, error) {
	if latest := h.latest.Load(); latest != nil {
		if latest.err != nil {
			return nil, latest.err
		}
		if program := latest.program.Value(); program != nil {
			return program, nil
		}
	}
	program, err := h.cache.Program(h.source)
	if err != nil {
		// A source that does not compile never will: without this each quote would try again.
		h.latest.Store(&outcome{err: err})
		return nil, err
	}
	h.latest.Store(&outcome{program: weak.Make(program)})
	return program, nil
}
