# make demo | test | replay | fuzz | soak | bench | bench-quick | check | build    Each installs what it needs.

.PHONY: demo test replay fuzz soak bench bench-quick check build
.DEFAULT_GOAL := test

demo: node_modules/.package-lock.json
	@npx tsx src/cli/demo.ts

# Any arguments for vitest: make test ARGS=test/core
test: node_modules/.package-lock.json
	@npx vitest run $(ARGS)

# A project's migrations, each verdict against what the stakeholders can do: make replay FROM=folder [NAME=…] [FILES=how many]
replay: node_modules/.package-lock.json
	@REPLAY_FROM='$(FROM)' REPLAY_NAME='$(NAME)' REPLAY_FILES='$(FILES)' npx vitest run test/replay --disableConsoleIntercept

# Random histories against the oracle, others each time: make fuzz SECONDS=600 | HISTORIES=2000 | SEED=7 (7:3, as printed), and FAILURES=n to go on after one.
fuzz: SECONDS = $(if $(HISTORIES)$(SEED),,60)
fuzz: node_modules/.package-lock.json
	@INTEGRATEDB_HISTORY_SECONDS=$(SECONDS) INTEGRATEDB_HISTORY_COUNT=$(HISTORIES) INTEGRATEDB_HISTORY_SEED=$(SEED) INTEGRATEDB_HISTORY_STEPS=$(STEPS) \
	  INTEGRATEDB_HISTORY_FAILURES=$(FAILURES) npx vitest run test/database/claim-history.test.ts

# The figures of bench/RESULTS.md, measured anew (hours; PLAN=brief: an hour, PLAN=small: less; ONLY=notifier: one group); a part of them against what was recorded (under three minutes).
bench: node_modules/.package-lock.json
	@npx tsx bench/main.ts $(if $(PLAN),--$(PLAN)) $(if $(ONLY),--only=$(ONLY))

bench-quick: node_modules/.package-lock.json
	@npx tsx bench/main.ts --quick

# Everything that can happen to the notifier and around it, for a quarter of an hour, with what was seen.
soak: node_modules/.package-lock.json
	@INTEGRATEDB_SOAK=1 npx vitest run test/notifier/delivery.test.ts --disableConsoleIntercept

# Types, lint, layers, dead code, and dist-sql as the build makes it.
check: node_modules/.package-lock.json
	@npm run --silent check

build: node_modules/.package-lock.json
	@npm run --silent build

# What the lock file says, and it stays as it is. Not `npm ci`, which insists on the binaries of every other platform
# being in the lock file, and registries' mirrors do not have them all.
node_modules/.package-lock.json: package-lock.json
	@sh build/check-node.sh
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@
