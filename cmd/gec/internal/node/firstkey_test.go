package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gec/api/access"
	"gec/cmd/gec/internal/config"
)

// TestFirstKey holds that the first key is made once, works, and is in a file for its owner alone.
func TestFirstKey(t *testing.T) {
	folder, err := Open(t.Context(), config.Config{DataDir: t.TempDir(), WatermarkMiB: 16, ProgramsMax: 16, ECPlansMax: 16, SnapshotsMax: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	dir := t.TempDir()
	path, taken := filepath.Join(dir, "operator.key"), filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{taken, filepath.Join(dir, "no folder", "key")} {
		if err := firstKey(t.Context(), folder, bad, quiet); err == nil || !strings.Contains(err.Error(), "--first-key-file") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for range 2 { // the second time there is a key
		if err := firstKey(t.Context(), folder, path, quiet); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || info.Mode().Perm() != 0o600 || access.CheckSecret(strings.TrimSpace(string(secret))) != nil {
		t.Errorf("%v, %v, %v", err, statErr, info)
	}
	keys, err := access.NewKeyring(folder, nil).List(t.Context(), Owner())
	if err != nil || len(keys) != 1 || keys[0].Roles[0] != access.RoleOperator {
		t.Error(keys, err)
	}
}
