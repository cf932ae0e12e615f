package journal

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The ways in which what should be a frame is none. An end within a frame is what a crash leaves.
var (
	errTorn    = errors.New("the file ends within an entry")
	errNoStart = errors.New("the file does not begin as a segment of a journal does")
	errLength  = errors.New("an entry states an impossible length")
)

// frame is one frame of a segment as it was read; its payload is valid until the next.
type frame struct {
	number  uint64
	payload []byte
	// end is the place in the segment behind the frame.
	end int64
	// edited says that its digest does not fit what it and the frame before it are.
	edited bool
}

// scanner reads the frames of a segment, from its first, and holds them against their digests.
type scanner struct {
	in     *bufio.Reader
	room   []byte // the digest before, and the frame
	before [digestBytes]byte
	offset int64
}

func newScanner(in io.Reader) *scanner {
	return &scanner{in: bufio.NewReaderSize(in, 256<<10)}
}

// start reads the magic and the first frame. Errors: io.EOF for an empty file, errTorn, errNoStart.
func (s *scanner) start() (frame, start, error) {
	head := make([]byte, len(magic))
	n, err := io.ReadFull(s.in, head)
	switch {
	case errors.Is(err, io.EOF):
		return frame{}, start{}, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF) && string(head[:n]) == magic[:n]:
		return frame{}, start{}, errTorn
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return frame{}, start{}, err
	case string(head) != magic:
		return frame{}, start{}, errNoStart
	}
	s.offset = int64(len(magic))
	first, err := s.next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errTorn
		}
		return first, start{}, err
	}
	opening, err := decodeStart(first.payload)
	if err != nil {
		return first, opening, errNoStart
	}
	// The digest before is stated by the frame itself: only now can it be held against its own.
	copy(s.room, opening.before[:])
	frameEnd := len(s.room) - digestBytes
	first.edited = sha256.Sum256(s.room[:frameEnd]) != s.before
	return first, opening, nil
}

// next reads the next frame. Errors: io.EOF at the end, errTorn, errLength; none can be read behind those.
func (s *scanner) next() (frame, error) {
	var head [headBytes]byte
	if n, err := io.ReadFull(s.in, head[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			err = errTorn
		}
		return frame{}, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length == 0 || length > payloadBytesMax {
		return frame{}, errLength
	}
	size := digestBytes + headBytes + int(length) + digestBytes
	if cap(s.room) < size {
		s.room = make([]byte, size+size/2)
	}
	s.room = s.room[:size]
	copy(s.room, s.before[:])
	copy(s.room[digestBytes:], head[:])
	if _, err := io.ReadFull(s.in, s.room[digestBytes+headBytes:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errTorn
		}
		return frame{}, err
	}
	digestAt := size - digestBytes
	f := frame{number: binary.BigEndian.Uint64(head[lengthBytes:]), payload: s.room[digestBytes+headBytes : digestAt]}
	f.edited = sha256.Sum256(s.room[:digestAt]) != [digestBytes]byte(s.room[digestAt:])
	copy(s.before[:], s.room[digestAt:])
	s.offset += int64(size - digestBytes)
	f.end = s.offset
	return f, nil
}

// check holds a payload against its kind. Errors say what is wrong.
func (f *frame) check() error {
	var err error
	switch kind(f.payload[0]) {
	case kindStart:
		_, err = decodeStart(f.payload)
	case kindCall:
		_, err = decodeEntry(f.payload)
	case kindGap:
		_, err = decodeGap(f.payload)
	case kindExpired:
		_, err = decodeExpired(f.payload)
	case kindEnd:
		_, err = decodeEnd(f.payload)
	default:
		err = fmt.Errorf("unknown kind %q: a newer gec wrote it, or it was edited", f.payload[0])
	}
	return err
}
