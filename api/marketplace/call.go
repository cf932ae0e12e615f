package marketplace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"gec/api/access"
	"gec/api/problem"
	"gec/bundles"
)

// The sizes of the largest bodies, in bytes (spec 6).
const (
	bodyBytesMax   = 1 << 20
	uploadBytesMax = 64 << 20
)

// call is one request on its way.
type call struct {
	h         *Handler
	w         http.ResponseWriter
	r         *http.Request
	operation string
	grant     *access.Grant
	caller    bundles.Caller
	catalogue *bundles.Catalogue
}

// part is a part of the path by its name in the pattern.
func (c *call) part(name string) string { return c.r.PathValue(name) }

// body reads the body, of at most so many bytes. Errors: *problem.Problem.
func (c *call) body(bytesMax int64) ([]byte, error) {
	if encoding := c.r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, problem.New(http.StatusUnsupportedMediaType, codes.InvalidArgument, "The body is encoded as "+encoding+": send it plain")
	}
	body, err := spooled(http.MaxBytesReader(c.w, c.r.Body, bytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problem.New(http.StatusRequestEntityTooLarge, codes.ResourceExhausted, fmt.Sprintf("The body is larger than %d bytes", bytesMax))
	case err != nil:
		return nil, problem.Malformed("the body broke off before its end")
	case len(bytes.TrimSpace(body)) == 0:
		return nil, problem.Malformed("the body is empty")
	}
	return body, nil
}

// json answers with a value.
func (c *call) json(status int, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	return c.send(status, out.Bytes())
}

// done answers 200 without a body, as the platform does where there is nothing to say.
func (c *call) done() error { return c.send(http.StatusOK, nil) }

func (c *call) send(status int, body []byte) error {
	header := c.w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Catalogue-Revision", strconv.FormatInt(c.catalogue.Head().Revision, 10))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // the caller may have hung up
	return nil
}

// flag reads a query parameter that is on or off; absent and blank are off.
func (c *call) flag(name string) (bool, error) {
	switch text := strings.TrimSpace(c.r.URL.Query().Get(name)); {
	case text == "" || strings.EqualFold(text, "false"):
		return false, nil
	case strings.EqualFold(text, "true"):
		return true, nil
	default:
		return false, problem.InvalidValue(text, name, "send true or false, or leave it out")
	}
}

// whole reads a query parameter that is a whole number of at least min; absent and blank are the default.
func (c *call) whole(name string, min, otherwise int64) (int64, error) {
	text := strings.TrimSpace(c.r.URL.Query().Get(name))
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < min {
		return 0, problem.InvalidValue(text, name, fmt.Sprintf("send a whole number of at least %d, or leave it out", min))
	}
	return n, nil
}

// ifMatch reads the revision that the caller read, from the If-Match header; nil where it names none.
func (c *call) ifMatch() (*int64, error) {
	text := strings.TrimSpace(c.r.Header.Get("If-Match"))
	if text == "" || text == "*" {
		return nil, nil
	}
	revision, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(text, "W/"), `"`), 10, 64)
	if err != nil {
		return nil, problem.Invalid([]problem.Field{{Path: "If-Match", Message: bundles.Excerpt(text) + ` is no revision; send the ETag that was read, as in "12"`}})
	}
	return &revision, nil
}

// etag names the revision of what is answered.
func (c *call) etag(revision int64) {
	c.w.Header().Set("ETag", `"`+strconv.FormatInt(revision, 10)+`"`)
}
