package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A segment is a file of the magic and frames. A frame is, integers big-endian:
//
//	length of the payload (4), number (8), payload, digest (32)
//
// The digest is the SHA-256 of the digest before it, which stands right before the frame, and of the frame up to
// the digest. Numbers count the frames of a journal from 1, over all its segments. The first byte of a payload is
// its kind; the first frame of a segment is its start, which states the digest before it.
const (
	magic           = "GECGDE1\n"
	lengthBytes     = 4
	headBytes       = lengthBytes + 8
	digestBytes     = sha256.Size
	payloadBytesMax = 64 << 10
)

// kind says what a frame tells. The values are part of the stored format.
type kind byte

const (
	kindStart   kind = 'S'
	kindCall    kind = 'C'
	kindGap     kind = 'G'
	kindExpired kind = 'X'
	kindEnd     kind = 'E'
)

// chain is the end of a chain of frames.
type chain struct {
	number uint64
	digest [digestBytes]byte
}

// appendFrame appends a frame to b, whose last bytes are the digest of the frame before, and returns the chain
// that it ends. payload appends the payload.
func appendFrame(b []byte, c chain, payload func([]byte) []byte) ([]byte, chain) {
	from := len(b) - digestBytes
	c.number++
	b = append(b, make([]byte, lengthBytes)...)
	b = binary.BigEndian.AppendUint64(b, c.number)
	body := len(b)
	b = payload(b)
	binary.BigEndian.PutUint32(b[from+digestBytes:], uint32(len(b)-body))
	c.digest = sha256.Sum256(b[from:])
	return append(b, c.digest[:]...), c
}

// cause says why a segment begins. The values are part of the stored format.
type cause byte

const (
	// causeNew begins a journal, causeRotated follows a full segment, causeStopped an end.
	causeNew cause = iota
	causeRotated
	causeStopped
	// causeCrash follows a segment whose process did not come to an end, causeBroken one that could not be
	// written any more. What is behind the last whole frame of that segment does not count.
	causeCrash
	causeBroken
)

// start is the first frame of a segment.
type start struct {
	at    time.Time
	cause cause
	// torn is the number of bytes of half a frame that a crash left, gone the number of frames that had been
	// on disk and were not there any more.
	torn, gone uint64
	before     [digestBytes]byte
	node       string
	// revision and revisionSHA256 are those of the catalogue then: they tie its chain to this one.
	revision       int64
	revisionSHA256 [digestBytes]byte
}

func (s *start) append(b []byte) []byte {
	b = appendTime(append(b, byte(kindStart)), s.at)
	b = append(b, byte(s.cause))
	b = binary.AppendUvarint(binary.AppendUvarint(b, s.torn), s.gone)
	b = append(b, s.before[:]...)
	b = appendText(b, s.node, textMax)
	b = binary.AppendUvarint(b, uint64(max(s.revision, 0)))
	return append(b, s.revisionSHA256[:]...)
}

func decodeStart(payload []byte) (s start, err error) {
	d := decoder{rest: payload}
	d.skip(byte(kindStart))
	s.at, s.cause = d.time(), cause(d.byte())
	s.torn, s.gone = d.uvarint(), d.uvarint()
	d.digest(&s.before)
	s.node = d.text()
	s.revision = int64(d.uvarint())
	d.digest(&s.revisionSHA256)
	return s, d.end()
}

// gap says that calls are missing: they could not be written, or only their number is.
type gap struct {
	calls       uint64
	first, last time.Time
	reason      string
}

// count adds a call to those that are missing.
func (g *gap) count(e *Entry, reason string) {
	if g.calls == 0 {
		g.first = e.Started
	}
	g.calls, g.last, g.reason = g.calls+1, e.Started, reason
}

func (g *gap) append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, byte(kindGap)), g.calls)
	return appendText(appendTime(appendTime(b, g.first), g.last), g.reason, requestIDMax)
}

func decodeGap(payload []byte) (g gap, err error) {
	d := decoder{rest: payload}
	d.skip(byte(kindGap))
	g.calls = d.uvarint()
	g.first, g.last = d.time(), d.time()
	g.reason = d.text()
	return g, d.end()
}

// expired says up to where the journal was removed because it was old enough: it is the anchor of what remains.
type expired struct {
	at      time.Time
	through chain
	// until is when the first segment that remains began.
	until time.Time
}

func (x *expired) append(b []byte) []byte {
	b = appendTime(append(b, byte(kindExpired)), x.at)
	b = binary.BigEndian.AppendUint64(b, x.through.number)
	return appendTime(append(b, x.through.digest[:]...), x.until)
}

func decodeExpired(payload []byte) (x expired, err error) {
	d := decoder{rest: payload}
	d.skip(byte(kindExpired))
	x.at = d.time()
	x.through.number = d.uint64()
	d.digest(&x.through.digest)
	x.until = d.time()
	return x, d.end()
}

// appendEnd appends the last frame of a process that stopped in order.
func appendEnd(b []byte, at time.Time) []byte { return appendTime(append(b, byte(kindEnd)), at) }

func decodeEnd(payload []byte) (at time.Time, err error) {
	d := decoder{rest: payload}
	d.skip(byte(kindEnd))
	at = d.time()
	return at, d.end()
}
