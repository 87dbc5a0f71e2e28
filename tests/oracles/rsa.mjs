// WeChat Pay and Alipay sign with RSA. Their keys are new ones each time, whatever the seed: Node.js makes them.
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { parse } from "node:querystring";
import wechatpay from "wechatpay-axios-plugin";
import { texts } from "./random.mjs";
import { Request, form, isLiteral } from "./request.mjs";

// Not by import: that form of it loads an HTTP client that Node.js 18 cannot run.
const { AlipaySdk } = createRequire(import.meta.url)("alipay-sdk");
const { Aes, Formatter, Rsa } = wechatpay;

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    own: privateKey,
    pem: publicKey.export({ type: "spki", format: "pem" }).trim(),
    bare: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}

function wechatPay(random) {
  const [mine, theirs] = [keyPair(), keyPair()];
  return {
    name: "wechat-pay",
    secrets: { public_key: mine.pem, api_v3_key: random.word(32) },
    others: [{ public_key: theirs.pem }, { api_v3_key: random.word(32) }],
    bodies: texts(random),
    tolerance: 300,
    where: { header: "Wechatpay-Signature", encoding: "base64" },
    make(text, seconds, { public_key, api_v3_key: key }) {
      const plain = JSON.stringify({ mchid: "1900000001", out_trade_no: random.word(20), attach: text });
      const [iv, aad] = [random.word(12), "transaction"];
      const resource = {
        algorithm: "AEAD_AES_256_GCM", associated_data: aad, nonce: iv,
        ciphertext: Aes.AesGcm.encrypt(plain, key, iv, aad),
      };
      const body = JSON.stringify({ id: random.word(32), event_type: "TRANSACTION.SUCCESS", resource });
      const [timestamp, nonce] = [String(seconds), random.word(32)];
      const { own } = public_key === mine.pem ? mine : theirs;
      const headers = {
        "Content-Type": "application/json",
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": Rsa.sign(Formatter.response(timestamp, nonce, body), own),
      };
      return new Request({ headers, body: Buffer.from(body) });
    },
    judge({ headers, body }, { public_key, api_v3_key: key }) {
      const [timestamp, nonce] = [headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"]];
      const text = Formatter.response(timestamp, nonce, body.toString());
      const isFresh = Math.abs(Formatter.timestamp() - Number(timestamp)) <= 300; // the library leaves that to its user
      if (!isFresh || !Rsa.verify(text, headers["Wechatpay-Signature"], public_key)) return false;
      try {
        const { ciphertext, nonce: iv, associated_data: aad } = JSON.parse(body.toString()).resource;
        return Aes.AesGcm.decrypt(ciphertext, key, iv, aad).length > 0;
      } catch {
        return false;
      }
    },
  };
}

function alipay(random) {
  const [mine, theirs] = [keyPair(), keyPair()];
  const sdkOf = ({ own }, bare) =>
    new AlipaySdk({
      appId: "2021000000000000",
      privateKey: own.export({ type: "pkcs8", format: "pem" }),
      keyType: "PKCS8",
      alipayPublicKey: bare,
    });
  return {
    name: "alipay",
    secrets: { public_key: mine.bare },
    others: [{ public_key: theirs.bare }],
    bodies: texts(random),
    where: { form: "sign", encoding: "base64" },
    // The kind of the signature and the signature itself are not signed.
    mayFlip: (bytes, at) => isLiteral(bytes, at) && at < bytes.indexOf("&sign="),
    make(text, seconds, { public_key }) {
      const fields = {
        notify_id: random.word(34), notify_type: "trade_status_sync", app_id: "2021000000000000",
        out_trade_no: random.word(20), subject: text || "-", total_amount: "88.88",
      };
      const signed = Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join("&");
      const sign = Rsa.sign(signed, (public_key === mine.bare ? mine : theirs).own);
      const headers = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
      return new Request({ headers, body: form(Object.entries({ ...fields, sign, sign_type: "RSA2" })) });
    },
    judge: ({ body }, { public_key }) => sdkOf(mine, public_key).checkNotifySignV2({ ...parse(body.toString()) }),
  };
}

export const rsas = (random) => [wechatPay(random), alipay(random)];
