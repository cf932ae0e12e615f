package simulator

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist is what `npm run build` wrote; a placeholder without it.
//
//go:embed all:dist
var dist embed.FS

// plain is the style of a binary without the build.
//
//go:embed web/plain.css web/favicon.svg
var plain embed.FS

// assets are the files that the page refers to. Their names carry a hash of their content, but for those of
// plain.
type assets struct {
	// Built says that the browser side is there.
	Built bool
	// Style, Script and Font are paths; Font is loaded early. Script and Font are empty without the build.
	Style, Script, Font string
	// Build identifies everything that pages are made of besides the catalogue.
	Build string
	files map[string]asset
}

type asset struct {
	contentType       string
	body, zipped      []byte
	etag, cacheHeader string
}

// manifestEntry is what is read of an entry of Vite's manifest.
type manifestEntry struct {
	File string   `json:"file"`
	CSS  []string `json:"css"`
}

const (
	manifestFile    = "dist/.vite/manifest.json"
	manifestEntryOf = "web/main.ts"
)

func readAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}, Style: pathAssets + "plain.css"}
	for _, name := range []string{"plain.css", "favicon.svg"} {
		body, err := plain.ReadFile("web/" + name)
		if err != nil {
			return nil, err
		}
		a.files[name] = newAsset(name, body, "public, max-age=3600")
	}
	if err := a.readBuild(); err != nil {
		return nil, err
	}
	build := sha256.New()
	for _, folder := range []embed.FS{dist, plain, templates, texts} {
		err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			body, err := folder.ReadFile(name)
			fmt.Fprintf(build, "%s %d\n%s", name, len(body), body)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	a.Build = base64.RawURLEncoding.EncodeToString(build.Sum(nil)[:9])
	return a, nil
}

// readBuild takes the files of the build in, if there is one.
func (a *assets) readBuild() error {
	data, err := dist.ReadFile(manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var manifest map[string]manifestEntry
	if err := json.Unmarshal(data, &manifest); err != nil {
		return fmt.Errorf("%s: %w", manifestFile, err)
	}
	entry, ok := manifest[manifestEntryOf]
	if !ok || len(entry.CSS) == 0 {
		return fmt.Errorf("%s: has no %s with a style: build again", manifestFile, manifestEntryOf)
	}
	files, err := dist.ReadDir("dist/assets")
	if err != nil {
		return err
	}
	for _, file := range files {
		body, err := dist.ReadFile("dist/assets/" + file.Name())
		if err != nil {
			return err
		}
		a.files[file.Name()] = newAsset(file.Name(), body, "public, max-age=31536000, immutable")
		if strings.Contains(file.Name(), "regular") && strings.HasSuffix(file.Name(), ".woff2") {
			a.Font = pathAssets + file.Name()
		}
	}
	a.Built, a.Script, a.Style = true, "/"+entry.File, "/"+entry.CSS[0]
	return nil
}

func newAsset(name string, body []byte, cacheHeader string) asset {
	contentType := mime.TypeByExtension(path.Ext(name))
	if strings.HasSuffix(name, ".woff2") {
		contentType = "font/woff2" // compressed in itself
	}
	f := asset{contentType: contentType, body: body, etag: tag(name, body), cacheHeader: cacheHeader}
	if len(body) >= compressFrom && contentType != "font/woff2" {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err == nil {
			_, _ = z.Write(body) // into memory: cannot fail
			_ = z.Close()
			f.zipped = b.Bytes()
		}
	}
	return f
}

// serve answers with a file; it reports false when there is none of that name.
func (a *assets) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	f, ok := a.files[name]
	if !ok {
		return false
	}
	h := w.Header()
	if fresh(w, r, f.etag) {
		return true
	}
	h.Set("Cache-Control", f.cacheHeader)
	h.Set("Content-Type", f.contentType)
	h.Add("Vary", "Accept-Encoding")
	body := f.body
	if f.zipped != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.zipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the connection is gone: nobody is left to tell
	}
	return true
}
