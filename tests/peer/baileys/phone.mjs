// One customer: a linked device that reconnects by itself, and everything a person does with a phone.
import { createHash } from 'node:crypto';
import makeWASocket, {
  Browsers,
  delay,
  DisconnectReason,
  downloadContentFromMessage,
  generateMessageIDV2,
  getContentType,
  initAuthCreds,
  jidNormalizedUser,
  normalizeMessageContent,
  WA_CERT_DETAILS,
} from 'baileys';
import P from 'pino';
import { toBaileys } from './contents.mjs';
import { Inbox } from './inbox.mjs';
import { sealedEdit, sealedReaction } from './sealed.mjs';
import { encryptVote } from './votes.mjs';

const logger = P({ level: process.env.CUSTOMERS_LOG_LEVEL ?? 'warn' }, P.destination({ dest: 2, sync: true }));
const ACCEPTED_MS = 15_000;
const FINAL = new Set([DisconnectReason.loggedOut, DisconnectReason.forbidden, DisconnectReason.connectionReplaced]);

/** Make all phones of this process trust the root key (hex) of the server at url, and keep files there. */
export function useServer(url, rootKey) {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex');
  return { url, mediaHost: new URL(url).host };
}

function memoryKeys() {
  const held = new Map();
  return {
    get: async (type, ids) => Object.fromEntries(ids.map((id) => [id, held.get(`${type} ${id}`)])),
    set: async (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          if (value === null || value === undefined) held.delete(`${type} ${id}`);
          else held.set(`${type} ${id}`, value);
        }
      }
    },
  };
}

/** Devices of the people written to, as Baileys remembers them; a phone can forget them. */
function deviceCache() {
  const held = new Map();
  return {
    get: (key) => held.get(key),
    set: (key, value) => void held.set(key, value),
    del: (key) => void held.delete(key),
    flushAll: () => held.clear(),
  };
}

export class Phone {
  constructor({ name, display }, server, emit) {
    this.name = name;
    this.display = display;
    this.server = server;
    this.emit = emit;
    this.creds = initAuthCreds();
    this.keys = memoryKeys();
    this.devices = deviceCache();
    this.inbox = new Inbox(this);
    this.listeners = new Set();
    this.state = 'closed';
    this.wanted = false;
    this.failures = 0;
  }

  /** Both names of this phone's owner: phone number first, hidden identity second. */
  get own() {
    return [this.creds.me?.id, this.creds.me?.lid].filter(Boolean).map(jidNormalizedUser);
  }

  connect() {
    this.wanted = true;
    if (this.socket) return;
    const socket = makeWASocket({
      waWebSocketUrl: this.server.url,
      auth: { creds: this.creds, keys: this.keys },
      browser: Browsers.ubuntu('Chrome'),
      logger: logger.child({ customer: this.name }),
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => false,
      emitOwnEvents: false,
      generateHighQualityLinkPreview: false,
      userDevicesCache: this.devices,
      customUploadHosts: [{ hostname: this.server.mediaHost }],
      getMessage: async (key) => this.inbox.raw(key.id)?.message,
    });
    this.socket = socket;
    socket.ev.on('creds.update', (update) => this.#remember(update));
    socket.ev.on('connection.update', (update) => this.#connection(socket, update));
    socket.ev.on('messages.upsert', ({ messages, type }) => {
      for (const message of messages) {
        const record = this.inbox.take(message, type === 'append');
        if (record) for (const listener of this.listeners) listener(record, message);
      }
    });
    socket.ev.on('messages.update', (updates) => this.inbox.statuses(updates));
    socket.ev.on('message-receipt.update', (updates) => this.inbox.groupReceipts(updates));
    socket.ev.on('presence.update', (update) => this.inbox.presence(update));
  }

  async disconnect() {
    this.wanted = false;
    const socket = this.socket;
    await socket?.end(undefined);
  }

  forgetDevices() {
    this.devices.flushAll();
  }

  #remember(update) {
    Object.assign(this.creds, update);
    // A phone without a name of its own counts as absent and never says "delivered" to the sender.
    if (this.creds.me && !this.creds.me.name) this.creds.me.name = this.display;
  }

  #connection(socket, { qr, connection, lastDisconnect }) {
    if (socket !== this.socket) return;
    if (qr) this.emit({ event: 'qr', qr });
    if (connection === 'open') {
      this.failures = 0;
      this.#become('open');
    }
    if (connection !== 'close') return;
    this.socket = undefined;
    const code = lastDisconnect?.error?.output?.statusCode;
    if (FINAL.has(code)) this.wanted = false;
    this.#become(code === DisconnectReason.loggedOut ? 'logged_out' : 'closed', code);
    if (!this.wanted) return;
    const wait = code === DisconnectReason.restartRequired ? 0 : Math.min(2000, 200 * 2 ** this.failures++);
    setTimeout(() => this.wanted && this.connect(), wait);
  }

