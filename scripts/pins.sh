#!/usr/bin/env bash
# Writes requirements*.txt and the constraints of pyproject.toml anew, with the newest versions that fit.
# Needs uv. Usage: scripts/pins.sh [--upgrade-package NAME ...]; without arguments everything is upgraded.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {  # compile OUTPUT [uv options]: one hash-pinned list for Python 3.11 and newer, on every platform
    local output=$1
    shift
    uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$@" --output-file "$output"
}

# The widest list is solved first; the others are held to it, so that one version of each thing is used anywhere.
[ $# -gt 0 ] || set -- --upgrade
compile requirements-dev.txt --extra client --extra agent --group dev "$@"
for list in requirements.txt requirements-server.txt; do
    rm -f "$list"
done
compile requirements.txt --extra client --extra agent --constraint requirements-dev.txt
compile requirements-server.txt --constraint requirements-dev.txt
python3 scripts/constraints.py
