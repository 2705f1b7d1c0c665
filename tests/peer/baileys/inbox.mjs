// What one customer has seen: messages with what happened to them, receipts for the own ones, who is typing.
// Every record carries the revision at which it last changed, so that the Python side can ask for what is new.
import { getContentType, jidNormalizedUser, normalizeMessageContent, proto, toNumber } from 'baileys';
import { fromBaileys, textOf } from './contents.mjs';
import { decryptVote } from './votes.mjs';

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;
const { CIPHERTEXT, REVOKE: REVOKED_STUB } = proto.WebMessageInfo.StubType;
const STATUS = { [proto.WebMessageInfo.Status.ERROR]: 'failed', [proto.WebMessageInfo.Status.DELIVERY_ACK]: 'delivered',
  [proto.WebMessageInfo.Status.READ]: 'read', [proto.WebMessageInfo.Status.PLAYED]: 'played' };
const QUIET = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);

export class Inbox {
  constructor(phone) {
    this.phone = phone;
    this.messages = new Map(); // id -> what Baileys gave: { key, message }, own ones too
    this.records = new Map(); // id -> what the Python side sees
    this.receipts = new Map();
    this.typing = new Map();
    this.revision = 0;
    this.waiting = new Set();
  }

  keep(message) {
    this.messages.set(message.key.id, message);
  }

  raw(waId) {
    return this.messages.get(waId);
  }

  known(waId) {
    const found = this.messages.get(waId);
    if (!found?.message) throw new Error(`${this.phone.name} has no message ${waId}`);
    return found;
  }

  #changed(record) {
    record.revision = ++this.revision;
    for (const wake of this.waiting) wake();
    return record;
  }

  /** What changed since revision after; waits up to waitMs for something. */
  async changes(after, waitMs = 0) {
    if (this.revision <= after && waitMs > 0) {
      await new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        this.waiting.add(wake);
      });
    }
    const since = (records) => [...records.values()].filter((record) => record.revision > after);
    return { revision: this.revision, received: since(this.records), receipts: since(this.receipts), typing: since(this.typing) };
  }

  /** Take in what Baileys received. Returns the record of a message with a content of its own, when it is new. */
  take(message, offline) {
    const { key } = message;
    if (key.fromMe) return void this.keep(message);
    const content = normalizeMessageContent(message.message);
    const kind = getContentType(content);
    const about = this.#about(message, content, kind);
    if (about) return void this.#changed(about);
    if (kind && QUIET.has(kind)) return undefined;
    const undecryptable = message.messageStubType === CIPHERTEXT;
    if (!message.message && !undecryptable && message.messageStubType !== REVOKED_STUB) return undefined;
    const seen = this.records.get(key.id);
    if (seen?.content && !seen.undecryptable) return void this.#changed(Object.assign(seen, { times_seen: seen.times_seen + 1 }));
    if (message.message) this.keep(message);
    const record = this.#record(key.id, {
      chat: key.remoteJid,
      chat_alt: key.remoteJidAlt || null,
      sender: key.participant || key.remoteJid,
      sender_alt: key.participantAlt || key.remoteJidAlt || null,
      push_name: message.pushName ?? '',
      content: fromBaileys(message.message, key.id, this.phone.own),
      at: toNumber(message.messageTimestamp),
      arrived: Date.now() / 1000,
      offline,
      undecryptable,
      times_seen: 1,
    });
    if (message.messageStubType === REVOKED_STUB) record.revoked = true;
    this.#changed(record);
    return undecryptable ? undefined : record;
  }

  /** The record of waId with values set; one that only changes were seen of is made, and shown once its message came. */
  #record(waId, values = {}) {
    const record = this.records.get(waId) ?? { wa_id: waId, reactions: {}, edits: [], revoked: false, votes: {} };
    this.records.set(waId, record);
    return Object.assign(record, values);
  }

  /** The record that message changes (a reaction, an edit, a revoke, a vote), or undefined when it is one of its own. */
  #about(message, content, kind) {
    const who = message.key.participant || message.key.remoteJid;
    if (kind === 'reactionMessage') {
      const record = this.#record(content.reactionMessage.key.id);
      if (content.reactionMessage.text) record.reactions[who] = content.reactionMessage.text;
      else delete record.reactions[who];
      return record;
    }
    if (kind === 'pollUpdateMessage') {
      const { pollCreationMessageKey, vote } = content.pollUpdateMessage;
      const record = this.#record(pollCreationMessageKey.id);
      const poll = this.messages.get(pollCreationMessageKey.id);
      const voters = [who, message.key.participantAlt || message.key.remoteJidAlt].filter(Boolean).map(jidNormalizedUser);
      const chosen = poll && decryptVote(poll, vote, voters, this.phone.own);
      if (!chosen) console.error(this.phone.name, 'cannot read a vote in', pollCreationMessageKey.id, 'by', voters);
      record.votes[who] = chosen ?? null;
      return record;
    }
    if (kind !== 'protocolMessage') return undefined;
    const { type, key, editedMessage } = content.protocolMessage;
    if (type === REVOKE) return this.#record(key.id, { revoked: true });
    if (type === MESSAGE_EDIT) {
      const record = this.#record(key.id);
      record.edits.push(textOf(editedMessage));
      return record;
    }
    return undefined;
  }

  #receipt(waId, status, at, who) {
    const known = this.receipts.get(waId) ?? { wa_id: waId, delivered: null, read: null, played: null, failed: null, by: [] };
    known[status] ??= at;
    if (who && !known.by.includes(who)) known.by.push(who);
    this.receipts.set(waId, known);
    this.#changed(known);
  }

  statuses(updates) {
    for (const { key, update } of updates) {
      const status = STATUS[update.status];
      if (status && key.fromMe) this.#receipt(key.id, status, Number(update.messageTimestamp) || Date.now() / 1000, key.remoteJid);
    }
  }

  groupReceipts(updates) {
    for (const { key, receipt } of updates) {
      if (!key.fromMe) continue;
      const status = receipt.readTimestamp ? 'read' : 'delivered';
      this.#receipt(key.id, status, receipt.readTimestamp ?? receipt.receiptTimestamp, receipt.userJid);
    }
  }

  presence({ id, presences }) {
    for (const [who, { lastKnownPresence }] of Object.entries(presences)) {
      const known = this.typing.get(`${id} ${who}`) ?? { chat: id, who, history: [] };
      known.history.push([lastKnownPresence, Date.now() / 1000]);
      this.typing.set(`${id} ${who}`, known);
      this.#changed(known);
    }
  }
}
