package simulator

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// templates are the parts of the page.
//
//go:embed templates/*.html
var templates embed.FS

// pages renders the templates.
type pages struct {
	*template.Template
	buffers sync.Pool
}

func readPages() (*pages, error) {
	t, err := template.New("").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }, "list": func(items ...any) []any { return items }}).ParseFS(templates, "templates/*.html")
	return &pages{Template: t, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}, err
}

// write renders a template as an answer.
func (s *simulator) write(w http.ResponseWriter, r *http.Request, status int, name string, v *view) {
	buffer := s.pages.buffers.Get().(*bytes.Buffer)
	defer s.pages.buffers.Put(buffer)
	buffer.Reset()
	if err := s.pages.ExecuteTemplate(buffer, name, v); err != nil {
		s.options.Logger.ErrorContext(r.Context(), "simulator: template", "name", name, "err", err)
		w.Header().Del("ETag")
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Language", v.Lang)
	send(w, r, status, "text/html; charset=utf-8", buffer.Bytes())
}

// compressFrom is the size from which compressing pays.
const compressFrom = 1 << 10

// send writes an answer, compressed where the caller takes that.
func send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept-Encoding")
	if len(body) < compressFrom || !takesGzip(r) {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // the connection is gone: nobody is left to tell
		}
		return
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	z := gzip.NewWriter(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.TrimSpace(parameters) != "q=0" {
			return true
		}
	}
	return false
}

// tag makes an ETag of everything that an answer depends on. It is weak: compression keeps it.
func tag(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// fresh sets the caching headers of an answer, and answers 304 where the caller has it already.
func fresh(w http.ResponseWriter, r *http.Request, etag string) bool {
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=0, must-revalidate")
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		known = strings.TrimSpace(known)
		if known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}
