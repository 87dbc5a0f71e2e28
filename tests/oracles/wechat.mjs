// WeCom, WeChat and DingTalk: one cipher and one signature, by the library of WeCom.
import wecom from "@wecom/crypto";
import { texts } from "./random.mjs";
import { Request } from "./request.mjs";

const { decrypt, encrypt, getSignature } = wecom;

function secretsOf(random) {
  return { token: random.word(16), aes_key: random.word(43), receiver: `wx${random.word(16)}` };
}

/** Each of the three alone belongs to somebody else. */
function others(random) {
  const { token, aes_key, receiver } = secretsOf(random);
  return [{ token }, { aes_key }, { receiver }];
}

function message(random, receiver, text) {
  const content = `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content>`;
  const head = `<ToUserName><![CDATA[${receiver}]]></ToUserName><FromUserName>u</FromUserName>`;
  return `<xml>${head}<CreateTime>1348831860</CreateTime>${content}<MsgId>${random.next()}</MsgId></xml>`;
}

/** What stands in a request, or "" if that cannot be found. */
function ciphertext(request) {
  const body = request.body.toString();
  const xml = /<Encrypt><!\[CDATA\[(.*?)\]\]><\/Encrypt>/s.exec(body);
  if (xml) return xml[1];
  if (request.query.echostr) return request.query.echostr;
  try {
    return JSON.parse(body).encrypt ?? "";
  } catch {
    return "";
  }
}

function judge(request, { token, aes_key: key, receiver }) {
  const { msg_signature: signature, timestamp, nonce } = request.query;
  const sealed = ciphertext(request);
  if (getSignature(token, timestamp, nonce, sealed) !== signature) return false;
  try {
    return decrypt(key, sealed).id === receiver;
  } catch {
    return false;
  }
}

/** Only what is sealed is signed. */
function isSealed(bytes, at) {
  const text = bytes.toString("latin1");
  const start = Math.max(text.indexOf("<Encrypt><![CDATA[") + 18, text.indexOf('"encrypt":"') + 11);
  return at >= start && /[A-Za-z0-9+/]/.test(text[at]) && text.slice(start, at).match(/[^A-Za-z0-9+/=]/) === null;
}

function sealedRequest(random, seconds, { token, aes_key: key, receiver }, text, wrap) {
  const sealed = encrypt(key, text, receiver, random.bytes(16));
  const [timestamp, nonce] = [String(seconds), random.word(10)];
  const query = { msg_signature: getSignature(token, timestamp, nonce, sealed), timestamp, nonce };
  return new Request({ query, ...wrap(sealed, query) });
}

const asXml = (receiver) => (sealed) => {
  const to = `<ToUserName><![CDATA[${receiver}]]></ToUserName>`;
  const body = Buffer.from(`<xml>${to}<Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`);
  return { headers: { "Content-Type": "text/xml" }, body };
};
const asJson = (sealed) => ({
  headers: { "Content-Type": "application/json" },
  body: Buffer.from(JSON.stringify({ encrypt: sealed })),
});
const asEcho = (sealed, query) => ({ method: "GET", query: { ...query, echostr: sealed } });

function scheme(random, name, label, make, more = {}) {
  return {
    name,
    label,
    secrets: secretsOf(random),
    others: others(random),
    bodies: texts(random),
    mayFlip: isSealed,
    ourTolerance: name === "dingtalk" ? 43_200 : 3600,
    where: { query: "msg_signature", encoding: "hex" },
    make,
    judge,
    ...more,
  };
}

export const wechats = (random) => [
  ...["wecom", "wechat-mp"].map((name) =>
    scheme(random, name, "message", (text, seconds, secrets) =>
      sealedRequest(random, seconds, secrets, message(random, secrets.receiver, text), asXml(secrets.receiver)))),
  scheme(random, "wecom", "json", (text, seconds, secrets) =>
    sealedRequest(random, seconds, secrets, JSON.stringify({ msgid: random.word(16), text }), asJson)),
  scheme(random, "wecom", "echo", (text, seconds, secrets) => sealedRequest(random, seconds, secrets, text, asEcho), {
    bodies: { ascii: random.word(20) }, // some twenty digits: another text is not handed out
    hasNoBody: true,
    answer: (text) => ({ text }),
  }),
  scheme(random, "dingtalk", "event", (text, seconds, secrets) =>
    sealedRequest(random, seconds, secrets, JSON.stringify({ EventType: "bpms_task_change", text }), asJson), {
    acknowledgement: (secrets) => ({ sealed: { ...secrets, text: "success" } }),
  }),
  scheme(random, "dingtalk", "check_url", (text, seconds, secrets) =>
    sealedRequest(random, seconds, secrets, JSON.stringify({ EventType: "check_url" }), asJson), {
    bodies: { ascii: "" },
    answer: (text, request, secrets) => ({ sealed: { ...secrets, text: "success" } }),
  }),
];

/** What is wrong with a sealed answer to somebody with these secrets; nothing if it is right. */
export function problemWith(answer, { token, aes_key: key, receiver, text }) {
  const { msg_signature: signature, timeStamp: timestamp, nonce, encrypt: sealed } = JSON.parse(answer);
  if (getSignature(token, timestamp, nonce, sealed) !== signature) return "its signature is not that of the library";
  const opened = decrypt(key, sealed);
  if (opened.id !== receiver) return `it is for ${opened.id}`;
  return opened.message === text ? undefined : `it says ${opened.message}`;
}
