# Badgebridge. `make help` says what there is.
#
# Go (the version in go.mod) and Node are taken as given; `make test` installs
# what else it needs from Debian's packages.

GO       ?= go
# The version of go.mod is the one that is meant; no other is fetched.
export GOTOOLCHAIN ?= local
# nomsgpack leaves a codec of gin out that nothing here uses.
TAGS     := nomsgpack
BIN      := bin/badgebridge
# make fuzz: how long each test runs; or how often; or how often all together.
FUZZTIME     ?= 10s
FUZZEXECS    ?= 0
FUZZTOTAL    ?= 0
FUZZPARALLEL ?= 2
FUZZMATCH    ?= .

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and start the demo on http://localhost:8080
	$(BIN) serve --demo

.PHONY: build
build: ## build bin/badgebridge
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -o $(BIN) ./cmd/badgebridge

.PHONY: test
test: ## everything: install what is missing, format, vet, lint, all tests with the race detector
	scripts/test.sh

.PHONY: check
check: ## the quick look before a commit: format, vet, lint, tests without the slow real servers
	scripts/gofmt.sh
	$(GO) vet -tags $(TAGS) ./...
	scripts/lint.sh
	scripts/phpcs.sh
	$(GO) test -tags $(TAGS) -short $$($(GO) list ./... | grep -vE '/internal/(e2e|testenv|pyvalidator)(/|$$)')

.PHONY: lint
lint: ## golangci-lint, built from tools/go.mod
	scripts/lint.sh

.PHONY: bench
bench: build ## benchmarks, as ratios within one run
	bench/run.sh

.PHONY: fuzz
fuzz: ## each fuzz test for FUZZTIME (10s), or FUZZEXECS times, or until all reach FUZZTOTAL; a table at the end
	$(GO) run ./scripts/fuzz -tags $(TAGS) -time $(FUZZTIME) -execs $(FUZZEXECS) -total $(FUZZTOTAL) -parallel $(FUZZPARALLEL) -match '$(FUZZMATCH)'

.PHONY: screenshots
screenshots: ## write pictures of the pages into build/screenshots
	scripts/screenshots.sh

.PHONY: plugin
plugin: ## dist/badgebridge-plugin.zip, the same bytes every time
	$(GO) run ./scripts/pluginzip dist/badgebridge-plugin.zip

.PHONY: translations
translations: ## bring the plugin's template and translations up to its source
	php wordpress/tools/translations.php

.PHONY: test-badgeos
test-badgeos: ## the tests with WordPress against the real BadgeOS: make test-badgeos BADGEOS_DIR=/path/to/badgeos
	@test -f "$(BADGEOS_DIR)/badgeos.php" || { echo 'make test-badgeos: set BADGEOS_DIR to a folder with BadgeOS 3.7 (badgeos.php in it)' >&2; exit 2; }
	scripts/test-provider.sh BADGEOS_DIR "$(abspath $(BADGEOS_DIR))"

.PHONY: test-old-badgeos
test-old-badgeos: ## the old Credly API against a real old BadgeOS: make test-old-badgeos BADGEOS_DIR=/path/to/badgeos-3.6.2
	@test -f "$(BADGEOS_DIR)/includes/credly.php" || { echo 'make test-old-badgeos: set BADGEOS_DIR to a folder with BadgeOS up to 3.6.6 (includes/credly.php in it)' >&2; exit 2; }
	BADGEOS_DIR="$(abspath $(BADGEOS_DIR))" $(GO) test -tags $(TAGS),oldbadgeos -timeout 10m -count 1 -v -run TestTheRealOldBadgeOS ./internal/e2e

.PHONY: test-gamipress
test-gamipress: ## the tests with WordPress against the real GamiPress: make test-gamipress GAMIPRESS_DIR=/path/to/gamipress
	@test -f "$(GAMIPRESS_DIR)/gamipress.php" || { echo 'make test-gamipress: set GAMIPRESS_DIR to a folder with GamiPress 5.7 (gamipress.php in it)' >&2; exit 2; }
	scripts/test-provider.sh GAMIPRESS_DIR "$(abspath $(GAMIPRESS_DIR))"

.PHONY: clean
clean: ## remove what was built; data folders stay
	rm -rf bin build dist
