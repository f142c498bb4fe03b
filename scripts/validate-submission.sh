#!/usr/bin/env bash
# What a submission checker looks at, checked here first: says what failed and how to mend it.
#
#   scripts/validate-submission.sh [URL]     URL: a deployed server (a Space) whose /reset is pinged; default: one of its own
#
# 1. POST /reset answers 200 within 30 s          4. every task has a grader, and each grader grades
# 2. the image builds within 600 s                5. inference.py ends by itself within 20 minutes on 2 CPUs and 8 GB,
# 3. both versions of openenv validate               and prints the lines it should
set -uo pipefail
cd "$(dirname "$0")/.."
url=${1:-}
out=.cache/submission
rm -rf $out
mkdir -p $out
export OPENBLAS_NUM_THREADS=1
python=.venv/bin/python
failed=() skipped=()
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null' EXIT

good() { printf '  good: %s\n' "$*"; }
fail() {  # fail NAME WHAT MEND: how to mend it, or the log to read
    printf '  FAILED: %s\n' "$2"
    failed+=("$1")
    if [ -f "$3" ]; then printf '  mend: read %s, which ends\n' "$3"; tail -n 5 "$3" | sed 's/^/    /'; else
        printf '  mend: %s\n' "$3"
    fi
}
skip() { printf '  skipped: %s\n' "$2"; skipped+=("$1"); }
title() { printf '\n%s\n' "$*"; }

title '1. POST /reset'
started=$SECONDS
if [ -z "$url" ]; then
    port=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port
    .venv/bin/molforge serve --host 127.0.0.1 --port "$port" 2> $out/server.log &
    server=$!
fi
status=000
while [ "$status" != 200 ] && [ $((SECONDS - started)) -lt 30 ]; do
    status=$(curl --silent --output $out/reset.json --write-out '%{http_code}' --max-time 30 \
        -X POST -H 'Content-Type: application/json' -d '{}' "${url%/}/reset")
    [ "$status" = 200 ] || sleep 0.5
done
if [ "$status" = 200 ]; then
    good "200 after $((SECONDS - started)) s from $url"
else
    fail reset "$url/reset answered $status within 30 s" "see $out/server.log; is the server up, is the Space awake?"
fi

title '2. The image'
image=
if docker info >/dev/null 2>&1; then
    started=$SECONDS
    if timeout 600 docker build --tag molforge:submission . > $out/build.log 2>&1; then
        good "built in $((SECONDS - started)) s"
        image=molforge:submission
    else
        fail image "docker build failed or took longer than 600 s" "$out/build.log"
    fi
else
    skip image 'no container engine answers here (docker info failed); make container can use another tool'
fi

title '3. openenv validate'
git clone --quiet . $out/clone 2>/dev/null || fail validate 'git clone failed' 'commit what is to be submitted'
for bin in .cache/clients/openenv-core-0.3.0/bin .cache/clients/openenv-0.10.0/bin; do
    name=$(basename "$(dirname $bin)")
    if [ ! -x $bin/openenv ]; then
        skip "$name" "$name is not installed here: make clients installs it"
        continue
    fi
    level=()
    [ "$name" = openenv-0.10.0 ] && level=(--level static)
    if $bin/openenv validate ${level[@]+"${level[@]}"} $out/clone > "$out/$name.log" 2>&1; then
        good "$name, the repository"
    else
        fail validate "$name validate ${level[*]-} of the repository" "$out/$name.log"
    fi
    if $bin/openenv validate --url "$url" > "$out/$name-url.log" 2>&1; then
        good "$name, $url"
    else
        fail validate "$name validate --url $url" "$out/$name-url.log"
    fi
    if [ "$name" = openenv-0.10.0 ] && [ -n "$image" ]; then
        if $bin/python scripts/runtime_validation.py $out/clone --image $image > "$out/$name-image.log" 2>&1; then
            good "$name, the image at work: $(tail -1 "$out/$name-image.log")"
        else
            fail validate "$name validate --level semantic" "$out/$name-image.log"
        fi
    fi
done

title '4. Tasks and graders'
if $python scripts/submission.py tasks; then good 'every grader grades'; else
    fail graders 'see above' 'the grader named in openenv.yaml must score the recorded episodes in graders/cases'
fi

title '5. inference.py'
started=$SECONDS
if command -v taskset >/dev/null; then two_cpus=(taskset -c 0,1); else two_cpus=(); fi
if [ -n "$image" ]; then export LOCAL_IMAGE_NAME=$image; fi  # as evaluators start it; else the server of step 1
( ulimit -v 8388608 2>/dev/null; ENV_BASE_URL=$url exec timeout --kill-after 10 1200 \
    ${two_cpus[@]+"${two_cpus[@]}"} $python inference.py > $out/lines.txt 2> $out/inference.log )
code=$?
if [ $code -eq 0 ]; then good "ended by itself after $((SECONDS - started)) s"; else
    fail inference "exit code $code after $((SECONDS - started)) s (124: longer than 20 minutes)" "$out/inference.log"
fi
if $python scripts/submission.py lines $out/lines.txt; then good 'the lines are as they should be'; else
    fail lines 'see above' "compare $out/lines.txt with the first lines of inference.py"
fi

list() { local IFS=,; echo "${*:-nothing}" | sed 's/,/, /g'; }
title "In all: failed: $(list ${failed[@]+"${failed[@]}"}); not looked at: $(list ${skipped[@]+"${skipped[@]}"}); $SECONDS s"
[ ${#failed[@]} -eq 0 ]
