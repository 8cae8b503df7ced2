# Deployment and operation. `make` lists these targets with the others.

# One virtual environment for each tool: their pins do not agree. Everything in them is pinned in shared/ops/*.txt. They
# are in .aws-sam, the one folder that sam build does not look through for changes.
SAM_VENV := .aws-sam/sam-cli
EMULATOR := .aws-sam/emulators
SAM      := SAM_CLI_TELEMETRY=0 $(SAM_VENV)/bin/sam
# The stage: a section of samconfig.toml. `make deploy ENV=prod`.
ENV      ?= default
STACK     = $(shell sed -n '/^\[$(ENV)\.global\.parameters\]/,/^\[/s/^stack_name *= *"\(.*\)"/\1/p' samconfig.toml)
TWICE    := .aws-sam/twice
HOST_SAM := $(if $(filter amd64,$(HOST_ARCH)),x86_64,$(HOST_ARCH))

.PHONY: sam
sam: $(SAM_VENV)/.ready ## Install the SAM CLI with cfn-lint, pinned, into .aws-sam (from PyPI; needs Python 3.11 or later)

.aws-sam/%/.ready: shared/ops/%.txt
	@$(call need,python3,python3-venv)
	@rm -rf $(@D) && mkdir -p $(@D)
	@python3 -m venv $(@D) 2>/dev/null || { rm -rf $(@D); $(call install,python3-venv) && python3 -m venv $(@D); }
	@echo "installing $< into $(@D) (a minute or two)"
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

install = { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $(1); } >&2

.PHONY: sam-check
sam-check: sam ## Validate and lint the template, build it twice for both processors and compare
	$(SAM) validate --lint
	$(SAM) validate --lint --config-env prod
	@mkdir -p $(TWICE)
	@for arch in arm64 x86_64; do for n in 1 2; do \
		ARCH=$$arch $(SAM) build --no-cached --build-dir $(TWICE)/$$arch-$$n --parameter-overrides Architecture=$$arch >$(TWICE)/log 2>&1 || { cat $(TWICE)/log; exit 1; }; done; \
		(cd $(TWICE)/$$arch-1 && sha256sum */bootstrap) >$(TWICE)/$$arch.sha256 && \
		(cd $(TWICE)/$$arch-2 && sha256sum --quiet -c ../$$arch.sha256) && echo "sam build, twice, $$arch: the same bytes" || exit 1; done

.PHONY: sam-build
sam-build: sam ## Build what sam deploy deploys (ARCH=arm64 or x86_64) into .aws-sam
	ARCH=$(ARCH) $(SAM) build --config-env $(ENV) --parameter-overrides Architecture=$(ARCH)

# IMAGE=local makes the container image here, for machines without a registry.
.PHONY: sam-invoke
sam-invoke: sam functions ## Run every function's sample events under sam local invoke, on make run's data (FUNCTION=, EVENT=)
	@ARCH=$(HOST_SAM) $(SAM) build --build-dir .aws-sam/host --parameter-overrides Architecture=$(HOST_SAM) >.aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }
	go run ./shared/ops/saminvoke -sam $(SAM_VENV)/bin/sam $(if $(filter local,$(IMAGE)),-local-image) $(if $(FUNCTION),-function $(FUNCTION)) $(if $(EVENT),-event $(EVENT))

.PHONY: e2e-deploy
e2e-deploy: sam $(EMULATOR)/.ready ## sam deploy onto an emulator of AWS that others wrote, and send the six samples through it
	@ARCH=$(HOST_SAM) $(SAM) build --build-dir .aws-sam/host --parameter-overrides Architecture=$(HOST_SAM) >.aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }
	SAM_CLI=$(CURDIR)/$(SAM_VENV)/bin/sam MINISTACK=$(CURDIR)/$(EMULATOR)/bin/ministack go test -tags deploy -count=1 -v -timeout 10m ./shared/ops/deployed

.PHONY: test-fidelity
test-fidelity: $(EMULATOR)/.ready ## Run the project's own store and queue tests against moto instead of our in-memory services
	MOTO=$(CURDIR)/$(EMULATOR)/bin/python go run ./shared/ops/fidelity

.PHONY: deploy
deploy: sam-build ## Deploy (ENV=prod: the section of samconfig.toml); shows the changes and asks
	$(SAM) deploy --config-env $(ENV) --parameter-overrides "$$(sed -n '/^\[$(ENV)\.deploy\.parameters\]/,/^\[/s/^parameter_overrides *= *"\(.*\)"/\1/p' samconfig.toml) Architecture=$(ARCH) Version=$$(git describe --always --dirty --tags | tr -c 'A-Za-z0-9._+\n-' -)"
	@echo "next: make smoke URL=<ApiUrl above> KEY=<api_key of the secret>"

.PHONY: logs
logs: sam ## Follow the functions' logs (ENV=, FILTER='fault', SINCE='1hour ago' instead of following)
	$(SAM) logs --stack-name $(STACK) $(if $(SINCE),--start-time '$(SINCE)',--tail) $(if $(FILTER),--filter '$(FILTER)')

# $(call output,name) prints an output of the deployed stack.
output = all=$$($(SAM) list stack-outputs --stack-name $(STACK) --output json) && echo "$$all" | $(SAM_VENV)/bin/python -c \
	'import json, sys; print(next(o["OutputValue"] for o in json.load(sys.stdin) if o["OutputKey"] == "$(1)"))'

.PHONY: redrive
redrive: sam ## Count the dead letters (ENV=); CONFIRM=yes puts them back into their queues
	@queue=$$($(call output,DeadLettersQueueUrl)) && \
		go run ./shared/ops/redrive -queue "$$queue" $(if $(filter yes,$(CONFIRM)),-confirm)

.PHONY: rotate-key
rotate-key: sam ## Rotate the Academy's API key (ENV=): STEP=new, later STEP=finish
	@secret=$$($(call output,SecretArn)) && \
		go run ./shared/ops/rotatekey -secret "$$secret" -step "$(STEP)"

.PHONY: smoke
smoke: ## Try a live stack from end to end and clean up: URL=<ApiUrl> KEY=<api key> LINK=<a test link of Albato>
	@go run ./shared/ops/smoke -url "$(URL)" -link "$(LINK)"
smoke: export API_KEY = $(KEY)

.PHONY: cost
cost: ## Print what a million events cost on AWS
	@go run ./shared/ops/cost
