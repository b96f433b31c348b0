#!/usr/bin/env bash
# Real servers for the tests, fetched or built once into .services/: Kafka 4.1 (Maven), InfluxDB 2
# (built with Go and Rust), mosquitto (a system package). Says what is missing and how to get it;
# one part that fails does not stop the others.
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

mosquitto_() {
  export PATH="$PATH:/usr/sbin"
  command -v mosquitto >/dev/null && command -v mosquitto_pub >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "services: installing mosquitto"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y mosquitto mosquitto-clients; } \
      >"$into/mosquitto.log" 2>&1 || lack "mosquitto could not be installed: see $into/mosquitto.log"
  else
    lack "install mosquitto and its clients (Debian: mosquitto mosquitto-clients)"
  fi
}

kafka
mosquitto_
influxd
exit $missing
