package rpc

import (
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/engine"
)

// filtersPooled is the number of PSP filters that a decoder has room for without allocating.
const filtersPooled = 64

// decoder reads requests into memory that it uses again. What it reads shares the bytes it was read from.
//
// It knows the plain form in which every client writes a request: each field in its own wire type, known
// fields only, no message in two pieces. All else, faults included, is left to package proto, so that no
// request means anything else than it does there (FuzzDecode holds it).
type decoder struct {
	message   gecv1.QuoteRequest
	payment   gecv1.Payment
	at        timestamppb.Timestamp
	notices   [engine.NoticesMax]gecv1.Notice
	transfers [engine.NoticesMax * transfersMax]gecv1.Transfer
	filters   [filtersPooled]gecv1.PSPFilter

	noticeList   [engine.NoticesMax]*gecv1.Notice
	transferList [engine.NoticesMax * transfersMax]*gecv1.Transfer
	filterList   [filtersPooled]*gecv1.PSPFilter
	// how many of each are in use
	noticeCount, transferCount, filterCount int

	onUsFirst, allCcp bool
	limit             int32
	seed              uint64
	revision          int64
}

// decode returns the request that the bytes hold, valid until the next call and while the bytes are.
// Errors: those of package proto.
func (d *decoder) decode(b []byte) (*gecv1.QuoteRequest, error) {
	d.reset()
	if d.plain(b) {
		return &d.message, nil
	}
	slow := &gecv1.QuoteRequest{}
	return slow, proto.Unmarshal(b, slow)
}

// reset forgets what was read.
func (d *decoder) reset() {
	m, p := &d.message, &d.payment
	m.Id, m.Payment, m.Order, m.View, m.At = "", nil, 0, 0, nil
	m.OnUsFirst, m.MaxOccurrences, m.Seed, m.Revision = nil, nil, nil, nil
	m.WantReceipt, m.Receipt = false, ""
	p.Notices, p.Psps, p.AllCcp = nil, nil, nil
	p.Touchpoint, p.PaymentType, p.Bin, p.Reference = "", "", "", ""
	d.at.Seconds, d.at.Nanos = 0, 0
	d.noticeCount, d.transferCount, d.filterCount = 0, 0, 0
}

// The wire types of the fields that are known: the low bits of a tag, below the number of the field.
const (
	number = uint64(protowire.VarintType)
	piece  = uint64(protowire.BytesType)
)

// plain reads a request; false where it is not of the plain form.
func (d *decoder) plain(b []byte) bool {
	m, w := &d.message, wire{rest: b}
	for w.more() {
		switch w.varint() {
		case 1<<3 | piece:
			m.Id = w.text()
		case 2<<3 | piece:
			if m.Payment != nil || !d.plainPayment(w.bytes()) {
				return false
			}
			m.Payment = &d.payment
		case 3<<3 | number:
			m.Order = gecv1.Order(w.varint())
		case 4<<3 | number:
			d.onUsFirst = w.varint() != 0
			m.OnUsFirst = &d.onUsFirst
		case 5<<3 | number:
			d.limit = int32(w.varint())
			m.MaxOccurrences = &d.limit
		case 6<<3 | number:
			d.seed = w.varint()
			m.Seed = &d.seed
		case 7<<3 | piece:
			if m.At != nil || !d.plainTime(w.bytes()) {
				return false
			}
			m.At = &d.at
		case 8<<3 | number:
			d.revision = int64(w.varint())
			m.Revision = &d.revision
		case 9<<3 | number:
			m.View = gecv1.View(w.varint())
		case 10<<3 | number:
			m.WantReceipt = w.varint() != 0
		case 11<<3 | piece:
			m.Receipt = w.text()
		default:
			return false
		}
	}
	return !w.odd
}

func (d *decoder) plainTime(b []byte) bool {
	w := wire{rest: b}
	for w.more() {
		switch w.varint() {
		case 1<<3 | number:
			d.at.Seconds = int64(w.varint())
		case 2<<3 | number:
			d.at.Nanos = int32(w.varint())
		default:
			return false
		}
	}
	return !w.odd
}

