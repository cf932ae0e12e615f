package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Fault is a place where a journal is not what was written.
type Fault struct {
	// Segment is the name of the file, Entry the number of the first entry concerned and Offset where it begins.
	Segment string
	Entry   uint64
	Offset  int64
	// Kind is what was found.
	Kind FaultKind
	// Reason says more.
	Reason string
}

// FaultKind is what can be wrong with a journal.
type FaultKind string

// The kinds: an entry that is not what was written there, entries that are missing, entries that are there twice
// or came from elsewhere.
const (
	Edited   FaultKind = "edited"
	Missing  FaultKind = "missing"
	Inserted FaultKind = "inserted"
)

func (f Fault) String() string {
	return fmt.Sprintf("%s: segment %s, entry %d, byte %d: %s", f.Kind, f.Segment, f.Entry, f.Offset, f.Reason)
}

// Anchor is a revision of the catalogue that the journal names, with the hash of its record.
type Anchor struct {
	Revision int64
	SHA256   [digestBytes]byte
}

// Report is what reading a journal found.
type Report struct {
	// Node is the name of the node in the last segment.
	Node string
	// Segments, Entries and Calls are those that could be read; a call is two records.
	Segments       int
	Entries, Calls uint64
	// Began is when the first segment did, Last the instant of the last call.
	Began, Last time.Time
	// Head is the number of the last entry, Digest its hash.
	Head   uint64
	Digest [digestBytes]byte
	// Crashes are the starts after a process that did not stop in order. Lost are the calls that could not be
	// written, for want of room, as the journal itself says.
	Crashes int
	Lost    uint64
	// ExpiredThrough is the last entry that retention removed, 0 for none.
	ExpiredThrough uint64
	// Torn is the number of bytes of half an entry at the end. Stopped says that the journal ends in order,
	// Running that a process is writing it.
	Torn             int64
	Stopped, Running bool
	// Anchors are the revisions that the starts of segments name.
	Anchors []Anchor
	// Faults is everything that is wrong, at most FaultsMax.
	Faults []Fault
}

// FaultsMax bounds the faults that a report lists.
const FaultsMax = 100

// Whole reports whether nothing is wrong. What a crash leaves is not.
func (r *Report) Whole() bool { return len(r.Faults) == 0 }

// walk is one reading of a journal.
type walk struct {
	dir    string
	report Report
	// last is the end of the chain so far, end the place behind it in its segment; first is what the first
	// segment says it follows.
	last, first chain
	end         int64
	// tail is what is wrong at the end of a segment, which the start of the next may explain by a crash.
	tail *Fault
	// marks are digests that entries must have, by number.
	marks map[uint64][]*mark
	// durable is the number of the last entry that was on disk for certain.
	durable uint64
	// newest says that no segment follows the one that is read.
	newest bool
	// expired are the ends of what retention removed.
	expired map[chain]bool
	// wanted says whether a segment is read that begins at one instant, the next one at another; nil: all are.
	// skipped says that the one before was not.
	wanted  func(began, next time.Time) bool
	skipped bool
	// yield gets every call and gap; false ends the walk.
	yield func(*frame) bool
	ended bool
}

// mark is a digest that an entry must have, and who says so.
type mark struct {
	chain
	source string
	met    bool
}

func newWalk(dir string) *walk {
	return &walk{dir: dir, marks: map[uint64][]*mark{}, expired: map[chain]bool{}}
}

// mark holds an entry to a digest.
func (w *walk) mark(c chain, source string) {
	w.marks[c.number] = append(w.marks[c.number], &mark{chain: c, source: source})
}

// read walks over all segments of a folder. Errors: of reading files, not of what is in them.
func (w *walk) read() error {
	w.report.Running = locked(w.dir)
	head, known := readHead(w.dir) // first: what it names is on disk by then
	names, err := segments(w.dir)
	if err != nil {
		return err
	}
	switch {
	case known:
		w.durable = head.number
		w.mark(head, "the head file")
	case len(names) > 0:
		w.fault(Fault{headName, 0, 0, Missing, "the head file, which says how far the journal goes, is missing or was edited"})
	}
	for i, name := range names {
		next := ""
		if i+1 < len(names) {
			next = names[i+1]
		}
		if err := w.segment(name, next); err != nil && !errors.Is(err, fs.ErrNotExist) { // expired meanwhile
			return err
		}
		if w.ended {
			return nil
		}
	}
	w.report.Head, w.report.Digest = w.last.number, w.last.digest
	if w.wanted == nil {
		w.conclude()
	}
	return nil
}

// conclude judges the beginning and the end.
func (w *walk) conclude() {
	if w.first.number > 0 && !w.expired[w.first] {
		w.fault(Fault{segmentName(w.first.number + 1), 1, 0, Missing,
			fmt.Sprintf("entries 1 to %d are missing, and retention did not remove them", w.first.number)})
	}
	for _, m := range slices.Concat(slices.Collect(maps.Values(w.marks))...) {
		switch number := m.number; {
		case number > w.last.number:
			w.fault(Fault{segmentName(w.first.number + 1), w.last.number + 1, w.end, Missing,
				fmt.Sprintf("%s knows of %d entries: entries %d to %d are missing at the end, which no crash explains", m.source, number, w.last.number+1, number)})
		case !m.met && number > w.first.number:
			w.fault(Fault{segmentName(w.first.number + 1), number, 0, Edited, m.source + " has another hash for this entry: the journal was written anew"})
		}
	}
}

