#!/usr/bin/env bash
# Makes or refreshes .venv. Usage: scripts/venv.sh run|dev
#   run  what the server, the client and the agent need (requirements.txt)
#   dev  the same and the tools of the tests (requirements-dev.txt)
# By uv where there is one, else by venv and pip. Does nothing when the lists have not changed.
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:?run or dev}
case $what in
    run) list=requirements.txt ;;
    dev) list=requirements-dev.txt ;;
    *) echo "venv.sh: run or dev, not '$what'" >&2; exit 2 ;;
esac

say() { printf 'molforge: %s\n' "$*" >&2; }

find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "Python 3.11 or newer is needed and was not found; set PYTHON=/path/to/python3.11"
    exit 1
}

stamp=.venv/.molforge-$what
state=$(cat "$list" pyproject.toml molforge/_molforge.py molforge/_server.py 2>/dev/null | cksum)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

python=$(find_python)
if [ -z "${MOLFORGE_PIP:-}" ] && uv --version >/dev/null 2>&1; then tool=uv; else tool=pip; fi
started=$SECONDS
if ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv with $("$python" --version) and $tool"
    if [ $tool = uv ]; then
        uv venv --quiet --clear --no-config --python "$python" .venv
    elif ! "$python" -m venv --clear .venv; then
        say "this Python cannot make environments: install its venv package (Debian: python3-venv), or uv"
        exit 1
    fi
fi

count=$(grep -c '==' "$list")
say "installing $count pinned packages from $list"
if [ $tool = uv ]; then
    quiet=--quiet
    [ -t 2 ] && quiet=  # uv draws its own progress
    uv pip install $quiet --python .venv/bin/python --require-hashes -r "$list"
    uv pip install --quiet --python .venv/bin/python --no-deps -e .
else
    [ -x .venv/bin/pip ] || .venv/bin/python -m ensurepip --upgrade >/dev/null
    pip=(.venv/bin/python -m pip install --disable-pip-version-check)
    "${pip[@]}" --progress-bar off --require-hashes -r "$list" 2>&1 | awk -v of="$count" '
        /^(Collecting|Requirement already)/ { if (++n % 25 == 0) print "molforge: " n " of " of; fflush() }
        /^Installing/ { print "molforge: unpacking"; fflush() }
        /ERROR|error/ { print; fflush() }' >&2
    "${pip[@]}" --quiet --no-deps -e .
fi
echo "$state" > "$stamp"
[ "$what" = dev ] && { cat requirements.txt pyproject.toml molforge/_molforge.py molforge/_server.py | cksum > .venv/.molforge-run; }
say ".venv is ready ($((SECONDS - started)) s)"
