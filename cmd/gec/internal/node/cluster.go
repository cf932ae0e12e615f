package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	"gec/api/seen"
	"gec/api/trace"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/bundles/store/etcd"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/tlsfiles"
)

// share returns the store that a node serves: the folder, or the cluster's whose copy the folder is.
func share(ctx context.Context, c config.Config, folder *badger.Store, log *slog.Logger) (bundles.Store, *etcd.Store, error) {
	if c.Store != "etcd" {
		return folder, nil, nil
	}
	if damage := folder.Degraded(); damage != nil {
		log.Warn("the node's copy is damaged: it goes on from its last good revision and takes the rest from etcd", "error", damage)
		err := folder.Discard(ctx)
		if err == nil {
			_, err = folder.Verify(ctx) // where one thing is damaged, another may be
		}
		if err != nil {
			return nil, nil, fmt.Errorf("data folder %s: %w", absolute(c.DataDir), err)
		}
	}
	o, err := etcdOptions(c.Etcd, log)
	if err != nil {
		return nil, nil, err
	}
	shared, err := etcd.Open(folder, o)
	if err != nil {
		return nil, nil, err
	}
	return shared, shared, nil
}

// openOrReplace opens a folder. The copy of a cluster's catalogue that is too damaged is moved aside, as etcd has all
// that it needs to be filled again.
func openOrReplace(ctx context.Context, c config.Config, o badger.Options) (*Folder, error) {
	folder, err := openFolder(ctx, c, o)
	var damage *badger.DamagedError
	if c.Store != "etcd" || !o.LastGood || !errors.As(err, &damage) {
		return folder, err
	}
	aside, failed := moveAside(c.DataDir)
	if failed != nil {
		return nil, errors.Join(err, failed)
	}
	o.Logger.Error("the node's copy is damaged and was moved aside: it is filled again from etcd", "error", damage, "moved_to", aside)
	return openFolder(ctx, c, o)
}

// moveAside moves the files of the store, but not what else lies in the folder, such as the journal and the key of
// receipts, to a new folder next to it, and returns its name.
func moveAside(dir string) (string, error) {
	dir = absolute(dir)
	aside, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".damaged-")
	if err != nil {
		return "", err
	}
	files, err := os.ReadDir(dir)
	for _, file := range files {
		if file.IsDir() || !badger.Owns(file.Name()) {
			continue
		}
		err = errors.Join(err, os.Rename(filepath.Join(dir, file.Name()), filepath.Join(aside, file.Name())))
	}
	return aside, err
}

// off is how settings say that there is nothing.
const off = config.Off

// etcdOptions reads the files that the settings name.
func etcdOptions(c config.Etcd, log *slog.Logger) (etcd.Options, error) {
	o := etcd.Options{Endpoints: strings.Split(c.Endpoints, ","), Prefix: c.Prefix, Keep: c.Keep, Logger: log, Dial: []grpc.DialOption{trace.Dial()}}
	if c.CA != off || c.Cert != off || strings.Contains(c.Endpoints, "https://") {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.CA != off {
		var err error
		if o.TLS.RootCAs, err = tlsfiles.Pool(c.CA); err != nil {
			return o, fmt.Errorf("--etcd-ca: %w", err)
		}
	}
	if c.Cert != off {
		// It is read again for every connection, so that it can be renewed without a restart.
		if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
			return o, fmt.Errorf("--etcd-cert and --etcd-key: %w", err)
		}
		o.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
			return &pair, err
		}
	}
	if c.User != off {
		password, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return o, fmt.Errorf("--etcd-password-file: %w", err)
		}
		o.Username, o.Password = c.User, strings.TrimRight(string(password), "\r\n")
		if o.Password == "" {
			return o, fmt.Errorf("--etcd-password-file: %s holds no password", c.PasswordFile)
		}
	}
	return o, nil
}

// keepUp keeps the folder and the snapshot up with the cluster. Where the folder has a catalogue it is served at
// once; an empty one is filled first, however long etcd takes to come. Errors: *etcd.RefusedError, and others that no
// waiting ends, for an empty folder.
func (f *Folder) keepUp(ctx context.Context, c config.Config, log *slog.Logger) (end func(), err error) {
	if f.shared == nil {
		return func() {}, nil
	}
	if f.Current().Revision() == 0 {
		log.Info("the data folder is empty: waiting for the shared catalogue", "etcd", c.Etcd.Endpoints)
		if err := f.fill(ctx); err != nil {
			return nil, err
		}
	}
	endFollowing := background(ctx, func(ctx context.Context) { f.shared.Run(ctx, f.Refresh) })
	endWatching := background(ctx, func(ctx context.Context) { f.watchSpace(ctx, c.Etcd.Keep, log) })
	return func() {
		endWatching()
		endFollowing()
	}, nil
}

// refusalsMax is how often in a row etcd has to refuse a node, where it may be a member that restarts.
const refusalsMax = 3

