package journal

import (
	"fmt"
	"path/filepath"
)

// VerifyOptions says what a journal is held against besides itself.
type VerifyOptions struct {
	// Head is the end of the journal as somebody noted it at some time, such as the log: the number of an entry
	// and its hash. With number 0 there is none.
	Head Mark
	// Revision returns the hash of a revision's record in the catalogue; known is false where it has none. nil: the
	// revisions that the journal names are not compared.
	Revision func(revision int64) (sha256 [32]byte, known bool, err error)
}

// Mark is an entry by its number and hash.
type Mark struct {
	Number uint64
	SHA256 [32]byte
}

// Verify reads the journal of a folder and holds every entry against the chain. It may be written meanwhile; what
// comes during the reading may or may not be looked at. Errors: of reading; what is wrong with the journal is in
// the report.
func Verify(dir string, o VerifyOptions) (Report, error) {
	w := newWalk(dir)
	if o.Head.Number > 0 {
		w.mark(chain{o.Head.Number, o.Head.SHA256}, "the hash given")
	}
	if err := w.read(); err != nil {
		return w.report, err
	}
	if o.Revision == nil {
		return w.report, nil
	}
	compared := map[int64]bool{}
	for _, a := range w.report.Anchors {
		if compared[a.Revision] {
			continue
		}
		compared[a.Revision] = true
		hash, known, err := o.Revision(a.Revision)
		switch {
		case err != nil:
			return w.report, fmt.Errorf("revision %d: %w", a.Revision, err)
		case !known:
			w.fault(Fault{filepath.Base(dir), 0, 0, Missing, fmt.Sprintf("revision %d, which the journal names, is not in the catalogue", a.Revision)})
		case hash != a.SHA256:
			w.fault(Fault{filepath.Base(dir), 0, 0, Edited, fmt.Sprintf("revision %d of the catalogue is not the one that the journal names", a.Revision)})
		}
	}
	return w.report, nil
}
