#!/usr/bin/env bash
# Finding: @dec112/cap-ts 0.3.2, the one reader of CAP on npm, cannot be loaded as it is installed: it asks for
# tslib, which its package.json does not name. With tslib beside it, it reads and writes. Where another package
# of the same tree happens to bring tslib it works, until that one goes.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
cat >try.js <<'JS'
const fs = require("fs");
const { version } = JSON.parse(fs.readFileSync("node_modules/@dec112/cap-ts/package.json"));
let seen = "loaded";
try { require("@dec112/cap-ts"); } catch (e) { seen = `${e.code} ${e.message.split("\n")[0]}`; }
console.log(version, seen);
JS
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @dec112/cap-ts@0.3.2
node try.js | tee seen
npm install --silent --no-fund --no-audit tslib@2.9.1
node try.js | tee -a seen
diff seen - <<'SEEN'
0.3.2 MODULE_NOT_FOUND Cannot find module 'tslib'
0.3.2 loaded
SEEN
echo "as described"
