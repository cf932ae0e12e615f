package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// stallMax is how long a call waits for room before the writer counts as stuck.
const stallMax = 5 * time.Second

// bytesPerCall is what a call in the queue takes on average with its body; the room of the queue is that many
// bytes for each of its calls.
const bytesPerCall = 1 << 10

// strangersMax is how many calls a second that were refused before anybody knew who calls are journaled one by one: for
// want of a key, for a path that nobody serves, or because there are too many calls. Of the others their number is.
// Who has no key shall not fill the disk.
const strangersMax = 100

// errStuck is why calls do not wait for a disk that neither takes nor refuses what is written.
var errStuck = errors.New("the disk does not answer")

// queue holds the calls that are not written yet: those who answer calls append to one piece of memory, and the
// writer takes it whole, leaving another. An element is, in order:
//
//	length of the payload (4), length of the body (4), payload without the hash of the body, body
type queue struct {
	// callsMax bounds the calls that wait; block says that who finds no room waits for it.
	callsMax int
	block    bool
	// some is sent to when the queue is no longer empty, half when it is half full.
	some, half chan struct{}

	mu   sync.Mutex
	room sync.Cond
	// filling is what the writer has not taken.
	filling batch
	// failing is why nothing can be written now: nobody waits meanwhile.
	failing error
	closed  bool
	stall   *time.Timer
	// dropped and failed count calls that are not in the journal: for want of room, or of a disk.
	dropped, failed uint64
	// strangers counts the refused callers of the second that begins at strangersSince, beyond are those that were
	// too many, summed counts these since the journal was opened.
	strangers      int
	strangersSince time.Time
	beyond         gap
	summed         uint64
}

// batch is what the writer takes at a time.
type batch struct {
	bytes []byte
	calls int
	// lost are calls for which there was no room, summed those of strangers beyond strangersMax.
	lost, summed gap
}

func newQueue(callsMax int, block bool) *queue {
	q := &queue{callsMax: callsMax, block: block, some: make(chan struct{}, 1), half: make(chan struct{}, 1)}
	q.room.L = &q.mu
	return q
}

func (q *queue) full() bool {
	return q.filling.calls >= q.callsMax || len(q.filling.bytes) >= q.callsMax*bytesPerCall
}

// add copies an entry into the queue. With no room it waits, or counts the call as lost.
func (q *queue) add(e *Entry) {
	if q.sum(e) {
		return
	}
	if len(e.Body) > bodyCopiedMax {
		hashed := *e
		hashed.BodyBytes, hashed.BodySHA256, hashed.Body = int64(len(e.Body)), sha256.Sum256(e.Body), nil
		e = &hashed
	}
	q.mu.Lock()
	if q.full() || q.closed {
		q.await()
	}
	if q.full() || q.closed {
		q.lose(e)
		q.mu.Unlock()
		return
	}
	q.filling.append(e)
	q.filling.calls++
	first, half := q.filling.calls == 1, q.filling.calls == (q.callsMax+1)/2 || len(q.filling.bytes) >= q.callsMax*bytesPerCall/2
	q.mu.Unlock()
	if first {
		signal(q.some)
	}
	if half {
		signal(q.half)
	}
}

// sum counts a call of a stranger where there are too many of them, and reports whether it did.
func (q *queue) sum(e *Entry) bool {
	if e.Caller != "" || e.Status < http.StatusBadRequest {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false // and is counted as lost
	}
	// Calls end in another order than they began in: one that is a little early belongs to the second that is counted.
	ended := e.Started.Add(e.Took)
	if since := ended.Sub(q.strangersSince); since >= time.Second || since <= -time.Second {
		q.settle()
		q.strangers, q.strangersSince = 0, ended
	}
	if q.strangers++; q.strangers <= strangersMax {
		return false
	}
	q.summed++
	q.beyond.count(e, "more than "+strconv.Itoa(strangersMax)+" calls a second refused before their caller was known")
	return true
}

