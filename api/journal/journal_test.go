package journal

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)

// call is a call as the calculator journals it.
func call(n int) *Entry {
	return &Entry{
		Started: noon.Add(time.Duration(n) * time.Millisecond), Took: 1500 * time.Microsecond, Operation: "getFeesMulti",
		RequestID: fmt.Sprintf("request-%d", n), Status: 200, Body: []byte(`{"paymentNotice":[]}`),
		Facts: Facts{
			CreditorInstitution: "80000000103", PaymentType: "CP", Channel: "CHECKOUT",
			AmountCents: 5000, Revision: 7, Seed: 42, Rows: 10, Bundles: [BundlesMax]string{"a", "b"},
		},
	}
}

func open(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func closed(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func verified(t *testing.T, dir string) Report {
	t.Helper()
	r, err := Verify(dir, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNothingIsLostWithBlock adds from eight goroutines through a queue of four calls.
func TestNothingIsLostWithBlock(t *testing.T) {
	const producers, each = 8, 250
	dir := t.TempDir()
	j := open(t, dir, Options{Queue: 4})
	var adding sync.WaitGroup
	for p := range producers {
		adding.Go(func() {
			for n := range each {
				j.Add(call(p*each + n))
			}
		})
	}
	adding.Wait()
	closed(t, j)
	if s := j.Stats(); s.Written != producers*each || s.Dropped+s.Failed != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	r := verified(t, dir)
	if !r.Whole() || !r.Stopped || r.Calls != producers*each || r.Running {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	done, err := Export(&out, JSONLines, []string{dir}, nil, Filter{})
	if err != nil || done.Records != 2*producers*each {
		t.Errorf("%+v, %v", done, err)
	}
	times := map[string]int{}
	for _, id := range regexp.MustCompile(`requestId=request-\d+;`).FindAllString(out.String(), -1) {
		times[id]++
	}
	for n := range producers * each {
		if id := fmt.Sprintf("requestId=request-%d;", n); times[id] != 2 {
			t.Fatalf("%s is there %d times, want 2", id, times[id])
		}
	}
}

// disk is a file that fails or waits as a test says.
type disk struct {
	file
	before func() error
}

func (d *disk) Write(b []byte) (int, error) {
	if err := d.before(); err != nil {
		n, _ := d.file.Write(b[:len(b)/2]) // by half, as a full disk does
		return n, err
	}
	return d.file.Write(b)
}

// onDisk makes the segments of a journal such files.
func onDisk(before func() error) func(string) (file, error) {
	return func(path string) (file, error) {
		f, err := create(path)
		return &disk{f, before}, err
	}
}

// TestStrangersAreSummed holds that who has no key cannot fill the disk, and that all of his calls are counted.
func TestStrangersAreSummed(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	const a, second = strangersMax + 250, 1000
	for n := range a + strangersMax + 1 { // in two seconds
		stranger := call(n)
		if n >= a {
			stranger = call(n + second)
		}
		stranger.Status, stranger.Caller = 401, ""
		j.Add(stranger)
	}
	known := call(5000)
	known.Status, known.Caller = 401, "somebody"
	j.Add(known)
	closed(t, j)
	if s := j.Stats(); s.Summed != 251 || s.Written != 2*strangersMax+1 || s.Dropped+s.Failed != 0 {
		t.Errorf("%+v", s)
	}
	if r := verified(t, dir); r.Calls != 2*strangersMax+1 || r.Lost != 251 || !r.Whole() {
		t.Errorf("%+v", r)
	}
}

// TestStrangersWhoStoppedAreTold holds that the number of those who were only counted is in the journal a moment later,
// though nobody calls any more, and at the end; and that calls which end out of order are no way around the bound.
func TestStrangersWhoStoppedAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir, Options{})
		storm := func(status int) {
			for n := range strangersMax + 30 {
				stranger := call(0)
				stranger.Started, stranger.Status = time.Now().Add(-time.Duration(n%600)*time.Millisecond), status
				stranger.Took = time.Since(stranger.Started) + time.Duration(n%3)*time.Microsecond
				j.Add(stranger)
			}
		}
		storm(http.StatusServiceUnavailable)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if r, err := Verify(dir, VerifyOptions{}); err != nil || r.Calls != strangersMax || r.Lost != 30 {
			t.Errorf("seconds later: %+v, %v", r, err)
		}
		storm(http.StatusNotFound)
		time.Sleep(10 * gather) // so that those that are written are
		synctest.Wait()
		closed(t, j)
		if r := verified(t, dir); r.Calls != 2*strangersMax || r.Lost != 60 || !r.Whole() {
			t.Errorf("at the end: %+v", r)
		}
	})
}

// TestDropCountsExactly adds while the writer waits for its disk.
func TestDropCountsExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, goOn := t.TempDir(), make(chan struct{})
		calls := 0
		j := open(t, dir, Options{Policy: Drop, Queue: 10, create: onDisk(func() error {
			if calls++; calls == 2 { // the first is the start of the segment
				<-goOn
			}
			return nil
		})})
		j.Add(call(0))
		time.Sleep(time.Second) // the bubble's: the writer waits with that call in hand
		synctest.Wait()
		for n := range 25 {
			j.Add(call(1 + n))
		}
		if s := j.Stats(); s.Dropped != 15 || s.Waiting != 10 {
			t.Errorf("%+v", s)
		}
		close(goOn)
		closed(t, j)
		if r := verified(t, dir); r.Calls != 11 || r.Lost != 15 || !r.Whole() {
			t.Errorf("%+v", r)
		}
	})
}

