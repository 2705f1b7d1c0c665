// Changes of a message sealed with its secret, as phones send them since 2026. Baileys neither reads nor writes them.
import { createHmac, randomBytes } from 'node:crypto';
import { aesEncryptGCM, proto } from 'baileys';

const { MESSAGE_EDIT } = proto.Message.SecretEncryptedMessage.SecretEncType;
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

function seal(secret, waId, writer, editor, use, plain) {
  const base = hmac(Buffer.alloc(32), secret);
  const key = hmac(base, Buffer.concat([Buffer.from(`${waId}${writer}${editor}${use}`), Buffer.from([1])]));
  const iv = randomBytes(12);
  return { encPayload: aesEncryptGCM(plain, key, iv, Buffer.alloc(0)), encIv: iv };
}

/** A new text for the own message known, by the phone's owner under the name own. */
export function sealedEdit({ key, message }, text, own) {
  const { messageSecret } = message.messageContextInfo;
  const inner = { key, type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT, editedMessage: { conversation: text }, timestampMs: Date.now() };
  const plain = proto.Message.encode({ protocolMessage: inner }).finish();
  const sealed = seal(messageSecret, key.id, own, own, 'Message Edit', plain);
  return { secretEncryptedMessage: { targetMessageKey: { ...key, fromMe: true }, secretEncType: MESSAGE_EDIT, ...sealed } };
}

/** A reaction of own on the message known, which writer wrote. */
export function sealedReaction({ key, message }, emoji, writer, own) {
  const plain = proto.Message.ReactionMessage.encode({ text: emoji, senderTimestampMs: Date.now() }).finish();
  const sealed = seal(message.messageContextInfo.messageSecret, key.id, writer, own, 'Enc Reaction', plain);
  return { encReactionMessage: { targetMessageKey: key, ...sealed } };
}