  #become(state, code) {
    this.state = state;
    this.emit({ event: 'state', state, code });
  }

  #linked() {
    if (!this.socket || this.state !== 'open') throw new Error(`${this.name} is not connected`);
    return this.socket;
  }

  /** Send what make(socket, id) sends and wait until the server has accepted it. */
  async #deliver(make, id) {
    const socket = this.#linked();
    const accepted = socket.waitForMessage(id, ACCEPTED_MS);
    accepted.catch(() => undefined);
    const sent = await make(socket);
    const answer = await accepted;
    if (!answer) throw new Error(`the server did not accept message ${id} in ${ACCEPTED_MS} ms`);
    if (answer.attrs?.error) throw new Error(`the server refused message ${id}: ${answer.attrs.error}`);
    return sent;
  }

  newId() {
    return generateMessageIDV2(this.creds.me?.id);
  }

  async send(to, content, data = Buffer.alloc(0), id = this.newId()) {
    const quoted = content.quoted_id ? this.inbox.known(content.quoted_id) : undefined;
    const message = toBaileys(content, data);
    const ephemeralExpiration = content.timer?.seconds;
    const sent = await this.#deliver((socket) => socket.sendMessage(to, message, { messageId: id, quoted, ephemeralExpiration }), id);
    this.inbox.keep(sent);
    return { wa_id: id, chat: sent.key.remoteJid, at: Date.now() / 1000 };
  }

  async #about(waId, message) {
    const { key } = this.inbox.known(waId);
    const id = this.newId();
    await this.#deliver((socket) => socket.sendMessage(key.remoteJid, message(key), { messageId: id }), id);
    return { wa_id: id, chat: key.remoteJid, at: Date.now() / 1000 };
  }

  /** Let the messages of a chat with a person disappear after so many seconds, or no longer (0). */
  async timer(to, seconds) {
    const id = this.newId();
    await this.#deliver((socket) => socket.sendMessage(to, { disappearingMessagesInChat: seconds || false }, { messageId: id }), id);
  }

  edit(waId, text) {
    return this.#about(waId, (key) => ({ text, edit: key, linkPreview: null }));
  }

  revoke(waId) {
    return this.#about(waId, (key) => ({ delete: key }));
  }

  react(waId, emoji) {
    return this.#about(waId, (key) => ({ react: { text: emoji, key } }));
  }

  /** Send message as it is, which nobody has to show, into the chat to. */
  async #relay(to, message, more = {}) {
    const id = this.newId();
    await this.#deliver((socket) => socket.relayMessage(to, message, { messageId: id, ...more }), id);
    return { wa_id: id, chat: to, at: Date.now() / 1000 };
  }

  /** Change the text of an own message as phones do; hidden: under the owner's LID; to: another chat than that of the message. */
  editSealed(waId, text, { hidden = false, to } = {}) {
    const known = this.inbox.known(waId);
    const chat = to ?? known.key.remoteJid;
    return this.#relay(chat, sealedEdit(known, text, this.own[hidden ? 1 : 0]), { additionalAttributes: { edit: '1' } });
  }

  /** React to a message of writer as phones do in communities. */
  reactSealed(waId, emoji, writer) {
    const known = this.inbox.known(waId);
    return this.#relay(known.key.remoteJid, sealedReaction(known, emoji, writer, this.own[0]));
  }

  async vote(waId, options) {
    const poll = this.inbox.known(waId);
    const id = this.newId();
    const message = { pollUpdateMessage: encryptVote(poll, options, this.own) };
    const additionalNodes = [{ tag: 'meta', attrs: { polltype: 'vote' } }];
    await this.#deliver((socket) => socket.relayMessage(poll.key.remoteJid, message, { messageId: id, additionalNodes }), id);
    return { wa_id: id, chat: poll.key.remoteJid, at: Date.now() / 1000 };
  }

  read(waIds) {
    return this.#linked().sendReceipts(waIds.map((waId) => this.inbox.known(waId).key), 'read');
  }

  async presence(to, state) {
    const socket = this.#linked();
    await socket.presenceSubscribe(to);
    await socket.sendPresenceUpdate(state, to);
  }

  async download(waId) {
    const content = normalizeMessageContent(this.inbox.known(waId).message);
    const kind = getContentType(content);
    const stream = await Promise.race([
      downloadContentFromMessage(content[kind], kind.replace('Message', ''), { host: this.server.mediaHost }),
      delay(ACCEPTED_MS).then(() => Promise.reject(new Error('the file did not come'))),
    ]);
    const parts = [];
    for await (const part of stream) parts.push(part);
    const data = Buffer.concat(parts);
    return { sha256: createHash('sha256').update(data).digest('hex'), size: data.length, data: data.toString('base64') };
  }
}