// TestFullDisk holds that calls go on while the disk is full, that what fits into the queue is kept, and that the
// journal says what is missing.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var mu sync.Mutex
		full := false
		set := func(is bool) {
			mu.Lock()
			defer mu.Unlock()
			full = is
		}
		j := open(t, dir, Options{Queue: 10, create: onDisk(func() error {
			mu.Lock()
			defer mu.Unlock()
			if full {
				return errors.New("no space left on device")
			}
			return nil
		})})
		j.Add(call(0))
		time.Sleep(time.Second)
		set(true)
		j.Add(call(1)) // the writer has this one in hand
		time.Sleep(time.Second)
		for n := range 30 {
			j.Add(call(2 + n)) // it would wait for ever
		}
		if s := j.Stats(); s.Failing == nil || s.Failed != 20 || s.Waiting != 10 {
			t.Errorf("%+v", s)
		}
		set(false)
		time.Sleep(2 * retryEvery)
		if s := j.Stats(); s.Failing != nil || s.Waiting != 0 || s.Written != 12 {
			t.Errorf("%+v", s)
		}
		if err := j.Close(); err == nil {
			t.Error("closing does not tell of lost calls")
		}
		if r := verified(t, dir); r.Calls != 12 || r.Lost != 20 || !r.Whole() || !r.Stopped {
			t.Errorf("%+v", r)
		}
	})
}

// TestDiskThatDoesNotAnswer holds that nobody waits for ever.
func TestDiskThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn, calls := make(chan struct{}), 0
		j := open(t, t.TempDir(), Options{Queue: 1, create: onDisk(func() error {
			if calls++; calls == 2 {
				<-goOn
			}
			return nil
		})})
		j.Add(call(0))
		time.Sleep(time.Second)
		j.Add(call(1))
		started := time.Now()
		j.Add(call(2))
		if waited := time.Since(started); waited != stallMax || j.Stats().Failed != 1 {
			t.Errorf("waited %v, %+v", waited, j.Stats())
		}
		close(goOn)
		time.Sleep(time.Second)
		if s := j.Stats(); s.Failing != nil || s.Written != 2 {
			t.Errorf("%+v", s)
		}
		_ = j.Close()
	})
}

