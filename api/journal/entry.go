package journal

import (
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"

	"gec/engine"
)

// The bounds of what an entry keeps, in characters. Longer texts are cut.
const (
	textMax      = 35
	requestIDMax = 128
	bundleIDMax  = 64
	// BundlesMax is how many bundle ids of an answer are kept, from the first.
	BundlesMax = 3
	// bodyCopiedMax is the size of the largest body that is copied into the queue to be hashed aside, in bytes.
	// A larger one is hashed on the spot, which is little beside reading it.
	bodyCopiedMax = 4 << 10
)

// Entry is one call: its request and its response. Texts that do not apply are empty. Its memory is the caller's:
// nothing of it is kept after [Journal.Add].
type Entry struct {
	// Started is the instant of the request, Took the time until its response.
	Started time.Time
	Took    time.Duration
	// Operation is the name of the call, Caller that of its key, empty where nobody is known.
	Operation, Caller string
	RequestID         string
	// IUV and Context are the headers X-Iuv and X-Ccp.
	IUV, Context string
	Facts
	// Status is the HTTP status, or the one that a gRPC code corresponds to.
	Status int
	// Body is the body of the request, of which only length and hash are kept. Where it is not at hand whole,
	// BodyBytes and BodySHA256 say both instead.
	Body       []byte
	BodyBytes  int64
	BodySHA256 [32]byte
}

// Facts are what a call was about. Never a BIN.
type Facts struct {
	// CreditorInstitution is the primary EC of the first notice or the EC of the path.
	CreditorInstitution, PSP, PaymentType string
	// Channel is the touchpoint, or the channel where the call names that instead.
	Channel string
	// AmountCents is the sum of the notices, 0 where there is none.
	AmountCents int64
	// Revision of the catalogue that was answered from, and the seed of chance; 0 where nothing was.
	Revision int64
	Seed     uint64
	// Rows of the answer, and the ids of its first bundles; empty ones are not counted.
	Rows    int
	Bundles [BundlesMax]string
}

// Asked takes over what a payment says. It shares the strings.
func (f *Facts) Asked(p *engine.Payment) {
	f.PaymentType, f.Channel = p.PaymentType, p.Touchpoint
	for i := range p.Notices {
		if sum := f.AmountCents + p.Notices[i].AmountCents; sum > f.AmountCents { // no overflow
			f.AmountCents = sum
		}
	}
	if len(p.Notices) > 0 {
		f.CreditorInstitution = p.Notices[0].CreditorInstitution
	}
	if len(p.PSPs) == 1 {
		f.PSP = p.PSPs[0].PSP
		if f.Channel == "" {
			f.Channel = p.PSPs[0].Channel
		}
	}
}

// Answered takes over what an answer says. It shares the strings.
func (f *Facts) Answered(a *engine.Answer) {
	f.Revision, f.Seed, f.Rows = a.Revision, a.Seed, len(a.Quotes)
	for i := range min(len(a.Quotes), BundlesMax) {
		f.Bundles[i] = a.Quotes[i].Bundle.ID
	}
}

// appendEntry appends the payload of a frame but for the hash of the body, which comes last.
func appendEntry(b []byte, e *Entry) []byte {
	b = append(b, byte(kindCall))
	b = appendTime(b, e.Started)
	b = binary.AppendUvarint(b, uint64(max(e.Took.Microseconds(), 0)))
	b = binary.AppendUvarint(b, uint64(max(e.Status, 0)))
	b = appendText(b, e.Operation, textMax)
	b = appendText(b, e.Caller, textMax)
	b = appendText(b, e.RequestID, requestIDMax)
	b = appendText(b, e.IUV, textMax)
	b = appendText(b, e.Context, textMax)
	b = appendText(b, e.CreditorInstitution, textMax)
	b = appendText(b, e.PSP, textMax)
	b = appendText(b, e.PaymentType, textMax)
	b = appendText(b, e.Channel, textMax)
	b = binary.AppendUvarint(b, uint64(max(e.AmountCents, 0)))
	b = binary.AppendUvarint(b, uint64(max(e.Revision, 0)))
	b = binary.BigEndian.AppendUint64(b, e.Seed)
	b = binary.AppendUvarint(b, uint64(max(e.Rows, 0)))
	for i := range e.Bundles {
		b = appendText(b, e.Bundles[i], bundleIDMax)
	}
	bytes := e.BodyBytes
	if len(e.Body) > 0 {
		bytes = int64(len(e.Body))
	}
	return binary.AppendUvarint(b, uint64(max(bytes, 0)))
}

// errMalformed is returned for a payload that is not what its kind says.
var errMalformed = errors.New("malformed")

// decodeEntry reads the payload of a call. Errors: errMalformed.
func decodeEntry(payload []byte) (e Entry, err error) {
	d := decoder{rest: payload}
	d.skip(byte(kindCall))
	e.Started = d.time()
	e.Took = time.Duration(d.uvarint()) * time.Microsecond
	e.Status = int(d.uvarint())
	for _, text := range []*string{
		&e.Operation, &e.Caller, &e.RequestID, &e.IUV, &e.Context, &e.CreditorInstitution, &e.PSP, &e.PaymentType, &e.Channel,
	} {
		*text = d.text()
	}
	e.AmountCents, e.Revision = int64(d.uvarint()), int64(d.uvarint())
	e.Seed = d.uint64()
	e.Rows = int(d.uvarint())
	for i := range e.Bundles {
		e.Bundles[i] = d.text()
	}
	if e.BodyBytes = int64(d.uvarint()); e.BodyBytes > 0 {
		d.digest(&e.BodySHA256)
	}
	return e, d.end()
}

// cut returns the first characters of a text, at most so many.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := 0
	for at := range text {
		if n++; n > most {
			return text[:at]
		}
	}
	return text
}

func appendText(b []byte, text string, most int) []byte {
	text = cut(text, most)
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// appendTime appends an instant in microseconds.
func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()))
}

// decoder reads a payload front to back; what is wrong shows at its end.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n > len(d.rest) {
		d.bad = true
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) skip(want byte) {
	if b := d.take(1); b == nil || b[0] != want {
		d.bad = true
	}
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	value, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.take(n)
	return value
}

// text reads a text, with what is no UTF-8 in it replaced.
func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	text := d.take(int(n))
	if !utf8.Valid(text) {
		return string([]rune(string(text)))
	}
	return string(text)
}

func (d *decoder) time() time.Time { return time.UnixMicro(int64(d.uint64())).UTC() }

func (d *decoder) digest(into *[32]byte) { copy(into[:], d.take(len(into))) }

func (d *decoder) end() error {
	if d.bad || len(d.rest) > 0 {
		return errMalformed
	}
	return nil
}
