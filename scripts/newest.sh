#!/usr/bin/env bash
# Runs the test suite on the newest Python of this machine, if that is a newer one than .venv's.
# It is looked for on the PATH and among pyenv's. Usage: scripts/newest.sh [pytest options]
set -euo pipefail
cd "$(dirname "$0")/.."

version_of() {  # version_of PYTHON: as in 3.13; fails for what is no release, or is not there
    "$1" -c 'import sys; v = sys.version_info; print(f"{v[0]}.{v[1]}"); sys.exit(v.releaselevel != "final")' 2>/dev/null
}

newest=$(
    for python in $(compgen -c python3. | grep -xE 'python3\.[0-9]+') "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
        if version=$(version_of "$python"); then echo "$version $python"; fi
    done | sort -V | tail -1
)
version=${newest%% *}
own=$(version_of .venv/bin/python)
if [ "$(printf '%s\n' "$own" "$version" | sort -V | tail -1)" = "$own" ]; then
    echo "newest: there is no Python here that is newer than .venv's $own"
    exit 0
fi
folder=.cache/python$version/.venv
mkdir -p "${folder%/*}"
PYTHON=${newest#* } scripts/venv.sh dev "$folder"
"$folder/bin/python" -m pytest "$@"
