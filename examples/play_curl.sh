#!/usr/bin/env bash
# Play over plain REST: examples/play_curl.sh [URL]
# reset opens a session and names it in the X-Session-ID header; step and state find it by the same header.
set -euo pipefail
url=${1:-http://localhost:8000}
json="Content-Type: application/json"

session=$(curl -fsS -o /dev/null -D - -X POST "$url/reset" -H "$json" -d '{"task_id": "potency", "seed": 7}' |
    tr -d '\r' | sed -n 's/^[Xx]-[Ss]ession-[Ii][Dd]: //p')
echo "session $session"
curl -fsS -X POST "$url/step" -H "$json" -H "X-Session-ID: $session" -d '{"action": {"command": "suggest M1"}}'
echo
curl -fsS "$url/state" -H "X-Session-ID: $session"
echo
