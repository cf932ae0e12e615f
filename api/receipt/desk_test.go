package receipt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gec/bundles"
	"gec/bundles/store/badger"
)

// office is a node: a catalogue, a vault and a clock.
type office struct {
	*Desk
	catalogue *bundles.Catalogue
	vault     *Vault
	now       time.Time
	failed    error
}

func openStore(t *testing.T) *badger.Store {
	t.Helper()
	store, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func openOffice(t *testing.T, store bundles.Store, dir string) *office {
	t.Helper()
	o := &office{now: evening}
	var err error
	if o.catalogue, err = bundles.Open(t.Context(), store, bundles.Options{Now: func() time.Time { return o.now }}); err != nil {
		t.Fatal(err)
	}
	if o.vault, err = OpenVault(dir); err != nil {
		t.Fatal(err)
	}
	o.Desk = NewDesk(Options{
		Catalogue: o.catalogue, Vault: o.vault, Caller: bundles.Operator("test"),
		Now: func() time.Time { return o.now }, Failed: func(err error) { o.failed = err },
	})
	return o
}

// give returns a receipt of a request that was answered with nothing.
func (o *office) give(t *testing.T) string {
	t.Helper()
	if !o.Open(t.Context()) {
		t.Fatal(o.failed)
	}
	text := o.Give(t.Context(), asked(), Given{Revision: o.catalogue.Head().Revision, At: o.now, Seed: 9})
	if text == "" {
		t.Fatal(o.failed)
	}
	return text
}

func (o *office) take(t *testing.T, text string) error {
	t.Helper()
	r, snapshot, err := o.Take(t.Context(), text, asked())
	if err == nil && (snapshot.Revision() != r.Revision || r.Seed != 9) {
		t.Errorf("%+v on revision %d", r, snapshot.Revision())
	}
	return err
}

func TestDeskRotatesAndOldReceiptsStillVerify(t *testing.T) {
	o := openOffice(t, openStore(t), t.TempDir())
	if o.catalogue.Head().Revision != 0 {
		t.Error("a catalogue is changed before anybody wants a receipt")
	}
	first := o.give(t)
	if o.give(t); o.catalogue.Head().Revision != 1 {
		t.Errorf("the key was published %d times", o.catalogue.Head().Revision)
	}
	o.now = o.now.Add(time.Hour)
	made, err := o.Rotate(t.Context(), bundles.Operator("test"))
	if err != nil {
		t.Fatal(err)
	}
	second := o.give(t)
	keys, err := o.Keys(t.Context())
	if err != nil || len(keys.Keys) != 2 || !keys.Keys[0].Ended.Equal(o.now.Truncate(time.Second)) || keys.Keys[1].ID != made.ID || !keys.Keys[1].Ended.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}
	for _, text := range []string{first, second} {
		if err := o.take(t, text); err != nil {
			t.Error(err)
		}
	}
	if a, _ := Parse(first); a.Key != keys.Keys[0].ID {
		t.Error("the first key did not sign the first receipt")
	}
	// One who kept the old private key cannot give receipts any more.
	forged, _ := Parse(first)
	forged.Issued = o.now.Add(2 * endedGrace)
	old, err := OpenVault(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	forged.Sign(old.key)
	if err := o.take(t, forged.String()); reasonOf(err) != ReasonUnknownKey {
		t.Error(err)
	}
	o.now = o.now.Add(ValidityDefault - time.Hour)
	if err := o.take(t, first); reasonOf(err) != ReasonTooOld {
		t.Error(err)
	}
	if err := o.take(t, second); err != nil {
		t.Error(err)
	}
	for age, want := range map[time.Duration]bool{48 * time.Hour: false} {
		if rotated, err := o.RotateOlder(t.Context(), age); rotated != want || err != nil {
			t.Errorf("%v: %v, %v", age, rotated, err)
		}
	}
	if rotated, err := o.RotateOlder(t.Context(), time.Hour); !rotated || err != nil {
		t.Errorf("%v, %v", rotated, err)
	}
}

// TestRotationCutShort ends the process after the change is in the catalogue and before the new private key is in
// its place: the next start goes on with the new one.
func TestRotationCutShort(t *testing.T) {
	store, dir := openStore(t), t.TempDir()
	o := openOffice(t, store, dir)
	first := o.give(t)
	next, err := o.vault.makeNext()
	if err != nil {
		t.Fatal(err)
	}
	ending := idOf(o.vault.key)
	if _, err := o.change(t.Context(), bundles.Operator("test"), "rotate", next, &ending); err != nil {
		t.Fatal(err)
	}
	again := openOffice(t, store, dir)
	second := again.give(t)
	if r, _ := Parse(second); r.Key != idOf(next) {
		t.Errorf("signed with %s", r.Key)
	}
	if err := errors.Join(again.take(t, first), again.take(t, second)); err != nil {
		t.Error(err)
	}
	if keys, _ := again.Keys(t.Context()); len(keys.Keys) != 2 {
		t.Errorf("%d keys", len(keys.Keys))
	}
	// Before the change is in the catalogue the next key counts for nothing.
	if _, err := again.vault.makeNext(); err != nil {
		t.Fatal(err)
	}
	if r, _ := Parse(openOffice(t, store, dir).give(t)); r.Key != idOf(next) {
		t.Errorf("signed with %s", r.Key)
	}
}

// TestNodesVerifyEachOthersReceipts also ends the key of a node that is no more.
func TestNodesVerifyEachOthersReceipts(t *testing.T) {
	store := openStore(t)
	one, two := openOffice(t, store, t.TempDir()), openOffice(t, store, t.TempDir())
	text := one.give(t)
	if err := two.catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := two.take(t, text); err != nil {
		t.Error(err)
	}
	if _, err := one.Keys(t.Context()); err != nil { // that nothing has to be read below
		t.Fatal(err)
	}
	// The second node gives one on a revision that has not reached the first.
	late := two.give(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := one.Take(ctx, late, asked()); !errors.Is(err, bundles.ErrNotYet) {
		t.Errorf("its key came with the revision, which is not here: %v", err)
	}
	// It is redeemed as soon as the revision is here, also where it comes while the receipt waits.
	taken := make(chan error)
	go func() {
		_, _, err := one.Take(t.Context(), late, asked())
		taken <- err
	}()
	if err := one.catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Error(err)
	}
	r, _ := Parse(text)
	for range 2 { // once more changes nothing
		if err := one.End(t.Context(), bundles.Operator("test"), r.Key); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.take(t, text); err != nil {
		t.Errorf("a receipt of a key that ended since: %v", err)
	}
	if err := one.End(t.Context(), bundles.Operator("test"), KeyID{}); !errors.Is(err, bundles.ErrNotFound) {
		t.Error(err)
	}
	// A node whose key somebody ended makes another.
	if again, _ := Parse(one.give(t)); again.Key == r.Key {
		t.Error("a key that ended signs")
	}
}

func TestReceiptsOfOtherCatalogues(t *testing.T) {
	dir := t.TempDir()
	one, other := openOffice(t, openStore(t), dir), openOffice(t, openStore(t), dir)
	text := one.give(t)
	other.now = other.now.Add(time.Second) // its revision 1 is of another instant
	other.give(t)
	if err := other.take(t, text); reasonOf(err) != ReasonOtherCatalogue {
		t.Error(err)
	}
	stranger := openOffice(t, openStore(t), t.TempDir())
	stranger.give(t)
	if err := stranger.take(t, text); reasonOf(err) != ReasonUnknownKey {
		t.Error(err)
	}
}

// pruned is a store that no longer has its first revision.
type pruned struct{ bundles.Store }

func (s pruned) Record(ctx context.Context, revision int64) (bundles.Record, error) {
	if revision < 2 {
		return bundles.Record{}, bundles.ErrNotFound
	}
	return s.Store.Record(ctx, revision)
}

func TestPrunedRevision(t *testing.T) {
	store, dir := openStore(t), t.TempDir()
	o := openOffice(t, store, dir)
	text := o.give(t)
	if _, err := o.Rotate(t.Context(), bundles.Operator("test")); err != nil {
		t.Fatal(err)
	}
	if err := openOffice(t, pruned{store}, dir).take(t, text); reasonOf(err) != ReasonRevisionGone {
		t.Error(err)
	}
}

func TestVaultKeepsTheKeyToItsOwner(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenVault(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, keyFile)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o660); err != nil {
		t.Fatal(err)
	}
	again, err := OpenVault(dir)
	if err != nil || !again.Tightened || first.Tightened || !again.key.Equal(first.key) {
		t.Errorf("%v, tightened %v", err, again.Tightened)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	for _, damaged := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenVault(dir); err == nil {
			t.Errorf("%q is taken as a key", damaged)
		}
	}
}

func TestDeskWithoutAKeyRedeemsOnly(t *testing.T) {
	store := openStore(t)
	o := openOffice(t, store, t.TempDir())
	text := o.give(t)
	without := NewDesk(Options{Catalogue: o.catalogue, Now: func() time.Time { return o.now }})
	if without.Open(t.Context()) || without.Give(t.Context(), asked(), Given{}) != "" {
		t.Error("it gives receipts")
	}
	if _, _, err := without.Take(t.Context(), text, asked()); err != nil {
		t.Error(err)
	}
	if _, err := without.Rotate(t.Context(), bundles.Operator("test")); err == nil {
		t.Error("it rotates")
	}
}
