#!/usr/bin/env bash
# Runs a conformance kit for OpenEnv servers (kept outside this repository) against MolForge, against the same
# server around the fault environment of the tests (which sleeps, raises and floods on demand), and once more
# with a short idle limit; each with both stock clients.
#
#   scripts/conformance.sh KIT [pytest options]
#   STAGES="molforge faults idle"   some of the three
#   CLIENTS="python ..."   interpreters with openenv and the kit's dependencies; else those of `make clients`
set -uo pipefail
cd "$(dirname "$0")/.."
kit=$(realpath "${1:?the folder of the kit}")
shift
out=.cache/conformance
mkdir -p $out
clients=${CLIENTS:-$(ls -d .cache/clients/*/bin/python 2>/dev/null)}
[ -n "$clients" ] || { echo "conformance: run 'make clients' first, or name interpreters in CLIENTS" >&2; exit 2; }
code=0
server=
trap '[ -z "$server" ] || kill "$server"' EXIT

serve() {  # serve MODULE...: start a server on a free port, wait until it is ready
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    .venv/bin/python -m "$@" --host 127.0.0.1 --port "$port" --log-level ERROR 2>> "$out/server.log" &
    server=$!
    for _ in $(seq 150); do
        curl --silent --fail "http://127.0.0.1:$port/ready" >/dev/null && return
        kill -0 $server 2>/dev/null || break
        sleep 0.2
    done
    echo "conformance: the server did not come up; see $out/server.log" >&2
    exit 1
}

check() {  # check NAME ACTIONS [pytest options]: the kit with every client against the server that runs
    local name=$1 actions=$2 python version
    shift 2
    for python in $clients; do
        version=$("$python" -c 'import importlib.metadata as m; print(next(d.metadata["Name"] + "-" + d.version for d in m.distributions() if d.metadata["Name"] in ("openenv", "openenv-core")))')
        echo "conformance: $name, client $version"
        BASE_URL="http://127.0.0.1:$port" ACTIONS="$PWD/$actions" KIT_REPORT="$PWD/$out/$name-$version.json" \
            PYTHONDONTWRITEBYTECODE=1 \
            "$python" -m pytest "$kit" -q -rfE --no-header -p no:cacheprovider -c "$kit/pytest.ini" "$@" || code=1
    done
    kill $server
    wait $server
    server=
}

stages=${STAGES:-molforge faults idle}
for stage in $stages; do
    case $stage in
        molforge)
            serve app.cli serve --max-sessions 8
            check molforge tests/app/conformance_actions.json "$@" ;;
        faults)
            serve tests.app.fake_server --max-sessions 8
            check faults tests/app/conformance_faults.json "$@" ;;
        idle)
            serve tests.app.fake_server --max-sessions 8 --idle-seconds 2
            check idle tests/app/conformance_idle.json -k idle "$@" ;;
    esac
done
exit $code
