# The commands of the project; `make help` lists them.
SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=

strict := -Xswiftc -warnings-as-errors
release := -c release --static-swift-stdlib $(strict)
binaries := .build/release/fc-devhost .build/release/devhost-provision
programs := $(notdir $(binaries))
completions := $(foreach program,$(programs),bash-completion/completions/$(program) \
  zsh/site-functions/_$(program) fish/vendor_completions.d/$(program).fish)

.PHONY: help build test demo demo-clean install uninstall check format docs soak bench

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build fc-devhost and devhost-provision for release, with the Swift library linked in.
	@scripts/prerequisites build
	swift build $(release) --product fc-devhost
	swift build $(release) --product devhost-provision

test: ## Install what is missing and run all tests, real VMs included, in a test host of their own.
	@scripts/test

demo: ## Bring up a VM on this machine, from nothing.
	@scripts/demo

demo-clean: ## Take away all that the demo made.
	@scripts/demo-clean

install: build ## Install both commands, the sudo rule and the timers below DESTDIR and PREFIX (/usr/local).
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(binaries) $(DESTDIR)$(PREFIX)/bin/
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/man/*.1
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,$(sort $(dir $(completions))))
	@set -e; umask 022; share=$(DESTDIR)$(PREFIX)/share; for program in $(programs); do \
	  .build/release/$$program completion bash >$$share/bash-completion/completions/$$program; \
	  .build/release/$$program completion zsh >$$share/zsh/site-functions/_$$program; \
	  .build/release/$$program completion fish >$$share/fish/vendor_completions.d/$$program.fish; \
	done
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" scripts/install-system

uninstall: ## Remove what install put there.
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(binaries)))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/,$(completions) $(addprefix man/man1/,$(notdir $(wildcard docs/man/*.1))))
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" scripts/install-system --remove

docs: ## Write the reference of the commands anew from their table.
	swift build --product fc-devhost
	swift build --product devhost-provision
	.build/debug/fc-devhost help --format markdown >docs/commands.md
	.build/debug/fc-devhost help --format man >docs/man/fc-devhost.1
	.build/debug/devhost-provision help --format markdown >docs/devhost-provision.md
	.build/debug/devhost-provision help --format man >docs/man/devhost-provision.1

check: ## Look at style, layers and shell scripts without running anything.
	@scripts/check

format: ## Write all Swift code in the project's style.
	swift format -r -i Package.swift Sources Tests Examples

soak: ## Kill, fill up and attack test devhosts, then run random verbs for SOAK seconds (600).
	@SECONDS_TO_RUN="$(SOAK)" SEED="$(SEED)" scripts/soak

bench: ## Measure, as ratios against a peer in the same run.
	@scripts/bench
