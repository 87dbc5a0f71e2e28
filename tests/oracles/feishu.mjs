// Feishu: events and cards as the platform sends them, judged by a dispatcher of the official SDK: what counts is
// that its handler ran, since the SDK answers 200 to what it rejects, too.
import { createCipheriv } from "node:crypto";
import lark from "@larksuiteoapi/node-sdk";
import { texts } from "./random.mjs";
import { Request, hash } from "./request.mjs";

export const TYPE = "im.message.receive_v1";
const silent = () => {};
export const quiet = { error: silent, warn: silent, info: silent, debug: silent, trace: silent };

/** {"encrypt": …} around a text. */
export function seal(random, key, text) {
  const iv = random.bytes(16);
  const cipher = createCipheriv("aes-256-cbc", hash("sha256", key), iv);
  const sealed = Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final()]);
  return JSON.stringify({ encrypt: sealed.toString("base64") });
}

/** A request with the three header fields; `secret` is the Encrypt Key, or of old cards the Verification Token. */
export function signed(random, algorithm, secret, seconds, body) {
  const nonce = random.word(10);
  return new Request({
    path: "/feishu",
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "X-Lark-Request-Timestamp": String(seconds),
      "X-Lark-Request-Nonce": nonce,
      "X-Lark-Signature": hash(algorithm, String(seconds), nonce, secret, body).toString("hex"),
    },
    body: Buffer.from(body),
  });
}

export function eventV2(random, secrets, text, type = TYPE) {
  const header = {
    event_id: random.word(32), event_type: type, create_time: "1608725989000", token: secrets.verification_token,
    app_id: "cli_x", tenant_key: "tk",
  };
  const message = { message_id: `om_${random.word(8)}`, chat_id: "oc_1", content: JSON.stringify({ text }) };
  return JSON.stringify({ schema: "2.0", header, event: { sender: {}, message } });
}

function eventV1(random, secrets, text) {
  const event = { app_id: "cli_x", tenant_key: "tk", type: TYPE, text };
  const own = { ts: "1502199207.7", uuid: random.word(32), token: secrets.verification_token };
  return JSON.stringify({ ...own, type: "event_callback", event });
}

export function cardV2(random, secrets, value) {
  const header = {
    event_id: random.word(32), event_type: "card.action.trigger", token: secrets.verification_token, app_id: "cli_x",
  };
  const context = { open_message_id: "om_1", open_chat_id: "oc_1" };
  const event = { operator: { open_id: "ou_1" }, token: `c-${random.word(20)}`, action: { tag: "button", value } };
  return JSON.stringify({ schema: "2.0", header, event: { ...event, context } });
}

function cardV1(random, value) {
  const token = `c-${random.word(20)}`;
  return JSON.stringify({ open_id: "ou_x", open_message_id: "om_x", token, action: { value, tag: "button" } });
}

/** Whether the SDK calls the bot's handler. */
async function reachesHandler(request, { encrypt_key: encryptKey, verification_token: verificationToken }, isCard) {
  let reached = false;
  const handler = () => (reached = true);
  const options = { encryptKey, verificationToken, logger: quiet };
  const dispatcher = isCard
    ? new lark.CardActionHandler(options, handler)
    : new lark.EventDispatcher(options).register({ [TYPE]: handler, "card.action.trigger": handler });
  try {
    const data = JSON.parse(request.body.toString());
    await dispatcher.invoke(Object.assign(Object.create({ headers: request.lowerHeaders }), data));
  } catch {
    return false;
  }
  return reached;
}

const secretsOf = (random) => ({ encrypt_key: random.word(32), verification_token: random.word(32) });

// Events are sent again after 15 s, 5 min, 1 h and 6 h, and nobody knows whether with a fresh timestamp; cards never.
const ofEvents = { ourTolerance: 43_200, lastRetry: 15 + 300 + 3600 + 21_600 };
const ofCards = { ourTolerance: 300 };

function scheme(random, label, wrong, make, ages, isCard = false) {
  return {
    name: "feishu",
    label,
    secrets: secretsOf(random),
    others: [{ [wrong]: random.word(32) }],
    bodies: texts(random),
    ...ages,
    where: { header: "X-Lark-Signature", encoding: "hex" },
    make,
    judge: (request, secrets) => reachesHandler(request, secrets, isCard),
  };
}

function challenge(random, label, isSealed) {
  const secrets = secretsOf(random);
  return {
    name: "feishu",
    label,
    secrets,
    others: [{ verification_token: random.word(32) }],
    bodies: { ascii: random.word(20), utf8: random.utf8(20), large: random.word(2000) },
    isUnsigned: true,
    make(text, seconds, { encrypt_key: encryptKey, verification_token: token }) {
      const plain = JSON.stringify({ challenge: text, token, type: "url_verification" });
      const body = isSealed ? seal(random, encryptKey, plain) : plain;
      return new Request({ path: "/feishu", headers: { "Content-Type": "application/json" }, body: Buffer.from(body) });
    },
    answer(text, request, { encrypt_key: encryptKey }) {
      const found = lark.generateChallenge(JSON.parse(request.body.toString()), { encryptKey });
      if (!found.isChallenge || found.challenge.challenge !== text) throw new Error("the SDK sees no challenge");
      return { json: found.challenge };
    },
    judge: () => null, // the SDK compares no token
  };
}

/** Sealed with the Encrypt Key, and signed with it. */
function sealedEvent(random, secrets, seconds, text) {
  return signed(random, "sha256", secrets.encrypt_key, seconds, seal(random, secrets.encrypt_key, text));
}

export const feishus = (random) => [
  scheme(random, "event", "encrypt_key", (text, seconds, secrets) =>
    sealedEvent(random, secrets, seconds, eventV2(random, secrets, text)), ofEvents),
  scheme(random, "event-v1", "encrypt_key", (text, seconds, secrets) =>
    sealedEvent(random, secrets, seconds, eventV1(random, secrets, text)), ofEvents),
  scheme(random, "event-plain", "encrypt_key", (text, seconds, secrets) =>
    signed(random, "sha256", secrets.encrypt_key, seconds, eventV2(random, secrets, text)), ofEvents),
  scheme(random, "card", "encrypt_key", (text, seconds, secrets) =>
    sealedEvent(random, secrets, seconds, cardV2(random, secrets, { text })), ofCards),
  scheme(random, "card-v1", "verification_token", (text, seconds, secrets) =>
    signed(random, "sha1", secrets.verification_token, seconds, cardV1(random, { text })), ofCards, true),
  challenge(random, "challenge", false),
  challenge(random, "challenge-sealed", true),
];
