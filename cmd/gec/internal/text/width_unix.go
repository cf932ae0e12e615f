//go:build unix

package text

import (
	"os"

	"golang.org/x/sys/unix"
)

// Width returns the number of columns of the terminal that f is; 0 when it is none.
func Width(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
