# make lists the targets. Every one runs from a fresh clone.
.DEFAULT_GOAL := help
GO ?= go
TOOLS := $(CURDIR)/.tools

GOLANGCI := $(TOOLS)/golangci-lint
GOLANGCI_VERSION := v2.15.0
GOFUMPT := $(TOOLS)/gofumpt
GOFUMPT_VERSION := v0.12.0
BENCHSTAT := $(TOOLS)/benchstat
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
FUZZTIME ?= 30s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## run the quickstart: a main site with a blog mounted at /blog
	$(GO) run ./cmd/caddy run --config examples/quickstart/Caddyfile

.PHONY: build
build: ## build Caddy with the mount into ./caddy
	$(GO) build -o caddy ./cmd/caddy

.PHONY: test
test: ## all tests, race detector on
	$(GO) vet ./...
	$(GO) test -race -timeout 15m ./...
	$(GO) test -tags purego ./handler # without assembly, as on other processors
	$(GO) test -count=1 -run Cost ./caddytest # allocations cannot be counted under the race detector

.PHONY: lint
lint: $(GOLANGCI) ## the linters of .golangci.yml
	$(GOLANGCI) run ./...

.PHONY: fmt
fmt: $(GOFUMPT) ## format the code
	$(GOFUMPT) -l -w .

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

.PHONY: mutate
mutate: ## take each rule of the body scanner away in turn and show that a test fails
	$(GO) test -count=1 -v -run 'TestEachRuleIsNeeded' ./handler

.PHONY: faults
faults: ## plant faults in the cache and show that the model finds each
	$(GO) test -count=1 -tags faults -run 'TestModelFindsPlantedFaults' ./cache

.PHONY: soak
soak: ## the model of the cache, 100,000 steps of three seeds
	$(GO) test -count=1 -timeout 60m -v -run 'TestModel$$' ./cache -args -model.steps=100000 -model.seeds=3

.PHONY: wordpress-install
wordpress-install: ## install what the WordPress targets need (Debian packages, npm)
	caddytest/wordpress/install.sh

.PHONY: wordpress
wordpress: wordpress-install ## a real WordPress behind a mount, to click through
	$(GO) run ./caddytest/wordpress/cmd/wordpress

.PHONY: test-wordpress
test-wordpress: wordpress-install ## end to end: real WordPress, MariaDB, php-fpm, Chromium
	$(GO) test -count=1 -timeout 40m -tags wordpress ./caddytest/wordpress/...

BENCHROUNDS ?= 5
.PHONY: bench
bench: ## cost of a request beside other servers, into docs/performance.md (BENCHROUNDS=20; it says what to install)
	@mkdir -p out
	$(GO) build -o out/bench ./bench
	exec out/bench -rounds $(BENCHROUNDS) -out docs/performance.md

ALLOCS := $(GO) test ./caddytest -run '^$$' -bench '^Benchmark(Hit|Miss)$$' -benchmem -benchtime 500x -count 6

.PHONY: bench-allocs
bench-allocs: $(BENCHSTAT) ## allocations of hit, conditional hit and miss beside those of the last release
	@mkdir -p out
	$(ALLOCS) >out/allocs.txt
	$(BENCHSTAT) -filter '.unit:(allocs/op OR B/op)' bench/allocs.txt out/allocs.txt

.PHONY: bench-allocs-release
bench-allocs-release: ## keep the allocations of this version for comparison, when it is released
	@mkdir -p out
	$(ALLOCS) >out/allocs.txt
	grep -v '^{' out/allocs.txt >bench/allocs.txt

.PHONY: cover
cover: ## coverage of the packages by all tests, as out/cover.html
	@mkdir -p out
	$(GO) test -coverpkg=./... -coverprofile=out/cover.out ./...
	$(GO) tool cover -html=out/cover.out -o out/cover.html

.PHONY: conformance
conformance: ## the suite of cache-tests.fyi against its committed verdicts; SUITE=<checkout> for the newest (needs Node.js)
	$(GO) run ./caddytest/conformance $(if $(SUITE),-suite $(SUITE))

$(GOLANGCI):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(GOFUMPT):
	GOBIN=$(TOOLS) $(GO) install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

$(BENCHSTAT):
	GOBIN=$(TOOLS) $(GO) install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)
