// Prints requests for rockdove to judge, one JSON object a line:
//   node cases.mjs SEED BASE_URL
// Each has been put before the provider's own library first; where the two of them disagree about what is right,
// nothing is printed and the exit code is 1. BASE_URL is what the caller called, without the path.
import { Random, rawBodies } from "./random.mjs";
import { withOtherBody, withOtherSignature } from "./request.mjs";
import { feishus } from "./feishu.mjs";
import { rsas } from "./rsa.mjs";
import { signing } from "./signatures.mjs";
import { twilios } from "./twilio.mjs";
import { wechats } from "./wechat.mjs";

const [seed, base] = [Number(process.argv[2]), process.argv[3]];
const random = new Random(seed);
const now = Math.floor(Date.now() / 1000);
const cases = [];

const lists = (secrets) => Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, [value].flat()]));

/** A request to the scheme's path, signed for those secrets. */
async function make(scheme, content, seconds, secrets, path = scheme.path) {
  const request = await scheme.make(content, seconds, secrets, path);
  return request.with({ path });
}

/** Adds a case, once the library agrees with what is expected. */
async function add(scheme, what, request, secrets, accepted, more = {}) {
  const name = [scheme.name, scheme.label, what].filter(Boolean).join(", ");
  const verdict = more.isOurRule ? null : await scheme.judge(request, secrets);
  if (verdict !== null && verdict !== accepted)
    throw new Error(`seed ${seed}: ${name}: the library says ${verdict}, expected ${accepted}`);
  cases.push({
    provider: scheme.name,
    name,
    accepted,
    judged: verdict !== null,
    path: request.path,
    method: request.method,
    target: request.target,
    headers: Object.entries(request.headers),
    body: request.body.toString("base64"),
    secrets: lists(more.secrets ?? secrets),
    answer: more.answer,
    acknowledgement: more.acknowledgement,
  });
}

async function addChanges(scheme, kind, request, content) {
  const { secrets, where } = scheme;
  if (!scheme.hasNoBody && !scheme.isUnsigned)
    await add(scheme, `${kind}, a bit of the body`, withOtherBody(random, request, scheme.mayFlip), secrets, false);
  if (where)
    await add(scheme, `${kind}, a bit of the signature`, withOtherSignature(random, request, where), secrets, false);
  for (const other of [scheme.others].flat()) {
    const wrong = { ...secrets, ...other };
    const foreign = await make(scheme, content, now, wrong);
    await add(scheme, `${kind}, wrong ${Object.keys(other)[0]}`, foreign, secrets, false);
    if (kind !== "utf8" && scheme.bodies?.utf8) continue;
    // While a secret is replaced both are configured.
    const values = ([name, value]) => [name, other[name] ? [other[name], value] : value];
    const both = Object.fromEntries(Object.entries(secrets).map(values));
    const path = `${scheme.path}-two-${Object.keys(other)[0]}`;
    const again = await make(scheme, content, now, secrets, path);
    const more = { ...extras(scheme, content, again), secrets: both };
    await add(scheme, `${kind}, two values of ${Object.keys(other)[0]}`, again, secrets, true, more);
  }
  const limit = scheme.tolerance ?? scheme.ourTolerance;
  if (!limit) return;
  const old = await make(scheme, content, now - limit - 1 - random.below(3600), secrets);
  await add(scheme, `${kind}, an old time`, old, secrets, false, { isOurRule: !scheme.tolerance });
  if (!scheme.lastRetry) return;
  const late = await make(scheme, content, now - scheme.lastRetry - random.below(3600), secrets);
  await add(scheme, `${kind}, a late retry`, late, secrets, true, extras(scheme, content, late));
}

function extras(scheme, content, request) {
  return {
    answer: scheme.answer?.(content, request, scheme.secrets),
    acknowledgement: scheme.acknowledgement?.(scheme.secrets),
  };
}

const schemes = [
  ...signing(random), ...twilios(random, base), ...feishus(random), ...wechats(random), ...rsas(random),
];
for (const scheme of schemes) {
  scheme.path = `/${[scheme.name, scheme.label].filter(Boolean).join("-")}`;
  for (const [kind, content] of Object.entries(scheme.bodies ?? rawBodies(random))) {
    const request = await make(scheme, content, now - random.below(60), scheme.secrets);
    await add(scheme, kind, request, scheme.secrets, true, extras(scheme, content, request));
    await addChanges(scheme, kind, request, content);
  }
}
for (const one of cases) console.log(JSON.stringify(one));
