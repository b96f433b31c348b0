#!/usr/bin/env bash
# Real servers for the tests, fetched or built once into .services/: Kafka 4.1 (Maven), InfluxDB 2
# (built with Go and Rust), Gotify (built with Go), two SMSCs (Maven, npm), two Sparkplug edge nodes
# (PyPI, npm), a camera with ONVIF (PyPI); mosquitto, Kannel, webhook, GStreamer, lighttpd, baresip,
# SIPp, kamailio and smstools (system packages).
# Says what is missing and how to get it; one part that fails does not stop the others.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
into="$root/.services"
mkdir -p "$into"
missing=0

lack() { echo "services: $1" >&2; missing=1; }

kafka() {
  [ -f "$into/kafka/ready" ] && return
  command -v java >/dev/null || { lack "Kafka needs Java 17 or newer (Debian: openjdk-17-jre-headless)"; return; }
  command -v mvn >/dev/null || { lack "Kafka is fetched with Maven (Debian: maven)"; return; }
  echo "services: fetching Kafka"
  rm -rf "$into/kafka" && mkdir -p "$into/kafka"
  cp "$root/deploy/kafka-pom.xml" "$into/kafka/pom.xml"
  if mvn -q -B -f "$into/kafka/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$into/kafka/libs" >"$into/kafka.log" 2>&1; then
    touch "$into/kafka/ready"
  else
    lack "Kafka could not be fetched: see $into/kafka.log"
  fi
}

influxd() {
  [ -x "$into/influxd" ] && return
  command -v go >/dev/null || { lack "InfluxDB is built with Go 1.23 or newer"; return; }
  command -v cargo >/dev/null || { lack "InfluxDB's query language is built with Rust (rustup)"; return; }
  command -v pkg-config >/dev/null || { lack "InfluxDB's build needs pkg-config (Debian: pkg-config)"; return; }
  echo "services: building InfluxDB, about five minutes, once"
  mkdir -p "$into/build"
  cp "$root/deploy/influxd/go.mod" "$root/deploy/influxd/tools.go" "$into/build/"
  # its Rust part denies warnings that newer compilers have
  printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' >"$into/build/rustc-wrapper"
  chmod +x "$into/build/rustc-wrapper"
  if (
    cd "$into/build" &&
      GOBIN="$into/build" go install github.com/influxdata/pkg-config@v0.2.14 &&
      GOFLAGS=-mod=mod PKG_CONFIG="$into/build/pkg-config" RUSTUP_TOOLCHAIN=stable \
        RUSTC_WRAPPER="$into/build/rustc-wrapper" \
        go build -o "$into/influxd" github.com/influxdata/influxdb/v2/cmd/influxd
  ) >"$into/influxd.log" 2>&1; then
    :
  else
    lack "InfluxDB could not be built: see $into/influxd.log"
  fi
}

