package config

import "slices"

// Setting is one row of the table: what a setting is called, stands at and may be.
type Setting struct {
	// Name is the flag without its dashes, and the key in the file.
	Name string
	// Default is the value in force when nothing else says one, as it would be written.
	Default string
	// Help is one line for people.
	Help string
	// Serve marks settings that only `gec serve` has a flag for; to the other commands on a data folder
	// they come from the file or the environment, where they mean anything there.
	Serve bool
	// Min and Max are the bounds of a number or a duration, both included, as they would be written.
	Min, Max string
	// Choices are the words allowed; none means that any text is.
	Choices []string
	// field returns the pointer into a Config: *string, *bool, *int, *float64 or *time.Duration.
	field func(*Config) any
}

// Settings returns the table, in the order in which settings are shown.
func Settings() []Setting {
	return slices.Concat(listening(), admission(), running(), receipts(), sharing(), journaling(), sizing())
}

// listening are the settings of where the node answers, and where it tells of itself.
func listening() []Setting {
	return []Setting{
		{Name: "data", Default: ".data", Help: "`folder` of the catalogue; made when missing",
			field: func(c *Config) any { return &c.DataDir }},
		{Name: "http", Default: "127.0.0.1:8080", Serve: true, Help: "`address` for HTTP; port 0 picks a free one",
			field: func(c *Config) any { return &c.HTTPAddress }},
		{Name: "grpc", Default: "127.0.0.1:9090", Serve: true, Help: "`address` for gRPC; port 0 picks a free one",
			field: func(c *Config) any { return &c.GRPCAddress }},
		{Name: "ops", Default: "off", Serve: true, Help: "`address` of the operator's metrics, profiles and backup, as 127.0.0.1:9100; it asks for no key",
			field: func(c *Config) any { return &c.OpsAddress }},
		{Name: "ops-without-keys", Default: "false", Serve: true, Help: "listen with --ops beyond loopback: whoever reaches it reads the metrics",
			field: func(c *Config) any { return &c.OpsWithoutKeys }},
		{Name: "traces", Default: "off", Serve: true, Help: "`URL` of the OpenTelemetry collector (OTLP over gRPC) that spans are sent to, as http://127.0.0.1:4317",
			field: func(c *Config) any { return &c.Traces }},
		{Name: "traces-ratio", Default: "0.01", Min: "0", Max: "1", Serve: true,
			Help:  "`share` of traces that are sampled; callers with a traceparent decide for themselves",
			field: func(c *Config) any { return &c.TracesRatio }},
	}
}

// admission are the settings of who may ask for what.
func admission() []Setting {
	return []Setting{
		{Name: "tls-cert", Default: Off, Serve: true, Help: "PEM `file` of the server's certificate for HTTP and gRPC; off: no TLS",
			field: func(c *Config) any { return &c.TLS.Cert }},
		{Name: "tls-key", Default: Off, Serve: true, Help: "PEM `file` of the key of --tls-cert", field: func(c *Config) any { return &c.TLS.Key }},
		{Name: "tls-client-ca", Default: Off, Serve: true, Help: "PEM `file` of who vouches for clients' certificates",
			field: func(c *Config) any { return &c.TLS.ClientCA }},
		{Name: "tls-client-auth", Default: "optional", Choices: []string{"optional", "required"}, Serve: true,
			Help: "`whether` clients have to show a certificate of --tls-client-ca", field: func(c *Config) any { return &c.TLS.ClientAuth }},
		{Name: "tls-clients", Default: Off, Serve: true, Help: "YAML `file` that says who clients are by their certificates: a list of subject, name, roles",
			field: func(c *Config) any { return &c.TLS.Clients }},
		{Name: "oidc-issuer", Default: Off, Serve: true, Help: "`URL` of the issuer whose bearer tokens (JWT) are taken",
			field: func(c *Config) any { return &c.OIDC.Issuer }},
		{Name: "oidc-audience", Default: Off, Serve: true, Help: "`name` of this service in tokens (aud); needed with --oidc-issuer",
			field: func(c *Config) any { return &c.OIDC.Audience }},
		{Name: "oidc-jwks", Default: Off, Serve: true, Help: "`URL` of the issuer's keys; off: where its metadata says",
			field: func(c *Config) any { return &c.OIDC.JWKS }},
		{Name: "oidc-name-claim", Default: "sub", Serve: true, Help: "`claim` with the caller's name for journal and history",
			field: func(c *Config) any { return &c.OIDC.NameClaim }},
		{Name: "oidc-roles-claim", Default: "gec_roles", Serve: true, Help: "`claim` with the caller's roles, or a pointer to them, as /realm_access/roles",
			field: func(c *Config) any { return &c.OIDC.RolesClaim }},
		{Name: "oidc-ca", Default: Off, Serve: true, Help: "PEM `file` of who vouches for the issuer's host; off: those of the system",
			field: func(c *Config) any { return &c.OIDC.CA }},
		{Name: "insecure-listen-without-keys", Default: "false", Serve: true,
			Help:  "listen beyond loopback although whoever reaches the address needs no key",
			field: func(c *Config) any { return &c.ListenWithoutKeys }},
		{Name: "authoring-without-keys", Default: "false", Serve: true,
			Help:  "let every caller on this machine change the catalogue as the operator; loopback only, for trying out",
			field: func(c *Config) any { return &c.AuthoringWithoutKeys }},
		{Name: "first-key-file", Default: "off", Serve: true,
			Help:  "`file` to make with the operator's first access key, where the catalogue has no key yet",
			field: func(c *Config) any { return &c.FirstKeyFile }},
		{Name: "test-endpoints", Default: "false", Serve: true,
			Help:  "serve POST /configuration/…, by which test suites change the catalogue without a key",
			field: func(c *Config) any { return &c.TestEndpoints }},
	}
}

