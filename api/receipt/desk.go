package receipt

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gec/bundles"
	"gec/engine"
)

// Wanted is what a caller writes in place of a receipt to get one.
const Wanted = "wanted"

// ValidityDefault is how long receipts are redeemed where Options say nothing: a payment that was begun is over
// within a day.
const ValidityDefault = 24 * time.Hour

// revisionWait is how long a receipt waits for a revision that is on its way to this node of a cluster.
const revisionWait = 500 * time.Millisecond

// Options are what a desk needs from outside.
type Options struct {
	// Catalogue is required. It keeps the public keys and the revisions.
	Catalogue *bundles.Catalogue
	// Vault holds the node's private key; nil: this desk redeems receipts and gives none.
	Vault *Vault
	// Validity is how long after it was issued a receipt is redeemed; 0: ValidityDefault.
	Validity time.Duration
	// Caller is recorded with the keys that the desk adds to the catalogue.
	Caller bundles.Caller
	// Failed, where not nil, is told why a receipt that was wanted could not be given.
	Failed func(error)
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Desk gives and takes receipts. It is safe for concurrent use.
type Desk struct {
	o Options
	// known are the keys of the catalogue as they were last read.
	known atomic.Pointer[known]
	// signer is the private key whose public half is in the catalogue, nil until it is. opening is held while
	// that is seen to, and by a rotation.
	signer  atomic.Pointer[signer]
	opening sync.Mutex
}

// signer is a private key that may be used as long as nobody ended it.
type signer struct {
	id      KeyID
	private ed25519.PrivateKey
}

// known are the keys as of a revision of the annex.
type known struct {
	annex int64
	keys  KeySet
}

// NewDesk returns a desk on a catalogue. It changes nothing yet: the public key enters the catalogue with the
// first receipt that somebody wants.
func NewDesk(o Options) *Desk {
	if o.Validity == 0 {
		o.Validity = ValidityDefault
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	return &Desk{o: o}
}

// Open sees to it that the desk can sign. It is called before the snapshot of an answer is taken, so that the key
// is in the catalogue of every node that has the revision. ok is false where no receipt can be given now:
// somebody was told why, and the answer goes without.
func (d *Desk) Open(ctx context.Context) (ok bool) {
	err := d.open(ctx)
	if err != nil {
		d.o.Failed(err)
	}
	return err == nil
}

func (d *Desk) open(ctx context.Context) error {
	keys, err := d.Keys(ctx)
	if err != nil {
		return err
	}
	if s := d.signer.Load(); s != nil && keys.inUse(s.id) {
		return nil
	}
	if d.o.Vault == nil {
		return errors.New("receipts are not given here: the node has no key")
	}
	d.opening.Lock()
	defer d.opening.Unlock()
	if s := d.signer.Load(); s != nil && keys.inUse(s.id) { // seen to while this call waited
		return nil
	}
	return d.publish(ctx, d.o.Caller)
}

// publish brings the key of the vault into the catalogue, unless it is there, and another one where that has
// ended. The caller holds opening.
func (d *Desk) publish(ctx context.Context, caller bundles.Caller) error {
	keys, err := d.settle(ctx)
	if err != nil {
		return err
	}
	private := d.o.Vault.key
	switch i := keys.find(idOf(private)); {
	case i < 0:
		if _, err := d.change(ctx, caller, "publish receipt key", private, nil); err != nil {
			return err
		}
	case !keys.Keys[i].Ended.IsZero():
		_, err := d.rotate(ctx, caller)
		return err
	}
	d.signer.Store(&signer{idOf(private), private})
	return nil
}

// settle brings a rotation to its end that was cut short after its change, and returns the keys of the catalogue.
// The caller holds opening.
func (d *Desk) settle(ctx context.Context) (KeySet, error) {
	keys, err := d.Keys(ctx)
	if err != nil {
		return keys, err
	}
	next, err := d.o.Vault.next()
	if err == nil && next != nil && keys.inUse(idOf(next)) {
		err = d.o.Vault.promote(next)
	}
	return keys, err
}

// Rotate lets another key take the place of the node's, which ends: what it has signed is verified as before.
// Errors: those of the catalogue and of files; nothing has changed then, or the next call puts it right.
func (d *Desk) Rotate(ctx context.Context, caller bundles.Caller) (Key, error) {
	if d.o.Vault == nil {
		return Key{}, errors.New("the node has no key")
	}
	d.opening.Lock()
	defer d.opening.Unlock()
	return d.rotate(ctx, caller)
}

// rotate is Rotate for a caller that holds opening. First the new private key is on the disk, then the change is in
// the catalogue, then the new key takes the old one's place: settle puts a crash in between right.
func (d *Desk) rotate(ctx context.Context, caller bundles.Caller) (Key, error) {
	if _, err := d.settle(ctx); err != nil {
		return Key{}, err
	}
	next, err := d.o.Vault.makeNext()
	if err != nil {
		return Key{}, err
	}
	ending := idOf(d.o.Vault.key)
	made, err := d.change(ctx, caller, "rotate receipt key", next, &ending)
	if err != nil {
		return Key{}, err
	}
	if err := d.o.Vault.promote(next); err != nil {
		return Key{}, err
	}
	d.signer.Store(&signer{made.ID, next})
	return made, nil
}

// RotateOlder rotates the node's key where it has been in use for longer than an age, and reports whether it did.
func (d *Desk) RotateOlder(ctx context.Context, age time.Duration) (bool, error) {
	if d.o.Vault == nil {
		return false, nil
	}
	keys, err := d.Keys(ctx)
	if err != nil {
		return false, err
	}
	d.opening.Lock()
	defer d.opening.Unlock()
	i := keys.find(idOf(d.o.Vault.key))
	if i < 0 || d.o.Now().Sub(keys.Keys[i].Made) < age {
		return false, nil // one that nobody knows cannot be too old
	}
	_, err = d.rotate(ctx, d.o.Caller)
	return err == nil, err
}

// End ends a key of the catalogue whose node is no more. Errors: bundles.ErrNotFound.
func (d *Desk) End(ctx context.Context, caller bundles.Caller, id KeyID) error {
	_, err := d.o.Catalogue.ChangeAnnex(ctx, caller, "end receipt key", func(get annexGet) ([]bundles.Row, error) {
		ended, err := d.ended(get, id)
		if ended == nil || err != nil {
			return nil, err
		}
		return []bundles.Row{*ended}, nil
	})
	return err
}

type annexGet = func(bundles.Kind, string) (bundles.Row, error)

// change adds the public half of a key to the catalogue and ends another one, in one change.
func (d *Desk) change(ctx context.Context, caller bundles.Caller, operation string, private ed25519.PrivateKey, ending *KeyID) (Key, error) {
	made := Key{ID: idOf(private), Public: private.Public().(ed25519.PublicKey), Made: d.o.Now().UTC().Truncate(time.Second)}
	_, err := d.o.Catalogue.ChangeAnnex(ctx, caller, operation, func(get annexGet) ([]bundles.Row, error) {
		row, err := made.row()
		if err != nil {
			return nil, err
		}
		rows := []bundles.Row{row}
		if ending == nil {
			if _, err := get(bundles.KindReceiptKey, row.ID); err == nil {
				return nil, nil // by an earlier try, whose outcome nobody learnt
			}
			return rows, nil
		}
		ended, err := d.ended(get, *ending)
		if errors.Is(err, bundles.ErrNotFound) {
			return rows, nil // it was never used
		}
		if ended != nil {
			rows = append(rows, *ended)
		}
		return rows, err
	})
	return made, err
}

// ended returns the row of a key with its end now, nil where it has ended before. Errors: bundles.ErrNotFound.
func (d *Desk) ended(get annexGet, id KeyID) (*bundles.Row, error) {
	row, err := get(bundles.KindReceiptKey, id.String())
	if err != nil {
		return nil, fmt.Errorf("receipt key %s: %w", id, err)
	}
	k, err := DecodeKey(row)
	if err != nil || !k.Ended.IsZero() {
		return nil, err
	}
	k.Ended = d.o.Now().UTC().Truncate(time.Second)
	row, err = k.row()
	return &row, err
}

// Keys returns the public keys of all nodes. It reads them again only where the annex of the catalogue changed.
func (d *Desk) Keys(ctx context.Context) (KeySet, error) {
	annex := d.o.Catalogue.AnnexRevision()
	if k := d.known.Load(); k != nil && k.annex == annex {
		return k.keys, nil
	}
	read := &known{annex: annex, keys: KeySet{ValiditySeconds: int64(d.o.Validity / time.Second), Keys: []Key{}}}
	err := d.o.Catalogue.Annex(ctx, 0, bundles.KindReceiptKey, func(row bundles.Row) error {
		k, err := DecodeKey(row)
		read.keys.Keys = append(read.keys.Keys, k)
		return err
	})
	if err != nil {
		return KeySet{}, err
	}
	slices.SortStableFunc(read.keys.Keys, func(a, b Key) int { return a.Made.Compare(b.Made) })
	d.known.Store(read)
	return read.keys, nil
}

func (s KeySet) find(id KeyID) int {
	return slices.IndexFunc(s.Keys, func(k Key) bool { return k.ID == id })
}

func (s KeySet) inUse(id KeyID) bool {
	i := s.find(id)
	return i >= 0 && s.Keys[i].Ended.IsZero()
}

func idOf(private ed25519.PrivateKey) KeyID { return KeyIDOf(private.Public().(ed25519.PublicKey)) }

// Given is what an answer was computed from, besides its request.
type Given struct {
	Revision int64
	At       time.Time
	Seed     uint64
	// Body is what the receipt answers for (see Receipt.Answer).
	Body []byte
}

// Give returns the receipt of an answer, after Open; empty where none can be given, of which somebody was told.
func (d *Desk) Give(ctx context.Context, q *Request, g Given) string {
	history, err := d.o.Catalogue.HistorySHA256(ctx, g.Revision)
	s := d.signer.Load()
	if err == nil && s == nil {
		err = errors.New("receipts are not given here: the node has no key")
	}
	if err != nil {
		d.o.Failed(err)
		return ""
	}
	r := Receipt{
		Contract: q.Contract, Stated: q.stated(), Revision: g.Revision, At: g.At, Seed: g.Seed,
		Issued: d.o.Now().UTC().Truncate(time.Second), Request: q.Hash(), Answer: sha256.Sum256(g.Body),
	}
	copy(r.History[:], history[:])
	r.Sign(s.private)
	return r.String()
}

// Take verifies a receipt against the request that it comes with and returns it with the snapshot to answer on, as a
// payment of Receipt.At with the seed Receipt.Seed. Errors: *Refusal; bundles.ErrNotYet where the revision is on
// its way to this node; those of the store.
func (d *Desk) Take(ctx context.Context, text string, q *Request) (Receipt, *engine.Snapshot, error) {
	r, err := Parse(text)
	if err != nil {
		return r, nil, err
	}
	keys, err := d.keysFor(ctx, &r)
	if err != nil {
		return r, nil, err
	}
	if _, err := keys.Verify(&r); err != nil {
		return r, nil, err
	}
	if q.Contract != r.Contract || q.Hash() != r.Request {
		return r, nil, otherRequest(&r, q)
	}
	if until := keys.Expires(&r); !d.o.Now().Before(until) {
		return r, nil, refuse(ReasonTooOld, "was issued at %s and could be redeemed until %s: ask for the fee anew", instant(r.Issued), instant(until))
	}
	snapshot, err := d.snapshot(ctx, &r)
	return r, snapshot, err
}

// keysFor returns the keys to verify a receipt with. Its key is in the catalogue at its revision (see Open): one that
// another node made a moment ago comes with the revision, for which is waited where the key is not known. Errors:
// bundles.ErrNotYet, also for a receipt that nobody gave and that names a revision which nobody made.
func (d *Desk) keysFor(ctx context.Context, r *Receipt) (KeySet, error) {
	keys, err := d.Keys(ctx)
	if err != nil || keys.find(r.Key) >= 0 || d.o.Catalogue.Head().Revision >= r.Revision {
		return keys, err
	}
	if err := d.await(ctx, r); err != nil {
		return keys, err
	}
	return d.Keys(ctx)
}

// await waits for the revision of a receipt. Errors: bundles.ErrNotYet.
func (d *Desk) await(ctx context.Context, r *Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, revisionWait)
	defer cancel()
	return d.o.Catalogue.Await(ctx, r.Revision)
}

func otherRequest(r *Receipt, q *Request) error {
	differing := q.differences(r)
	if len(differing) > 0 {
		return refuse(ReasonOtherRequest, "is of another request: not the same in %s", strings.Join(differing, "; "))
	}
	return refuse(ReasonOtherRequest, "is of another request: the options are the same, the payment or what else the request names is not")
}

// snapshot returns the snapshot of the receipt's revision, if that is the one of then.
func (d *Desk) snapshot(ctx context.Context, r *Receipt) (*engine.Snapshot, error) {
	if err := d.await(ctx, r); err != nil {
		return nil, err
	}
	history, err := d.o.Catalogue.HistorySHA256(ctx, r.Revision)
	if err == nil && [8]byte(history[:8]) != r.History {
		return nil, refuse(ReasonOtherCatalogue, "was given on another catalogue: revision %d of this one has another history", r.Revision)
	}
	var snapshot *engine.Snapshot
	if err == nil {
		snapshot, err = d.o.Catalogue.At(ctx, r.Revision)
	}
	if errors.Is(err, bundles.ErrNotFound) {
		err = refuse(ReasonRevisionGone, "was given on revision %d, which this node no longer has: ask another node, or for the fee anew", r.Revision)
	}
	return snapshot, err
}

// Confirm holds an answer that was computed again to the receipt. Errors: *Refusal.
func (r *Receipt) Confirm(body []byte) error {
	if sha256.Sum256(body) != r.Answer {
		return refuse(ReasonOtherAnswer, "was given for another answer: this release computes another one on revision %d", r.Revision)
	}
	return nil
}
