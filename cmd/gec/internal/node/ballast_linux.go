package node

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve takes up room on the disk, without writing it where the file system can do that.
func reserve(file *os.File, bytes int64) error {
	err := unix.Fallocate(int(file.Fd()), 0, 0, bytes)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fill(file, bytes)
	}
	return err
}
