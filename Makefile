# make help prints what there is.

SHELL     := bash
FUZZTIME  ?= 30s
FAULTTIME ?= 3m
LOCKTIME  ?= 1m

# COVER is what has the race detector's run of all tests measure coverage too.
COVER ?=

# keys is where suites leave the keys that servers were made to write: out of the
# module, for go test caches no result of a test that writes in it.
keys = $(or $(TMPDIR),/tmp)/redmoon-keys-$(shell pwd | cksum | cut -d ' ' -f 1)

# Modules of their own inside this one, but the benchmarks with their rivals.
# ./... does not see them.
modules = $(shell find . -mindepth 2 -name go.mod -not -path './.*' -not -path '*/testdata/*' -not -path './internal/bench/*' -exec dirname {} \;)

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## run the quick start, on REDIS_URL or an embedded server
	@go run ./examples/quickstart

.PHONY: test
test: redis ## vet and test everything with the race detector, on a real Redis
	@.ci/install gcc=build-essential
	go vet ./...
	REDMOON_KEYS=$(keys) go test -race $(COVER) -timeout 10m ./...
	go test ./internal/arch -run 'TestKeysAreDocumented$$' -keys $(keys)
	go test -race -timeout 10m -v -run 'TestSimulation$$' ./model -seeds 20
	go test -timeout 5m -run 'Alloc|Stream$$|ContextEnds|IsCovered|TestStart' ./...
	@set -e; for m in $(modules); do echo "$$m:"; (cd $$m && go vet ./... && go test -race $(COVER) -timeout 5m ./...); done

.PHONY: test-latest
test-latest: redis ## test everything with the latest versions of all dependencies, in a temporary copy
	@.ci/latest

.PHONY: test-faults
test-faults: redis ## run the fault suite for FAULTTIME (3m)
	@.ci/install gcc=build-essential
	go test -race -v -timeout 0 -run TestFaults ./internal/faults -faults=$(FAULTTIME) $(if $(SEED),-seed=$(SEED))

.PHONY: test-locks
test-locks: redis ## check histories of locks under faults, each for LOCKTIME (1m)
	@.ci/install gcc=build-essential
	go test -race -v -timeout 0 -run TestHistories ./lock -histories=$(LOCKTIME) $(if $(SEED),-seed=$(SEED))

.PHONY: redis
redis: ## install redis-server if it is missing
	@.ci/install redis-server=redis-server

.PHONY: servers
servers: ## obtain Redis 8, Valkey 8 and 9 into .servers, and print the line that has tests run on them too
	@internal/redistest/servers.sh .servers

.PHONY: lint
lint: ## gofmt and golangci-lint, which says how to install it
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt -w $$unformatted"; exit 1; }
	@command -v golangci-lint >/dev/null || { echo "install it first: go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"; exit 1; }
	golangci-lint run

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (30s)
	@.ci/fuzz $(FUZZTIME)

# It is built and run rather than go run, which would not hand on a SIGTERM.
.PHONY: bench
bench: redis ## measure redmoon beside go-redis in one run, print the ratios and write docs/benchmarks.md
	@cd internal/bench && go build -o bench . && exec ./bench -page ../../docs/benchmarks.md

.PHONY: bench-quick
bench-quick: redis ## the same in less than a minute: to see that it runs, not to quote
	@cd internal/bench && go build -o bench . && exec ./bench -rounds 2 -span 10ms

.PHONY: scale
scale: redis ## measure what grows, and write docs/scale.md with its plots
	@cd internal/bench && go build -o bench . && exec ./bench -scale ../../docs

.PHONY: lua
lua: ## check the Lua of the examples, as redmoon lua check does for users
	@set -e; for dir in $$(find examples -name '*.lua' -exec dirname {} \; | sort -u); do go run ./cmd/redmoon lua check "$$dir"; done

.PHONY: examples
examples: ## run all examples, on REDIS_URL or an embedded server
	@set -e; for dir in examples/*/; do echo "== $$dir"; go run "./$$dir"; done

.PHONY: docs
docs: ## write what is derived: generated files, and the listings of documents
	go generate ./...
	go test ./internal/arch -run TestListingsAreTheCode -update

.PHONY: golden
golden: redis ## write all golden files anew; git diff tells what changed
	go test $$(grep -rl --include='*_test.go' '/internal/golden"' . | xargs -n 1 dirname | sort -u) -update
