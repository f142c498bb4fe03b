#!/usr/bin/env bash
# Builds the image, then runs tests/container against it. Skips, and says why, where no engine can run.
#
#   CONTAINER_CHECK=/path/container-check.sh   a tool that brings an engine up, builds DIR and runs a command;
#                                              else one in a folder beside this checkout; else `docker`
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'container: %s\n' "$*"; }
tests=(.venv/bin/python -m pytest -m container tests/container)

tool=${CONTAINER_CHECK:-}
if [ -z "$tool" ]; then
    for found in ../*/tools/container-check.sh; do
        [ -x "$found" ] && tool=$found
    done
fi

if docker info >/dev/null 2>&1; then
    say "building with the engine that answers"
    docker build --tag molforge:check .
    IMAGE=molforge:check "${tests[@]}"
elif [ -n "$tool" ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    say "building with $(basename "$tool")"
    code=0
    "$tool" . --tag molforge:check --out "$out" --run-arg --read-only -- "${tests[@]}" || code=$?
    if [ $code -eq 10 ]; then
        say "skipped: the tool could not bring an engine up here"
        exit 0
    fi
    [ $code -eq 0 ] || { tail -n 40 "$out"/*.log || true; }
    [ -f "$out/report.json" ] && cat "$out/report.json"
    exit $code
else
    say "skipped: no container engine answers here (docker info failed) and CONTAINER_CHECK names no tool"
fi
