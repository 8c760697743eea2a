# 联勤 lianqin: `make run` to see it, `make test` to trust it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build web test check lint bench faults

# Relative paths only: the tree builds wherever it lies.
WEB_SOURCES := $(shell find web \( -name node_modules -o -path web/dist -o -path web/e2e \) -prune -o -type f ! -name '*.go' -print 2>/dev/null)
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null)

help:            ## list the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: build       ## build everything and open the demonstration district on http://127.0.0.1:8080
	@bin/lianqin demo $(ARGS)

build: web       ## build the program with the web application inside: bin/lianqin
	@echo '构建程序 building bin/lianqin (the first time takes some minutes)'
	@mkdir -p bin
	@go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/lianqin ./cmd/lianqin

web: web/dist/index.html ## build the web application, when something in it changed

web/node_modules/.package-lock.json: web/package-lock.json
	@echo '安装前端依赖 npm ci'
	@cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo '构建前端 building the web application'
	@cd web && npm run --silent build -- --logLevel error && touch dist/index.html

test:            ## run every test; installs what they need when root
	@scripts/test

check: web/node_modules/.package-lock.json ## the quick checks: format, vet, package arrows, web types
	@bad=$$(gofmt -l cmd internal geodata web/*.go); [ -z "$$bad" ] || { echo "gofmt these: $$bad"; exit 1; }
	@go vet ./...
	@go test ./internal
	@npm --prefix web run --silent typecheck

lint: check      ## check, a tidy go.mod, and staticcheck
	@go mod tidy -diff
	@go run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...

bench:           ## measure, beside other programs; see bench/
	@cd bench && go run . $(ARGS)

faults:          ## kill what writes to the database a hundred times each, at random moments; stop PostgreSQL for a minute
	@LIANQIN_KILLS=100 go test ./internal/store -run Kill -v -timeout 40m
	@LIANQIN_KILLS=100 LIANQIN_AWAY=60s go test ./cmd/lianqin -run 'AcknowledgedFixes|DatabaseAway' -v -timeout 40m