// fill brings an empty folder and its snapshot to the head of the cluster. It ends without an error when ctx does.
func (f *Folder) fill(ctx context.Context) error {
	for refusals := 0; ; {
		err := f.shared.CatchUp(ctx)
		var refused *etcd.RefusedError
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			return f.Refresh(ctx)
		case errors.As(err, &refused):
			if refusals++; !refused.Perhaps || refusals >= refusalsMax {
				return refused
			}
		case !errors.Is(err, bundles.ErrUnavailable):
			return err
		default:
			refusals = 0
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// The intervals at which the space of etcd is looked at, while it is full too, and old revisions are removed: the
// last is shorter where they are kept for less.
const (
	spaceInterval = 30 * time.Second
	fullInterval  = time.Second
	pruneInterval = 10 * time.Minute
)

// watchSpace removes old revisions from etcd and says when its space runs out: at once where a change was refused for
// it.
func (f *Folder) watchSpace(ctx context.Context, keep time.Duration, log *slog.Logger) {
	interval := spaceInterval
	if keep > 0 {
		interval = min(interval, max(keep/4, time.Second))
	}
	for pruned := (time.Time{}); ; {
		wait := interval
		space, err := f.shared.Space(ctx)
		if err == nil {
			f.tellSpace(space, log)
		}
		if space.Full {
			wait = min(wait, fullInterval)
		}
		if every := min(pruneInterval, keep/4); keep > 0 && err == nil && time.Since(pruned) >= every {
			pruned = time.Now()
			err = f.shared.Prune(ctx, pruned.Add(-keep))
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("the space of etcd could not be looked after", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-f.shared.Refused():
		case <-time.After(wait):
		}
	}
}

// tellSpace remembers the space of etcd, and logs what is new about it.
func (f *Folder) tellSpace(now etcd.Space, log *slog.Logger) {
	var before string
	if last := f.space.Swap(&now); last != nil {
		before = spaceState(*last)
	}
	switch state := spaceState(now); {
	case state == before:
	case state == spaceFull:
		log.Error("etcd is full: changes are refused until it is compacted, defragmented and its alarm disarmed; quotes go on",
			"used_bytes", now.Used, "quota_bytes", now.Quota)
	case state == spaceLow:
		log.Warn("etcd is running out of space: changes will be refused when it is full", "used_bytes", now.Used, "quota_bytes", now.Quota)
	case before != "":
		log.Info("etcd has space again", "used_bytes", now.Used, "quota_bytes", now.Quota)
	}
}

// What is said of the space of etcd.
const (
	spaceEnough = "enough"
	spaceLow    = "low"
	spaceFull   = "full"
)

// spaceState says how the space of etcd is: low above three quarters of the quota.
func spaceState(s etcd.Space) string {
	switch {
	case s.Full:
		return spaceFull
	case s.Used > s.Quota/4*3:
		return spaceLow
	}
	return spaceEnough
}

// spaceNow returns the space of etcd when it was last asked.
func (f *Folder) spaceNow() etcd.Space {
	if last := f.space.Load(); last != nil {
		return *last
	}
	return etcd.Space{}
}

// seen holds answers to the revision that their caller has seen.
func (f *Folder) seen() seen.Options {
	o := seen.Options{Catalogue: f.Catalogue}
	if f.shared != nil {
		o.Age = f.shared.Away
	}
	return o
}

// details are what the health of a node of a cluster tells besides.
func (f *Folder) details() []string {
	if f.shared == nil {
		return nil
	}
	s := f.shared.Status()
	space := f.spaceNow()
	return []string{
		"etcdSpace", spaceState(space), "etcdUsedBytes", strconv.FormatInt(space.Used, 10), "etcdQuotaBytes", strconv.FormatInt(space.Quota, 10),
		"store", "etcd", "connected", strconv.FormatBool(s.Connected), "revision", strconv.FormatInt(s.Revision, 10),
		"ageSeconds", strconv.FormatInt(int64(s.Age(time.Now())/time.Second), 10),
	}
}

// registerCluster registers how the folder stands to etcd, for a node of a cluster.
func (w *watch) registerCluster(f *Folder) error {
	if f.shared == nil {
		return nil
	}
	return w.register([]gauge{
		{"gec_cluster_connected", "1 while the node's copy is known to be that of etcd.", func() float64 {
			if f.shared.Status().Connected {
				return 1
			}
			return 0
		}},
		{"gec_cluster_age_seconds", "Time since the node's copy was last known to be that of etcd.", func() float64 {
			return f.shared.Status().Age(time.Now()).Seconds()
		}},
		{"gec_cluster_revision", "The last revision that etcd showed.", func() float64 { return float64(f.shared.Status().SharedRevision) }},
		{"gec_cluster_used_bytes", "Bytes that the fullest member of etcd uses.", func() float64 { return float64(f.spaceNow().Used) }},
		{"gec_cluster_full", "1 while etcd refuses changes for lack of space.", func() float64 {
			if f.spaceNow().Full {
				return 1
			}
			return 0
		}},
		{"gec_cluster_quota_bytes", "Bytes that it may use before changes are refused.", func() float64 { return float64(f.spaceNow().Quota) }},
	})
}

// Migrate moves the catalogue between a data folder and etcd, with its history and hashes, and returns the last
// revision: from the folder with toEtcd, else into it. What is there already must be the beginning of the same
// history.
func Migrate(ctx context.Context, c config.Config, toEtcd bool, log *slog.Logger, progress func(revision int64)) (last bundles.Record, err error) {
	if toEtcd && empty(c.DataDir) {
		return last, fmt.Errorf("data folder %s holds no catalogue", absolute(c.DataDir))
	}
	c.Store = "etcd"
	folder, err := openFolder(ctx, c, badger.Options{Logger: log})
	if err != nil {
		return last, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if toEtcd {
		err = folder.shared.Upload(ctx, progress)
	} else {
		err = folder.shared.CatchUp(ctx)
	}
	if err != nil {
		return last, err
	}
	if _, err := folder.store.Verify(ctx); err != nil {
		return last, err
	}
	return folder.store.Head(ctx)
}
