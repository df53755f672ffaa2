// 100,000 malformed messages: every answer is a whole message to the one who asked, nothing throws, memory stays flat.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import packet from "dns-packet";
import { test } from "tap";
import { type PlainObjects, testResponder } from "./dns-server.testing.js";
import { type Query, readQuery } from "./query.js";
import { readUpstreamResponse, renderUpstreamResponse } from "./upstream-response.js";

const meta = { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const objects: PlainObjects = {
  namespaces: ["default"],
  services: [{ metadata: meta, spec: { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80 }] } }],
  slices: [],
};

const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, options: [] };
const corpus = [
  ["web.default.svc.cluster.local", "A"],
  ["_http._tcp.web.default.svc.cluster.local", "SRV"],
  ["20.0.96.10.in-addr.arpa", "PTR"],
  ["1-2-3-4.default.pod.cluster.local", "AAAA"],
  ["dns-version.cluster.local", "TXT"],
  ["cluster.local", "NS"],
  ["www.example.test", "MX"],
].flatMap(([name, type]) =>
  [[], [opt]].map((additionals) =>
    packet.encode({ type: "query", id: 1, questions: [{ name, type }], additionals } as unknown as packet.Packet),
  ),
);

/** The same numbers at each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function malformed(random: (below: number) => number, from: readonly Buffer[]): Buffer {
  if (random(10) === 0) return Buffer.from(Array.from({ length: random(600) }, () => random(256)));
  let message = Buffer.from(from[random(from.length)]!);
  for (let changes = 1 + random(4); changes > 0 && message.length > 0; changes--)
    switch (random(4)) {
      case 0:
        message = message.subarray(0, random(message.length + 1));
        break;
      case 1:
        message = Buffer.concat([message, Buffer.from(Array.from({ length: random(40) }, () => random(256)))]);
        break;
      case 2: {
        const at = random(message.length);
        message = Buffer.concat([message.subarray(0, at), message.subarray(random(message.length))]);
        break;
      }
      default:
        // Lengths, pointers and counts are where it hurts.
        message[random(message.length)] = [0, 1, 12, 63, 64, 0xc0, 0xff, random(256)][random(8)]!;
    }
  return message;
}

function heapAfterCollection(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

test("F3 100,000 malformed messages", async (t) => {
  const { responder, close } = testResponder({ objects });
  t.teardown(close);
  const random = seeded(20);
  const rcodes = new Map<number, number>();
  async function one(): Promise<string | undefined> {
    const message = malformed(random, corpus);
    const transport = random(2) ? "udp" : "tcp";
    const outcome = await responder.respond(message, transport);
    if (!outcome) return undefined;
    const { response, rcode } = outcome;
    rcodes.set(rcode, (rcodes.get(rcode) ?? 0) + 1);
    const show = () => `${message.toString("hex")} -> ${response.toString("hex")}`;
    if (response.readUInt16BE(0) !== message.readUInt16BE(0) || (response[2]! & 0x80) === 0) return show();
    if (transport === "udp" && response.length > 1232) return show();
    try {
      packet.decode(response);
    } catch {
      return show();
    }
    return undefined;
  }
  const wrong: string[] = [];
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const fault = await one();
      if (fault) wrong.push(fault);
    }
  };
  // Fills what is bounded: caches, compiled code.
  await run(30_000);
  const before = heapAfterCollection();
  await run(70_000);
  const grownBytes = heapAfterCollection() - before;
  t.strictSame(wrong.slice(0, 3), [], "every answer is whole and its client's");
  t.ok(grownBytes < 8 << 20, `memory grew by ${grownBytes} bytes`);
  for (const rcode of [0, 1, 2, 3, 4, 5, 16])
    t.ok((rcodes.get(rcode) ?? 0) > 50, `${rcodes.get(rcode)} of rcode ${rcode}`);
  const good = await responder.respond(corpus[0]!, "udp");
  t.match(packet.decode(good!.response).answers, [{ data: "10.96.0.20" }]);
});

test("F3 50,000 malformed answers of resolvers", (t) => {
  const random = seeded(21);
  const questions: packet.Question[] = [{ name: "www.example.test", type: "A" }];
  const answers: packet.Answer[] = [
    { type: "CNAME", name: "www.example.test", ttl: 60, data: "web.example.test" },
    { type: "A", name: "web.example.test", ttl: 60, data: "203.0.113.7" },
  ];
  const additionals = [opt] as unknown as packet.Answer[];
  const whole = [
    packet.encode({ type: "response", id: 1, questions, answers }),
    packet.encode({ type: "response", id: 1, questions, answers, additionals }),
    packet.encode({ type: "response", id: 1, questions, answers, additionals: [...additionals, answers[1]!] }),
  ];
  const read = readQuery(packet.encode({ type: "query", id: 7, questions }));
  const { query } = read as { query: Query };
  let readable = 0;
  for (let i = 0; i < 50_000; i++) {
    const response = readUpstreamResponse(malformed(random, whole));
    // What answers another question is not taken from the socket (exchange.ts).
    if (!response || response.questionEnd !== 12 + query.question.length) continue;
    readable++;
    const maxBytes = random(2) ? 512 : 65_535;
    const bytes = renderUpstreamResponse(response, { query, maxBytes, ageSeconds: 3, maxTtl: 30 });
    if (bytes.length > maxBytes || bytes.readUInt16BE(0) !== 7) t.fail(`${bytes.toString("hex")} is no answer`);
  }
  t.ok(readable > 1_000, `${readable} of them could be passed on`);
  t.end();
});
