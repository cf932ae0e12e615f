package badger

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"gec/bundles"
	"gec/bundles/store/storetest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	os.Exit(m.Run())
}

// noLeaks checks at the end of a test that it left no goroutine behind. It is not done for the package
// as a whole: where Badger refuses a damaged folder it leaves its own behind.
func noLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func TestContractOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("the contract without waiting for the disk is run: what is shared is the same")
	}
	noLeaks(t)
	storetest.RunAll(t, func(t *testing.T) bundles.Store { return mustOpen(t, t.TempDir(), Options{}) })
}

func TestContractWithoutSync(t *testing.T) {
	noLeaks(t)
	storetest.RunAll(t, func(t *testing.T) bundles.Store { return mustOpen(t, t.TempDir(), Options{NoSync: true}) })
}
