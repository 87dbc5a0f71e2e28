// Twilio signs the URL with the form's parameters, or the URL with the digest of a JSON body in it.
import { parse } from "node:querystring";
import twilio from "twilio";
import { asText, rawBodies } from "./random.mjs";
import { Request, form, hash, isLiteral } from "./request.mjs";

const FORM_TYPE = { "Content-Type": "application/x-www-form-urlencoded" };
const where = { header: "X-Twilio-Signature", encoding: "base64" };

function forms(random) {
  const sid = ["MessageSid", `SM${random.word(32)}`];
  return {
    sms: form([["To", "+15557654321"], ["From", "+15551234567"], ["Body", random.utf8(60)], sid]),
    chinese: form([["Body", random.chinese(200)], ["城市", "深圳"], sid]),
    twice: form([["Media", "b"], ["Media", "a"], ["Media", "b"], ["MediaType", ""], sid]),
    empty: Buffer.alloc(0),
    large: form([["Body", random.ascii(40 * 1024)], sid]),
  };
}

function formScheme(random, base) {
  return {
    name: "twilio",
    label: "form",
    secrets: { secret: random.word(32) },
    others: { secret: random.word(32) },
    bodies: forms(random),
    mayFlip: isLiteral,
    where,
    make(body, seconds, { secret }, path) {
      const request = new Request({ path, query: { room: random.word(4) }, headers: FORM_TYPE, body });
      const signature = twilio.getExpectedTwilioSignature(secret, base + request.target, parse(body.toString()));
      return request.with({ headers: { ...FORM_TYPE, "X-Twilio-Signature": signature } });
    },
    judge(request, { secret }) {
      const signature = request.headers["X-Twilio-Signature"];
      return twilio.validateRequest(secret, signature, base + request.target, parse(request.body.toString()));
    },
  };
}

function jsonScheme(random, base) {
  return {
    name: "twilio",
    label: "json",
    secrets: { secret: random.word(32) },
    others: { secret: random.word(32) },
    bodies: rawBodies(random),
    where,
    make(body, seconds, { secret }, path) {
      const query = { bodySHA256: hash("sha256", body).toString("hex") };
      const headers = { "Content-Type": "application/json" };
      const request = new Request({ path, query, headers, body });
      const signature = twilio.getExpectedTwilioSignature(secret, base + request.target, {});
      return request.with({ headers: { ...headers, "X-Twilio-Signature": signature } });
    },
    judge(request, { secret }) {
      const text = asText(request.body);
      const signature = request.headers["X-Twilio-Signature"];
      return text === null
        ? null
        : twilio.validateRequestWithBody(secret, signature, base + request.target, text);
    },
  };
}

export const twilios = (random, base) => [formScheme(random, base), jsonScheme(random, base)];
