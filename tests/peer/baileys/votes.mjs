// Poll votes: encrypted with a secret that only those know who have the poll. Baileys reads them but does not write them.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { aesEncryptGCM, decryptPollVote, getContentType, normalizeMessageContent, proto } from 'baileys';

const hash = (option) => createHash('sha256').update(option).digest();
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

function optionsOf(poll) {
  const content = normalizeMessageContent(poll.message);
  return content[getContentType(content)].options.map((option) => option.optionName);
}

/** Who made the poll, as the chat it is in names people; own are this phone's names. */
function creatorOf({ key }, own) {
  if (!key.fromMe) return key.participant || key.remoteJid;
  return inTheWayOf(key.remoteJid, own);
}

const inTheWayOf = (jid, own) => own.find((name) => name.endsWith(jid.endsWith('@lid') ? '@lid' : '@s.whatsapp.net')) ?? own[0];

/** The message part that says: I choose these options of that poll. */
export function encryptVote(poll, options, own) {
  const known = optionsOf(poll);
  for (const option of options) if (!known.includes(option)) throw new Error(`the poll has no option ${option}`);
  const creator = creatorOf(poll, own);
  const voter = inTheWayOf(creator, own);
  const base = hmac(Buffer.alloc(32), poll.message.messageContextInfo.messageSecret);
  const key = hmac(base, Buffer.concat([Buffer.from(`${poll.key.id}${creator}${voter}Poll Vote`), Buffer.from([1])]));
  const iv = randomBytes(12);
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hash) }).finish();
  const encPayload = aesEncryptGCM(plain, key, iv, Buffer.from(`${poll.key.id}\0${voter}`));
  return { pollCreationMessageKey: poll.key, vote: { encPayload, encIv: iv }, senderTimestampMs: Date.now() };
}

/** The options chosen in vote by one of voters (all names of one person), or null when it cannot be read. */
export function decryptVote(poll, vote, voters, own) {
  const pollEncKey = poll.message.messageContextInfo?.messageSecret;
  const creators = poll.key.fromMe ? own : [poll.key.participant || poll.key.remoteJid, poll.key.remoteJidAlt].filter(Boolean);
  for (const pollCreatorJid of creators) {
    for (const voterJid of voters) {
      try {
        const { selectedOptions } = decryptPollVote(vote, { pollEncKey, pollCreatorJid, pollMsgId: poll.key.id, voterJid });
        const chosen = selectedOptions.map((option) => Buffer.from(option).toString('hex'));
        return optionsOf(poll).filter((option) => chosen.includes(hash(option).toString('hex')));
      } catch {
        continue; // made with another pair of names
      }
    }
  }
  return null;
}
