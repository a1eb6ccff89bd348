# Everything that developers and CI run. `make` without a target lists the targets.

GO       ?= go
FUZZTIME ?= 10s
BENCH    ?= .

# Only the race detector needs a C compiler. Without one, linking takes half the time.
export CGO_ENABLED ?= 0

# Each Helm is a separate module, because its dependencies must not decide the versions of other programs.
modules := . tools tools/cue tools/helm3 tools/helm4 tools/release e2e/asked e2e/bin/kubectl e2e/bin/otelcol e2e/flux e2e/metrics e2e/policies e2e/sops e2e/suite

# These have the go.mod of an upstream release, with the versions that the program was tested with. Never run go mod tidy
# in them: it removes the modules of the release's own tests and tools, and picks other versions of the remaining ones.
upstream := e2e/appset e2e/definitions e2e/promcfg $(filter-out $(modules),$(patsubst %/go.mod,%,$(wildcard e2e/bin/*/go.mod)))

# The Go release of this module. Do not upgrade to a dependency that needs a later one.
GO_RELEASE := 1.26

jsonnet_sources := $(sort $(shell find templates overlays -name '*.jsonnet' -o -name '*.libsonnet' 2>/dev/null))
jsonnetfmt      := bin/jsonnetfmt -n 2 --string-style s

# The programs that read our files. Tests that run them are named TestProgram….
programs := bin/kustomize bin/helm3 bin/helm4 bin/kubeseal
test-programs e2e e2e-full: export SIGHTLINE_KUSTOMIZE = $(CURDIR)/bin/kustomize
test-programs e2e e2e-full: export SIGHTLINE_HELM3 = $(CURDIR)/bin/helm3
test-programs e2e e2e-full: export SIGHTLINE_HELM4 = $(CURDIR)/bin/helm4
test-programs: export SIGHTLINE_KUBESEAL = $(CURDIR)/bin/kubeseal
# Tests named TestWhole… try a sample in tier 0, and all where this is set.
test-programs: export SIGHTLINE_WHOLE = 1
e2e e2e-full: export SIGHTLINE = $(CURDIR)/bin/sightline
# Tests are short and make much garbage.
test test-programs: export GOGC = 400

.DELETE_ON_ERROR:
.PHONY: help build test test-programs race e2e e2e-full lint fmt golden pictures fuzz bench bench-check bench-peers release release-check cross clean

help: ## list the targets (default)
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile

# This target always runs, because Go itself knows what is out of date. With nothing to do, it takes a second.
build: ## build bin/sightline
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/ ./cmd/sightline

# The tiers are in docs/testing.md.
test: ## tier 0: run every test of this module (TESTFLAGS=-v, …)
	$(GO) test ./... $(TESTFLAGS)

# -count=1, because Go's cache of results does not know the programs and goldens that these tests read.
test-programs: $(programs) ## tier 1: what kustomize, Helm, kubeseal, Argo CD, Flux and prometheus-operator make of our files
	$(GO) test ./render ./cmd/sightline ./internal/topology -run '^Test(Program|Whole)' -count=1 $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/appset -trimpath -count=1 ./... $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/flux -trimpath -count=1 ./... $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/promcfg -trimpath -count=1 . $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/metrics -trimpath -count=1 . $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/bin/otelcol -trimpath -count=1 . $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/policies -trimpath -count=1 . $(TESTFLAGS)
	CGO_ENABLED=0 $(GO) test -C e2e/sops -trimpath -count=1 . $(TESTFLAGS)

race: export CGO_ENABLED = 1
race: ## run every test under the race detector; needs a C compiler
	$(GO) test -race ./... $(TESTFLAGS)

# This builds the programs of the suite into the user's cache. The first build takes minutes, too long for a test.
e2e: build bin/kustomize bin/helm3 bin/helm4 ## the end-to-end stories on two real API servers, docs/testing.md; needs root
	$(GO) run -C e2e/suite ./build
	$(GO) test -C e2e/suite ./files -count=1 -timeout 20m $(TESTFLAGS)
	$(GO) test -C e2e/suite . -count=1 -timeout 20m $(TESTFLAGS)

e2e-full: build bin/kustomize bin/helm3 bin/helm4 ## the same and those with Prometheus, sealed-secrets, Argo CD and Flux
	$(GO) run -C e2e/suite ./build full
	$(GO) test -C e2e/suite . -tags full -count=1 -timeout 60m -v $(TESTFLAGS)

# Only these packages have the flag -update. `go test ./... -update` would fail in all others.
golden: ## rewrite golden/, topologies/bad/*.out, docs/rules.md, internal/kiali/fields.tsv and the expectations of the command scripts; then read the diff
	$(GO) test ./render/ -run 'TestGolden|TestFleet' -update
	$(GO) test ./internal/topology/ -run 'TestDocs|TestSchemaFile|TestFindings' -update
	$(GO) test ./internal/check/ -run TestPage -update
	$(GO) test ./internal/kiali/ -run TestFields -update
	$(GO) test ./cmd/sightline/ -run 'TestScripts|TestLayouts|TestBadTopologies|TestExamples|TestCommandReference|TestPictures|TestUntold|TestPageOutputs' -update

# Chromium is Debian's package chromium.
pictures: ## take the screenshot in docs/pictures again; needs Chromium
	$(GO) test ./cmd/sightline -run '^TestPagePicture$$' -count=1 -update

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file func; do \
		$(GO) test "$${file%/*}" -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) </dev/null || exit 1; \
	done

bench: ## run the benchmarks that match BENCH (all)
	@dirs=$$(grep -rlE --include='*_test.go' '^func Benchmark' . | xargs -r -n1 dirname | sort -u); \
	if [ -z "$$dirs" ]; then echo 'bench: there is no benchmark yet'; exit; fi; \
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m $$dirs

# Ratios of CPU time within one run, each the minimum of several tries.
bench-check: export SIGHTLINE_BENCH_CHECK = $(CURDIR)/bin/sightline
bench-check: build bin/kustomize ## fail where a goal of docs/performance.md is missed
	SIGHTLINE_KUSTOMIZE=$(CURDIR)/bin/kustomize $(GO) test ./render -run '^TestRatios$$' -count=1 -v

# The CPU time of whole processes for each cluster: docs/performance.md.
bench-peers: export SIGHTLINE_BENCH_PEERS = $(CURDIR)/bin
bench-peers: build bin/kustomize bin/helm3 bin/jsonnet bin/cue ## measure what other programs take for the same objects
	$(GO) test ./render -run '^TestPeers$$' -count=1 -v -timeout 30m

fmt: bin/jsonnetfmt ## format Go and Jsonnet in place
	gofmt -w .
	$(if $(jsonnet_sources),$(jsonnetfmt) -i $(jsonnet_sources))

# The release and the parts that need it: docs/releasing.md.
release: ## build a release into dist/: make release VERSION=v0.1.0
	$(GO) run -C tools/release . -version '$(VERSION)' -out dist

release-check: bin/helm3 ## build a release for this platform twice, and try it
	SIGHTLINE_HELM3=$(CURDIR)/bin/helm3 $(GO) test -C tools/release -count=1 -timeout 30m . $(TESTFLAGS)

cross: ## compile for the platforms that no test runs on
	for platform in darwin/arm64 windows/amd64; do \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) vet ./... || exit 1; \
	done

clean: ## remove what the other targets built
	rm -rf bin dist

# Lint has one target for each check. A check without a problem prints nothing. One failure does not hide the next.

checks := check-go check-tidy check-gofmt check-lines check-vet check-staticcheck check-jsonnetfmt check-jsonnet docs-check
.PHONY: $(checks)

lint: ## run every check: Go release, tidy modules, gofmt, length of lines, vet, staticcheck, jsonnetfmt, jsonnet-lint, docs
	@$(MAKE) --no-print-directory --keep-going $(checks)

# Ends a failed check with one sentence that says what to do.
say = { echo "lint: $(1)" >&2; exit 1; }

# `go get` accepts versions that need a later Go, and changes the go line without asking.
check-go:
	@for dir in $(modules) $(upstream); do \
		grep -qE '^go $(subst .,\.,$(GO_RELEASE))(\.[0-9]+)?$$' $$dir/go.mod && ! grep -q '^toolchain ' $$dir/go.mod || \
			$(call say,$$dir/go.mod must stay on go $(GO_RELEASE) or a patch of it and have no toolchain line); \
	done; \
	for dir in $(modules); do \
		GOTOOLCHAIN=local $(GO) list -C $$dir -m all >/dev/null || \
			$(call say,$$dir/go.mod: a module asks for a later Go than go.mod says or than this one; pin an earlier version of it); \
	done

check-gofmt:
	@out=$$(gofmt -l .) && [ -z "$$out" ] || { echo "$$out"; $(call say,gofmt: the files above are not formatted; run make fmt); }

# Not checked: tests (they have tables), tags of fields (they cannot be broken), and internal/earlier (it never changes).
check-lines:
	@! git ls-files '*.go' '*.jsonnet' '*.libsonnet' '*.sh' .ci/run | grep -vE '_test\.go$$|^internal/earlier/' | \
		LC_ALL=C.UTF-8 xargs grep -nE '^.{141,}$$' | grep -vE '`yaml:"[^`]*`$$' || \
		$(call say,the lines above have more than 140 columns)

check-vet:
	@$(GO) vet ./... && $(GO) vet -C e2e/suite -tags full ./... || $(call say,go vet found the problems above)

check-staticcheck: bin/staticcheck
	@bin/staticcheck ./... && cd e2e/suite && ../../bin/staticcheck -tags full ./... || \
		$(call say,staticcheck found the problems above; its rules are in staticcheck.conf)

docs-check: ## check the pages: links, index, words, commands, outputs, and the screenshot
	@out=$$($(GO) test ./cmd/sightline -run '^TestPage' -count=1 2>&1) || { echo "$$out"; $(call say,the pages have the problems above); }

check-jsonnetfmt: bin/jsonnetfmt
	@$(if $(jsonnet_sources),$(jsonnetfmt) --test $(jsonnet_sources) || $(call say,jsonnetfmt: the files above are not formatted; run make fmt),:)

check-jsonnet: bin/jsonnet-lint
	@$(if $(jsonnet_sources),bin/jsonnet-lint -J templates $(jsonnet_sources) || $(call say,jsonnet-lint found the problems above),:)

check-tidy:
	@for dir in $(modules); do \
		$(GO) mod tidy -C $$dir -diff || $(call say,$$dir/go.mod or $$dir/go.sum is not tidy; run go mod tidy in $$dir/); \
	done

# Tools are in separate modules. They are built once, and again only after a change of their version.

bin/helm3 bin/helm4: bin/%: tools/%/go.mod tools/%/go.sum
	@mkdir -p bin
	cp "$$($(GO) tool -C tools/$* -n helm)" $@

bin/cue: tools/cue/go.mod tools/cue/go.sum
	@mkdir -p bin
	cp "$$($(GO) tool -C tools/cue -n cue)" $@

bin/%: tools/go.mod tools/go.sum
	@mkdir -p bin
	cp "$$($(GO) tool -C tools -n $*)" $@
