package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"gec/api/access"
	"gec/bundles"
)

// firstKeyName is the name of the key that a node makes.
const firstKeyName = "operator"

// firstKey makes the operator's first access key and writes its secret to a new file, where the catalogue has no
// key yet: so a cluster, or a machine on which nobody types, comes up asking for keys. The file is made before
// the key, so that no secret is lost for want of a place. Of several nodes that start at once one makes it.
func firstKey(ctx context.Context, folder *Folder, path string, log *slog.Logger) (err error) {
	ring := access.NewKeyring(folder, nil)
	switch all, err := ring.List(ctx, Owner()); {
	case err != nil:
		return err
	case len(all) > 0:
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("--first-key-file %s is there already, and the catalogue has no key: move it away, or name another", path)
	}
	if err != nil {
		return fmt.Errorf("--first-key-file: %w", err)
	}
	made := false
	defer func() {
		if err = errors.Join(err, file.Close()); !made {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	key, secret, err := ring.New(ctx, Owner(), access.Key{Name: firstKeyName, Roles: []access.Role{access.RoleOperator}})
	var state *bundles.StateError
	if errors.As(err, &state) { // another node was faster
		log.Info("the first access key was made by another node", "reason", state.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the first access key: %w", err)
	}
	if _, err = file.WriteString(secret + "\n"); err == nil {
		err = file.Sync()
	}
	if err != nil {
		_, revokeErr := ring.Revoke(ctx, Owner(), key.ID) // nobody has it
		return errors.Join(fmt.Errorf("--first-key-file: %w", err), revokeErr)
	}
	made = true
	log.Warn("made the operator's first access key: keep the file safe, and make others for everybody else", "file", absolute(path), "key", key.ID)
	return nil
}
