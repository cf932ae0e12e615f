package marketplace

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// spoolAbove is the size from which a body waits in a file until all of it is here: one that turns out to be too
// large, or never ends, has then cost no memory, and one that is taken costs its own size and no more.
const spoolAbove = 1 << 20

// spooled returns all of a body.
func spooled(body io.Reader) (_ []byte, err error) {
	var first bytes.Buffer
	if _, err := io.CopyN(&first, body, spoolAbove); errors.Is(err, io.EOF) {
		return first.Bytes(), nil
	} else if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "gec-upload-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := os.Remove(file.Name()); err != nil { // it goes with the process, however that ends
		return nil, err
	}
	rest, err := io.Copy(file, body)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	all := make([]byte, int64(first.Len())+rest)
	_, err = io.ReadFull(file, all[copy(all, first.Bytes()):])
	return all, err
}
