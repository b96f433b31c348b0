#!/usr/bin/env bash
# Finding: mosquitto 2.0.11 (Debian 12, 2.0.11-1.2+deb12u2) answers a QoS 1 publish that its access list forbids
# with an ordinary PUBACK when the device speaks MQTT 3.1.1, and then drops the message. Nothing reaches a
# subscriber, and nothing on the wire differs from a reading that was kept. Only MQTT 5 carries the reason
# (135, Not authorized).
# For a gauge whose name is misspelt in the access list, "acknowledged" therefore means nothing.
# Needs Debian 12 (amd64 or arm64) with its package mirror; everything goes into a temporary folder.
set -euo pipefail
want=2.0.11-1.2+deb12u2
work=$(mktemp -d); trap 'kill "${pid:-0}" "${sub:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"; chmod 755 .
apt-get download -qq "mosquitto=$want" "mosquitto-clients=$want" "libmosquitto1=$want" libwebsockets17 libcjson1 libdlt2 libuv1 libev4 libc-ares2 2>/dev/null
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(find root/usr/lib -maxdepth 1 -type d -name '*-linux-gnu*' | head -1)
PATH="$work/root/usr/bin:$work/root/usr/sbin:$PATH"
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
printf 'user gauge\ntopic write ok/#\nuser reader\ntopic read #\n' >acl
printf 'gauge:one\nreader:two\n' >users; mosquitto_passwd -U users
printf 'listener %s 127.0.0.1\nallow_anonymous false\npassword_file %s/users\nacl_file %s/acl\nuser root\n' "$port" "$work" "$work" >conf
chmod 644 acl users conf
mosquitto -c conf >broker.log 2>&1 & pid=$!
until mosquitto_pub -p "$port" -u gauge -P one -q 1 -t ok/hello -m 0 2>/dev/null; do kill -0 "$pid"; sleep 0.2; done
mosquitto_sub -p "$port" -u reader -P two -q 1 -v -t 'ok/#' -t 'no/#' >heard 2>sub.log & sub=$!
# a message of its own says when the subscription stands, and another when all before it was delivered
until grep -q 'ok/ready' heard; do mosquitto_pub -p "$port" -u gauge -P one -q 1 -t ok/ready -m 0; sleep 0.2; done
mosquitto_pub -p "$port" -u gauge -P one -V 311 -q 1 -d -t no/rain -m 12.5 >v311 2>&1; rc=$?
mosquitto_pub -p "$port" -u gauge -P one -V 5 -q 1 -d -t no/rain -m 12.5 >v5 2>&1 || true
mosquitto_pub -p "$port" -u gauge -P one -q 1 -t ok/last -m 1
until grep -q 'ok/last' heard; do sleep 0.2; done
mosquitto -h | head -1 || true
echo "MQTT 3.1.1, topic forbidden: exit status $rc, $(grep PUBACK v311)"
echo "MQTT 5,     topic forbidden: $(grep PUBACK v5)"
echo "heard by a reader of everything: $(sort -u heard | tr '\n' ';')"
[ "$rc" = 0 ] && grep -q 'PUBACK (Mid: 1, RC:0)' v311 && grep -q 'RC:135' v5 && ! grep -q '^no/rain' heard
echo "as described"
