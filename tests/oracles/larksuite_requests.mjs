// Prints what Feishu would send to that bot, one JSON object a line: node larksuite_requests.mjs SEED KEY TOKEN
import { cardV2, eventV2, feishus, seal, signed } from "./feishu.mjs";
import { Random, texts } from "./random.mjs";

const [seed, encrypt_key, verification_token] = process.argv.slice(2);
const random = new Random(Number(seed));
const secrets = { encrypt_key, verification_token };
const now = Math.floor(Date.now() / 1000);

function print(kind, request, more = {}) {
  const headers = Object.entries(request.headers);
  console.log(JSON.stringify({ kind, headers, body: request.body.toString("base64"), ...more }));
}

for (const text of Object.values(texts(random))) {
  const sealed = seal(random, encrypt_key, eventV2(random, secrets, text));
  print("event", signed(random, "sha256", encrypt_key, now, sealed), { text });
}
const forged = seal(random, encrypt_key, eventV2(random, secrets, "forged"));
print("forged", signed(random, "sha256", "another key", now, forged));
const card = seal(random, encrypt_key, cardV2(random, secrets, { 按钮: "确认" }));
print("card", signed(random, "sha256", encrypt_key, now, card));
const byLabel = Object.fromEntries(feishus(random).map((scheme) => [scheme.label, scheme]));
print("card-v1", byLabel["card-v1"].make("旧", now, secrets));
const challenge = JSON.stringify({ challenge: "ajls384kdjx98XX", token: verification_token, type: "url_verification" });
print("challenge", signed(random, "sha256", encrypt_key, now, seal(random, encrypt_key, challenge)).with({
  headers: { "Content-Type": "application/json; charset=utf-8" },
}));
