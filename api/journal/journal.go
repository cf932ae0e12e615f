package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gec/bundles"
)

// Policy says what becomes of a call for which the queue has no room.
type Policy string

// The policies: the call waits until there is room, so that nothing is lost; or the journal goes without it, says
// so itself, and counts it.
const (
	Block Policy = "block"
	Drop  Policy = "drop"
)

// The defaults of Options.
const (
	QueueDefault     = 8192
	RetentionDefault = 24 * 730 * time.Hour // 24 months
	SyncDefault      = time.Second
)

// Options says how a journal is kept. The zero value keeps all, for ever.
type Options struct {
	// Policy is Block where it is empty.
	Policy Policy
	// Queue is the number of calls that may wait to be written, each with 1 KiB of room; 0: QueueDefault.
	Queue int
	// Retention is the age at which segments are removed; 0: never.
	Retention time.Duration
	// Sync is the longest time between an entry's being written and its being synced to the disk; 0: at once.
	// An entry that is written survives the process in any case, one that is synced the machine, too.
	Sync time.Duration
	// Node is the name of the node, for people.
	Node string
	// Catalogue returns the record of the current revision, which every segment names; nil: none.
	Catalogue func() bundles.Record
	// Free returns the free bytes of the disk, of which the journal leaves ReserveBytes to others; nil: it takes all.
	Free         func() uint64
	ReserveBytes uint64
	// Logger is told of starts, segments and trouble; nil: nobody is.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	// create and remove act on segments. For tests.
	create func(path string) (file, error)
	remove func(path string) error
}

func (o Options) withDefaults() Options {
	if o.Queue == 0 {
		o.Queue = QueueDefault
	}
	if o.Free == nil {
		o.Free = func() uint64 { return math.MaxUint64 }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.create == nil {
		o.create = create
	}
	if o.remove == nil {
		o.remove = os.Remove
	}
	return o
}

// tick is how often the writer looks at what time has made due.
func (o *Options) tick() time.Duration {
	if o.Sync > 0 {
		return o.Sync
	}
	return SyncDefault
}

// Journal is an open journal. A nil Journal keeps nothing. It is safe for concurrent use.
type Journal struct {
	o       Options
	dir     string
	queue   *queue
	release func()
	// tasks are for the keeper, orders for the writer. closing is closed when the journal is, written and kept
	// when the one and the other have ended.
	tasks                  chan task
	orders                 chan order
	closing, written, kept chan struct{}
	once                   sync.Once

	segment             atomic.Pointer[string]
	calls, durable      atomic.Uint64
	bytes               atomic.Int64
	syncs, syncFailures atomic.Uint64
	syncNanos           atomic.Int64
}

// errLocked is returned for a folder whose journal another process writes.
var errLocked = errors.New("another process writes this journal")

// Open opens the journal of a folder, which it makes where it is not there, and begins a new segment. What a crash
// left half written is cut off, and the new segment says so. A disk that is full is no error: the journal waits for
// room. Errors: what is wrong with the folder or the options.
func Open(dir string, o Options) (*Journal, error) {
	if o.Policy != "" && o.Policy != Block && o.Policy != Drop || o.Queue < 0 || o.Retention < 0 || o.Sync < 0 {
		return nil, fmt.Errorf("journal: options out of bounds: policy %q, queue %d, retention %s, sync %s", o.Policy, o.Queue, o.Retention, o.Sync)
	}
	o = o.withDefaults()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	release, err := lock(dir)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", dir, err)
	}
	j := &Journal{
		o: o, dir: dir, queue: newQueue(o.Queue, o.Policy != Drop), release: release,
		tasks: make(chan task, 16), orders: make(chan order),
		closing: make(chan struct{}), written: make(chan struct{}), kept: make(chan struct{}),
	}
	w := &writer{j: j}
	if w.last, w.opening, err = j.recover(); err != nil {
		release()
		return nil, fmt.Errorf("journal %s: %w", dir, err)
	}
	go w.run()
	go j.keep()
	return j, nil
}

