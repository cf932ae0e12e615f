package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"
)

const (
	// gather is how long the writer lets calls gather before it writes them, unless the queue fills.
	gather = 5 * time.Millisecond
	// retryEvery is the time between two tries while nothing can be written.
	retryEvery = time.Second
	// A segment ends at segmentBytesMax or after segmentAge, so that retention has whole ones to remove.
	segmentBytesMax = 64 << 20
	segmentAge      = 24 * time.Hour
)

// ErrNoSpace is returned while there is less free space than the journal leaves to others.
var ErrNoSpace = errors.New("the disk has no room for the journal")

// writer is the one who adds to the segments. Nothing of it is for other goroutines.
type writer struct {
	j *Journal
	// last is the end of the chain, opening why the next segment begins.
	last    chain
	opening start
	// file is the segment that is written, nil while there is none, of so many bytes, begun at an instant.
	file  file
	name  string
	bytes int64
	began time.Time
	// out is the memory of frames, spare that of the next batch.
	out, spare []byte
	// asked is the last entry that was asked to be synced.
	asked uint64
	// troubled says that the log knows of the trouble.
	troubled bool
}

// run writes what comes until the queue is closed and empty.
func (w *writer) run() {
	defer close(w.j.written)
	ticker := time.NewTicker(w.j.o.tick())
	defer ticker.Stop()
	w.persist(nil) // so that the start is told even where nobody calls
	for {
		closed := false
		select {
		case <-w.j.queue.some:
			closed = w.gather()
			w.drain(closed)
		case order := <-w.j.orders:
			w.expire(order)
		case <-ticker.C:
			if w.file != nil && w.j.o.Now().Sub(w.began) >= segmentAge {
				w.rotate()
			}
			if w.j.queue.settled() {
				w.drain(false)
			}
			w.sync()
		}
		if closed {
			w.end()
			return
		}
	}
}

// gather waits for more, and reports whether the queue was closed.
func (w *writer) gather() (closed bool) {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.j.queue.half:
	case <-w.j.closing:
	}
	select {
	case <-w.j.closing:
		return true
	default:
		return false
	}
}

// drain writes what is in the queue; to its end where that is closed.
func (w *writer) drain(closed bool) {
	for {
		b := w.j.queue.take(w.spare)
		if b.calls == 0 && b.lost.calls == 0 && b.summed.calls == 0 {
			w.spare = b.bytes
			return
		}
		w.persist(&b)
		w.spare = b.bytes
		if !closed {
			return
		}
	}
}

// persist writes a batch, and tries again while that fails, until the journal is closed. A nil batch only begins
// a segment, and is tried once.
func (w *writer) persist(b *batch) {
	for {
		err := w.store(b)
		if err == nil {
			w.recovered()
			if w.j.o.Sync == 0 {
				w.sync()
			}
			return
		}
		w.fails(err)
		if b == nil {
			return
		}
		select {
		case <-w.j.closing:
			if err := w.store(b); err != nil {
				w.j.queue.abandon(b)
			}
			return
		case <-time.After(retryEvery):
		}
	}
}

// fails says that nothing can be written, so that nobody waits for it.
func (w *writer) fails(err error) {
	w.j.queue.fail(err)
	if !w.troubled {
		w.troubled = true
		w.j.o.Logger.Error("the journal cannot be written: calls go on, and are counted as lost once the queue is full", "error", err)
	}
}

func (w *writer) recovered() {
	w.j.queue.fail(nil)
	if w.troubled {
		w.troubled = false
		w.j.o.Logger.Info("the journal is written again")
	}
}

// store writes the frames of a batch in one piece, all or nothing.
func (w *writer) store(b *batch) error {
	if w.file != nil && w.bytes >= segmentBytesMax {
		w.rotate()
	}
	if w.j.o.Free() < w.j.o.ReserveBytes {
		return ErrNoSpace
	}
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if b == nil {
		return nil
	}
	frames, last := b.frames(append(w.out[:0], w.last.digest[:]...), w.last)
	w.out = frames
	if err := w.write(frames[digestBytes:]); err != nil {
		return err
	}
	w.last = last
	w.j.calls.Add(uint64(b.calls))
	return nil
}

