# Every task of the project. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILD       := .build
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

FUNCTIONS   := connections intake sender page
# What a binary is made of: everything but tests; the functions know nothing of shared/local.
LOCAL_SRC   := $(shell find shared -type f ! -name '*_test.go' ! -path '*/testdata/*') go.mod go.sum Makefile
SOURCES     := $(shell find functions shared -type f ! -name '*_test.go' ! -path '*/testdata/*' ! -path '*/events/*' ! -path 'shared/local/*' ! -path 'shared/bench/*') go.mod go.sum Makefile

# The processor the deployable binaries are for: arm64 (default) or x86_64, as template.yaml's Architecture.
ARCH        ?= arm64
GOARCH_OF    = $(subst x86_64,amd64,$(1))
HOST_ARCH    = $(eval HOST_ARCH := $(shell go env GOHOSTARCH))$(HOST_ARCH)

# One recipe for every binary that runs on Lambda, here or there. No VCS stamp, no paths, no build id: the same sources
# give the same bytes. lambda.norpc leaves out the part only the retired go1.x runtime needs.
GO_BUILD     = CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w -buildid='

# As in template.yaml: Go's monitor thread is not to sleep and be woken with every wait for the network.
STAY_AWAKE   = GODEBUG=schedtrace=2147483647$${GODEBUG:+,$$GODEBUG}

# The race detector needs a C compiler; without one the tests run all the same.
RACE         = $(eval RACE := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo 'int main(void){return 0;}' | $$(go env CC) -x c -o /dev/null - 2>/dev/null && echo -race))$(RACE)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: functions $(BUILD)/run/local ## Run everything on this machine (PORT, API_KEY, RETRY_SCHEDULE, …)
	@$(STAY_AWAKE) exec $(BUILD)/run/local

# URL here is the address of an API, this machine's by default; empty variables leave the program's own defaults.
.PHONY: send
send: ## Post a sample event and show the way it took (ACTION, URL, KEY, ACCOUNT, COUNT)
	@go run ./shared/ops/send $(if $(ACTION),-action '$(ACTION)') $(if $(URL),-url '$(URL)') $(if $(KEY),-key '$(KEY)') \
		$(if $(ACCOUNT),-account '$(ACCOUNT)') $(if $(COUNT),-count '$(COUNT)')

.PHONY: test
test: functions ## Run the tests, shuffled, with the race detector where a C compiler works
	@echo "tests: shuffled, race detector $(if $(RACE),on,off (no working C compiler))"
	@CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -shuffle=on ./...

# The browser tests are out of the ordinary build (tag `browser`), so that `make test` needs Go and nothing else. axe-core,
# the accessibility checker, comes from the npm registry and is not part of the project.
AXE := 4.14.1

.PHONY: test-page
test-page: functions $(BUILD)/page/axe.min.js ## Drive the page in Chromium; pictures go to .build/page (as root on Debian: installs what it needs)
	@$(call need,chromium,chromium)
	go test -tags browser -count=1 -timeout 15m ./functions/page

$(BUILD)/page/axe.min.js:
	@$(call need,npm,npm)
	@mkdir -p $(@D)
	cd $(@D) && npm pack --silent axe-core@$(AXE) && tar -xzf axe-core-$(AXE).tgz package/axe.min.js
	@mv $(@D)/package/axe.min.js $@ && rm -r $(@D)/package $(@D)/axe-core-$(AXE).tgz

# $(call need,program,Debian package) installs what is missing where that is possible, and says so where it is not.
need = command -v $(1) >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
	{ echo "$(1) is needed: install it, or run this as root on Debian"; exit 1; }; \
	echo "installing $(2)"; apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $(2); } >&2

CHAOS ?= -events 20000 -kills 60
.PHONY: chaos
chaos: functions ## Post events while processes are killed and receivers fail, and close the books (CHAOS='-events 2000 -kills 15')
	@go run ./shared/local/chaos $(CHAOS)

BENCH ?=
.PHONY: bench
bench: functions $(BUILD)/run/local $(BUILD)/bench/empty/bootstrap $(BUILD)/bench/calls/bootstrap ## Measure cost and speed; results go to .build/bench (BENCH='-sections load -runs 1'; BENCH=--help)
	@go build -o $(BUILD)/bench/bench ./shared/bench
	@$(STAY_AWAKE) exec $(BUILD)/bench/bench $(BENCH)

# What the functions are compared with: one that does nothing and one that only calls AWS, made as they are.
$(BUILD)/bench/%/bootstrap: shared/bench/testdata/%/main.go shared/awsclient/awsclient.go go.mod
	@mkdir -p $(@D)
	@GOARCH=$(HOST_ARCH) $(GO_BUILD) -o $@ ./shared/bench/testdata/$*

HISTORIES ?= 10000
.PHONY: test-histories
test-histories: ## Check the protocol over many random histories (HISTORIES=10000), and with 10,000 events waiting
	go test ./shared/delivery -run 'TestEveryHistory|TestTheStorm' -v -count=1 -timeout 60m -rapid.checks=$(HISTORIES)

.PHONY: check
check: ## Check format, vet, staticcheck, that go.mod is tidy, and what the race detector distorts: allocations, the storm
	@out=$$(gofmt -l functions shared); [ -z "$$out" ] || { echo "gofmt: not formatted:"; echo "$$out"; exit 1; }
	go vet -tags lambda.norpc ./...
	go vet -tags browser ./functions/page
	go vet -tags deploy ./shared/ops/deployed
	go run $(STATICCHECK) -tags lambda.norpc ./...
	go mod tidy -diff
	CGO_ENABLED=0 go test -run 'Alloc|TestTheStorm' ./functions/intake ./functions/sender ./shared/apigw ./shared/delivery

.PHONY: build
build: $(FUNCTIONS:%=build-deploy-%) ## Build the deployable binaries into .build/deploy (ARCH=arm64 or x86_64)
	@cd $(BUILD)/deploy && sha256sum */bootstrap

.PHONY: $(FUNCTIONS:%=build-deploy-%)
$(FUNCTIONS:%=build-deploy-%): build-deploy-%:
	@mkdir -p $(BUILD)/deploy/$*
	GOOS=linux GOARCH=$(call GOARCH_OF,$(ARCH)) $(GO_BUILD) -o $(BUILD)/deploy/$*/bootstrap ./functions/$*

# `sam build` calls this, with ARTIFACTS_DIR, for each function of the template (BuildMethod: makefile).
build-%Function:
	@mkdir -p "$(ARTIFACTS_DIR)"
	GOOS=linux GOARCH=$(call GOARCH_OF,$(ARCH)) $(GO_BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$$(echo $* | tr '[:upper:]' '[:lower:]')

# The same binaries for this machine, which `make run` and the end-to-end tests start.
.PHONY: functions
functions: $(FUNCTIONS:%=$(BUILD)/run/%/bootstrap)

$(BUILD)/run/%/bootstrap: $(SOURCES)
	@mkdir -p $(@D)
	@echo "building functions/$*"
	@GOARCH=$(HOST_ARCH) $(GO_BUILD) -o $@ ./functions/$*

$(BUILD)/run/local: $(LOCAL_SRC)
	@mkdir -p $(@D)
	@echo "building shared/local/run"
	@CGO_ENABLED=0 go build -trimpath -o $@ ./shared/local/run

include shared/ops/ops.mk

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BUILD) .aws-sam