// Add journals one call. It copies what it is given and returns at once, or, with the policy Block and no room in
// the queue, once there is; it never waits for a disk that is full or does not answer.
func (j *Journal) Add(e *Entry) {
	if j != nil {
		j.queue.add(e)
	}
}

// Close writes and syncs everything that was added. What is added later is lost.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.once.Do(func() {
		j.queue.close()
		close(j.closing)
		signal(j.queue.some)
		<-j.written
		<-j.kept
		j.release()
	})
	if s := j.Stats(); s.Failed > 0 {
		return fmt.Errorf("journal %s: %d calls could not be written", j.dir, s.Failed)
	}
	return nil
}

// Stats are the numbers of a journal since it was opened.
type Stats struct {
	// Waiting is the number of calls in the queue now.
	Waiting int
	// Written, Dropped and Failed count calls: those that are in the journal, those for which there was no room
	// (policy Drop), and those lost while the disk was full or failed.
	Written, Dropped, Failed uint64
	// Summed counts calls that were refused before their caller was known, of which the journal has the number only.
	Summed uint64
	// Durable is the number of the last entry that is on disk for certain.
	Durable uint64
	// Bytes are those of all segments.
	Bytes int64
	// Syncs and SyncFailures count calls of fsync, SyncTime is what they took.
	Syncs, SyncFailures uint64
	SyncTime            time.Duration
	// Failing is why nothing can be written now, nil where all is well.
	Failing error
}

// Stats returns the numbers now.
func (j *Journal) Stats() Stats {
	s := Stats{
		Written: j.calls.Load(), Durable: j.durable.Load(), Bytes: j.bytes.Load(),
		Syncs: j.syncs.Load(), SyncFailures: j.syncFailures.Load(), SyncTime: time.Duration(j.syncNanos.Load()),
	}
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	s.Waiting, s.Dropped, s.Failed, s.Failing = j.queue.filling.calls, j.queue.dropped, j.queue.failed, j.queue.failing
	s.Summed = j.queue.summed
	return s
}

// recover finds the end of what is there and why the next segment begins.
func (j *Journal) recover() (last chain, opening start, err error) {
	names, err := segments(j.dir)
	if err != nil {
		return last, opening, err
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(j.dir, name)); err == nil {
			j.bytes.Add(info.Size())
		}
	}
	head, known := readHead(j.dir)
	if len(names) == 0 && !known {
		return last, start{cause: causeNew}, writeHead(j.dir, last, true)
	}
	w := newWalk(j.dir)
	w.durable = head.number
	for w.report.Segments == 0 && len(names) > 0 {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		w.tail, w.end = nil, 0
		if err := w.segment(name, ""); err != nil {
			return last, opening, err
		}
		if w.tail == nil {
			continue
		}
		opening.torn += uint64(w.report.Torn)
		if err := j.cutOff(name, w.end); err != nil {
			return last, opening, err
		}
	}
	last, opening.cause = w.last, causeCrash
	if w.report.Stopped {
		opening.cause = causeStopped
	}
	if head.number > last.number {
		opening.gone = head.number - last.number
		last = head
	}
	j.durable.Store(last.number)
	j.tell(w, opening, last)
	return last, opening, nil
}

// cutOff removes what a crash left behind the last whole entry, the whole segment where that is all of it.
func (j *Journal) cutOff(name string, end int64) error {
	path := filepath.Join(j.dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	j.bytes.Add(end - info.Size())
	if end == 0 {
		return os.Remove(path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(end), f.Sync(), f.Close())
}

// tell says in the log how the journal was found.
func (j *Journal) tell(w *walk, s start, last chain) {
	log := j.o.Logger.With("entry", last.number, "hash", fmt.Sprintf("%x", last.digest))
	switch {
	case s.gone > 0 || len(w.report.Faults) > 0:
		log.Error("the journal is not what was written: run gec journal verify", "entries_gone", s.gone, "faults", len(w.report.Faults))
	case s.cause == causeCrash:
		log.Warn("the journal was not ended in order", "torn_bytes_cut", s.torn)
	default:
		log.Info("the journal goes on")
	}
}
