package rest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
)

// bodyBytesFirst is how much room a body gets before any of it is here.
const bodyBytesFirst = 4 << 10

// readBody reads the request's body of at most that many bytes into x.body. Errors: *problem.Problem.
func (x *exchange) readBody(bytesMax int) error {
	if err := checkContent(x.r.Header); err != nil {
		return err
	}
	if x.r.ContentLength > int64(bytesMax) {
		return tooLarge(bytesMax)
	}
	// Memory is taken as the body comes: many slow clients that announce large ones cost little.
	x.body = slices.Grow(x.body[:0], int(min(max(x.r.ContentLength, 0), bodyBytesFirst))+512)
	for {
		if len(x.body) == cap(x.body) {
			x.body = slices.Grow(x.body, len(x.body))
		}
		n, err := x.r.Body.Read(x.body[len(x.body):cap(x.body)])
		x.body = x.body[:len(x.body)+n]
		if len(x.body) > bytesMax {
			return tooLarge(bytesMax)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(err)
		}
	}
}

// checkContent refuses bodies that are clearly not JSON. It is lenient with names: bodies come without a
// content type, as plain text, and from command lines as a form.
func checkContent(header http.Header) error {
	if encoding := first(header["Content-Encoding"]); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("The body is encoded as " + encoding + ": send it plain")
	}
	contentType := first(header["Content-Type"])
	if contentType == "" || contentType == "application/json" {
		return nil
	}
	name, _, _ := strings.Cut(contentType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "application/json", "text/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "*/*":
		return nil
	}
	if strings.HasSuffix(name, "+json") {
		return nil
	}
	return unsupported("The body is said to be " + contentType + ": send application/json")
}

func unsupported(detail string) error {
	return problem.New(http.StatusUnsupportedMediaType, codes.InvalidArgument, detail)
}

func tooLarge(bytesMax int) error {
	return problem.New(http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "The body is larger than "+strconv.Itoa(bytesMax)+" bytes")
}

// broken is the problem of a body that could not be read to its end.
func broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem.New(http.StatusRequestTimeout, codes.DeadlineExceeded, "The body did not arrive in time: repeat the request")
	}
	return problem.Malformed("the body broke off before its end")
}
