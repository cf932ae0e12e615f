package rest

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strconv"
	"time"

	"gec/api/journal"
)

// headerContext is the header of codiceContestoPagamento in the form in which net/http keeps it.
const headerContext = "X-Ccp"

// journal journals a request that is over.
func (x *exchange) journal() {
	e := journal.Entry{
		Started: x.started, Took: time.Since(x.started), Operation: x.operation, Caller: x.caller, RequestID: x.id,
		IUV: first(x.r.Header[headerIUV]), Context: first(x.r.Header[headerContext]), Facts: x.facts, Status: x.status, Body: x.body,
	}
	if x.operation == operationMounted {
		e.Operation = ""
	}
	if x.query.PSP != "" {
		e.PSP = x.query.PSP
	}
	if x.digest != nil {
		e.BodyBytes, e.BodySHA256 = x.digest.sum()
		if e.Revision == 0 {
			e.Revision, _ = strconv.ParseInt(first(x.w.Header()[headerRevision]), 10, 64) // 0 where it names none
		}
	}
	x.api.options.Journal.Add(&e)
}

// digesting is the body of a request that is hashed while it is read.
type digesting struct {
	io.ReadCloser
	hash  hash.Hash
	bytes int64
	whole bool
}

// Read implements io.Reader.
func (d *digesting) Read(into []byte) (int, error) {
	n, err := d.ReadCloser.Read(into)
	if n > 0 {
		if d.hash == nil {
			d.hash = sha256.New()
		}
		d.hash.Write(into[:n])
		d.bytes += int64(n)
	}
	d.whole = d.whole || errors.Is(err, io.EOF)
	return n, err
}

// sum returns length and hash of a body that was read to its end; nothing of any other.
func (d *digesting) sum() (bytes int64, sum [sha256.Size]byte) {
	if d.hash == nil || !d.whole {
		return 0, sum
	}
	d.hash.Sum(sum[:0])
	return d.bytes, sum
}
