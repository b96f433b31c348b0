// An SMSC of the npm package smpp: node server.js '{"port": 2775, "file": "taken.jsonl", …}'.
// It writes what it takes as JSON lines, answers, and sends a delivery receipt for each message.
// rate: so many it takes, then none until it has said ESME_RTHROTTLED for half a second, and so on;
// status: the receipt's word, "" for none; refuse: a command_status for every submit_sm; reply: false takes and never answers; slow_ms:
// waits so long before it answers; die_after: hangs up after so many.
const fs = require('fs');
const smpp = require('smpp');
const o = Object.assign({ rate: 0, status: 'DELIVRD', refuse: 0, reply: true, slow_ms: 0,
  die_after: 0, password: 'secret' }, JSON.parse(process.argv[2]));
const out = fs.openSync(o.file, 'a');
let n = 0, left = o.rate, until = 0;

function room() {
  if (!o.rate) return true;
  if (!left) {
    until = until || Date.now() + 500;
    if (Date.now() < until) return false;
    left = o.rate;
    until = 0;
  }
  left -= 1;
  return true;
}

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (p) => {
    const well = p.password === o.password;
    session.send(p.response({ command_status: well ? 0 : smpp.ESME_RINVPASWD }));
  });
  session.on('enquire_link', (p) => session.send(p.response()));
  session.on('unbind', (p) => { session.send(p.response()); session.close(); });
  session.on('submit_sm', (p) => {
    if (!room()) {
      fs.writeSync(out, '{"throttled": true}\n');
      return session.send(p.response({ command_status: smpp.ESME_RTHROTTLED }));
    }
    if (o.refuse) return session.send(p.response({ command_status: o.refuse }));
    n += 1;
    const id = n.toString(16).padStart(8, '0');
    const m = p.short_message || {};
    fs.writeSync(out, JSON.stringify({
      to: p.destination_addr, from: p.source_addr, dcs: p.data_coding, esm: p.esm_class,
      text: m.message || '', udh: m.udh ? Array.from(m.udh[0]) : null,
      payload: p.message_payload ? p.message_payload.message || '' : null,
      registered: p.registered_delivery, at: Date.now(),
    }) + '\n');
    if (o.die_after && n >= o.die_after) return session.socket.destroy();
    if (!o.reply) return undefined;
    setTimeout(() => {
      session.send(p.response({ message_id: id }));
      if (!o.status) return;
      session.deliver_sm({
        source_addr: p.destination_addr, destination_addr: p.source_addr, esm_class: 4,
        short_message: `id:${id} sub:001 dlvrd:001 submit date:2507261830 done date:2507261830 ` +
          `stat:${o.status} err:000 text:`,
      });
    }, o.slow_ms);
    return undefined;
  });
});
server.listen(o.port, '127.0.0.1', () => console.log('listening'));