// TestRetention holds that old segments go, that what remains is anchored, and that taking more shows.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir, Options{Retention: 60 * 24 * time.Hour, Sync: time.Hour})
		for range 400 {
			e := call(0)
			e.Started = time.Now()
			j.Add(e)
			time.Sleep(6 * time.Hour)
		}
		closed(t, j)
		names, err := segments(dir)
		if err != nil || len(names) < 45 || len(names) > 62 {
			t.Fatalf("%d segments remain, %v", len(names), err)
		}
		r := verified(t, dir)
		if !r.Whole() || r.ExpiredThrough == 0 {
			t.Fatalf("%+v", r)
		}
		if err := os.Remove(filepath.Join(dir, names[0])); err != nil {
			t.Fatal(err)
		}
		if r := verified(t, dir); len(r.Faults) != 1 || r.Faults[0].Kind != Missing {
			t.Errorf("%+v", r.Faults)
		}
	})
}

// TestCrashIsTold cuts a journal within its last entry as a crash does, and opens it again.
func TestCrashIsTold(t *testing.T) {
	for _, bytes := range []int64{1, 40, 70} {
		dir := written(t, 5)
		name := newest(t, dir)
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		// As if the last two entries had not reached the disk when the power went.
		setHead(t, dir, path, 4)
		if err := os.Truncate(path, info.Size()-bytes); err != nil {
			t.Fatal(err)
		}
		if r := verified(t, dir); !r.Whole() || r.Stopped || r.Torn == 0 && bytes != 61 {
			t.Errorf("before: %+v", r)
		}
		j := open(t, dir, Options{})
		j.Add(call(9))
		closed(t, j)
		if r := verified(t, dir); !r.Whole() || !r.Stopped || r.Crashes != 1 || r.Torn != 0 {
			t.Errorf("after: %+v", r)
		}
	}
}

// TestEntriesThatWereOnDiskAreMissed cuts whole entries off the end, before and after the journal goes on.
func TestEntriesThatWereOnDiskAreMissed(t *testing.T) {
	dir := written(t, 5)
	path := filepath.Join(dir, newest(t, dir))
	ends := frameEnds(t, path)
	if err := os.Truncate(path, ends[len(ends)-3]); err != nil {
		t.Fatal(err)
	}
	missing := func(r Report) bool { return len(r.Faults) == 1 && r.Faults[0].Kind == Missing }
	if r := verified(t, dir); !missing(r) {
		t.Errorf("before: %+v", r)
	}
	closed(t, open(t, dir, Options{}))
	if r := verified(t, dir); !missing(r) {
		t.Errorf("after: %+v", r)
	}
	if err := os.Remove(filepath.Join(dir, headName)); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, dir); len(r.Faults) != 2 {
		t.Errorf("without a head: %+v", r)
	}
}

// TestHeadThatWasNoted holds a journal that was written anew against a hash of before.
func TestHeadThatWasNoted(t *testing.T) {
	noted := verified(t, written(t, 5))
	dir := written(t, 6) // another history
	r, err := Verify(dir, VerifyOptions{Head: Mark{noted.Head, noted.Digest}})
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Kind != Edited {
		t.Errorf("%+v, %v", r, err)
	}
	own := verified(t, dir)
	if r, err := Verify(dir, VerifyOptions{Head: Mark{own.Head, own.Digest}}); err != nil || !r.Whole() {
		t.Errorf("%+v, %v", r, err)
	}
}

