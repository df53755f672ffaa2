import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { createLogger } from "@picokube/component-base/logger";
import packet from "dns-packet";
import { test } from "tap";
import { createForwarder } from "./forwarder.js";
import { createRecords, type RecordSource } from "./records.js";
import { createResponder } from "./responder.js";
import { startDnsServer } from "./server.js";

const meta = { name: "big", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const source: RecordSource = {
  service: (_, name) => (name === "big" ? { metadata: meta, spec: { clusterIP: "None" } } : undefined),
  slices: () => [
    {
      metadata: meta,
      addressType: "IPv4",
      endpoints: Array.from({ length: 120 }, (_, i) => ({ addresses: [`10.244.1.${i + 1}`] })),
      ports: [],
    },
  ],
  namespaceExists: () => true,
  servicesByIp: () => [],
  slicesByIp: () => [],
};

async function start(t: { teardown(fn: () => unknown): void }, resolvers: readonly string[]) {
  const logger = createLogger({ name: "test" });
  const forwarder = createForwarder({
    resolvers,
    timeoutMs: 300,
    maxCacheMs: 30_000,
    maxNegativeCacheMs: 5_000,
    now: Date.now,
  });
  const records = createRecords({ zone: "cluster.local", ttl: 30, source });
  const server = await startDnsServer({
    address: "127.0.0.1",
    port: 0,
    logger,
    responder: createResponder({ records, forwarder, logger, isReady: () => true }),
  });
  t.teardown(() => server.close());
  return server.port;
}

async function askUdp(port: number, name: string, type = "A", extra: object = {}): Promise<packet.DecodedPacket> {
  const socket = createSocket("udp4");
  socket.send(
    packet.encode({
      type: "query",
      id: 7,
      flags: packet.RECURSION_DESIRED,
      questions: [{ name, type } as never],
      ...extra,
    }),
    port,
    "127.0.0.1",
  );
  const [message] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return packet.decode(message);
}

async function askTcp(port: number, name: string): Promise<packet.DecodedPacket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write(packet.streamEncode({ type: "query", id: 7, questions: [{ name, type: "A" }] }));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break;
  }
  socket.destroy();
  return packet.streamDecode(received) as packet.DecodedPacket;
}

test("F3 too large for a datagram: truncated over UDP, whole over TCP", async (t) => {
  const port = await start(t, []);
  const udp = await askUdp(port, "big.default.svc.cluster.local");
  t.ok(udp.flag_tc);
  t.equal(udp.answers?.length, 0);
  const tcp = await askTcp(port, "BIG.default.svc.Cluster.local");
  t.equal(tcp.answers?.length, 120);
  t.ok(tcp.flag_aa);
});

test("F3 an unknown name of the zone is NXDOMAIN with the SOA; others are forwarded, and kept", async (t) => {
  let asked = 0;
  const upstream = createSocket("udp4");
  upstream.on("message", (query, from) => {
    asked++;
    const { id, questions } = packet.decode(query);
    upstream.send(
      packet.encode({
        type: "response",
        id: id!,
        questions: questions!,
        answers: [{ type: "A", name: questions![0]!.name, ttl: 60, data: "203.0.113.7" }],
      }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((done) => upstream.bind(0, "127.0.0.1", done));
  t.teardown(() => new Promise<void>((done) => upstream.close(() => done())));
  const port = await start(t, [`127.0.0.1:${upstream.address().port}`]);
  const missing = (await askUdp(port, "none.default.svc.cluster.local")) as packet.DecodedPacket & { rcode?: string };
  t.equal(missing.rcode, "NXDOMAIN");
  t.equal(missing.authorities?.[0]?.type, "SOA");
  for (let i = 0; i < 2; i++) {
    const answer = await askUdp(port, "example.org");
    t.match(answer.answers, [{ data: "203.0.113.7" }]);
  }
  t.equal(asked, 1, "the second answer came from the cache");
});

test("no resolver: SERVFAIL", async (t) => {
  const port = await start(t, ["127.0.0.1:9"]);
  const answer = (await askUdp(port, "example.org")) as packet.DecodedPacket & { rcode?: string };
  t.equal(answer.rcode, "SERVFAIL");
});

test("100,000 malformed packets: no crash, and the server goes on answering", async (t) => {
  const records = createRecords({ zone: "cluster.local", ttl: 30, source });
  const logger = createLogger({ name: "test" });
  const forwarder = createForwarder({
    resolvers: [],
    timeoutMs: 10,
    maxCacheMs: 0,
    maxNegativeCacheMs: 0,
    now: Date.now,
  });
  const responder = createResponder({ records, forwarder, logger, isReady: () => true });
  const good = packet.encode({
    type: "query",
    id: 1,
    questions: [{ name: "none.default.svc.cluster.local", type: "A" }],
    additionals: [],
  });
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  let answered = 0;
  for (let i = 0; i < 100_000; i++) {
    const query = Buffer.from(good.subarray(0, 1 + random(good.length)));
    for (let flips = 0; flips < 4; flips++) query[random(query.length)] = random(256);
    if ((await responder.respond(query, i % 2 ? "udp" : "tcp")).response) answered++;
  }
  t.ok(answered > 1_000, `${answered} of them could at least be answered with an error`);
  t.equal((await responder.respond(good, "udp")).rcode, "NXDOMAIN");
});
