package cli

import (
	"fmt"
	"io"
	"time"
)

// How often progress is shown: only of work that takes longer than the first, in a terminal on one line,
// else as a line now and then.
const (
	progressAfter    = time.Second
	progressTerminal = 200 * time.Millisecond
	progressLines    = 10 * time.Second
)

// progress tells how far long work has come. It is not for concurrent use.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	next     time.Time
	open     bool // a line in the terminal waits to be ended
}

func newProgress(w io.Writer, terminal bool, now func() time.Time) *progress {
	return &progress{w: w, terminal: terminal, now: now, next: now().Add(progressAfter)}
}

// report shows that so many things of so many are done, if it is time to.
func (p *progress) report(done, total int) {
	now := p.now()
	if now.Before(p.next) {
		return
	}
	if p.terminal {
		fmt.Fprintf(p.w, "\r%d of %d", done, total)
		p.open, p.next = true, now.Add(progressTerminal)
		return
	}
	fmt.Fprintf(p.w, "%d of %d\n", done, total)
	p.next = now.Add(progressLines)
}

// end leaves the terminal at the beginning of a line.
func (p *progress) end() {
	if p.open {
		fmt.Fprintln(p.w)
		p.open = false
	}
}
