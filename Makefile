# Targets for people and for .ci/run. Needs Go and make; each target fetches what it lacks through the Go
# module proxy once and then works offline.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Parameters, as in `make fuzz FUZZTIME=1h`.
FUZZTIME ?= 20s
DATA ?= .data
HTTP ?= 127.0.0.1:8080
GRPC ?= 127.0.0.1:9090
TESTFLAGS ?=
DURATION ?= 10m
SCHEDULES ?= 200
KILLS ?= 200
BUNDLES ?= 50000
TEARS ?= 1000
SLOW ?= 2000

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
BUF := go tool -modfile=.tools/go.mod buf
# Packages whose values are shared between goroutines, and those of their tests that are about files and
# killed processes, where the race detector takes minutes to see nothing.
SHARED := ./bundles ./bundles/store/... ./api/... ./engine/condition ./cmd/gec/internal/...
# Those of them in which no goroutine starts and nothing is shared: linking their tests takes longer than all else.
ALONE := /(certificate|fragment|problem|requestid|seen|ask|cli|config|text)$$
RACE_SKIP := ^Test(TornFiles|Crash|Kill|FailedCommitIsSwept)
# Tests that are marked as parallel wait, for processes mostly: more of them at a time than there are processors.
BESIDE := -parallel 8
# A test binary under the race detector otherwise waits a second before it ends.
export GORACE := atexit_sleep_ms=100

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: page
page: api/simulator/dist/.vite/manifest.json ## build the simulator page; needs Node 20.19 or later

