#!/usr/bin/env bash
# Replays a trace through the real program, kills it with -9 in the middle, starts it again, and compares what SQL says of the
# answered rows with an independent script's sums over the trace and the price book. Usage: BINARY TRACE SECONDS_BEFORE_KILL
set -euo pipefail
binary="$1" trace="$2" pause="$3"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export CUSTODY_DATA_DIR="$work/data"
port="${PORT:-8791}"

start() {
    "$binary" up --listen "127.0.0.1:$port" >"$work/up.$1.out" 2>"$work/up.$1.err" &
    up=$!
    until grep -qs ready "$work/up.$1.out"; do
        kill -0 "$up" || { cat "$work/up.$1.err"; exit 1; }
        sleep 0.05
    done
}

start 0
whose=(--tenant acme) keys=(--key "$(awk '$1 == "key" && $2 == "acme" { print $3 }' "$work/up.0.out")")
if head -1 "$trace" | grep -q tenant; then
    kill -INT "$up"; wait "$up"
    "$binary" keys add --tenants-of "$trace" --principal replay --group replay --out "$work/keys.csv"
    start 0
    whose=() keys=(--keys "$work/keys.csv")
fi
"$binary" replay "$trace" --url "http://127.0.0.1:$port" "${keys[@]}" --speed max --concurrency 32 --run row >"$work/replay.out" 2>&1 &
replay=$!
sleep "$pause"
kill -0 "$replay" || { echo "the replay was over before the kill: use a shorter pause"; exit 1; }
kill -9 "$up"; wait "$up" 2>/dev/null || true
start 1
wait "$replay" && complete=yes || complete=no
cat "$work/replay.out"
kill -INT "$up"; wait "$up"

"$binary" sql --format csv --limit 0 "
    with answered as (
        select request_id, client_request_id, tenant,
               row_number() over (partition by client_request_id order by request_id) as nth
        from outcomes where class = 'answered')
    select a.tenant, count(*) as requests, sum(i.input_tokens) as input_tokens, sum(i.output_tokens) as output_tokens,
           cast(sum(c.cost_usd) as varchar) as cost_usd
    from answered a join invocations i on i.request_id = a.request_id join costs c on c.request_id = a.request_id
    where a.nth = 1 group by a.tenant order by a.tenant" >"$work/sql.csv"
book=("$CUSTODY_DATA_DIR"/workspace/prices/*.toml)
python3 "$here/sums.py" "$trace" --book "${book[0]}" --provider simulator --model sim-small "${whose[@]}" >"$work/oracle.csv"
"$binary" sql "select class, recovered, count(*) as requests, count(distinct client_request_id) as rows from outcomes group by 1, 2 order by 1, 2"
"$binary" sql "select source, min(seq) as first, max(seq) as last, count(distinct seq) as distinct_seqs, count(*) as events from events group by 1 order by 1"
echo "replay complete: $complete; tenants: $(($(wc -l <"$work/oracle.csv") - 1)); totals: $(tail -n +2 "$work/sql.csv" | awk -F, '{r+=$2; i+=$3; o+=$4} END {print r, i, o}')"
[ "$complete" = yes ] || exit 1
unfinished="$("$binary" sql --format csv "select count(*) from (select request_id from events where request_id is not null group by 1 having sum(case when kind = 'outcome' then 1 else 0 end) <> 1)" | tail -1)"
holes="$("$binary" sql --format csv "select count(*) from (select source from events group by 1 having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*))" | tail -1)"
echo "requests without exactly one outcome: $unfinished; sources with a hole: $holes"
[ "$unfinished $holes" = "0 0" ] || exit 1
cmp "$work/sql.csv" "$work/oracle.csv" && echo "EQUAL: SQL and the independent script agree on every tenant's requests, tokens and cost"
