package node

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gec/cmd/gec/internal/config"
)

// ballastName is the file in the data folder that only takes up room.
const ballastName = "ballast"

// ballastEvery is the time between two looks at the free space.
const ballastEvery = time.Second

// ballast is a file that is given up when the disk is full, so that the store can finish what it has begun and the
// operator has room to work in: refusing changes at the watermark does not keep others from filling the disk.
type ballast struct {
	path  string
	bytes uint64
	// free tells the free space of the disk; at low or less the file is given up, at high or more it is made.
	free      func() uint64
	low, high uint64
}

// newBallast returns the ballast of a folder; it is given up when a sixteenth of the watermark is left.
func newBallast(c config.Config, free func() uint64) *ballast {
	watermark, bytes := uint64(c.WatermarkMiB)<<20, uint64(c.BallastMiB)<<20
	return &ballast{path: filepath.Join(c.DataDir, ballastName), bytes: bytes, free: free, low: watermark / 16, high: watermark + 2*bytes}
}

// held returns the size of the file, 0 where there is none.
func (b *ballast) held() uint64 {
	info, err := os.Stat(b.path)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}

// look makes the file or gives it up as the free space asks for, and reports whether it was given up. A file of
// another size, as that of other settings is, or of a making that was cut short, is made anew.
func (b *ballast) look() (released bool, err error) {
	held, free := b.held(), b.free()
	switch {
	case held > 0 && (free <= b.low || held != b.bytes):
		err = os.Remove(b.path)
		return err == nil && free <= b.low, err
	case held == 0 && b.bytes > 0 && free >= b.high:
		return false, b.make()
	}
	return false, nil
}

// make makes the file.
func (b *ballast) make() error {
	file, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(reserve(file, int64(b.bytes)), file.Close()); err != nil {
		return errors.Join(err, os.Remove(b.path))
	}
	return nil
}

// keepBallast looks after the ballast until the function that it returns is called.
func (f *Folder) keepBallast(ctx context.Context, c config.Config, log *slog.Logger) (end func()) {
	b := newBallast(c, f.store.Free)
	complained := false
	look := func() {
		released, err := b.look()
		switch {
		case released:
			log.Error("the disk is full: the ballast was given up; make room, and it is made again", "bytes", b.bytes, "data", absolute(c.DataDir))
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !complained:
			log.Warn("the ballast of the data folder cannot be looked after", "error", err)
			complained = true
		}
	}
	return background(ctx, func(ctx context.Context) {
		look()
		every(ctx, ballastEvery, look)
	})
}

// fill writes zeros.
func fill(file *os.File, bytes int64) error {
	part := make([]byte, 1<<20)
	for bytes > 0 {
		n, err := file.Write(part[:min(bytes, int64(len(part)))])
		if err != nil {
			return err
		}
		bytes -= int64(n)
	}
	return nil
}
