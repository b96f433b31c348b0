#!/usr/bin/env bash
# Finding: mosquitto 2.0.11 writes its store (persistence true) to mosquitto.db.new, syncs that file and renames it to
# mosquitto.db, and never syncs the folder. A power cut after that may leave the old store, or at the first time none,
# with the new one whole beside it under a name that mosquitto does not read at its start: all sessions and queued QoS 1
# messages that it had acknowledged and "saved" are gone. On ext4 the rename is on the disk when the journal commits (5 s
# by default), so autosave_interval 1 does not mean one second. Seen on a real ext4 by EXT4_IOC_SHUTDOWN: mosquitto.db.new
# of 62 kB stood there, mosquitto.db did not, 0 of 500 acknowledged messages came; with `chattr +D` on the folder all 500.
# Here the system calls are looked at, which needs no root. Needs Debian 12 (amd64 or arm64) with its package mirror.
set -euo pipefail
want=2.0.11-1.2+deb12u2
work=$(mktemp -d); trap 'kill "${broker:-0}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "mosquitto=$want" "mosquitto-clients=$want" "libmosquitto1=$want" libwebsockets17 libcjson1 libdlt2 libuv1 libev4 libc-ares2 strace=6.1-0.1 libunwind8 2>/dev/null
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(find root/usr/lib -maxdepth 1 -type d -name '*-linux-gnu*' | head -1):$(find root/lib root/usr/lib -maxdepth 1 -type d -name '*-linux-gnu*' 2>/dev/null | paste -sd:)
PATH="$work/root/usr/bin:$work/root/usr/sbin:$PATH"
mkdir store
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/store/\nautosave_interval 1\nuser %s\n' \
  "$port" "$work" "$(id -un)" >"$work/conf"
strace -f -y -qq -e trace=fsync,fdatasync,rename,renameat,renameat2,sync_file_range,syncfs -o "$work/calls" \
  sh -c 'echo $$ >"$1"; exec mosquitto -c "$2"' - "$work/pid" "$work/conf" >"$work/notes" 2>&1 &
until mosquitto_sub -p "$port" -i hearer -c -q 1 -t t -E 2>/dev/null; do sleep 0.2; done
mosquitto_pub -p "$port" -q 1 -t t -m something
until grep -q 'rename.*mosquitto.db' "$work/calls"; do sleep 0.2; done
sleep 2  # it would have had the time
broker=$(cat "$work/pid")
{
  { mosquitto -h || true; } | sed -n 1p
  # what it does to its files, from the first new store on
  sed -E "s#^[0-9]+ +##; s#$work#FOLDER#g; s#\((AT_FDCWD<[^>]*>, )?[0-9]*<?#(#; s#>\)#)#; s#AT_FDCWD<[^>]*>, ##g; s#, 0\)#)#; s# = 0##" "$work/calls" | sed -n 1,2p
  grep -E 'f(data)?sync\([0-9]+<'"$work"'/store>\)' "$work/calls" || echo "the folder was never synced"
} | tee seen
diff seen - <<'SEEN'
mosquitto version 2.0.11
fsync(FOLDER/store/mosquitto.db.new)
rename("FOLDER/store//mosquitto.db.new", "FOLDER/store//mosquitto.db")
the folder was never synced
SEEN
echo "as described"
