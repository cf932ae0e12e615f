package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// retainEvery is how often what is too old is looked for.
const retainEvery = time.Hour

// task is a segment to sync, up to the end of a chain, and to close where it is full.
type task struct {
	file    file
	through chain
	close   bool
}

// keep syncs and closes segments, and removes those that are old enough, until the writer has ended.
func (j *Journal) keep() {
	defer close(j.kept)
	ticker := time.NewTicker(retainEvery)
	defer ticker.Stop()
	j.retain()
	for {
		select {
		case t := <-j.tasks:
			j.do(t)
		case <-ticker.C:
			j.retain()
		case <-j.written:
			for {
				select {
				case t := <-j.tasks:
					j.do(t)
				default:
					return
				}
			}
		}
	}
}

// do syncs a segment and says how far the journal is on disk.
func (j *Journal) do(t task) {
	started := j.o.Now()
	err := t.file.Sync()
	j.syncs.Add(1)
	j.syncNanos.Add(int64(j.o.Now().Sub(started)))
	if err == nil {
		err = writeHead(j.dir, t.through, t.close)
	}
	if t.close {
		err = errors.Join(err, t.file.Close())
	}
	if err != nil {
		j.syncFailures.Add(1)
		j.o.Logger.Error("the journal may not be on disk", "entry", t.through.number, "error", err)
		return
	}
	j.durable.Store(t.through.number)
}

// retain removes the segments whose every call is older than the retention. The journal says so first, and that
// is on disk before anything is gone, so that no instant of a crash leaves a gap.
func (j *Journal) retain() {
	old, through, until, err := j.old()
	if err == nil && len(old) > 0 {
		err = j.remove(old, expired{at: j.o.Now(), through: through, until: until})
	}
	if err != nil {
		j.o.Logger.Warn("old segments of the journal were not removed", "error", err)
	}
}

// old returns the segments to remove, the end of their chain, and when the first that remains began.
func (j *Journal) old() (old []string, through chain, until time.Time, err error) {
	if j.o.Retention <= 0 {
		return nil, through, until, nil
	}
	names, err := segments(j.dir)
	if err != nil {
		return nil, through, until, err
	}
	limit := j.o.Now().Add(-j.o.Retention)
	// The last segment is being written. Any other ended when the next began.
	for i := 0; i+1 < len(names); i++ {
		f, s, err := startOf(filepath.Join(j.dir, names[i+1]))
		if err != nil || s.at.After(limit) {
			break // what cannot be read is left to people
		}
		old, through, until = names[:i+1], chain{f.number - 1, s.before}, s.at
	}
	return old, through, until, nil
}

// startOf reads the start of a segment.
func startOf(path string) (frame, start, error) {
	f, err := os.Open(path)
	if err != nil {
		return frame{}, start{}, err
	}
	defer f.Close()
	return newScanner(f).start()
}

func (j *Journal) remove(old []string, x expired) error {
	o := order{expired: x, done: make(chan task, 1)}
	select {
	case j.orders <- o:
	case <-j.written:
		return nil
	}
	t, ok := <-o.done
	if !ok {
		return ErrNoSpace
	}
	if err := t.file.Sync(); err != nil {
		return err
	}
	if err := writeHead(j.dir, t.through, true); err != nil {
		return err
	}
	for _, name := range old {
		path := filepath.Join(j.dir, name)
		if info, err := os.Stat(path); err == nil {
			j.bytes.Add(-info.Size())
		}
		if err := j.o.remove(path); err != nil {
			return err
		}
	}
	j.o.Logger.Info("old segments of the journal were removed", "segments", len(old), "through_entry", x.through.number,
		"before", x.until.Format(time.RFC3339), "hash", fmt.Sprintf("%x", x.through.digest))
	return syncFolder(j.dir)
}
