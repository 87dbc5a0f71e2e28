// Providers that sign what they send as it is, each with its own library as the judge.
//
// name      in rockdove's table
// secrets   what the operator would configure; `others`: the same of somebody else
// tolerance seconds after which a request is too old; absent: never
// ourTolerance  the same where the library has no limit, and rockdove one of its own
// lastRetry     so many seconds old may a request be that its provider sends again
// where     the signature stands
// make      (body, seconds, secrets, path) -> Request, signed
// judge     (request, secrets) -> what the library says of it: true, false, or null if it cannot be asked
import { createPrivateKey, createPublicKey, sign as signBytes } from "node:crypto";
import { createRequire } from "node:module";
import { sign as signGithub, verify as verifyGithub } from "@octokit/webhooks-methods";
import { validateSignature } from "@line/bot-sdk";
import { verifyKey } from "discord-interactions";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import Stripe from "stripe";
import { asText } from "./random.mjs";
import { Request, hmac } from "./request.mjs";

// By its path: the rest of it is a framework for bots.
const { isValidSlackRequest } = createRequire(import.meta.url)("@slack/bolt/dist/receivers/verify-request.js");

const JSON_TYPE = { "Content-Type": "application/json" };

/** What `call` says; an exception is a no. */
async function passes(call) {
  try {
    return (await call()) !== false;
  } catch {
    return false;
  }
}

function github(random) {
  return {
    name: "github",
    secrets: { secret: random.word(24) },
    others: { secret: random.word(24) },
    where: { header: "X-Hub-Signature-256", prefix: "sha256=", encoding: "hex" },
    async make(body, seconds, { secret }) {
      const text = asText(body);
      const signature = text
        ? await signGithub(secret, text)
        : `sha256=${hmac("sha256", secret, body).toString("hex")}`;
      const headers = { ...JSON_TYPE, "X-GitHub-Event": "push", "X-GitHub-Delivery": random.word(20) };
      return new Request({ headers: { ...headers, "X-Hub-Signature-256": signature }, body });
    },
    judge({ headers, body }, { secret }) {
      const text = asText(body);
      return text ? passes(() => verifyGithub(secret, text, headers["X-Hub-Signature-256"])) : null;
    },
  };
}

function stripe(random) {
  const { webhooks } = new Stripe("sk_test_not_a_key");
  return {
    name: "stripe",
    secrets: { secret: `whsec_${random.word(32)}` },
    others: { secret: `whsec_${random.word(32)}` },
    tolerance: 300,
    where: { header: "Stripe-Signature", prefix: ",v1=", encoding: "hex" },
    make(body, timestamp, { secret }) {
      const payload = asText(body);
      const header = payload
        ? webhooks.generateTestHeaderString({ timestamp, payload, secret })
        : `t=${timestamp},v1=${hmac("sha256", secret, `${timestamp}.`, body).toString("hex")}`;
      return new Request({ headers: { ...JSON_TYPE, "Stripe-Signature": header }, body });
    },
    judge({ headers, body }, { secret }) {
      const text = asText(body);
      // It takes no empty text; constructEvent() parses as well, which is of no interest here.
      return !text
        ? null
        : passes(() => webhooks.signature.verifyHeader(text, headers["Stripe-Signature"], secret, 300));
    },
  };
}

function slack(random) {
  return {
    name: "slack",
    secrets: { secret: random.word(32) },
    others: { secret: random.word(32) },
    tolerance: 300,
    where: { header: "X-Slack-Signature", prefix: "v0=", encoding: "hex" },
    make(body, seconds, { secret }) {
      const signature = `v0=${hmac("sha256", secret, `v0:${seconds}:`, body).toString("hex")}`;
      const headers = { "X-Slack-Request-Timestamp": String(seconds), "X-Slack-Signature": signature };
      return new Request({ headers: { ...JSON_TYPE, ...headers }, body });
    },
    judge({ lowerHeaders, body }, { secret }) {
      const text = asText(body);
      const headers = {
        ...lowerHeaders,
        "x-slack-request-timestamp": Number(lowerHeaders["x-slack-request-timestamp"]),
      };
      return text === null ? null : isValidSlackRequest({ signingSecret: secret, body: text, headers });
    },
  };
}