// running are the settings of how it starts, logs, bears load and stops.
func running() []Setting {
	return []Setting{
		{Name: "sample", Default: "false", Serve: true, Help: "load the built-in sample catalogue if the data folder is empty",
			field: func(c *Config) any { return &c.Sample }},
		{Name: "environment", Default: "local", Serve: true, Help: "`word` that GET /info shows",
			field: func(c *Config) any { return &c.Environment }},
		{Name: "log-level", Default: "info", Choices: []string{"debug", "info", "warn", "error"}, Serve: true,
			Help: "least `level` of what is logged", field: func(c *Config) any { return &c.LogLevel }},
		{Name: "log-format", Default: "text", Choices: []string{"text", "json"}, Serve: true,
			Help: "`form` of the log on stderr", field: func(c *Config) any { return &c.LogFormat }},
		{Name: "log-requests", Default: "true", Serve: true, Help: "log one line a request, at info",
			field: func(c *Config) any { return &c.LogRequests }},
		{Name: "ready-off-delay", Default: "0s", Min: "0s", Max: "5m", Serve: true,
			Help:  "`time` between readiness going off and the last call accepted, at a stop",
			field: func(c *Config) any { return &c.ReadyOffDelay }},
		{Name: "stop-timeout", Default: "30s", Min: "1s", Max: "10m", Serve: true,
			Help:  "longest `time` that calls under way may take at a stop",
			field: func(c *Config) any { return &c.StopTimeout }},
		{Name: "overload-wait", Default: "5ms", Min: "1ms", Max: "10s", Serve: true,
			Help:  "`time` for which work may wait for a processor, nine times of ten, before some calls are turned away with 503",
			field: func(c *Config) any { return &c.OverloadWait }},
		{Name: "connections-max", Default: "16384", Min: "16", Max: "1048576", Serve: true,
			Help: "`number` of HTTP connections open at a time; new ones beyond it are closed", field: func(c *Config) any { return &c.ConnectionsMax }},
		{Name: "watermark-mib", Default: "1024", Min: "16", Max: "1048576", Serve: true,
			Help: "free `MiB` on the disk of the data folder below which changes are refused", field: func(c *Config) any { return &c.WatermarkMiB }},
		{Name: "ballast-mib", Default: "64", Min: "0", Max: "65536", Serve: true,
			Help: "`MiB` of a file in the data folder that is given up when the disk is full; 0: none", field: func(c *Config) any { return &c.BallastMiB }},
	}
}

