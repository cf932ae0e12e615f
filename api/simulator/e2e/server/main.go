// Command server serves the simulator page on one catalogue file, for the end-to-end tests and for work on the
// page: nothing is stored, and the clock can be stopped, so that pictures are the same every day.
//
//	go run ./api/simulator/e2e/server --catalogue fixtures/catalogue.yaml --now 2026-11-21T10:00:00Z
//
// Like `gec serve` it prints one line once it is ready: "ready http=127.0.0.1:40123 revision=1 bundles=42".
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"gec/api/simulator"
	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
	"gec/engine/condition"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	catalogue := flag.String("catalogue", "fixtures/catalogue.yaml", "the catalogue file")
	name := flag.String("format", "native", "its format: native, snapshot or feelist")
	names := flag.String("names", "", "a JSON file of names of creditor institutions by tax code")
	now := flag.String("now", "", "the instant at which the clock stands, as 2026-11-21T10:00:00Z; empty: it runs")
	address := flag.String("http", "127.0.0.1:0", "the address to listen on")
	rate := flag.Int("rate", 100_000, "requests per minute and address")
	flag.Parse()

	snapshot, document, err := load(*catalogue, format.Name(*name))
	if err != nil {
		return err
	}
	options := simulator.Options{
		Catalogue: fixed{snapshot}, RatePerMinute: *rate, RateBurst: *rate,
		Export: func(context.Context, int64) (bundles.Document, error) { return document, nil },
		Published: func(context.Context, int64) (time.Time, error) {
			return time.Date(2026, 6, 18, 4, 0, 0, 0, time.UTC), nil
		},
	}
	if *names != "" {
		data, err := os.ReadFile(*names)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &options.CreditorInstitutions); err != nil {
			return err
		}
	}
	if *now != "" {
		at, err := time.Parse(time.RFC3339, *now)
		if err != nil {
			return err
		}
		options.Now = func() time.Time { return at }
	}
	page, err := simulator.New(options)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", *address)
	if err != nil {
		return err
	}
	fmt.Printf("ready http=%s revision=%d bundles=%d\n", listener.Addr(), snapshot.Revision(), snapshot.Len())
	server := &http.Server{Handler: page, ReadHeaderTimeout: 5 * time.Second}
	return server.Serve(listener)
}

// fixed is a catalogue that never changes.
type fixed struct{ snapshot *engine.Snapshot }

// Current implements [simulator.Catalogue].
func (f fixed) Current() *engine.Snapshot { return f.snapshot }

// load reads a file and prepares it for quotes, with its subscriptions.
func load(path string, name format.Name) (*engine.Snapshot, bundles.Document, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, bundles.Document{}, err
	}
	defer file.Close()
	document, _, err := format.Read(name, file, format.ReadOptions{})
	if err != nil {
		return nil, document, err
	}
	source := engine.Source{Revision: 1}
	if document.Settings != nil {
		source.Settings = *document.Settings
	}
	for i := range document.Bundles {
		source.Bundles = append(source.Bundles, &document.Bundles[i].Bundle)
	}
	subscriptions := map[string][]engine.Subscription{}
	for _, s := range document.Subscriptions {
		if subscriptions[s.CreditorInstitution] == nil {
			source.ECs = append(source.ECs, s.CreditorInstitution)
		}
		subscriptions[s.CreditorInstitution] = append(subscriptions[s.CreditorInstitution], s.Subscription)
	}
	snapshot, err := engine.NewSnapshot(source, engine.Deps{
		Programs:      condition.NewCache(1024),
		Subscriptions: func(_ int64, ec string) ([]engine.Subscription, error) { return subscriptions[ec], nil },
	})
	return snapshot, document, err
}