/** Standard Webhooks and those that do as they do. */
function standard(random, name, secretName, library, prefix) {
  const secret = () => `whsec_${random.bytes(32).toString("base64")}`;
  const sign = (value, id, seconds, body) => {
    const text = asText(body);
    if (text !== null) return new library(value).sign(id, new Date(seconds * 1000), text);
    const key = Buffer.from(value.slice("whsec_".length), "base64");
    return `v1,${hmac("sha256", key, `${id}.${seconds}.`, body).toString("base64")}`;
  };
  return {
    name,
    secrets: { [secretName]: secret() },
    others: { [secretName]: secret() },
    tolerance: 300,
    where: { header: `${prefix}-signature`, prefix: "v1,", encoding: "base64" },
    make(body, seconds, secrets) {
      const id = `msg_${random.word(20)}`;
      const headers = {
        [`${prefix}-id`]: id,
        [`${prefix}-timestamp`]: String(seconds),
        [`${prefix}-signature`]: sign(secrets[secretName], id, seconds, body),
      };
      return new Request({ headers: { ...JSON_TYPE, ...headers }, body });
    },
    judge({ headers, body }, secrets) {
      const text = asText(body);
      if (text === null) return null;
      return passes(() => {
        try {
          new library(secrets[secretName]).verify(text, headers);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error; // a body that is no JSON, but signed
        }
      });
    },
  };
}

function line(random) {
  return {
    name: "line",
    secrets: { secret: random.word(32) },
    others: { secret: random.word(32) },
    where: { header: "X-Line-Signature", encoding: "base64" },
    make(body, seconds, { secret }) {
      const signature = hmac("sha256", secret, body).toString("base64");
      return new Request({ headers: { ...JSON_TYPE, "X-Line-Signature": signature }, body });
    },
    judge({ headers, body }, { secret }) {
      return validateSignature(body, secret, headers["X-Line-Signature"]);
    },
  };
}

function discord(random) {
  const keys = () => {
    const head = Buffer.from("302e020100300506032b657004220420", "hex"); // PKCS #8 of an Ed25519 seed, RFC 8410
    const own = createPrivateKey({ key: Buffer.concat([head, random.bytes(32)]), format: "der", type: "pkcs8" });
    const spki = createPublicKey(own).export({ format: "der", type: "spki" });
    return { own, hex: spki.subarray(-32).toString("hex") };
  };
  const [mine, theirs] = [keys(), keys()];
  return {
    name: "discord",
    secrets: { public_key: mine.hex },
    others: { public_key: theirs.hex },
    ourTolerance: 300,
    where: { header: "X-Signature-Ed25519", encoding: "hex" },
    make(body, seconds, { public_key }) {
      const { own } = public_key === mine.hex ? mine : theirs;
      const signature = signBytes(null, Buffer.concat([Buffer.from(String(seconds)), body]), own);
      const headers = { "X-Signature-Timestamp": String(seconds), "X-Signature-Ed25519": signature.toString("hex") };
      return new Request({ headers: { ...JSON_TYPE, ...headers }, body });
    },
    judge({ headers, body }, { public_key }) {
      return verifyKey(body, headers["X-Signature-Ed25519"], headers["X-Signature-Timestamp"], public_key);
    },
  };
}

export const signing = (random) => [
  github(random),
  stripe(random),
  slack(random),
  standard(random, "standard-webhooks", "secret", StandardWebhook, "webhook"),
  standard(random, "gitlab", "signing_token", StandardWebhook, "webhook"),
  standard(random, "svix", "secret", SvixWebhook, "svix"),
  line(random),
  discord(random),
];