// written returns a journal of so many calls in three segments.
func written(t testing.TB, calls int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gec-journal-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for part := range 3 {
		j, err := Open(dir, Options{Now: func() time.Time { return noon.Add(time.Duration(part) * time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		for n := range calls {
			j.Add(call(part*calls + n))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newest(t testing.TB, dir string) string {
	t.Helper()
	names, err := segments(dir)
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	return names[len(names)-1]
}

// frameEnds returns where the frames of a segment end.
func frameEnds(t testing.TB, path string) (ends []int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := newScanner(f)
	one, _, err := s.start()
	for ; err == nil; one, err = s.next() {
		ends = append(ends, one.end)
	}
	return ends
}

// setHead writes the head file that there was so many frames into a segment.
func setHead(t testing.TB, dir, path string, frames int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := newScanner(f)
	one, _, err := s.start()
	for n := 1; n < frames && err == nil; n++ {
		one, err = s.next()
	}
	if err == nil {
		err = writeHead(dir, chain{one.number, s.before}, true)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnyTamperingShows changes a journal in one of the ways of a forger who does not compute the chain anew.
func TestAnyTamperingShows(t *testing.T) {
	dir := written(t, 4)
	names, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	original := map[string][]byte{}
	for _, name := range names {
		if original[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		for name, text := range original {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				rt.Fatal(err)
			}
		}
		name := rapid.SampledFrom(names).Draw(rt, "segment")
		path := filepath.Join(dir, name)
		text := slices.Clone(original[name])
		ends := append([]int64{int64(len(magic))}, frameEnds(t, path)...)
		frame := func(n int) []byte { return text[ends[n]:ends[n+1]] }
		n := rapid.IntRange(0, len(ends)-2).Draw(rt, "frame")
		switch way := rapid.SampledFrom([]string{"edit", "delete", "swap", "insert", "cut", "remove"}).Draw(rt, "way"); way {
		case "edit":
			at := rapid.IntRange(0, len(text)-1).Draw(rt, "byte")
			text[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		case "delete":
			text = slices.Delete(text, int(ends[n]), int(ends[n+1]))
		case "swap":
			m := rapid.IntRange(0, len(ends)-2).Filter(func(m int) bool { return m != n }).Draw(rt, "other")
			low, high := min(n, m), max(n, m)
			text = slices.Concat(text[:ends[low]], frame(high), text[ends[low+1]:ends[high]], frame(low), text[ends[high+1]:])
		case "insert":
			text = slices.Insert(text, int(ends[n]), frame(rapid.IntRange(0, len(ends)-2).Draw(rt, "copy"))...)
		case "cut":
			text = text[:rapid.IntRange(0, len(text)-1).Draw(rt, "length")]
		case "remove":
			if err := os.Remove(path); err != nil {
				rt.Fatal(err)
			}
			text = nil
		}
		if text != nil {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				rt.Fatal(err)
			}
		}
		r, err := Verify(dir, VerifyOptions{})
		if err != nil || r.Whole() {
			rt.Fatalf("it does not show: %+v, %v", r, err)
		}
	})
}

// FuzzSegment reads any bytes as a segment: no panic, and no more is read than there is.
func FuzzSegment(f *testing.F) {
	dir := written(f, 3)
	text, err := os.ReadFile(filepath.Join(dir, newest(f, dir)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-10])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(dir, VerifyOptions{})
		if err != nil || r.Entries > uint64(len(text)/(headBytes+digestBytes)) || r.Whole() {
			t.Errorf("%+v, %v", r, err) // without a head file nothing is whole
		}
		if _, err := Export(new(bytes.Buffer), CSV, []string{dir}, nil, Filter{}); err != nil {
			t.Error(err)
		}
		j, err := Open(dir, Options{})
		if err != nil {
			return
		}
		j.Add(call(1))
		closed(t, j)
		if r := verified(t, dir); r.Calls == 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestAddAllocatesNothing once the memory of the queue is there.
func TestAddAllocatesNothing(t *testing.T) {
	q, e := newQueue(1<<20, true), call(1)
	memory := make([]byte, 0, 1<<20)
	q.take(memory)
	if n := testing.AllocsPerRun(500, func() { q.add(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkAdd is what a call pays, and what the writer does for it aside.
func BenchmarkAdd(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 400)
	b.Run("queue", func(b *testing.B) {
		q, e := newQueue(1<<30, true), call(1)
		e.Body = body
		b.ReportAllocs()
		n, memory := 0, make([]byte, 0, 16<<20)
		q.take(memory)
		for b.Loop() {
			q.add(e)
			if n++; n%8192 == 0 {
				memory = q.take(memory).bytes
			}
		}
	})
	b.Run("writer", func(b *testing.B) {
		var one batch
		e := call(1)
		e.Body = body
		for range 1000 {
			one.append(e)
		}
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			out, _ = one.frames(append(out[:0], make([]byte, digestBytes)...), chain{})
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/call")
	})
}