func (d *decoder) plainPayment(b []byte) bool {
	p, w := &d.payment, wire{rest: b}
	for w.more() {
		switch w.varint() {
		case 1<<3 | piece:
			if !d.plainNotice(w.bytes()) {
				return false
			}
		case 2<<3 | piece:
			p.Touchpoint = w.text()
		case 3<<3 | piece:
			p.PaymentType = w.text()
		case 4<<3 | piece:
			p.Bin = w.text()
		case 5<<3 | piece:
			if !d.plainFilter(w.bytes()) {
				return false
			}
		case 6<<3 | number:
			d.allCcp = w.varint() != 0
			p.AllCcp = &d.allCcp
		case 7<<3 | piece:
			p.Reference = w.text()
		default:
			return false
		}
	}
	p.Notices, p.Psps = d.noticeList[:d.noticeCount], d.filterList[:d.filterCount]
	return !w.odd
}

func (d *decoder) plainNotice(b []byte) bool {
	if d.noticeCount == len(d.notices) {
		return false
	}
	n, w := &d.notices[d.noticeCount], wire{rest: b}
	d.noticeList[d.noticeCount] = n
	d.noticeCount++
	n.AmountCents, n.CreditorInstitution = 0, ""
	first := d.transferCount
	for w.more() {
		switch w.varint() {
		case 1<<3 | number:
			n.AmountCents = int64(w.varint())
		case 2<<3 | piece:
			n.CreditorInstitution = w.text()
		case 3<<3 | piece:
			if !d.plainTransfer(w.bytes()) {
				return false
			}
		default:
			return false
		}
	}
	n.Transfers = d.transferList[first:d.transferCount:d.transferCount]
	return !w.odd
}

func (d *decoder) plainTransfer(b []byte) bool {
	if d.transferCount == len(d.transfers) {
		return false
	}
	t, w := &d.transfers[d.transferCount], wire{rest: b}
	d.transferList[d.transferCount] = t
	d.transferCount++
	t.CreditorInstitution, t.TransferCategory, t.DigitalStamp = "", "", false
	for w.more() {
		switch w.varint() {
		case 1<<3 | piece:
			t.CreditorInstitution = w.text()
		case 2<<3 | piece:
			t.TransferCategory = w.text()
		case 3<<3 | number:
			t.DigitalStamp = w.varint() != 0
		default:
			return false
		}
	}
	return !w.odd
}

func (d *decoder) plainFilter(b []byte) bool {
	if d.filterCount == len(d.filters) {
		return false
	}
	f, w := &d.filters[d.filterCount], wire{rest: b}
	d.filterList[d.filterCount] = f
	d.filterCount++
	f.Psp, f.Channel, f.Broker = "", "", ""
	for w.more() {
		switch w.varint() {
		case 1<<3 | piece:
			f.Psp = w.text()
		case 2<<3 | piece:
			f.Channel = w.text()
		case 3<<3 | piece:
			f.Broker = w.text()
		default:
			return false
		}
	}
	return !w.odd
}

// wire reads the fields of one message. Once something is odd it reads nothing but zeros, to the end.
type wire struct {
	rest []byte
	odd  bool
}

func (w *wire) more() bool { return len(w.rest) > 0 && !w.odd }

func (w *wire) varint() uint64 {
	if len(w.rest) > 0 && w.rest[0] < 0x80 {
		value := uint64(w.rest[0])
		w.rest = w.rest[1:]
		return value
	}
	value, n := protowire.ConsumeVarint(w.rest)
	if n < 0 {
		w.odd = true
		return 0
	}
	w.rest = w.rest[n:]
	return value
}

// bytes returns the next piece with a length before it.
func (w *wire) bytes() []byte {
	length := w.varint()
	if length > uint64(len(w.rest)) {
		w.odd = true
		return nil
	}
	start := w.rest[:length]
	w.rest = w.rest[length:]
	return start
}

// text returns the next piece as a text that shares its memory.
func (w *wire) text() string {
	text := w.bytes()
	if !utf8.Valid(text) {
		w.odd = true
	}
	return unsafe.String(unsafe.SliceData(text), len(text))
}
