// A bot on Feishu's official SDK, as a user would write one: node larksuite_bot.mjs ENCRYPT_KEY VERIFICATION_TOKEN
// Prints "port N" when it listens, and then a JSON line for each request: what came, and which handler ran.
import { createServer } from "node:http";
import { once } from "node:events";
import lark from "@larksuiteoapi/node-sdk";
import { quiet, TYPE } from "./feishu.mjs";

const [encryptKey, verificationToken] = process.argv.slice(2);
let handled = null; // one request at a time: the test waits for each answer

const note = (what, answer) => (data) => {
  handled = { what, data };
  return answer;
};
const options = { encryptKey, verificationToken, logger: quiet };
const events = new lark.EventDispatcher(options).register({
  [TYPE]: note("event", "handled"),
  "card.action.trigger": note("card", { toast: { type: "success", content: "卡片交互成功" } }),
});
const cards = new lark.CardActionHandler(options, note("card-v1", { toast: { type: "info", content: "旧卡片" } }));
const adapters = {
  "/feishu": lark.adaptDefault("/feishu", events, { autoChallenge: true }),
  "/card": lark.adaptDefault("/card", cards),
};

const server = createServer(async (request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)); // beside the SDK, which reads the same stream
  handled = null;
  const adapter = adapters[request.url];
  if (!adapter) return response.writeHead(404).end();
  const ended = once(response, "finish");
  try {
    await adapter(request, response);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
  await ended;
  const raw = request.rawHeaders;
  const headers = raw.flatMap((text, at) => (at % 2 ? [] : [[text, raw[at + 1]]]));
  console.log(JSON.stringify({ url: request.url, headers, body: Buffer.concat(chunks).toString("base64"), handled }));
});
server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
