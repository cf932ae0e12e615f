// Package frames walks over what a client sends where only the heads of its frames count: a stream of heads of one
// size, each of which says how many bytes follow it. It keeps no more than a head, in whatever pieces the bytes come.
//
// Where to start: [Walker].
package frames

// HeadBytesMax is the size of the largest head.
const HeadBytesMax = 9

// Walker is where a walk has come to. It is used by one goroutine at a time.
type Walker struct {
	// HeadBytes is the size of every head, 1 to HeadBytesMax.
	HeadBytes int
	// Left are the bytes up to the next head.
	Left int
	// Head is told of every head, valid until it returns, and says how many bytes follow it. The walk ends where it
	// is not ok.
	Head func(head []byte) (left int, ok bool)

	head   [HeadBytesMax]byte
	headed int
}

// Walk goes over the bytes that come next, and reports whether every head among them was ok.
func (w *Walker) Walk(p []byte) bool {
	for len(p) > 0 {
		if w.Left > 0 {
			n := min(w.Left, len(p))
			w.Left, p = w.Left-n, p[n:]
			continue
		}
		n := copy(w.head[w.headed:w.HeadBytes], p)
		w.headed, p = w.headed+n, p[n:]
		if w.headed < w.HeadBytes {
			return true
		}
		left, ok := w.Head(w.head[:w.HeadBytes])
		if w.headed, w.Left = 0, left; !ok {
			return false
		}
	}
	return true
}
