#!/usr/bin/env bash
# The newest mosquitto, built from the source package of Debian's unstable suite, and the tests that reach a
# broker, on it: Debian 12 itself serves 2.0.11. Outside CI: that suite moves on. As root or with the
# development packages below; takes a quarter of an hour of two cores.
#   bash deploy/mosquitto-newest.sh [TEST...]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
into="$root/build/versions/mosquitto"
mkdir -p "$into"/{lists/partial,cache/archives/partial,source}

# lists and settings of its own: the machine's stay as they are
apt_=(-o "Dir::State::lists=$into/lists" -o "Dir::Etc::sourcelist=$into/sources.list"
  -o Dir::Etc::sourceparts=/dev/null -o "Dir::Cache=$into/cache" -o APT::Sandbox::User=root)
mirror=$(sed -n 's/^URIs: *//p;s/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\).*/\2/p' \
  /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep -m1 '/debian/*$' || true)
: "${mirror:?no Debian mirror in /etc/apt}"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$into/sources.list"

if [ ! -x "$into/usr/sbin/mosquitto" ]; then
  apt-get install -y --no-install-recommends cmake g++ pkg-config libcjson-dev libsqlite3-dev libssl-dev \
    libargon2-dev libmicrohttpd-dev >"$into/log" 2>&1
  apt-get "${apt_[@]}" update >>"$into/log" 2>&1
  (cd "$into/source" && apt-get "${apt_[@]}" source --download-only mosquitto >>"$into/log" 2>&1 &&
    mkdir -p unpacked && tar xf mosquitto_*.orig.tar.gz -C unpacked --strip-components=1)
  cmake -S "$into/source/unpacked" -B "$into/source/build" -DCMAKE_BUILD_TYPE=Release -DWITH_TESTS=OFF \
    -DWITH_DOCS=OFF -DWITH_SYSTEMD=OFF -DWITH_BUNDLED_DEPS=ON -DWITH_HTTP_API=OFF -DWITH_CTRL_SHELL=OFF \
    -DCMAKE_INSTALL_PREFIX="$into/usr" >>"$into/log" 2>&1
  cmake --build "$into/source/build" --parallel 2 --target install >>"$into/log" 2>&1
fi

export LD_LIBRARY_PATH="$into/usr/lib" PATH="$into/usr/bin:$into/usr/sbin:$PATH"
mosquitto -h | head -1
[ $# -gt 0 ] || set -- tests/contracts/test_node_contract.py tests/fengsui/files/test_broker_config.py \
  tests/ingest/telemetry tests/ingest/test_said_again.py tests/servers/test_broker_attacks.py \
  tests/servers/test_broker_leaves.py tests/servers/test_power_cut.py tests/servers/test_qos_0.py
exec "$root/.venv/bin/pytest" -q -p no:cacheprovider -n 2 "$@"
