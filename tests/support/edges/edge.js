// An edge node of sparkplug-client (npm, Eclipse Tahu), driven by lines of JSON, as edge.py is. With aliases, and
// packed where it is told so.
const [port, user, password, group, edge, modules] = process.argv.slice(2);
const sparkplug = require(modules + "/sparkplug-client");
const DEVICE = "RTU 1";
const METRICS = {
  "Level": { alias: 11, type: "Double", value: 1.25 },
  "Rain Total": { alias: 12, type: "Int32", value: 0 },
  "Temperature": { alias: 13, type: "Int16", value: -7 },
  "Battery": { alias: 14, type: "Float", value: 88.5 },
  "Note": { alias: 15, type: "String", value: "ok" },
};
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let packed;
const client = sparkplug.newClient({
  serverUrl: "mqtt://127.0.0.1:" + port, username: user, password, clientId: user, groupId: group, edgeNode: edge,
  publishDeath: true,
});
function births() {
  const now = Date.now();
  client.publishNodeBirth({ timestamp: now, metrics: [
    { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: now },
  ] }, packed);
  client.publishDeviceBirth(DEVICE, { timestamp: now, metrics:
    Object.entries(METRICS).map(([name, m]) => ({ name, timestamp: now, ...m })) }, packed);
}
// It has started once its own birth came back from the broker: what it subscribed to before stands then too, and
// whoever listens from now on does not hear these births.
const OWN = `spBv1.0/${group}/DBIRTH/${edge}/${DEVICE}`;
client.on("birth", () => { client.subscribeTopic(OWN); births(); });
client.on("message", (topic) => { if (topic === OWN) { client.unsubscribeTopic(OWN); say("started"); } });
client.on("ncmd", (payload) => {
  if (payload.metrics.some((m) => m.name === "Node Control/Rebirth" && m.value)) {
    say("rebirth asked"); births(); say("born again");
  }
});
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const what = JSON.parse(line);
  if (what.do === "data") {
    const { alias, type } = METRICS[what.name];
    const value = what.value === undefined ? null : what.value;
    if (value !== null) METRICS[what.name].value = value;
    const one = { alias, type, value, timestamp: what.at || Date.now() };
    if (what.historical) one.isHistorical = true;
    client.publishDeviceData(DEVICE, { timestamp: Date.now(), metrics: [one] }, packed);
  } else if (what.do === "skip") client.incrementSeqNum();
  else if (what.do === "pack") packed = { compress: true, algorithm: what.algorithm };
  else if (what.do === "lose") client.publishDeviceDeath(DEVICE, { timestamp: Date.now(), metrics: [] });
  else if (what.do === "stop") client.stop();
  say(what.do);
}).on("close", () => process.exit(0));
