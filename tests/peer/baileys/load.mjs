// Load: customers who write numbered texts at a rate and count the answers; and the plain echo bot to compare with.
import { delay } from 'baileys';
import { textOf } from './contents.mjs';

const DIGITS = 6;

/** Several customers write count texts each to one number; each text is "<prefix>-<name>-<number of 6 digits>". */
export class Stream {
  constructor({ to, count, per_second, text_prefix, answers }, phones) {
    this.order = { to, count, answers: answers ?? 1 };
    this.pause = per_second > 0 ? 1000 / per_second : 0;
    this.prefix = text_prefix;
    this.customers = phones.map((phone) => ({ phone, sent: [], replies: [], failed: [], open: count }));
    this.writing = phones.length;
    this.startedAt = Date.now();
    for (const customer of this.customers) {
      this.#listen(customer);
      void this.#write(customer).finally(() => {
        this.writing -= 1;
      });
    }
  }

  text(name, n) {
    return `${this.prefix}-${name}-${String(n).padStart(DIGITS, '0')}`;
  }

  #listen(customer) {
    const start = `${this.prefix}-${customer.phone.name}-`;
    const answered = new Map();
    customer.listener = (record, message) => {
      const text = textOf(message.message);
      const at = text.indexOf(start);
      if (at < 0) return;
      const n = Number(text.slice(at + start.length, at + start.length + DIGITS));
      customer.replies.push([n, Date.now(), record.wa_id]);
      answered.set(n, (answered.get(n) ?? 0) + 1);
      if (answered.get(n) === this.order.answers) customer.open -= 1;
    };
    customer.phone.listeners.add(customer.listener);
  }

  async #write(customer) {
    const begun = Date.now();
    for (let n = 1; n <= this.order.count; n += 1) {
      const wait = begun + (n - 1) * this.pause - Date.now();
      if (wait > 0) await delay(wait);
      const id = customer.phone.newId();
      const first = Date.now();
      // A phone that lost its connection sends the same message again, under the same id, when it is back.
      for (let attempt = 1; ; attempt += 1) {
        try {
          await customer.phone.send(this.order.to, { type: 'text', text: this.text(customer.phone.name, n) }, undefined, id);
          customer.sent.push([n, first, id]);
          break;
        } catch (error) {
          if (attempt === 60) {
            customer.failed.push([n, String(error?.message ?? error)]);
            break;
          }
          await delay(500);
        }
      }
    }
  }

  /** How far it is; waits up to waitMs until all texts are written and answered. */
  async result(waitMs = 0) {
    const until = Date.now() + waitMs;
    const done = () => this.writing === 0 && this.customers.every(({ open, failed }) => open <= failed.length);
    while (!done() && Date.now() < until) await delay(50);
    const customers = Object.fromEntries(
      this.customers.map(({ phone, sent, replies, failed }) => [phone.name, { sent, replies, failed }]),
    );
    return { done: done(), started: this.startedAt, customers };
  }
}

/** Make a phone answer every text with the same text, and nothing more: the yardstick of the benchmark. */
export function echo(phone, on) {
  if (phone.echo) phone.listeners.delete(phone.echo);
  phone.echo = undefined;
  if (!on) return;
  phone.echo = (record, message) => {
    const text = textOf(message.message);
    if (text) void phone.socket?.sendMessage(record.chat, { text, linkPreview: null }).catch((error) => console.error('echo', error));
  };
  phone.listeners.add(phone.echo);
}
