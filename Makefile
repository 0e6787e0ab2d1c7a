# make demo | test | check | build    Each installs what it needs.

.PHONY: demo test check build
.DEFAULT_GOAL := test

demo: node_modules/.package-lock.json
	@npx tsx src/cli/demo.ts

# Any arguments for vitest: make test ARGS=test/core
test: node_modules/.package-lock.json
	@npx vitest run $(ARGS)

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
