#!/usr/bin/env bash
# The oracle that openenv.yaml declares: play the reference plan of one programme of every family and split,
# print what it earned, and fail where that is less than 0.92.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/molforge ]; then PATH="$PWD/.venv/bin:$PATH"; fi
exec molforge worlds audit --count "${1:-1}"
