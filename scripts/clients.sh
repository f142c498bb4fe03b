#!/usr/bin/env bash
# Runs the client's tests and the stock validators under both distributions of the module `openenv`,
# each in an environment of its own: openenv-core 0.3.0 and openenv 0.10.0 cannot be installed together.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. scripts/installer.sh

say() { printf 'clients: %s\n' "$*"; }
tools=(pytest==9.2.0 pytest-asyncio==1.5.0 pytest-timeout==2.4.0 openai==3.52.0)

environment() {  # environment FOLDER DISTRIBUTION: made once, kept until the pins change
    local folder=$1 distribution=$2 state
    state="$distribution $(cksum < requirements-server.txt)"
    [ "$(cat "$folder/.state" 2>/dev/null)" = "$state" ] && return
    say "making an environment with $distribution"
    make_environment "$root/.venv/bin/python" "$folder"
    install_into "$folder" --require-hashes -r "$root/requirements-server.txt"
    install_into "$folder" "$distribution" "${tools[@]}"
    install_into "$folder" --no-deps -e "$root"
    echo "$state" > "$folder/.state"
}

mkdir -p .cache
rm -rf .cache/clone
git clone --quiet . .cache/clone  # what a stranger has: the committed files and nothing else
code=0
for distribution in openenv-core==0.3.0 openenv==0.10.0; do
    folder=$root/.cache/clients/${distribution/==/-}
    environment "$folder" "$distribution"
    say "$distribution: validate"
    case $distribution in
        openenv-core*) "$folder/bin/openenv" validate .cache/clone || code=1 ;;
        *) "$folder/bin/openenv" validate --level static .cache/clone || code=1 ;;
    esac
    say "$distribution: tests"
    PYTHONPATH=. "$folder/bin/python" -m pytest -q tests/client || code=1
done
say "all of them at once"
.venv/bin/python -m pytest -q -m slow tests/together || code=1
exit $code
