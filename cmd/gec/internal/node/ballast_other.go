//go:build !linux

package node

import "os"

// reserve takes up room on the disk.
func reserve(file *os.File, bytes int64) error { return fill(file, bytes) }
