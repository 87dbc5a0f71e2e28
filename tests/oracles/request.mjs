// A request as a provider sends it, and what is changed of it to see it refused.
import { createHash, createHmac } from "node:crypto";
import { flipBit } from "./random.mjs";

export const hmac = (algorithm, key, ...parts) =>
  parts.reduce((state, part) => state.update(part), createHmac(algorithm, key)).digest();

export const hash = (algorithm, ...parts) =>
  parts.reduce((state, part) => state.update(part), createHash(algorithm)).digest();

export class Request {
  constructor({ method = "POST", path = "/hook", query = {}, headers = {}, body = Buffer.alloc(0) }) {
    Object.assign(this, { method, path, query, headers, body });
  }

  with(changes) {
    return new Request({ ...this, ...changes });
  }

  get target() {
    const pairs = Object.entries(this.query).map((pair) => pair.map(encodeURIComponent).join("="));
    return pairs.length ? `${this.path}?${pairs.join("&")}` : this.path;
  }

  /** Names in lower case, as Node's own server has them. */
  get lowerHeaders() {
    return Object.fromEntries(Object.entries(this.headers).map(([name, value]) => [name.toLowerCase(), value]));
  }
}

/** Parameters as a form's body. */
export function form(pairs) {
  return Buffer.from(pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&").replaceAll("%20", "+"));
}

/** Whether a form's byte stands for itself: a digit of %XX may change its case without a difference. */
export function isLiteral(bytes, at) {
  return /^[A-Za-z0-9]$/.test(String.fromCharCode(bytes[at])) && bytes[at - 1] !== 0x25 && bytes[at - 2] !== 0x25;
}

/** One bit of the body changed, or a byte added to an empty one. */
export function withOtherBody(random, request, may) {
  const body = request.body.length ? flipBit(random, request.body, may) : random.bytes(1);
  return request.with({ body });
}

/** One bit of the signature changed, after decoding: a letter of hex in the other case would be the same one. */
export function withOtherSignature(random, request, { header, query, form: field, prefix = "", encoding }) {
  if (field) {
    const pairs = [...new URLSearchParams(request.body.toString())];
    const changed = ([name, value]) =>
      name === field ? [name, flipBit(random, Buffer.from(value, encoding)).toString(encoding)] : [name, value];
    return request.with({ body: form(pairs.map(changed)) });
  }
  const group = header ? "headers" : "query";
  const name = header ?? query;
  const whole = request[group][name];
  const start = whole.indexOf(prefix) + prefix.length;
  const bytes = flipBit(random, Buffer.from(whole.slice(start), encoding));
  return request.with({ [group]: { ...request[group], [name]: whole.slice(0, start) + bytes.toString(encoding) } });
}
