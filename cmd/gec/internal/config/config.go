// Package config holds the settings of the gec command: one table says each setting's name, default,
// bounds and meaning, and [Load] takes the values from the defaults, a YAML file, the environment and
// the flags, each overruling the one before, remembering where every value came from.
//
// It refuses what it does not know: an unknown key in the file, a value of the wrong kind or out of
// its bounds is an error that names the place and what would be right. It opens no socket and no store.
//
// Where to start: [Settings] is the table, [Load] the way in, [Config.Validate] the bounds.
package config

import "time"

// Config is every setting of the command. Make one with [Load]; the zero Config is not valid.
type Config struct {
	// DataDir is the folder of the store, one process at a time.
	DataDir string
	// HTTPAddress and GRPCAddress are host:port; port 0 picks a free one.
	HTTPAddress, GRPCAddress string
	// ListenWithoutKeys lets the server listen beyond loopback although nobody has to show a key.
	ListenWithoutKeys bool
	// AuthoringWithoutKeys lets whoever reaches the loopback addresses change the catalogue, as the operator.
	AuthoringWithoutKeys bool
	// FirstKeyFile is where the operator's first access key is written when there is no key yet, or "off".
	FirstKeyFile string
	// TestEndpoints serves the endpoints by which test suites change the catalogue (spec 4).
	TestEndpoints bool
	// Sample loads the built-in sample catalogue into an empty data folder.
	Sample bool
	// Environment is the word that GET /info answers with.
	Environment string
	// LogLevel is debug, info, warn or error; LogFormat text or json.
	LogLevel, LogFormat string
	// LogRequests writes one line of the log a request, at info.
	LogRequests bool
	// ReadyOffDelay is how long the server goes on accepting calls after it stopped being ready, so
	// that whoever spreads the load sees it; StopTimeout how long calls under way may then take.
	ReadyOffDelay, StopTimeout time.Duration
	// WatermarkMiB is the free space of the data folder's disk, in MiB, below which changes are refused (507).
	WatermarkMiB int
	// BallastMiB is the size of a file in the data folder that is given up when the disk is full, in MiB; 0: none.
	BallastMiB int
	// OpsAddress is host:port of the operator's listener (metrics, profiles, backup), or "off". It has no keys.
	OpsAddress string
	// OpsWithoutKeys lets it listen beyond loopback.
	OpsWithoutKeys bool
	// Traces is the OTLP collector that spans are sent to, http://host:port, or "off"; TracesRatio the share of
	// traces that begin here of which they are, 0 to 1.
	Traces      string
	TracesRatio float64
	// TLS is that of both addresses, and OIDC whose bearer tokens are taken.
	TLS  TLS
	OIDC OIDC
	// OverloadWait is the time for which work may wait for a processor, nine times of ten, before calls are turned
	// away with 503; ConnectionsMax the number of HTTP connections open at a time, beyond which new ones are closed.
	OverloadWait   time.Duration
	ConnectionsMax int
	// ReceiptValidity is how long after it was given a quote receipt is redeemed; ReceiptKeyAge how long the key
	// that signs them is in use before another takes its place, 0 for as long as nobody rotates it.
	ReceiptValidity, ReceiptKeyAge time.Duration
	// Store is badger for a node by itself, etcd for one of a cluster; Etcd says where the cluster's catalogue is.
	Store string
	Etcd  Etcd
	// Journal says how the event journal is kept.
	Journal Journal
	// ProgramsMax, ECPlansMax and SnapshotsMax bound the caches of compiled conditions, of plans of
	// creditor institutions and of past revisions, in entries.
	ProgramsMax, ECPlansMax, SnapshotsMax int
}

// TLS names the files of TLS for HTTP and gRPC, each "off" where there is none. They are read again when they change.
type TLS struct {
	// Cert and Key are the certificate of the server and its key in PEM form; without them nothing is encrypted.
	Cert, Key string
	// ClientCA are the authorities of clients' certificates, ClientAuth says whether those are optional or
	// required, Clients is the table of who they are.
	ClientCA, ClientAuth, Clients string
}

// OIDC is an issuer of bearer tokens. Issuer and Audience are both set or both "off".
type OIDC struct {
	// Issuer is its URL, Audience what its tokens for this service name, JWKS the URL of its keys or "off": the
	// one of its metadata.
	Issuer, Audience, JWKS string
	// NameClaim and RolesClaim are where tokens have the caller's name and roles, CA the PEM file of who vouches
	// for the issuer's host, or "off": those of the system.
	NameClaim, RolesClaim, CA string
}

// Journal is how the event journal in the data folder is kept (spec 6).
type Journal struct {
	// On is false where none is.
	On bool
	// Policy is block or drop, Queue the number of calls that may wait to be written.
	Policy string
	Queue  int
	// Retention is the age at which segments are removed, 0 for never; Sync the longest time until what is written
	// is on disk.
	Retention, Sync time.Duration
}

// Etcd is where the catalogue of a cluster is.
type Etcd struct {
	// Endpoints are the URLs of the members, with commas between them; Prefix is where the keys are.
	Endpoints, Prefix string
	// CA, Cert and Key are PEM files for TLS, User and PasswordFile the account; each may be "off".
	CA, Cert, Key, User, PasswordFile string
	// Keep is how long revisions stay in etcd; 0 keeps all.
	Keep time.Duration
}