// began returns when a segment did, the zero time where it does not say.
func began(path string) time.Time {
	f, err := os.Open(path)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	if _, s, err := newScanner(f).start(); err == nil {
		return s.at
	}
	return time.Time{}
}

// segment reads one segment.
func (w *walk) segment(name, next string) error {
	f, err := os.Open(filepath.Join(w.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	w.newest = next == ""
	s := newScanner(f)
	first, opening, err := s.start()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, errTorn):
		w.endsIn(name, f, 0, err)
		return nil
	case errors.Is(err, errNoStart) || errors.Is(err, errLength):
		w.fault(Fault{name, w.last.number + 1, 0, Edited, err.Error()})
		return nil
	case err != nil:
		return err
	}
	w.report.Segments++
	w.opened(name, &first, &opening)
	w.advance(&first, s.before)
	if w.wanted != nil && next != "" && !w.wanted(opening.at, began(filepath.Join(w.dir, next))) {
		w.skipped = true
		return nil
	}
	w.skipped = false
	for !w.ended {
		one, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn) || errors.Is(err, errLength):
			w.endsIn(name, f, w.end, err)
			return nil
		case err != nil:
			return err
		}
		if one.edited && w.newest && one.number > w.durable && one.number == w.last.number+1 {
			w.endsIn(name, f, w.end, errTorn) // it had not been on disk for certain
			return nil
		}
		w.follow(name, &one)
		w.advance(&one, s.before)
	}
	return nil
}

// endsIn notes that a segment ends in what is no entry.
func (w *walk) endsIn(name string, f *os.File, at int64, reason error) {
	if w.newest && errors.Is(reason, errLength) && w.last.number < w.durable {
		w.fault(Fault{name, w.last.number + 1, at, Edited, reason.Error()})
		return
	}
	w.tail = &Fault{name, w.last.number + 1, at, Edited, reason.Error()}
	if info, err := f.Stat(); err == nil && w.newest && !w.report.Running {
		w.report.Torn = info.Size() - at
	}
}

// opened holds the start of a segment against the end of the one before.
func (w *walk) opened(name string, f *frame, s *start) {
	before := chain{f.number - 1, s.before}
	explained := before == w.last && (s.cause == causeCrash || s.cause == causeBroken)
	if w.tail != nil && !explained {
		w.fault(*w.tail)
	}
	w.tail = nil
	switch {
	case f.edited:
		w.fault(Fault{name, f.number, 0, Edited, "the start of the segment was edited"})
	case w.report.Segments == 1:
		w.first = before
	case w.skipped || before == w.last:
	case before.number > w.last.number:
		w.fault(Fault{name, w.last.number + 1, 0, Missing, fmt.Sprintf("entries %d to %d are missing before this segment", w.last.number+1, before.number)})
	case before.number < w.last.number:
		w.fault(Fault{name, f.number, 0, Inserted, fmt.Sprintf("the segment before goes on to entry %d", w.last.number)})
	default:
		w.fault(Fault{name, f.number, 0, Edited, "the segment does not follow the one before it, whose end was edited"})
	}
	if s.cause == causeCrash {
		w.report.Crashes++
	}
	w.report.Node = s.node
	if w.report.Began.IsZero() {
		w.report.Began = s.at
	}
	if s.revision > 0 {
		w.report.Anchors = append(w.report.Anchors, Anchor{s.revision, s.revisionSHA256})
	}
	w.report.Stopped = false
}

// follow holds a frame against the one before it and counts what it tells.
func (w *walk) follow(name string, f *frame) {
	switch due := w.last.number + 1; {
	case f.number > due:
		w.fault(Fault{name, due, w.end, Missing, fmt.Sprintf("entries %d to %d are missing", due, f.number-1)})
	case f.number < due:
		w.fault(Fault{name, f.number, w.end, Inserted, fmt.Sprintf("entry %d stands behind entry %d", f.number, w.last.number)})
	case f.edited:
		w.fault(Fault{name, f.number, w.end, Edited, "the entry does not fit its hash and the entry before it"})
	default:
		if err := f.check(); err != nil {
			w.fault(Fault{name, f.number, w.end, Edited, "the entry cannot be read: " + err.Error()})
			return
		}
	}
	w.report.Stopped = false
	switch kind(f.payload[0]) {
	case kindCall:
		if e, err := decodeEntry(f.payload); err == nil {
			w.report.Calls++
			w.report.Last = e.Started
		}
	case kindGap:
		if g, err := decodeGap(f.payload); err == nil {
			w.report.Lost += g.calls
		}
	case kindExpired:
		if x, err := decodeExpired(f.payload); err == nil && !f.edited {
			w.expired[x.through] = true
			w.report.ExpiredThrough = x.through.number
		}
	case kindEnd:
		w.report.Stopped = true
	}
	if w.yield != nil && !w.yield(f) {
		w.ended = true
	}
}

// advance goes on to a frame, whose digest is given.
func (w *walk) advance(f *frame, digest [digestBytes]byte) {
	w.report.Entries++
	w.last, w.end = chain{f.number, digest}, f.end
	for _, m := range w.marks[f.number] {
		m.met = m.met || m.digest == digest
	}
}

func (w *walk) fault(f Fault) {
	if len(w.report.Faults) < FaultsMax {
		w.report.Faults = append(w.report.Faults, f)
	}
}
