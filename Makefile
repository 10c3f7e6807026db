# Every target that builds installs what is missing first (Scripts/setup.sh), so none asks for another.
.DEFAULT_GOAL := help
.PHONY: help demo build test check example test-clients test-models test-load test-load-short test-mutation test-mutation-short \
	test-dist test-api install dist test-gpu test-address test-thread fuzz fuzz-short bench bench-serve bench-models bench-gpu \
	bench-load bench-allocations docs lint format clean setup

# The release command: Swift's runtime inside, so that it starts fast and runs where Swift is not installed.
# lld, because gold warns of a call inside of Foundation that we cannot change.
RELEASE := -c release --static-swift-stdlib --product apus -Xswiftc -use-ld=lld
# What the package leaves out by default: `apus serve`, and images from URLs. The demo needs neither, and builds in half the time.
TRAITS := --traits Server,URLs

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-17s %s\n", $$1, $$2}'

demo: ## Build, find objects in the sample pictures, and draw boxes on them (demo/)
	@Scripts/setup.sh
	@echo "demo: building apus, about a minute the first time"
	@swift build $(RELEASE) --scratch-path .build/demo
	@.build/demo/release/apus detect Examples/pictures --output demo/

setup: ## Install what is missing, and nothing else
	@Scripts/setup.sh

build: ## Build the release command, .build/release/apus
	@Scripts/setup.sh
	swift build $(RELEASE) $(TRAITS)

# The tests' build, shared by all that runs a debug build: without debug information and linked by lld, which saves a fresh clone
# time and half of the space. (The index stays, as SwiftPM finds tests by it.) It has a folder of its own, as other flags would
# have a plain `swift build` compile everything again.
TESTS := .build/test
FAST := $(TRAITS) --scratch-path $(TESTS) -debug-info-format none -Xswiftc -use-ld=lld
APUS := $(TESTS)/debug/apus
SAMPLE := Examples/pictures/farm.jpg
STEP := @Scripts/step.sh

# What a whole run adds to this is in `check`: together they are every test that there is.
test: test-build ## Run the unit, golden and in-process tests and a short live suite (10 minutes in a fresh clone on 2 cores)
	$(STEP) setup Scripts/test-setup.sh
	$(STEP) unit APUS_REQUIRE_RUNTIME=1 swift test --skip-build $(FAST)
	$(STEP) live Scripts/test-live.sh $(APUS)

check: ## Run the long suites: clients, models, load, mutations, simulated GPU, sanitizers, fuzzing, API (make -k goes on)
check: test-gpu test-models test-clients test-load-short test-mutation-short example docs test-api test-address test-thread fuzz-short

.NOTPARALLEL:

.PHONY: test-build
test-build:
	@Scripts/setup.sh --tests
	$(STEP) build swift build --build-tests $(FAST)

test-clients: test-build ## Run real clients against the server: Triton's, KServe's, Frigate's, schemathesis, a browser
	@Scripts/setup.sh --check
	$(STEP) clients Scripts/check-clients.sh $(APUS)

test-models: test-build ## Check exported and converted models with onnx's own tools
	$(STEP) models Scripts/check-models.sh $(APUS)

test-gpu: test-build ## Run the tests of a GPU with Intel's driver simulating one: it compiles, but its results are garbage
	$(STEP) gpu APUS_REQUIRE_RUNTIME=1 Scripts/simulated-gpu.sh swift test --skip-build --package-path $(CURDIR) \
		$(subst $(TESTS),$(CURDIR)/$(TESTS),$(FAST)) --filter SimulatedGPU

test-load-short: test-build
	$(STEP) load python3 Tests/Clients/load.py $(APUS) $(SAMPLE) --short

SHORT_CASES ?= 4000
test-mutation-short: test-build
	$(STEP) mutation python3 Tests/Clients/mutate.py $(APUS) $(SAMPLE) --cases $(SHORT_CASES) --build debug

example: ## Build and run the example of a Swift package that uses the library
	@Scripts/setup.sh
	$(STEP) example swift run --package-path Examples/FindObjects FindObjects $(SAMPLE)

test-api: ## Compare the public API with the last tag's
	@Scripts/setup.sh
	$(STEP) api Scripts/check-api.sh

test-address: ## Run the tests of parsers, runtime, imaging and model tools under the address sanitizer
	@Scripts/setup.sh --tests
	$(STEP) address Scripts/sanitized-tests.sh address

test-thread: ## Run the tests of parsers, runtime, imaging and model tools under the thread sanitizer
	@Scripts/setup.sh --tests
	$(STEP) thread Scripts/sanitized-tests.sh thread

SHORT_RUNS ?= 20000
fuzz-short:
	@Scripts/setup.sh
	$(STEP) fuzz Scripts/fuzz.sh $(SHORT_RUNS)

RUNS ?= 1000000
fuzz: ## Feed damaged pictures, checkpoints and models to what reads them: make fuzz RUNS=1000000
	@Scripts/setup.sh
	@Scripts/fuzz.sh $(RUNS)

bench: build ## Time the whole command on one picture, with the split
	@Scripts/bench-detect.sh

PYTHON ?= python3
bench-serve: build ## Time the server beside a FastAPI service that does the same
	@Scripts/bench-serve.sh

UPDATE ?=
bench-allocations: ## Count what operations allocate, against committed thresholds: make bench-allocations UPDATE=--update
	@Scripts/setup.sh
	@Scripts/bench-allocations.sh $(UPDATE)

bench-models: build ## Time export and conversion beside PyTorch and onnxconverter-common: make bench-models PYTHON=…
	@$(PYTHON) -W ignore Scripts/bench-models.py

bench-gpu: build ## Time start, cache and new sizes on a simulated GPU, beside a traced export: make bench-gpu PYTHON=…
	@PYTHON=$(PYTHON) Scripts/bench-gpu.sh

docs: ## Build the library's documentation with DocC, without warnings (.build/docs)
	@Scripts/setup.sh
	@Scripts/docs.sh

PREFIX ?= /usr/local
install: ## Install what make build built, with its runtime: sudo make install PREFIX=/usr/local
	@Scripts/stage.sh "$(DESTDIR)$(PREFIX)"
	@echo "install: $(DESTDIR)$(PREFIX)/bin/apus; a service: share/apus/packaging/apus.service"

dist: build ## Make a tarball that runs where nothing is installed: dist/apus-….tar.gz
	@Scripts/setup.sh --dist
	@Scripts/dist.sh

test-dist: dist ## Run the tarball in a bare Debian (needs root and debootstrap)
	@Scripts/test-dist.sh dist/apus-*-linux-x86_64.tar.gz

CASES ?= 100000
test-mutation: build ## Send mutated requests to a server on every protocol: make test-mutation CASES=100000
	@python3 Tests/Clients/mutate.py .build/release/apus $(SAMPLE) --cases $(CASES)

test-load: build ## Put the server under load: overload, 10,000 requests, bad clients, its end, new models (6 minutes)
	@python3 Tests/Clients/load.py .build/release/apus $(SAMPLE)

bench-load: build ## The same on an idle machine, and how long clients wait
	@python3 Tests/Clients/load.py .build/release/apus $(SAMPLE) --timing

lint: ## Check the format of the Swift code and the shell scripts
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples
	@if command -v shellcheck >/dev/null; then shellcheck Scripts/*.sh; fi

format: ## Format the Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples

clean: ## Remove what was built; the runtime stays
	rm -rf .build demo dist
