#!/usr/bin/env bash
# Finding: the SQLite store of mosquitto 2.1.2 (Debian unstable, 2.1.2-3; plugin mosquitto_persist_sqlite) with
# `plugin_opt_flush_period 0`, which looks like the strictest setting it has, drops acknowledged messages for
# good. Of 5,000 QoS 1 messages that were sent in one go to a session that is away, and all acknowledged, about a
# quarter stood in the store after five quiet seconds and a clean stop (seen: 443 and 481), and the session got
# no more than those. With a period of 1 all 5,000 are there. Whoever sets 0 to lose nothing loses the most.
# Needs Debian's package mirror (amd64) with its unstable suite; everything goes into a temporary folder.
set -euo pipefail
want=2.1.2-3
work=$(mktemp -d); trap 'kill "${pid:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"; chmod 755 .; mkdir -p lists/partial cache/archives/partial
echo "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >sources.list
apt_=(-qq -o "Dir::State::lists=$work/lists" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${apt_[@]}" update 2>/dev/null
# with the C library of that suite, for the machine's own may be older
libraries=$(apt-cache "${apt_[@]}" depends --recurse --important mosquitto mosquitto-clients | grep -E '^(lib|zlib1g)' | grep -v ':' | sort -u)
apt-get "${apt_[@]}" download "mosquitto=$want" "mosquitto-clients=$want" $libraries 2>/dev/null
for deb in *.deb; do dpkg-deb -x "$deb" root; done
libs=$(find root -name '*.so*' -printf "$work/%h\n" | grep -E 'linux-gnu$' | sort -u | paste -sd:)
ld=$work/$(find root -name 'ld-linux-x86-64.so.2' -type f | head -1)
plugin=$work/$(find root -name mosquitto_persist_sqlite.so)
/sbin/ldconfig -n ${libs//:/ }  # one library comes without its link
of() { "$ld" --library-path "$libs" "root/usr/$1" "${@:2}"; }
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
of sbin/mosquitto -h | head -1 || true
waiting() { python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM client_msgs").fetchone())' "$1/mosquitto.sqlite3"; }
start() {  # FOLDER
  "$ld" --library-path "$libs" root/usr/sbin/mosquitto -c "$1/conf" >>"$1/log" 2>&1 & pid=$!
  until of bin/mosquitto_sub -p "$port" -i ingest -c -q 1 -t 'gauge/#' -E 2>/dev/null; do kill -0 "$pid"; sleep 0.2; done
}
for period in 0 1; do
  mkdir "$period"
  printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence_location %s\nplugin %s\nplugin_opt_sync full\nplugin_opt_flush_period %s\nmax_queued_messages 0\nuser root\n' \
    "$port" "$work/$period" "$plugin" "$period" >"$period/conf"
  start "$period"
  sleep 3  # the session itself is written down
  seq 5000 | of bin/mosquitto_pub -p "$port" -q 1 -t gauge/rain -l  # ends when all are acknowledged
  sleep 5  # five times the longer period, and nothing comes
  kill "$pid"; wait "$pid" || true
  kept=$(waiting "$period")
  echo "flush_period $period: acknowledged 5000; in the store after a clean stop $kept"
  if [ "$period" = 0 ]; then [ "$kept" -lt 5000 ]; else [ "$kept" = 5000 ]; fi
done
echo "as described"
