# `make help` lists what there is to do.
GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   = -s -w -X main.version=$(VERSION)
BUILD     = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
CONTROLLER_GEN = $(GO) run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0
GOLANGCI_LINT  = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

CRD_DIR      = deploy/crd
DEEPCOPY_DIR = api/v1alpha1

.PHONY: help build demo demo-down test test-short bench generate verify images lint

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the programs into bin/
	@echo "building bin/agent bin/controller bin/host-agent bin/switchlet bin/lab bin/kubectl-switchlet"
	@$(BUILD) -o bin/agent ./agent
	@$(BUILD) -o bin/controller ./controller
	@$(BUILD) -o bin/host-agent ./cni/host
	@$(BUILD) -o bin/switchlet ./cni
	@$(BUILD) -o bin/lab ./deploy/lab
	@$(BUILD) -o bin/kubectl-switchlet ./deploy/kubectl-switchlet

demo: build ## bring up the lab: a cluster, switches that forward, two VPCs; who reaches whom
	@bin/lab demo --forward

demo-down: ## take the lab down again
	@test -x bin/lab || $(MAKE) --no-print-directory build
	@bin/lab down

test: build ## all tests, on a real API server, kubelet, containerd and Redis
	@bin/lab prepare
	SWITCHLET_TEST_REQUIRE=all $(GO) test -race -count=1 -p 1 -parallel 1 -timeout 60m ./...

test-short: ## the tests that need nothing but Go
	$(GO) test -short ./...

bench: build ## measure, beside the floor of each figure; writes bench.json
	@bin/lab prepare
	$(GO) run ./deploy/lab/bench -o bench.json

images: build ## build the OCI images, without Docker, into bin/images
	@bin/lab images

generate: ## make the CRDs and deepcopy functions from api/
	$(CONTROLLER_GEN) object:headerFile=/dev/null crd:crdVersions=v1 paths=./api/... output:crd:dir=$(CRD_DIR) output:object:dir=$(DEEPCOPY_DIR)

verify: ## check formatting, vet, borders between packages, generated files
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt'; exit 1; }
	$(GO) vet ./...
	$(GO) test -count=1 ./deploy/layers ./deploy/crd

lint: ## golangci-lint
	$(GOLANGCI_LINT) run ./...
