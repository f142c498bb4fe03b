#!/usr/bin/env bash
# Runs a conformance kit for OpenEnv servers (kept outside this repository) with both stock clients, against
#
#   molforge   this server
#   faults     the same server around the fault environment of the tests, which sleeps, raises and floods on demand
#   idle       the same with an idle limit of two seconds, for the checks that need one
#   load       this server after LOAD_SECONDS (600) of load by agents and hostile clients, and again after
#              every worker was killed
#
#   scripts/conformance.sh KIT [pytest options]
#   STAGES="molforge faults idle load"   some of the four; by default the first three
#   CLIENTS="python ..."   interpreters with openenv and the kit's dependencies; else those of `make clients`
#
# The kit's checks of a package are left out: the validators that they call are run by `make clients`, on a clone.
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
    url=http://127.0.0.1:$port
    .venv/bin/python -m "$@" --host 127.0.0.1 --port "$port" --log-level WARNING 2>> "$out/server.log" &
    server=$!
    for _ in $(seq 300); do
        curl --silent --fail "$url/ready" >/dev/null && return
        kill -0 $server 2>/dev/null || break
        sleep 0.2
    done
    echo "conformance: the server did not come up; see $out/server.log" >&2
    exit 1
}

stop() { kill $server; wait $server; server=; }

check() {  # check NAME ACTIONS [pytest options]: the kit with every client against the server that runs
    local name=$1 actions=$2 python version
    shift 2
    if [ "$name" = idle ]; then only=idle; else only="not idle and not test_package"; fi
    for python in $clients; do
        version=$("$python" -c 'import importlib.metadata as m; print(next(d.metadata["Name"] + "-" + d.version for d in m.distributions() if d.metadata["Name"] in ("openenv", "openenv-core")))')
        echo "conformance: $name, client $version"
        BASE_URL=$url ACTIONS="$PWD/$actions" KIT_REPORT="$PWD/$out/${name// /-}-$version.json" \
            PYTHONDONTWRITEBYTECODE=1 \
            "$python" -m pytest "$kit" -q -rfEs --no-header -p no:cacheprovider -W ignore -c "$kit/pytest.ini" \
            -k "$only" "$@" || code=1
    done
}

for stage in ${STAGES:-molforge faults idle}; do
    case $stage in
        molforge)
            serve app.cli serve --max-sessions 8
            check molforge tests/app/conformance_actions.json "$@" ;;
        faults)
            serve tests.app.fake_server --max-sessions 8
            check faults tests/app/conformance_faults.json "$@" ;;
        idle)
            serve tests.app.fake_server --max-sessions 8 --idle-seconds 2
            check idle tests/app/conformance_idle.json "$@" ;;
        load)
            serve app.cli serve --max-sessions 8 --max-detached 64
            .venv/bin/python -m tests.load.soak "$url" --seconds "${LOAD_SECONDS:-600}" --server $server || code=1
            check 'after load' tests/app/conformance_actions.json "$@"
            .venv/bin/python -m tests.load.soak "$url" --seconds 0 --server $server --kill-workers || code=1
            check 'after the workers died' tests/app/conformance_actions.json "$@" ;;
        *) echo "conformance: there is no stage $stage" >&2; exit 2 ;;
    esac
    stop
done
exit $code
