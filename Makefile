# Every command of the project's life. `make` alone lists them.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.9.0

# Where tools go that `make lint` builds for itself; git ignores it.
TOOLS := $(CURDIR)/.cache/tools

# How long one fuzz target runs, and which packages `make test` covers.
FUZZTIME ?= 30s
PACKAGES ?= ./...

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

.PHONY: build
build: ## static binaries of runner and enqueue in bin/
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/ ./cmd/runner ./cmd/enqueue

.PHONY: deps
deps: ## install redis-server, which tests and the embedded Redis need
	@if command -v redis-server >/dev/null; then \
		:; \
	elif ! command -v apt-get >/dev/null; then \
		echo "redis-server is missing: install Redis 6.2 or later (https://redis.io/docs/latest/operate/oss_and_stack/install/)" >&2; \
		exit 1; \
	else \
		as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
		$$as_root apt-get update -q; \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redis-server; \
	fi
	@command -v redis-server >/dev/null || { echo "redis-server is still missing: install it by hand" >&2; exit 1; }

.PHONY: test
test: deps ## vet and test everything with the race detector
	go vet $(PACKAGES)
	go test -race -timeout 7m $(PACKAGES)

.PHONY: simulate-faults
simulate-faults: ## 2,000 seeded runs of everything against every fault, on a virtual clock
	go test -count 1 -timeout 20m ./internal/simtest -run TestSimulation -sim.seeds 2000

.PHONY: soak
soak: ## 200,000 of them, which takes hours
	go test -count 1 -timeout 24h ./internal/simtest -run TestSimulation -sim.seeds 200000

.PHONY: race
race: deps ## the tests five times over, in random order, to find what depends on luck
	go test -race -count 5 -shuffle on -timeout 30m $(PACKAGES)

# What chaos draws its faults, workers and kills by, how long its loads go on,
# and which of its scenarios run.
SEED     ?= 1
LENGTH   ?= 1
SCENARIO ?= .

.PHONY: chaos
chaos: deps ## the programs as processes under every fault, kills and failing Redises: half an hour
	go test -tags chaos -timeout 3h -v ./internal/chaos -run 'Test(Matrix|Loss)/$(SCENARIO)' -chaos.seed $(SEED) -chaos.length $(LENGTH)

.PHONY: mutants
mutants: deps ## plant defects, and show that the tests catch each
	go test -tags mutants -timeout 3h -v ./internal/mutants -run TestMutantsAreCaught

.PHONY: lint
lint: ## golangci-lint, and govulncheck where its database can be reached
	@PATH="$(TOOLS):$$(go env GOPATH)/bin:$$PATH"; \
	if ! golangci-lint version --short 2>/dev/null | grep -qx '$(GOLANGCI_VERSION:v%=%)'; then \
		echo "building golangci-lint $(GOLANGCI_VERSION)"; \
		GOBIN="$(TOOLS)" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION); \
	fi; \
	golangci-lint run $(PACKAGES)
	@out=$$(go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) $(PACKAGES) 2>&1) && { echo "$$out"; exit 0; }; \
	case "$$out" in \
		*"fetching vulnerabilities"*) echo "govulncheck: not run, its database cannot be reached" >&2 ;; \
		*) echo "$$out" >&2; exit 1 ;; \
	esac

.PHONY: bench
bench: deps ## the benchmarks, each against its yardstick in the same run
	go test -run '^$$' -bench . -benchmem -timeout 30m $(PACKAGES)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@for package in $$(go list $(PACKAGES)); do \
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$package"; \
		done; \
	done

.PHONY: generate
generate: ## write again what is generated, such as the spec's JSON Schema
	go generate ./...

.PHONY: image
image: ## the container image campaign-runner
	docker build -t campaign-runner .

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin .cache coverage.out
