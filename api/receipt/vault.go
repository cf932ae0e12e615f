package receipt

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a vault, PKCS #8 in PEM. The next key is there while one takes the place of the other only.
const (
	keyFile     = "receipt-key.pem"
	nextKeyFile = "receipt-key.next.pem"
	pemType     = "PRIVATE KEY"
)

// Vault keeps the private key of one node in a folder, in a file that its owner alone reads. Backups of the
// catalogue do not have it: a node that is restored makes another. It is not for concurrent use.
type Vault struct {
	dir string
	// key is the one in use.
	key ed25519.PrivateKey
	// Tightened says that others could read the key, which was put right.
	Tightened bool
}

// OpenVault reads the key in a folder, and makes one where there is none. Errors name the file.
func OpenVault(dir string) (*Vault, error) {
	v := &Vault{dir: dir}
	key, err := v.read(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = v.make(keyFile); err == nil {
			err = v.sync()
		}
	}
	if err != nil {
		return nil, err
	}
	v.key = key
	return v, nil
}

// next returns the key that was made to take the place of the one in use, nil where there is none.
func (v *Vault) next() (ed25519.PrivateKey, error) {
	key, err := v.read(nextKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return key, err
}

// makeNext makes the key that is to take the place of the one in use, in place of an earlier one.
func (v *Vault) makeNext() (ed25519.PrivateKey, error) {
	key, err := v.make(nextKeyFile)
	if err != nil {
		return nil, err
	}
	return key, v.sync()
}

// promote lets the next key take the place of the one in use, which is gone for good.
func (v *Vault) promote(next ed25519.PrivateKey) error {
	if err := os.Rename(v.path(nextKeyFile), v.path(keyFile)); err != nil {
		return err
	}
	v.key = next
	return v.sync()
}

func (v *Vault) path(name string) string { return filepath.Join(v.dir, name) }

// make writes a new key to a file.
func (v *Vault) make(name string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	// Under another name first: a file that was cut short is not there.
	file, err := os.CreateTemp(v.dir, name+".*") // its owner alone reads it
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	err = pem.Encode(file, &pem.Block{Type: pemType, Bytes: der})
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return key, os.Rename(file.Name(), v.path(name))
}

// read reads the key of a file, and makes the file its owner's alone.
func (v *Vault) read(name string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(v.path(name))
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(v.path(name), 0o600); err != nil {
			return nil, err
		}
		v.Tightened = true
	}
	text, err := os.ReadFile(v.path(name))
	if err != nil {
		return nil, err
	}
	damaged := fmt.Errorf("%s is no Ed25519 key in PEM form: remove it, and the next start makes another", v.path(name))
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(rest) > 0 {
		return nil, damaged
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, damaged
	}
	return key, nil
}

// sync makes names of files last.
func (v *Vault) sync() error {
	dir, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