// settle has the number of the strangers of a second that is over go with what is written next.
func (q *queue) settle() {
	if summed := &q.filling.summed; summed.calls == 0 {
		*summed = q.beyond
	} else if q.beyond.calls > 0 {
		summed.calls, summed.last = summed.calls+q.beyond.calls, q.beyond.last
	}
	q.beyond = gap{}
}

// await waits for room where the policy is to wait, and for as long as there is hope for it.
func (q *queue) await() {
	for q.block && q.full() && q.failing == nil && !q.closed {
		if q.stall == nil {
			q.stall = time.AfterFunc(stallMax, q.stuck)
		}
		q.room.Wait()
	}
}

// stuck lets those go who have waited too long.
func (q *queue) stuck() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full() && q.failing == nil {
		q.failing = errStuck
		q.room.Broadcast()
	}
}

// lose counts a call that is not going to be in the journal.
func (q *queue) lose(e *Entry) {
	reason := q.filling.lost.reason
	switch {
	case q.closed:
		q.failed++
		return
	case q.failing != nil:
		q.failed++
		reason = q.failing.Error()
	default:
		q.dropped++
		if reason == "" {
			reason = "the queue was full"
		}
	}
	q.filling.lost.count(e, reason)
}

// settled reports whether there is a number of strangers that nothing else takes along: their second is over.
func (q *queue) settled() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.filling.summed.calls > 0 || q.beyond.calls > 0 && time.Since(q.strangersSince) >= time.Second
}

// take gives the writer what there is and leaves it the memory of another batch.
func (q *queue) take(memory []byte) batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.strangersSince) >= time.Second {
		q.settle()
	}
	taken := q.filling
	q.filling = batch{bytes: memory[:0]}
	q.vacate()
	return taken
}

// vacate wakes those who wait for room.
func (q *queue) vacate() {
	if q.stall != nil {
		q.stall.Stop()
		q.stall = nil
	}
	q.room.Broadcast()
}

// fail says why nothing can be written, nil for that it can be again.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing = err
	q.vacate()
}

// close ends the queue: who comes later is counted as lost.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settle()
	q.closed = true
	q.vacate()
}

// abandon counts the calls of a batch that could not be written until the end.
func (q *queue) abandon(b *batch) {
	q.mu.Lock()
	q.failed += uint64(b.calls)
	q.mu.Unlock()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// append appends an element.
func (b *batch) append(e *Entry) {
	from := len(b.bytes)
	b.bytes = appendEntry(append(b.bytes, make([]byte, 8)...), e)
	if len(e.Body) == 0 && e.BodyBytes > 0 {
		b.bytes = append(b.bytes, e.BodySHA256[:]...)
	}
	binary.BigEndian.PutUint32(b.bytes[from:], uint32(len(b.bytes)-from-8))
	binary.BigEndian.PutUint32(b.bytes[from+4:], uint32(len(e.Body)))
	b.bytes = append(b.bytes, e.Body...)
}

// frames appends the batch as frames to dst, which ends with the digest of the chain so far.
func (b *batch) frames(dst []byte, c chain) ([]byte, chain) {
	for rest := b.bytes; len(rest) > 0; {
		payload, body := rest[8:8+binary.BigEndian.Uint32(rest)], rest[4:8]
		end := 8 + len(payload)
		hashed := rest[end : end+int(binary.BigEndian.Uint32(body))]
		rest = rest[end+len(hashed):]
		dst, c = appendFrame(dst, c, func(dst []byte) []byte {
			dst = append(dst, payload...)
			if len(hashed) > 0 {
				digest := sha256.Sum256(hashed)
				dst = append(dst, digest[:]...)
			}
			return dst
		})
	}
	for _, g := range []*gap{&b.lost, &b.summed} {
		if g.calls > 0 {
			dst, c = appendFrame(dst, c, g.append)
		}
	}
	return dst, c
}
