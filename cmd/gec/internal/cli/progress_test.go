package cli

import (
	"strings"
	"testing"
	"time"
)

// TestProgress holds that short work says nothing, long work something now and then.
func TestProgress(t *testing.T) {
	for _, test := range []struct {
		terminal bool
		want     string
	}{
		{true, "\r10 of 100\r20 of 100\r30 of 100\n"},
		{false, "10 of 100\n"},
	} {
		var out strings.Builder
		clock := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		p := newProgress(&out, test.terminal, func() time.Time { return clock })
		p.report(1, 100)
		for _, done := range []int{10, 20, 30} {
			clock = clock.Add(progressAfter)
			p.report(done, 100)
			p.report(done+1, 100)
		}
		p.end()
		p.end()
		if out.String() != test.want {
			t.Errorf("terminal %v: %q, want %q", test.terminal, out.String(), test.want)
		}
	}
}
