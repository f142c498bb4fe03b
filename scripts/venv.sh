#!/usr/bin/env bash
# Makes or refreshes an environment. Usage: scripts/venv.sh run|dev [FOLDER], which is .venv if not given
#   run  what the server, the client and the agent need (requirements.txt)
#   dev  the same and the tools of the tests (requirements-dev.txt)
# Does nothing when the lists have not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. scripts/installer.sh

what=${1:?run or dev}
venv=${2:-.venv}
case $what in
    run) list=requirements.txt ;;
    dev) list=requirements-dev.txt ;;
    *) echo "venv.sh: run or dev, not '$what'" >&2; exit 2 ;;
esac

say() { printf 'molforge: %s\n' "$*" >&2; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "Python 3.11 or newer is needed, and ${PYTHON:-what there is} is not; set PYTHON=/path/to/python3.11"
    exit 1
}

state_of() { cat "$1" pyproject.toml molforge/_*.py | cksum; }

works() { "$venv/bin/python" -c '' 2>/dev/null; }

if works && [ "$(cat "$venv/.molforge-$what" 2>/dev/null)" = "$(state_of $list)" ]; then
    exit 0
fi

started=$SECONDS
if ! works; then
    python=$(find_python)
    say "making $venv with $("$python" --version) and $INSTALLER"
    if ! make_environment "$python" "$root/$venv"; then
        say "this Python cannot make environments: install its venv package (Debian: python3-venv), or uv"
        exit 1
    fi
fi
say "installing $(grep -c '==' $list) pinned packages from $list"
install_into "$root/$venv" --require-hashes -r "$root/$list"
install_into "$root/$venv" --no-deps -e "$root"
state_of $list > "$venv/.molforge-$what"
[ $what = run ] || state_of requirements.txt > "$venv/.molforge-run"
say "$venv is ready ($((SECONDS - started)) s)"
