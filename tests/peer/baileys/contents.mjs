// What a message says, between the JSON of the Python side (whatsapp_dashboard/engines/raw.py) and Baileys. Pure.
import { getContentType, normalizeMessageContent } from 'baileys';

const MEDIA = {
  imageMessage: 'image',
  videoMessage: 'video',
  ptvMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
};

/** What Baileys sends for the content raw, with the bytes of its file. Throws for a type no phone writes. */
export function toBaileys(raw, data) {
  const { type, text, media } = raw;
  const mimetype = media?.mimetype || undefined;
  const caption = text || undefined;
  const mentions = raw.mentions?.length ? raw.mentions : undefined;
  switch (type) {
    case 'text':
      return { text, mentions, linkPreview: null };
    case 'image':
      return { image: data, caption, mimetype, jpegThumbnail: null };
    case 'video':
      return { video: data, caption, mimetype, seconds: media.seconds ?? 1, jpegThumbnail: null };
    case 'audio':
      return { audio: data, mimetype, seconds: media.seconds ?? 1 };
    case 'voice':
      return { audio: data, mimetype: mimetype ?? 'audio/ogg; codecs=opus', ptt: true, seconds: media.seconds ?? 1, waveform: new Uint8Array(64) };
    case 'document':
      return { document: data, caption, mimetype, fileName: media.filename || 'file' };
    case 'sticker':
      return { sticker: data, mimetype };
    case 'location': {
      const { latitude, longitude, name, address } = raw.location;
      return { location: { degreesLatitude: latitude, degreesLongitude: longitude, name: name || undefined, address: address || undefined } };
    }
    case 'contact': {
      const contacts = raw.contacts.map((card) => ({ displayName: card.name, vcard: card.vcard || vcard(card) }));
      return { contacts: { displayName: contacts.length > 1 ? `${contacts.length} contacts` : contacts[0].displayName, contacts } };
    }
    case 'poll':
      return { poll: { name: raw.poll.question, values: raw.poll.options, selectableCount: raw.poll.selectable } };
    default:
      throw new Error(`a phone does not send ${type}`);
  }
}

function vcard({ name, phones }) {
  const lines = phones.map((phone) => `TEL;type=CELL;waid=${phone.replace(/\D/g, '')}:${phone}`);
  return ['BEGIN:VCARD', 'VERSION:3.0', `N:;${name};;;`, `FN:${name}`, ...lines, 'END:VCARD'].join('\n');
}

const phonesOf = (card) => [...(card ?? '').matchAll(/^TEL[^:\n]*:(.+)$/gm)].map((match) => match[1].trim());

/** The words of a message, whatever its type. */
export function textOf(message) {
  const content = normalizeMessageContent(message);
  const kind = getContentType(content);
  if (!kind) return '';
  const part = content[kind];
  return typeof part === 'string' ? part : part.text || part.caption || part.name || part.contentText || '';
}

/** The content of message in the JSON of the Python side; own are this phone's names. Unknown types are "unsupported". */
export function fromBaileys(message, waId, own) {
  const content = normalizeMessageContent(message);
  const kind = getContentType(content);
  const part = content?.[kind];
  const raw = { type: 'unsupported', text: textOf(message), ...quoted(part?.contextInfo, own) };
  if (kind === 'conversation' || kind === 'extendedTextMessage') raw.type = 'text';
  else if (kind in MEDIA) {
    raw.type = part.ptt ? 'voice' : MEDIA[kind];
    raw.media = {
      token: { wa_id: waId },
      mimetype: part.mimetype ?? '',
      filename: part.fileName ?? '',
      size: part.fileLength === null || part.fileLength === undefined ? null : Number(part.fileLength),
      seconds: part.seconds || null,
    };
  } else if (kind === 'locationMessage') {
    raw.type = 'location';
    raw.text = '';
    raw.location = { latitude: part.degreesLatitude, longitude: part.degreesLongitude, name: part.name ?? '', address: part.address ?? '' };
  } else if (kind === 'contactMessage' || kind === 'contactsArrayMessage') {
    raw.type = 'contact';
    const cards = part.contacts ?? [part];
    raw.contacts = cards.map((card) => ({ name: card.displayName ?? '', phones: phonesOf(card.vcard), vcard: card.vcard ?? '' }));
  } else if (kind?.startsWith('pollCreationMessage')) {
    raw.type = 'poll';
    raw.poll = { question: part.name, options: part.options.map((option) => option.optionName), selectable: part.selectableOptionsCount ?? 0 };
  } else if (kind === 'buttonsMessage') {
    raw.type = 'buttons';
  }
  return raw;
}

function quoted(context, own) {
  const raw = { mentions: context?.mentionedJid ?? [] };
  if (context?.expiration) raw.timer = { seconds: context.expiration, at: Number(context.ephemeralSettingTimestamp) || null };
  if (!context?.stanzaId) return raw;
  return { ...raw, quoted_id: context.stanzaId, quoted_from_me: own.includes(context.participant), quoted_text: textOf(context.quotedMessage) };
}
