package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of that many MiB; the test is skipped where it may not.
func smallDisk(t *testing.T, mib string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+mib+"m"); err != nil {
		t.Skipf("mounting needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes to a file until there is no room, or so many bytes were written.
func fillDisk(t *testing.T, path string, bytesMax int64) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyN(file, zeros{}, bytesMax); err != nil && !bytes.Contains([]byte(err.Error()), []byte("no space")) {
		t.Fatal(err)
	}
}

// zeros is an endless source of zeros.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestFullDisk fills a small disk by uploads and then by somebody else, to the last byte: the process lives,
// quotes go on without an error, the ballast is given up, uploads get 507 before the watermark, and are taken again once there is room.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a disk")
	}
	t.Parallel()
	const watermarkMiB = "64"
	disk := smallDisk(t, "200")
	filler := filepath.Join(disk, "filler")
	s := serve(t, filepath.Join(disk, "data"), "--sample", "--authoring-without-keys", "--log-requests=false", "--watermark-mib", watermarkMiB, "--ballast-mib", "8")
	quotes, stop := keepQuoting(t, s)

	u := &uploader{psp: "FULL"}
	upload := func() int {
		u.asked++
		status, _ := post(t, s.http+"/gec/v1/psps/FULL/uploads", jsonText(u.body(u.asked)))
		return status
	}
	uploads := 0
	for ; upload() == http.StatusOK; uploads++ {
		fillDisk(t, filepath.Join(disk, "filler")+string(rune('a'+uploads%20)), int64(uploads)<<20) // others write, too
	}
	if free := freeOf(t, disk); free < 48<<20 {
		t.Errorf("uploads went on until %d MiB were free, the watermark is %s", free>>20, watermarkMiB)
	}
	fillDisk(t, filler, 1<<30) // to the last byte
	s.stderr.await(t, "the ballast was given up")
	if _, err := os.Stat(filepath.Join(disk, "data", "ballast")); err == nil {
		t.Error("the ballast is still there")
	}
	fillDisk(t, filler+"again", 1<<30)
	for range 20 {
		if status := upload(); status != http.StatusInsufficientStorage {
			t.Errorf("upload on a full disk: %d", status)
		}
	}
	if status, _ := get(t, s.http+"/actuator/health/liveness"); status != http.StatusOK {
		t.Errorf("liveness: %d", status)
	}
	fillers, err := filepath.Glob(filler + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range fillers {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	freed := time.Now()
	for upload() != http.StatusOK {
		if time.Since(freed) > 10*time.Second {
			t.Fatalf("uploads are refused 10 s after there is room")
		}
	}
	resumed := time.Since(freed)
	stop()
	s.stop(t)
	t.Logf("%d uploads until 507; resumed %v after there was room; %d quotes meanwhile", uploads, resumed, *quotes)
	must(t, "verify", "--data", filepath.Join(disk, "data"))
}

func freeOf(t *testing.T, dir string) uint64 {
	t.Helper()
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Bavail * uint64(stat.Bsize)
}

// keepQuoting asks for quotes, one after the other and some hundreds a second, until stop is called; each has to
// be answered.
func keepQuoting(t *testing.T, s *server) (count *int, stop func()) {
	t.Helper()
	return keepAsking(t, func() (int, string) { return post(t, s.http+"/gec/v1/quote", healthyQuote()) })
}

// keepAsking is keepQuoting for a client of its own.
func keepAsking(t *testing.T, ask func() (status int, text string)) (count *int, stop func()) {
	t.Helper()
	count = new(int)
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		turn := time.NewTicker(2 * time.Millisecond) // one that never rests would take a processor from all else
		defer turn.Stop()
		for {
			select {
			case <-done:
				return
			case <-turn.C:
			}
			if status, text := ask(); status != http.StatusOK {
				t.Errorf("quote: %d %s", status, text)
				return
			}
			*count++
		}
	})
	return count, func() {
		close(done)
		asking.Wait()
	}
}

func healthyQuote() map[string]any {
	return map[string]any{"payment": map[string]any{"paymentType": "CP", "notices": []any{map[string]any{"amountCents": 5000}}}}
}
