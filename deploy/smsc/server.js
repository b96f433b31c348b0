// An SMSC of the npm package smpp: node server.js '{"port": 2775, "file": "taken.jsonl", …}'.
// It writes what it takes as JSON lines, answers, and sends a delivery receipt for each message.
// rate: so many it takes, then none until it has said ESME_RTHROTTLED for half a second, and so on;
// status: the receipt's word, "" for none; refuse: a command_status for every submit_sm; reply: false takes and never answers; slow_ms:
// waits so long before it answers; die_after: hangs up after so many. What a receipt looks like: words:
// its text ({id}, {dec}: the id as a decimal), fields: of its PDU ({id} likewise), by: data_sm or
// deliver_sm; early: it comes before the response; odd: a query_sm comes with it, which we do not serve;
// answers: what they were answered is written too; unbind_after: unbinds after so many. says: a file to
// which somebody adds {"from": …, "text": …} lines: messages from telephones, each sent on once.
const fs = require('fs');
const smpp = require('smpp');
const o = Object.assign({ rate: 0, status: 'DELIVRD', refuse: 0, reply: true, slow_ms: 0,
  die_after: 0, password: 'secret', words: 'id:{id} sub:001 dlvrd:001 submit date:2507261830 ' +
  'done date:2507261830 stat:{stat} err:000 text:', fields: { esm_class: 4 }, by: 'deliver_sm',
  early: false, odd: false, answers: false, unbind_after: 0, says: '' }, JSON.parse(process.argv[2]));
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

function receipt(session, p, id) {
  const fill = (text) => text.replace('{id}', id).replace('{dec}', parseInt(id, 16))
    .replace('{stat}', o.status);
  const fields = { source_addr: p.destination_addr, destination_addr: p.source_addr };
  for (const [k, v] of Object.entries(o.fields)) fields[k] = typeof v === 'string' ? fill(v) : v;
  const words = Buffer.from(fill(o.words), 'latin1');
  fields[o.by === 'data_sm' ? 'message_payload' : 'short_message'] = words;
  const note = (a) => o.answers &&
    fs.writeSync(out, JSON.stringify({ answered: a.command, status: a.command_status }) + '\n');
  session[o.by](fields, note);
  if (o.odd) session.query_sm({ message_id: id }, note);
}

let said = 0;
function speak(session) {
  if (!fs.existsSync(o.says)) return;
  const lines = fs.readFileSync(o.says, 'utf8').split('\n').slice(0, -1);
  for (; said < lines.length; said += 1) {
    const { from, text } = JSON.parse(lines[said]);
    const words = Buffer.from(text, 'utf16le').swap16();
    session.deliver_sm({ source_addr: from, destination_addr: '1069', data_coding: 8,
      short_message: words });
  }
}

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (p) => {
    const well = p.password === o.password;
    session.send(p.response({ command_status: well ? 0 : smpp.ESME_RINVPASWD }));
    if (!well || !o.says) return;
    const ear = setInterval(() => speak(session), 100);
    session.on('close', () => clearInterval(ear));
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
      if (o.status && o.early) receipt(session, p, id);
      setTimeout(() => {
        session.send(p.response({ message_id: id }));
        if (o.status && !o.early) receipt(session, p, id);
      }, o.early ? 300 : 0);
      if (o.unbind_after && n === o.unbind_after) session.unbind(() => session.close());
    }, o.slow_ms);
    return undefined;
  });
});
server.listen(o.port, '127.0.0.1', () => console.log('listening'));
