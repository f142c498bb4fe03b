#!/usr/bin/env bash
# Runs the client's tests and the stock validators under both distributions of the module `openenv`,
# each in an environment of its own: openenv-core 0.3.0 and openenv 0.10.0 cannot be installed together.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'clients: %s\n' "$*"; }
if [ -z "${MOLFORGE_PIP:-}" ] && uv --version >/dev/null 2>&1; then tool=uv; else tool=pip; fi
tools=(pytest==9.2.0 pytest-asyncio==1.5.0 pytest-timeout==2.4.0 openai==3.52.0)

install() {  # install PYTHON ARGS...
    local python=$1
    shift
    if [ $tool = uv ]; then
        uv pip install --quiet --python "$python" "$@"
    else
        "$python" -m pip install --quiet --disable-pip-version-check "$@"
    fi
}

environment() {  # environment FOLDER DISTRIBUTION: made once, kept until the pins change
    local folder=$1 distribution=$2 state
    state="$distribution $(cat requirements-server.txt | cksum)"
    [ "$(cat "$folder/.state" 2>/dev/null)" = "$state" ] && return
    say "making an environment with $distribution"
    rm -rf "$folder"
    .venv/bin/python -m venv $([ $tool = uv ] && echo --without-pip) "$folder"
    install "$folder/bin/python" --require-hashes -r requirements-server.txt
    install "$folder/bin/python" "$distribution" "${tools[@]}"
    echo "$state" > "$folder/.state"
}

bare_clone() {  # what a stranger has: the committed files and nothing else
    rm -rf .cache/clone
    git clone --quiet . .cache/clone
}

mkdir -p .cache
code=0
bare_clone
for distribution in openenv-core==0.3.0 openenv==0.10.0; do
    folder=.cache/clients/${distribution/==/-}
    environment "$folder" "$distribution"
    say "$distribution: validate"
    case $distribution in
        openenv-core*) "$folder/bin/openenv" validate .cache/clone || code=1 ;;
        *) "$folder/bin/openenv" validate --level static .cache/clone || code=1 ;;
    esac
    say "$distribution: tests"
    PYTHONPATH=. "$folder/bin/python" -m pytest -q tests/client || code=1
done
exit $code
