package badger

import (
	"errors"
	"fmt"
)

// The errors of this store besides those of package bundles.
var (
	// ErrInUse is returned when another process has the folder open.
	ErrInUse = errors.New("data folder in use by another gec")
	// ErrClosed is returned by every method of a closed store.
	ErrClosed = errors.New("the store is closed")
	// ErrUncertain is returned when the disk failed while a change was being written. Whether it
	// will be there after a restart is unknown; until then the store refuses further changes.
	ErrUncertain = errors.New("writing failed: restart the service to find out what was stored")
)

// FormatError is returned when a folder was written by another version of the layout.
type FormatError struct {
	// Found is the version of the folder, 0 when it holds something else altogether; Known the
	// one of this program.
	Found, Known uint32
}

func (e *FormatError) Error() string {
	if e.Found == 0 {
		return "data folder holds a database that is not a gec catalogue"
	}
	return fmt.Sprintf("data folder has format %d, this gec knows format %d: use a newer gec", e.Found, e.Known)
}

// DamagedError is returned when what the folder holds is not what was written.
type DamagedError struct {
	// Revision is the damaged one; 0 when it is unknown which revisions are concerned.
	Revision int64
	// Part names what is damaged: a file, or a thing of the catalogue.
	Part string
	// Reason says what is wrong with it.
	Reason string
}

func (e *DamagedError) Error() string {
	if e.Revision > 0 {
		return fmt.Sprintf("revision %d is damaged: %s: %s", e.Revision, e.Part, e.Reason)
	}
	return fmt.Sprintf("data folder is damaged: %s: %s", e.Part, e.Reason)
}