// write appends to the segment. What was written by half is taken back; where that fails as well, a new segment
// begins, whose start says that the rest of this one does not count.
func (w *writer) write(frames []byte) error {
	n, err := w.file.Write(frames)
	if err == nil && n == len(frames) {
		w.bytes += int64(n)
		w.j.bytes.Add(int64(n))
		return nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	back := w.file.Truncate(w.bytes)
	if back == nil {
		_, back = w.file.Seek(w.bytes, io.SeekStart)
	}
	if back != nil {
		w.leave(causeBroken)
	}
	return fmt.Errorf("write %s: %w", w.name, err)
}

// begin begins a segment with its start.
func (w *writer) begin() error {
	s := w.opening
	s.at, s.before, s.node = w.j.o.Now(), w.last.digest, w.j.o.Node
	if w.j.o.Catalogue != nil {
		head := w.j.o.Catalogue()
		s.revision, s.revisionSHA256 = head.Revision, head.SHA256
	}
	name := segmentName(w.last.number + 1)
	f, err := w.j.o.create(filepath.Join(w.j.dir, name))
	if err != nil {
		return err
	}
	frames, last := appendFrame(append(w.out[:0], w.last.digest[:]...), w.last, s.append)
	w.out = frames
	opening := append([]byte(magic), frames[digestBytes:]...)
	if n, err := f.Write(opening); err != nil || n < len(opening) {
		if err == nil {
			err = io.ErrShortWrite
		}
		return errors.Join(err, f.Close(), w.j.o.remove(filepath.Join(w.j.dir, name)))
	}
	if err := syncFolder(w.j.dir); err != nil {
		return errors.Join(err, f.Close(), w.j.o.remove(filepath.Join(w.j.dir, name)))
	}
	w.file, w.name, w.bytes, w.began, w.last = f, name, int64(len(opening)), s.at, last
	w.opening = start{}
	w.j.bytes.Add(w.bytes)
	w.j.segment.Store(&name)
	w.j.o.Logger.Info("the journal begins a segment", "segment", name, "entry", last.number, "hash", fmt.Sprintf("%x", last.digest))
	return nil
}

// rotate ends a segment that is full.
func (w *writer) rotate() { w.leave(causeRotated) }

// leave gives a segment to who syncs and closes it. The next one begins for the given cause.
func (w *writer) leave(c cause) {
	w.j.tasks <- task{file: w.file, through: w.last, close: true}
	w.file, w.opening = nil, start{cause: c}
}

// sync asks for the segment to be synced, unless that is under way.
func (w *writer) sync() {
	if w.file == nil || w.last.number == w.asked || len(w.j.tasks) > 0 {
		return
	}
	w.j.tasks <- task{file: w.file, through: w.last}
	w.asked = w.last.number
}

// order asks the writer to say what retention is going to remove, and is answered with whether that is written.
type order struct {
	expired expired
	done    chan task
}

// expire writes the anchor of what remains.
func (w *writer) expire(o order) {
	defer close(o.done)
	if w.file == nil {
		return // nothing can be written: the next time will do
	}
	frames, last := appendFrame(append(w.out[:0], w.last.digest[:]...), w.last, o.expired.append)
	w.out = frames
	if err := w.write(frames[digestBytes:]); err != nil {
		w.fails(err)
		return
	}
	w.last = last
	o.done <- task{file: w.file, through: w.last}
}

// end writes the end of a journal that stops in order, and hands the segment on to be synced.
func (w *writer) end() {
	if w.file == nil {
		return
	}
	frames, last := appendFrame(append(w.out[:0], w.last.digest[:]...), w.last, func(b []byte) []byte { return appendEnd(b, w.j.o.Now()) })
	if err := w.write(frames[digestBytes:]); err == nil {
		w.last = last
	}
	if w.file != nil {
		w.leave(causeStopped)
	}
}
