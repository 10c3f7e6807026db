# Every build target first installs missing dependencies (Scripts/setup.sh), so none depends on `setup`.
.DEFAULT_GOAL := help
.PHONY: help demo build test check example test-clients test-models test-load test-load-short test-mutation test-mutation-short \
	test-dist test-api install dist test-gpu test-address test-thread fuzz fuzz-short bench bench-serve bench-models bench-gpu \
	bench-load bench-allocations docs lint format clean setup

# The release command links Swift's runtime statically, so that it starts fast and runs without Swift installed.
# Uses lld, because gold warns about a call in Foundation.
RELEASE := -c release --static-swift-stdlib --product apus -Xswiftc -use-ld=lld
# Off by default: `apus serve`, and images from URLs. The demo needs neither, and builds in half the time.
TRAITS := --traits Server,URLs

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-17s %s\n", $$1, $$2}'

demo: ## Build, detect objects in the sample images, and draw boxes on them (demo/)
	@Scripts/setup.sh
	@echo "demo: building apus, about a minute the first time"
	@swift build $(RELEASE) --scratch-path .build/demo
	@.build/demo/release/apus detect Examples/pictures --output demo/

setup: ## Install missing dependencies
	@Scripts/setup.sh

build: ## Build the release command, .build/release/apus
	@Scripts/setup.sh
	swift build $(RELEASE) $(TRAITS)

# The tests' build, shared by all targets that use a debug build: without debug information and linked by lld, which saves time
# and half of the space in a fresh clone. (It keeps the index, which SwiftPM uses to find tests.) It has its own folder, because
# different flags would make a plain `swift build` recompile everything.
TESTS := .build/test
FAST := $(TRAITS) --scratch-path $(TESTS) -debug-info-format none -Xswiftc -use-ld=lld
APUS := $(TESTS)/debug/apus
SAMPLE := Examples/pictures/farm.jpg
STEP := @Scripts/step.sh

# `check` has the remaining suites; together they are all tests.
test: test-build ## Run the unit, golden and in-process tests and a short live suite (10 minutes in a fresh clone on 2 cores)
	$(STEP) setup Scripts/test-setup.sh
	$(STEP) unit APUS_REQUIRE_RUNTIME=1 swift test --skip-build $(FAST)
	$(STEP) openvino APUS_TEST_ENGINE=openvino swift test --skip-build $(FAST) --filter '^OpenVINOTests\.'
	$(STEP) live Scripts/test-live.sh $(APUS)

check: ## Run the long suites: clients, models, load, mutations, simulated GPU, sanitizers, fuzzing, API (make -k continues)
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

test-gpu: test-build ## Run the GPU tests on a GPU simulated by Intel's driver: it compiles, but its results are garbage
	$(STEP) gpu APUS_REQUIRE_RUNTIME=1 Scripts/simulated-gpu.sh swift test --skip-build --package-path $(CURDIR) \
		$(subst $(TESTS),$(CURDIR)/$(TESTS),$(FAST)) --filter SimulatedGPU

test-load-short: test-build
	$(STEP) load python3 Tests/Clients/load.py $(APUS) $(SAMPLE) --short

SHORT_CASES ?= 4000
test-mutation-short: test-build
	$(STEP) mutation python3 Tests/Clients/mutate.py $(APUS) $(SAMPLE) --cases $(SHORT_CASES) --build debug

example: ## Build and run the example Swift package that uses the library
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
fuzz: ## Fuzz the parsers of images, checkpoints and models: make fuzz RUNS=1000000
	@Scripts/setup.sh
	@Scripts/fuzz.sh $(RUNS)

bench: build ## Benchmark the whole command on one image, with a breakdown
	@Scripts/bench-detect.sh

PYTHON ?= python3
bench-serve: build ## Benchmark the server against an equivalent FastAPI service
	@Scripts/bench-serve.sh

UPDATE ?=
bench-allocations: ## Compare allocations with committed thresholds: make bench-allocations UPDATE=--update
	@Scripts/setup.sh
	@Scripts/bench-allocations.sh $(UPDATE)

bench-models: build ## Benchmark export and conversion against PyTorch and onnxconverter-common: make bench-models PYTHON=…
	@$(PYTHON) -W ignore Scripts/bench-models.py

bench-gpu: build ## Benchmark startup, cache and new sizes on a simulated GPU against a traced export: make bench-gpu PYTHON=…
	@PYTHON=$(PYTHON) Scripts/bench-gpu.sh

docs: ## Build the library's documentation with DocC; warnings are errors (.build/docs)
	@Scripts/setup.sh
	@Scripts/docs.sh

PREFIX ?= /usr/local
install: ## Install the output of make build, with its runtime: sudo make install PREFIX=/usr/local
	@Scripts/stage.sh "$(DESTDIR)$(PREFIX)"
	@echo "install: $(DESTDIR)$(PREFIX)/bin/apus; a service: share/apus/packaging/apus.service"

dist: build ## Create a self-contained tarball: dist/apus-….tar.gz
	@Scripts/setup.sh --dist
	@Scripts/dist.sh

test-dist: dist ## Run the tarball in a minimal Debian (needs root and debootstrap)
	@Scripts/test-dist.sh dist/apus-*-linux-x86_64.tar.gz

CASES ?= 100000
test-mutation: build ## Send mutated requests over every protocol: make test-mutation CASES=100000
	@python3 Tests/Clients/mutate.py .build/release/apus $(SAMPLE) --cases $(CASES)

test-load: build ## Load-test the server: overload, 10,000 requests, bad clients, shutdown, reloads (6 minutes)
	@python3 Tests/Clients/load.py .build/release/apus $(SAMPLE)

bench-load: build ## Run the load test with timings (needs an idle machine)
	@python3 Tests/Clients/load.py .build/release/apus $(SAMPLE) --timing

lint: ## Check the format of the Swift code and the shell scripts
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples
	@if command -v shellcheck >/dev/null; then shellcheck Scripts/*.sh; fi

format: ## Format the Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples

clean: ## Remove build outputs; keeps the runtime
	rm -rf .build demo dist
