#!/usr/bin/env bash
# Runs the tests of the evidence with the libraries that only they need, in an environment of its own:
# the learner's JAX and Optax, matplotlib for pictures, and `datasets`, which loads what is exported.
# Usage: scripts/evidence.sh [pytest options]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/installer.sh

libraries=(jax==0.10.2 jaxlib==0.10.2 optax==0.2.8 matplotlib==3.11.2 datasets==5.2.0)
folder=.cache/evidence/.venv
mkdir -p "${folder%/*}"
scripts/venv.sh dev $folder
state="${libraries[*]} $(cat $folder/.molforge-dev)"
if [ "$(cat $folder/.libraries 2>/dev/null)" != "$state" ]; then
    install_into "$PWD/$folder" "${libraries[@]}"
    echo "$state" > $folder/.libraries
fi
tests=(tests/evidence/test_{learner,datasets,leaderboard}.py tests/evidence/test_certificate.py::test_the_report_has_pictures_of_what_was_played)
$folder/bin/python -m pytest -q -m 'slow or not slow' "${tests[@]}" "$@"
