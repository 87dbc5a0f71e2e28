// Random values that come again with the same seed, and the bodies that every provider has to carry.

/** xorshift128 (Marsaglia): good enough to vary bytes, and the same on every Node. */
export class Random {
  constructor(seed) {
    this.state = [seed | 0, 0x9e3779b9, 0x243f6a88, 0xb7e15162];
    for (let i = 0; i < 64; ++i) this.next();
  }

  /** 32 bits, unsigned. */
  next() {
    const [x, , , w] = this.state;
    const t = x ^ (x << 11);
    this.state = [...this.state.slice(1), w ^ (w >>> 19) ^ t ^ (t >>> 8)];
    return this.state[3] >>> 0;
  }

  /** 0 to `bound` - 1. */
  below(bound) {
    return this.next() % bound;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  bytes(count) {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  /** Letters and digits. */
  word(count) {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return Array.from({ length: count }, () => this.pick(letters)).join("");
  }

  text(alphabet, count) {
    const letters = [...alphabet];
    return Array.from({ length: count }, () => this.pick(letters)).join("");
  }

  ascii(count) {
    return this.text("abcdefghij KLMNOPQ0123456789.,:;!?+-=&%/\\\"'<>{}[]()#~\t", count);
  }

  utf8(count) {
    return this.text("aé ß€λЖ\u05d0あ한\u{1f600}\u{1f680}\"\\\n\u0001\u00a0", count);
  }

  chinese(count) {
    return this.text("飞书事件订单审批退货库存亚马逊领星你好，。！《》", count);
  }
}

const LARGE = 64 * 1024;

/** {name: Buffer}: what a signature over raw bytes has to stand. */
export function rawBodies(random) {
  const json = { id: `evt_${random.word(12)}`, type: "order.paid", note: random.utf8(40) };
  return {
    empty: Buffer.alloc(0),
    utf8: Buffer.from(JSON.stringify(json)),
    chinese: Buffer.from(random.chinese(200)),
    binary: random.bytes(300),
    large: Buffer.from(random.ascii(LARGE)),
  };
}

/** {name: text}: the same for providers whose bodies are text within an envelope. */
export function texts(random) {
  return {
    ascii: random.ascii(80),
    utf8: random.utf8(120),
    chinese: random.chinese(200),
    binary: random.bytes(200).toString("latin1"),
    empty: "",
    large: random.ascii(LARGE),
  };
}

/** The bytes as text, or null if they are no UTF-8: several libraries take text only. */
export function asText(bytes) {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}

/** A copy with one bit changed, at a random place that `may` allows. */
export function flipBit(random, bytes, may = () => true) {
  const changed = Buffer.from(bytes);
  for (;;) {
    const at = random.below(changed.length);
    if (!may(bytes, at)) continue;
    changed[at] ^= 1 << random.below(8);
    return changed;
  }
}