// receipts are the settings of the keys of quote receipts.
func receipts() []Setting {
	return []Setting{
		{Name: "receipt-validity", Default: "24h0m0s", Min: "1m", Max: "87600h", Serve: true,
			Help: "`time` after it was given for which a quote receipt is redeemed", field: func(c *Config) any { return &c.ReceiptValidity }},
		{Name: "receipt-key-age", Default: "0s", Min: "0s", Max: "87600h", Serve: true,
			Help: "`time` after which another key signs receipts; 0s: when somebody rotates it", field: func(c *Config) any { return &c.ReceiptKeyAge }},
	}
}

// sharing are the settings of where the catalogue is.
func sharing() []Setting {
	return []Setting{
		{Name: "store", Default: "badger", Choices: []string{"badger", "etcd"}, Serve: true,
			Help: "`kind` of store: the data folder alone, or a cluster's etcd with the data folder as its copy", field: func(c *Config) any { return &c.Store }},
		{Name: "etcd-endpoints", Default: "http://127.0.0.1:2379", Serve: true, Help: "`URLs` of etcd's members, with commas between them",
			field: func(c *Config) any { return &c.Etcd.Endpoints }},
		{Name: "etcd-prefix", Default: "gec/", Serve: true, Help: "`prefix` of the catalogue's keys in etcd", field: func(c *Config) any { return &c.Etcd.Prefix }},
		{Name: "etcd-ca", Default: "off", Serve: true, Help: "PEM `file` of who vouches for etcd; off: those of the system",
			field: func(c *Config) any { return &c.Etcd.CA }},
		{Name: "etcd-cert", Default: "off", Serve: true, Help: "PEM `file` of this node's certificate for etcd", field: func(c *Config) any { return &c.Etcd.Cert }},
		{Name: "etcd-key", Default: "off", Serve: true, Help: "PEM `file` of the key of --etcd-cert", field: func(c *Config) any { return &c.Etcd.Key }},
		{Name: "etcd-user", Default: "off", Serve: true, Help: "`name` of the account in etcd", field: func(c *Config) any { return &c.Etcd.User }},
		{Name: "etcd-password-file", Default: "off", Serve: true, Help: "`file` with the password of --etcd-user",
			field: func(c *Config) any { return &c.Etcd.PasswordFile }},
		{Name: "etcd-keep", Default: "720h0m0s", Min: "0s", Max: "87600h", Serve: true,
			Help: "`time` that revisions stay in etcd, of older ones the base state; nodes keep all that they have; 0s: always", field: func(c *Config) any { return &c.Etcd.Keep }},
	}
}

// journaling are the settings of the event journal.
func journaling() []Setting {
	return []Setting{
		{Name: "journal", Default: "true", Serve: true, Help: "keep the event journal in the data folder",
			field: func(c *Config) any { return &c.Journal.On }},
		{Name: "journal-policy", Default: "block", Choices: []string{"block", "drop"}, Serve: true,
			Help: "`what` a call does when the journal's queue is full: wait, so that nothing is lost, or go on unjournaled and counted", field: func(c *Config) any { return &c.Journal.Policy }},
		{Name: "journal-queue", Default: "8192", Min: "16", Max: "1048576", Serve: true,
			Help: "`number` of calls that may wait to be journaled, 1 KiB each", field: func(c *Config) any { return &c.Journal.Queue }},
		{Name: "journal-retention", Default: "17520h0m0s", Min: "0s", Max: "175200h", Serve: true,
			Help: "`age` at which the journal is removed, 24 months; 0s: never", field: func(c *Config) any { return &c.Journal.Retention }},
		{Name: "journal-sync", Default: "1s", Min: "0s", Max: "1m", Serve: true,
			Help: "longest `time` until what is journaled is synced to the disk; 0s: at once", field: func(c *Config) any { return &c.Journal.Sync }},
	}
}

// sizing are the settings of what is kept in memory.
func sizing() []Setting {
	return []Setting{
		{Name: "programs-max", Default: "8192", Min: "16", Max: "1048576", Serve: true,
			Help: "`number` of compiled conditions kept", field: func(c *Config) any { return &c.ProgramsMax }},
		{Name: "ec-plans-max", Default: "4096", Min: "16", Max: "1048576", Serve: true,
			Help: "`number` of creditor institutions whose plan is kept", field: func(c *Config) any { return &c.ECPlansMax }},
		{Name: "snapshots-max", Default: "4", Min: "1", Max: "64", Serve: true,
			Help: "`number` of past revisions kept in memory", field: func(c *Config) any { return &c.SnapshotsMax }},
	}
}