# NAME COMMAND... -- PACKAGE...: system packages, unless every command is there
system_() {
  local name=$1 here=1
  shift
  export PATH="$PATH:/usr/sbin"
  while [ "$1" != -- ]; do
    command -v "$1" >/dev/null || here=0
    shift
  done
  shift
  [ "$here" = 1 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "services: installing $name"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
      >"$into/$name.log" 2>&1 || lack "$name could not be installed: see $into/$name.log"
  else
    lack "install $name (Debian: $*)"
  fi
}

# an RTSP server: libraries that the system's Python runs, so no command tells that they are there
gstreamer() {
  /usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')
from gi.repository import GstRtspServer, Gst
Gst.init(None)
assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')" 2>/dev/null && return
  system_ gstreamer gstreamer-rtsp-server -- python3-gi gir1.2-gst-rtsp-server-1.0 \
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly glib-networking
}

ipycam() {
  [ -d "$into/ipycam/ipycam" ] && return
  # by itself: NumPy and OpenCV are those of the environment that runs it
  "${PYTHON:-python3}" -m pip install --quiet --no-deps --target "$into/ipycam" ipycam==1.3.0 \
    >"$into/ipycam.log" 2>&1 || lack "the camera ipycam could not be fetched: see $into/ipycam.log"
}

smsc() {
  mkdir -p "$into/smsc"
  if [ ! -d "$into/smsc/node_modules/smpp" ]; then
    if command -v npm >/dev/null; then
      cp "$root/deploy/smsc/package.json" "$into/smsc/"
      (cd "$into/smsc" && npm install --no-audit --no-fund) >"$into/smsc.log" 2>&1 ||
        lack "the npm package smpp could not be fetched: see $into/smsc.log"
    else
      lack "an SMSC of the tests needs Node.js and npm"
    fi
  fi
  if [ ! -d "$into/smsc/libs" ]; then
    command -v mvn >/dev/null || { lack "jSMPP is fetched with Maven (Debian: maven)"; return; }
    mvn -q -B -f "$root/deploy/smsc/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$into/smsc/libs" >"$into/jsmpp.log" 2>&1 ||
      { rm -rf "$into/smsc/libs"; lack "jSMPP could not be fetched: see $into/jsmpp.log"; }
  fi
}

# two implementations of Sparkplug B that are not ours, as edge nodes
sparkplug() {
  mkdir -p "$into/sparkplug"
  if [ ! -x "$into/sparkplug/venv/bin/python" ]; then
    { "${PYTHON:-python3}" -m venv "$into/sparkplug/venv" &&
      "$into/sparkplug/venv/bin/pip" install --disable-pip-version-check -r "$root/deploy/sparkplug/requirements.txt"; } \
      >"$into/sparkplug.log" 2>&1 ||
      { rm -rf "$into/sparkplug/venv"; lack "pysparkplug could not be fetched: see $into/sparkplug.log"; }
  fi
  if [ ! -d "$into/sparkplug/node_modules/sparkplug-client" ]; then
    command -v npm >/dev/null || { lack "an edge node of the tests needs Node.js and npm"; return; }
    cp "$root/deploy/sparkplug/package.json" "$into/sparkplug/"
    (cd "$into/sparkplug" && npm install --no-audit --no-fund --ignore-scripts) >"$into/sparkplug-client.log" 2>&1 ||
      lack "the npm package sparkplug-client could not be fetched: see $into/sparkplug-client.log"
  fi
}

gotify() {
  [ -x "$into/gotify" ] && return
  command -v go >/dev/null && command -v cc >/dev/null || { lack "Gotify is built with Go 1.23 or newer and a C compiler"; return; }
  echo "services: building Gotify, one or two minutes, once"
  local build="$into/build-gotify" files
  rm -rf "$build" && mkdir -p "$build"
  cp "$root/deploy/gotify/go.mod" "$root/deploy/gotify/go.sum" "$root/deploy/gotify/tools.go" "$build/"
  if (
    cd "$build" && export GOFLAGS=-mod=mod &&
      go mod download github.com/gotify/server/v2 &&
      files=$(go list -m -f '{{.Dir}}' github.com/gotify/server/v2) &&
      cp -r "$files" source && chmod -R u+w source &&
      # the module comes without its built pages: the tests need none
      mkdir -p source/ui/build/static && touch source/ui/build/static/none &&
      for page in index.html manifest.json asset-manifest.json; do echo '{}' >"source/ui/build/$page"; done &&
      go mod edit -replace github.com/gotify/server/v2=./source &&
      go build -o "$into/gotify" github.com/gotify/server/v2
  ) >"$into/gotify.log" 2>&1; then
    chmod -R u+w "$build" && rm -rf "$build"
  else
    lack "Gotify could not be built: see $into/gotify.log"
  fi
}

kafka
system_ mosquitto mosquitto mosquitto_pub -- mosquitto mosquitto-clients
system_ kannel bearerbox smsbox /usr/lib/kannel/test/fakesmsc -- kannel kannel-extras
system_ webhook webhook -- webhook
system_ xmlsec1 xmlsec1 -- xmlsec1
system_ espeak-ng espeak-ng sox -- espeak-ng sox
system_ smstools smsd -- smstools
system_ telephony baresip sipp kamailio -- baresip-core sip-tester kamailio
gstreamer
system_ lighttpd lighttpd -- lighttpd lighttpd-mod-openssl
system_ chromium chromium -- chromium fonts-wqy-microhei
smsc
sparkplug
ipycam
gotify
influxd
exit $missing
