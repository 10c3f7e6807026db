# Every target that builds installs what is missing first (Scripts/setup.sh), so none asks for another.
.DEFAULT_GOAL := help
.PHONY: help demo build test example test-clients test-load test-mutation test-dist install dist test-gpu test-address test-thread fuzz bench bench-serve bench-models bench-gpu lint format clean setup

# The release command: Swift's runtime inside, so that it starts fast and runs where Swift is not installed.
# lld, because gold warns of a call inside of Foundation that we cannot change.
RELEASE := -c release --static-swift-stdlib --product apus -Xswiftc -use-ld=lld
# Without the trait URLs, which alone would double the time to the first picture (async-http-client and BoringSSL).
LEAN := --disable-default-traits

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

demo: ## Build, find objects in the sample pictures, and draw boxes on them (demo/)
	@Scripts/setup.sh
	@echo "demo: building apus, about a minute the first time"
	@swift build $(RELEASE) $(LEAN) --scratch-path .build/demo
	@.build/demo/release/apus detect Examples/pictures --output demo/

setup: ## Install what is missing, and nothing else
	@Scripts/setup.sh

build: ## Build the release command, .build/release/apus
	@Scripts/setup.sh
	swift build $(RELEASE)

test: ## Run all tests, those of a simulated GPU, the example, onnx's own checks, real clients, sanitizer and fuzz runs; what CI runs
	@Scripts/setup.sh --tests
	@Scripts/test-setup.sh
	swift build --build-tests
	APUS_REQUIRE_RUNTIME=1 swift test --skip-build
	@$(MAKE) --no-print-directory test-gpu
	@$(MAKE) --no-print-directory example
	@Scripts/check-models.sh
	@Scripts/check-clients.sh
	@$(MAKE) --no-print-directory test-address
	@$(MAKE) --no-print-directory fuzz RUNS=20000

test-clients: ## Run real clients against the server: curl, Triton's, Frigate's, schemathesis, a browser
	@Scripts/setup.sh --tests
	swift build --product apus
	@Scripts/check-clients.sh

test-gpu: ## Run the tests of a GPU with Intel's driver simulating one: it compiles, and answers garbage
	@Scripts/setup.sh --tests
	swift build --build-tests
	APUS_REQUIRE_RUNTIME=1 Scripts/simulated-gpu.sh swift test --skip-build --package-path $(CURDIR) --filter SimulatedGPU

example: ## Build and run the example of a Swift package that uses the library
	@Scripts/setup.sh
	swift run --package-path Examples/FindObjects FindObjects Examples/pictures/farm.jpg

# All tests but those of the library and the command under a sanitizer, in a build of its own.
SANITIZED := 'ONNXRuntimeTests|HardwareTests|FormDataTests|ImagingTests|DrawingTests|ModelToolsTests'

test-address: ## Tests of runtime, imaging, drawing and model tools under the address sanitizer
	@Scripts/setup.sh --tests
	TBB_ENABLE_SANITIZERS=1 ASAN_OPTIONS=detect_leaks=0 APUS_REQUIRE_RUNTIME=1 swift test --sanitize address $(LEAN) \
		--scratch-path .build/address --filter $(SANITIZED)

test-thread: ## Tests of runtime, imaging, drawing and model tools under the thread sanitizer
	@Scripts/setup.sh --tests
	TBB_ENABLE_SANITIZERS=1 TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.txt" APUS_REQUIRE_RUNTIME=1 swift test \
		--sanitize thread $(LEAN) --scratch-path .build/thread --filter $(SANITIZED)

RUNS ?= 1000000
fuzz: ## Feed damaged pictures, checkpoints and models to what reads them: make fuzz RUNS=1000000
	@Scripts/setup.sh
	@Scripts/fuzz.sh $(RUNS)

bench: build ## Time the whole command on one picture, with the split
	@Scripts/bench-detect.sh

PYTHON ?= python3
bench-serve: build ## Time the server beside a FastAPI service that does the same
	@Scripts/bench-serve.sh

bench-models: build ## Time export and conversion beside PyTorch and onnxconverter-common: make bench-models PYTHON=…
	@$(PYTHON) -W ignore Scripts/bench-models.py

bench-gpu: build ## Time start, cache and new sizes on a simulated GPU, beside a traced export: make bench-gpu PYTHON=…
	@PYTHON=$(PYTHON) Scripts/bench-gpu.sh

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
	@python3 Tests/Clients/mutate.py .build/release/apus Examples/pictures/farm.jpg --cases $(CASES)

test-load: build ## Put the server under load: overload, 10,000 requests, bad clients, its end, new models (6 minutes)
	@python3 Tests/Clients/load.py .build/release/apus Examples/pictures/farm.jpg

lint: ## Check the format of the Swift code and the shell scripts
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz Examples
	@if command -v shellcheck >/dev/null; then shellcheck Scripts/*.sh; fi

format: ## Format the Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz Examples

clean: ## Remove what was built; the runtime stays
	rm -rf .build demo dist
