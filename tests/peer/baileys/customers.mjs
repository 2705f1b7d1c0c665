// The customers' phones: many real WhatsApp clients (Baileys) in one process, driven by JSON lines.
//
// stdin:  {"id": 1, "command": "send", "name": "carla", ...}      one object per line
// stdout: {"id": 1, "result": ...} or {"id": 1, "error": "text"}  the answer to the command with that id
//         {"event": "qr", "name": "carla", "qr": "..."}           a code to scan
//         {"event": "state", "name": "carla", "state": "open"}    what became of a connection
// Everything else that anybody writes goes to stderr. The process ends when stdin ends.
import { createInterface } from 'node:readline';
import { Console } from 'node:console';
globalThis.console = new Console(process.stderr, process.stderr);

const { Phone, useServer } = await import('./phone.mjs');
const { Stream, echo } = await import('./load.mjs');

const [url, rootKey] = process.argv.slice(2);
const server = useServer(url, rootKey);
const phones = new Map();
const streams = new Map();

const write = (line) => process.stdout.write(JSON.stringify(line) + '\n');

function phone(name) {
  const found = phones.get(name);
  if (!found) throw new Error(`there is no customer named ${name}`);
  return found;
}

const commands = {
  add({ name, display }) {
    if (phones.has(name)) throw new Error(`there is a customer named ${name} already`);
    const made = new Phone({ name, display }, server, (event) => write({ ...event, name }));
    phones.set(name, made);
    made.connect();
  },
  send: ({ name, to, content, data }) => phone(name).send(to, content, Buffer.from(data ?? '', 'base64')),
  edit: ({ name, wa_id, text }) => phone(name).edit(wa_id, text),
  edit_sealed: ({ name, wa_id, text, hidden, to }) => phone(name).editSealed(wa_id, text, { hidden, to: to ?? undefined }),
  react_sealed: ({ name, wa_id, emoji, writer }) => phone(name).reactSealed(wa_id, emoji, writer),
  timer: ({ name, to, seconds }) => phone(name).timer(to, seconds),
  revoke: ({ name, wa_id }) => phone(name).revoke(wa_id),
  react: ({ name, wa_id, emoji }) => phone(name).react(wa_id, emoji),
  vote: ({ name, wa_id, options }) => phone(name).vote(wa_id, options),
  read: ({ name, wa_ids }) => phone(name).read(wa_ids),
  presence: ({ name, to, state }) => phone(name).presence(to, state),
  download: ({ name, wa_id }) => phone(name).download(wa_id),
  changes: ({ name, after, wait_ms }) => phone(name).inbox.changes(after, wait_ms),
  disconnect: ({ name }) => phone(name).disconnect(),
  reconnect: ({ name }) => phone(name).connect(),
  forget_devices: ({ name }) => phone(name).forgetDevices(),
  stream(order) {
    streams.set(order.stream, new Stream(order, order.names.map(phone)));
  },
  stream_result: ({ stream, wait_ms }) => streams.get(stream).result(wait_ms),
  echo: ({ name, on }) => echo(phone(name), on),
};

async function answer(line) {
  const { id, command, ...order } = JSON.parse(line);
  try {
    write({ id, result: (await commands[command](order)) ?? null });
  } catch (error) {
    console.error(command, error);
    write({ id, error: String(error?.message ?? error) });
  }
}

// One phone's trouble must not switch the others off.
process.on('unhandledRejection', (error) => console.error('unhandled', error));
process.on('uncaughtException', (error) => console.error('uncaught', error));
createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => void answer(line))
  .on('close', () => process.exit(0));
