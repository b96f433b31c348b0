#!/usr/bin/env bash
# Finding: InfluxDB 2 (2.7) forgets points that it has acknowledged, at each start again, once its write-ahead log
# has had an entry that is not whole, as a full disk or a kill in the middle of a write leaves one. At its start it
# opens the newest segment to write on at its end, then reads the segments and cuts the half entry off; what is
# written next goes to where the end was before, behind a gap of zeros. The next start reads as far as the gap and
# cuts off the rest: all that was acknowledged meanwhile. The gap comes again each time, until the cache is
# written down as a file (at 25 MB, or after ten minutes without a write). It tells nobody but its journal.
# INFLUXD: the server's binary.
set -euo pipefail
influxd=${INFLUXD:-$(dirname "$0")/../.services/influxd}
[ -x "$influxd" ] || { echo "no influxd here: INFLUXD=/path/to/influxd"; exit 77; }
work=$(mktemp -d); pid=""; port=28086; url="http://127.0.0.1:$port"
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null; rm -rf "$work"' EXIT
start() {
  "$influxd" --http-bind-address="127.0.0.1:$port" --reporting-disabled --bolt-path="$work/bolt" \
    --engine-path="$work/engine" --sqlite-path="$work/sqlite" --log-level=error >>"$work/journal" 2>&1 & pid=$!
  until curl -sf "$url/health" >/dev/null; do sleep 0.2; done
}
write() { curl -sf -o "$work/said" -w '%{http_code} ' "$url/api/v2/write?org=o&bucket=b&precision=s" \
  -H "Authorization: Token t" -d "rain value=$1i $((1753500000 + $1))"; }
count() { curl -sf "$url/api/v2/query?org=o" -H "Authorization: Token t" -H "Content-Type: application/vnd.flux" \
  -d 'from(bucket:"b") |> range(start: 0) |> count() |> keep(columns: ["_value"])' | tr -d '\r' | grep -o '[0-9]*$' | sort -n | tail -1; }
start
curl -sf -o "$work/said" "$url/api/v2/setup" -d '{"username":"u","password":"password-1","org":"o","bucket":"b","token":"t"}'
{
  printf 'acknowledged: '; for n in 1 2 3; do write $n; done; echo
  kill -9 $pid; wait $pid 2>/dev/null || true
  wal=$(find "$work/engine/wal" -name '_*.wal' -size +0 | sort | tail -1)
  head -c 40 "$wal" >>"$wal" # the beginning of an entry, and no more
  start; echo "after the first start: $(count)"
  printf 'acknowledged: '; for n in 4 5 6 7; do write $n; done; echo "and there: $(count)"
  kill -9 $pid; wait $pid 2>/dev/null || true
  start; echo "after the second start: $(count)"
} | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
acknowledged: 204 204 204 
after the first start: 3
acknowledged: 204 204 204 204 and there: 7
after the second start: 3
SEEN
echo "as described"