api/simulator/dist/.vite/manifest.json: $(wildcard $(addprefix api/simulator/,web/*.* web/parts/* templates/* package-lock.json tsconfig.json vite.config.mjs))
	cd api/simulator && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

.PHONY: build
build: page ## build bin/gec, the page in it
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/gec ./cmd/gec

.PHONY: run
run: build ## serve the sample catalogue on loopback; data stays in $(DATA)
	@printf '%s\n' 'Once it is ready, the page is at http://$(HTTP)/. Or try in another window:' \
	  '  bin/gec quote --server http://$(HTTP) --amount 50.00 --type CP --touchpoint CHECKOUT --order fee' \
	  '  bin/gec explain --server http://$(HTTP) --amount 50.00 --type CP --touchpoint CHECKOUT' \
	  "  curl -s http://$(HTTP)/gec/v1/quote -d '{\"payment\": {\"paymentType\": \"CP\", \"notices\": [{\"amountCents\": 5000}]}}'" \
	  '  curl -s http://$(HTTP)/actuator/health/readiness' \
	  'The README has more. Stop with Ctrl-C.' ''
	@exec bin/gec serve --sample --authoring-without-keys --data $(DATA) --http $(HTTP) --grpc $(GRPC)

bin/etcd: .tools/etcd/go.mod ## the etcd server for tests and `make cluster`, built from its own module file
	cd .tools/etcd && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(CURDIR)/bin/etcd go.etcd.io/etcd/server/v3

.PHONY: etcd
etcd: # tests that need it are skipped where it cannot be built
	@$(MAKE) --no-print-directory bin/etcd || echo 'etcd could not be built (offline, and never fetched?): its tests are skipped' >&2

.PHONY: test
test: ## everything that must pass: format, vet, all tests, races, the page in a browser
	@$(MAKE) --no-print-directory -j3 format page etcd
	@$(MAKE) --no-print-directory vet # once nobody writes the page, which is embedded
	@$(MAKE) --no-print-directory -j2 test-plain test-race-e2e # side by side: where one waits the other computes

# The two packages that take longest come first, so that neither is what is waited for at the end.
.PHONY: test-plain
test-plain:
	go test $(TESTFLAGS) $(BESIDE) -vet=off ./cmd/gec ./bench/cluster ./...

.PHONY: test-race-e2e
test-race-e2e:
	go test $(TESTFLAGS) $(BESIDE) -vet=off -race -short -skip '$(RACE_SKIP)' $$(go list $(SHARED) | grep -vE '$(ALONE)')
	go test $(TESTFLAGS) -vet=off -race -short -run '^Test(P1Threads|P6|PlansMayBeDropped)' ./engine
	@$(MAKE) --no-print-directory e2e

.PHONY: e2e
e2e: page ## the simulator in a real browser; skipped where there is no Chromium
	cd api/simulator && npm run --silent e2e

.PHONY: check
check: format vet lint generate-check ## format, vet, lint, generated code up to date

.PHONY: format
format: # fails when a file is not as gofmt writes it
	@files=$$(find . -name '*.go' -not -path './.*' -not -path '*/node_modules/*' -exec gofmt -l {} +); \
	  [ -z "$$files" ] || { echo "run gofmt -w on:" $$files >&2; exit 1; }

.PHONY: vet
vet:
	go vet ./...

.PHONY: lint
lint: # golangci-lint from the PATH where it is there, else the pinned one, built on first use
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; else go run $(GOLANGCI) run ./...; fi

.PHONY: race
race: ## all tests under the race detector, at full length
	go test -race -timeout 60m ./...

.PHONY: cases
cases: ## the case files and the conformance cases of ../shared
	go test -count=1 ./fixtures/...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (20s)
	@go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ./... | while read -r package dir; do \
	  for target in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | cut -c 6- || true); do \
	    echo "$$package $$target"; go test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; \
	  done; done

.PHONY: crash
crash: ## kill -9 the real binary KILLS (200) times at BUNDLES (50000) while eight clients upload, and at each named point; damage TEARS (1000) files
	GEC_TEST_KILLS=$(KILLS) GEC_TEST_BUNDLES=$(BUNDLES) go test -count=1 -timeout 3h -v -run '^TestKilled' ./cmd/gec
	GEC_TEST_KILLS=$(KILLS) GEC_TEST_TEARS=$(TEARS) go test -count=1 -timeout 3h -v -run '^Test(Kill|TornFiles|CrashAtEveryPoint|CrashDuringSweep|EmptyLogFiles)$$' ./bundles/store/badger

.PHONY: hostile
hostile: ## bombs, bodies without end, SLOW (2000) slow clients and handshakes, what HTTP/2 lets clients do, a full disk, fuzzed bodies, what refusals tell of keys: bounded memory, healthy clients unharmed
	GEC_TEST_SLOW=$(SLOW) go test -count=1 -timeout 1h -v -run '^Test(Hostile|Slow|Rapid|FullDisk)' ./cmd/gec
	GEC_TEST_TIMING=100000 go test -count=1 -run 'Hostile|Bomb|Deep' ./api/... ./bundles/... ./engine/...

.PHONY: overload
overload: build ## ask five times of what a node can answer: what it turns away, and how the rest fares
	go run ./bench/overload

.PHONY: soak
soak: bench-soak ## the same as bench-soak: DURATION (10m) at half of the peak while the catalogue changes

.PHONY: bench
bench: ## measure quotes and the service beside their floors, and print the goals; a quarter of an hour, on a quiet machine
	go run ./bench/report

.PHONY: bench-soak
bench-soak: ## quotes at half of the peak for DURATION (10m), the catalogue changing every second: errors, latency, memory
	go run ./bench/report -soak $(DURATION) -o bench/soak.json

.PHONY: bench-peers
bench-peers: ## compare quotes with expr, CEL, OPA and Grule on the same catalogue
	cd bench/peers && go run -mod=mod . # -mod=mod: the requirements of the service change without it

.PHONY: cluster
cluster: build bin/etcd ## three members of etcd and three nodes on loopback: write on one, quote on another, kill one, go on
	go run ./bench/cluster tour

.PHONY: cluster-storm
cluster-storm: build bin/etcd ## SCHEDULES (200) random faults on that cluster, what clients saw checked with Porcupine
	go run ./bench/cluster -schedules $(SCHEDULES) storm

.PHONY: cluster-roll
cluster-roll: build bin/etcd ## restart the nodes one by one, from PREVIOUS (the same) to this release, while they quote
	go run ./bench/cluster $(if $(PREVIOUS),-previous $(PREVIOUS)) roll

.PHONY: bench-cluster
bench-cluster: build bin/etcd ## how fast a change and an upload reach every node
	go run ./bench/cluster spread

.PHONY: bench-guard
bench-guard: ## fail when a quote allocates more, or a ratio is worse, than bench/recorded.json says
	go run ./bench/guard

.PHONY: modules
modules: ## write docs/modules.txt: the modules of the binary and their licences, which a test holds it to
	go test -count=1 ./cmd/gec -run '^TestModules$$' -update-modules

.PHONY: sbom
sbom: build ## write bin/gec.cdx.json, the bill of materials of the binary (CycloneDX)
	go run $(CYCLONEDX) bin -json -version '$(VERSION)' -output bin/gec.cdx.json bin/gec

.PHONY: reproducible
reproducible: page ## build the binary twice, from two folders and with two caches, and compare the bytes
	@out=$$(mktemp -d); trap 'chmod -R u+w "$$out"; rm -rf "$$out"' EXIT; mkdir "$$out/copy"; \
	  { git ls-files -z; find api/simulator/dist -type f -print0; } | tar -c --null -T - | tar -x -C "$$out/copy"; \
	  for from in . "$$out/copy"; do \
	    (cd "$$from" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOCACHE="$$out/cache" go build -trimpath -ldflags '-s -w -buildid= -X main.version=reproducible' -o "$$out/gec" ./cmd/gec); \
	    sha256sum "$$out/gec" | cut -d ' ' -f 1 | tee -a "$$out/sums"; chmod -R u+w "$$out/cache"; rm -rf "$$out/cache"; \
	  done; \
	  [ "$$(uniq "$$out/sums" | wc -l)" = 1 ] || { echo 'the two builds differ' >&2; exit 1; }

.PHONY: generate
generate: ## write the code generated from api/proto
	$(BUF) generate api/proto --template api/proto/buf.gen.yaml

.PHONY: generate-check
generate-check: ## lint api/proto, compare it with the released contract and with the generated code
	$(BUF) lint api/proto
	$(BUF) breaking api/proto --against api/proto/baseline.binpb
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; \
	  $(BUF) generate api/proto --template api/proto/buf.gen.yaml -o "$$out"; \
	  diff -r "$$out/api/gecv1" api/gecv1 || { echo 'api/gecv1 is not what api/proto makes: run make generate' >&2; exit 1; }

.PHONY: clean
clean: ## remove what was built; the data folder stays
	rm -rf bin dist coverage.* *.prof *.test
