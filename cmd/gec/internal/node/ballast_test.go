package node

import (
	"os"
	"path/filepath"
	"testing"

	"gec/cmd/gec/internal/config"
)

// TestBallast holds that the file is made where there is room, given up when the disk is full, and made again.
func TestBallast(t *testing.T) {
	const mib = 1 << 20
	free := uint64(0)
	b := newBallast(config.Config{DataDir: t.TempDir(), WatermarkMiB: 16, BallastMiB: 2}, func() uint64 { return free })
	for _, step := range []struct {
		name     string
		free     uint64
		held     uint64
		released bool
	}{
		{"no room to make it", 20*mib - 1, 0, false},
		{"room", 20 * mib, 2 * mib, false},
		{"below the watermark it stays", 10 * mib, 2 * mib, false},
		{"full", mib, 0, true},
		{"what it gave is no room to make it", 3 * mib, 0, false},
		{"room again", 100 * mib, 2 * mib, false},
	} {
		free = step.free
		released, err := b.look()
		if err != nil || released != step.released || b.held() != step.held {
			t.Errorf("%s: released %v, %d bytes held, %v", step.name, released, b.held(), err)
		}
	}
	b.bytes = 3 * mib // other settings
	for range 2 {
		if released, err := b.look(); err != nil || released {
			t.Error(released, err)
		}
	}
	if b.held() != 3*mib {
		t.Errorf("%d bytes are held", b.held())
	}
	b.bytes = 0
	if _, err := b.look(); err != nil || b.held() != 0 {
		t.Errorf("%d bytes are held, %v", b.held(), err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "filled"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := fill(file, mib+7); err != nil {
		t.Error(err)
	}
	if info, err := file.Stat(); err != nil || info.Size() != mib+7 {
		t.Error(info, err)
	}
}
