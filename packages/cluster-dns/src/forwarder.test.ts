// Names outside the cluster, against resolvers that really listen: what is passed on, what is kept and for how long, and
// what happens when a resolver is silent, slow, wrong or this very server.

import { createSocket } from "node:dgram";
import packet from "dns-packet";
import { test } from "tap";
import {
  dig,
  logger,
  type PlainObjects,
  startTestResolver,
  startTestServer,
  type TestResolver,
  testResponder,
} from "./dns-server.testing.js";
import { parseResolver } from "./exchange.js";
import { createForwarder } from "./forwarder.js";
import { parseStubDomains, resolversOf } from "./resolv-conf.js";
import type { Responder } from "./responder.js";

const address = (query: packet.DecodedPacket, data: string, ttl = 60) => ({
  answers: [{ type: "A", name: query.questions![0]!.name, ttl, data } as packet.Answer],
});
const soa = (ttl: number, minimum: number): packet.Answer => ({
  type: "SOA",
  name: "test",
  ttl,
  data: { mname: "ns.test", rname: "root.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});

async function ask(responder: Responder, name: string, rest: Partial<packet.Packet> = {}) {
  const questions: packet.Question[] = [{ name, type: "A" }];
  const message = packet.encode({ type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions, ...rest });
  const outcome = await responder.respond(message, "udp");
  return packet.decode(outcome!.response) as packet.DecodedPacket & { rcode: string };
}

/** A clock that stands still until it is told. */
function steppedClock() {
  let nowMs = 1_000_000;
  const clock = { now: () => nowMs, after: () => ({ cancel() {} }), sleep: () => Promise.resolve() };
  return { clock, step: (ms: number) => (nowMs += ms) };
}

test("F3 an answer is kept until its TTL is over, at most for the cache's time, and its TTL counts down", async (t) => {
  const table: [what: string, said: (query: packet.DecodedPacket) => object, keptSeconds: number, rcode: string][] = [
    ["TTL of 20", (query) => address(query, "203.0.113.7", 20), 20, "NOERROR"],
    ["TTL of 600", (query) => address(query, "203.0.113.7", 600), 30, "NOERROR"],
    ["TTL of 0", (query) => address(query, "203.0.113.7", 0), 5, "NOERROR"],
    ["no such name", () => ({ flags: 3, authorities: [soa(3600, 12)] }), 12, "NXDOMAIN"],
    ["no such name, for long", () => ({ flags: 3, authorities: [soa(3600, 3600)] }), 30, "NXDOMAIN"],
    ["no such type", () => ({ authorities: [soa(8, 3600)] }), 8, "NOERROR"],
    ["no such name, without an SOA", () => ({ flags: 3 }), 0, "NXDOMAIN"],
    ["a failure", () => ({ flags: 2 }), 5, "SERVFAIL"],
    ["a refusal", () => ({ flags: 5 }), 0, "REFUSED"],
  ];
  for (const [what, said, keptSeconds, rcode] of table) {
    const resolver = await startTestResolver(t, said);
    const { clock, step } = steppedClock();
    const { responder } = testResponder({ resolvers: [resolver], forwarder: { clock } });
    t.equal((await ask(responder, "www.example.test")).rcode, rcode, what);
    if (keptSeconds > 0) {
      step((keptSeconds - 1) * 1000);
      const last = await ask(responder, "WWW.Example.TEST");
      t.equal(resolver.asked.length, 1, `${what}: kept for ${keptSeconds - 1} s`);
      t.equal(last.questions?.[0]?.name, "WWW.Example.TEST", `${what}: as it was asked`);
      for (const { ttl } of (last.answers ?? []) as { ttl: number }[]) t.ok(ttl <= 1, `${what}: TTL is ${ttl} by then`);
      step(1000);
    }
    await ask(responder, "www.example.test");
    t.equal(resolver.asked.length, 2, `${what}: asked again after ${keptSeconds} s`);
  }
});

test("F3 kept answers are apart for each type and wish for signatures; questions at once become one", async (t) => {
  const resolver = await startTestResolver(t, (query) => address(query, "203.0.113.7"));
  const { responder } = testResponder({ resolvers: [resolver] });
  const several = await Promise.all(Array.from({ length: 20 }, () => ask(responder, "many.example.test")));
  t.equal(resolver.asked.length, 1);
  t.ok(several.every(({ answers }) => answers?.length === 1));
  const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, options: [] };
  const signed = { ...opt, flags: packet.DNSSEC_OK, flag_do: true } as unknown as packet.Answer;
  await ask(responder, "many.example.test", { additionals: [signed] });
  t.equal(resolver.asked.length, 2);
  await ask(responder, "many.example.test", { questions: [{ name: "many.example.test", type: "MX" }] });
  t.strictSame(
    resolver.asked.map(({ type }) => type),
    ["A", "A", "MX"],
  );
  t.ok(resolver.asked.every(({ hasEdns }) => hasEdns));
});

test("F3 EDNS is between neighbours: the resolver's stays with us, the client gets ours if it speaks it", async (t) => {
  const opt = { type: "OPT", name: ".", udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, options: [] };
  const last = { type: "A", name: "extra.test", ttl: 9, data: "203.0.113.9" };
  for (const additionals of [[opt], [last, opt], [opt, last]]) {
    const resolver = await startTestResolver(t, (query) => ({
      ...address(query, "203.0.113.7"),
      additionals: additionals as packet.Answer[],
    }));
    const { responder } = testResponder({ resolvers: [resolver] });
    const what = additionals.map(({ type }) => type).join(", ");
    const plain = await ask(responder, "www.example.test");
    t.notOk(
      plain.additionals?.some(({ type }) => type === "OPT"),
      what,
    );
    t.match(plain.answers, [{ data: "203.0.113.7" }], what);
    const speaking = await ask(responder, "www.example.test", { additionals: [opt as unknown as packet.Answer] });
    const theirs = speaking.additionals?.filter(({ type }) => type === "OPT");
    t.match(theirs, [{ udpPayloadSize: 1232 }], what);
    t.equal(theirs?.length, 1, what);
  }
});

test("F3 what is too large for a datagram is fetched over TCP, and cut for a client that takes less", async (t) => {
  const resolver = await startTestResolver(t, (query, transport) =>
    transport === "udp"
      ? { flags: packet.TRUNCATED_RESPONSE }
      : {
          answers: Array.from({ length: 100 }, (_, i) => ({
            type: "A" as const,
            name: query.questions![0]!.name,
            ttl: 60,
            data: `203.0.113.${i}`,
          })),
        },
  );
  const port = await startTestServer(t, { resolvers: [resolver] });
  const whole = await dig(port, "large.example.test", "A");
  t.equal(whole.answer.length, 100, "dig came back over TCP");
  const cut = await dig(port, "large.example.test", "A", "+ignore", "+noedns");
  t.ok(cut.flags.includes("tc"));
  t.ok(cut.answer.length > 5 && cut.answer.length < 100, `${cut.answer.length} fit`);
  t.strictSame(
    resolver.asked.map(({ transport }) => transport),
    ["udp", "tcp"],
    "kept",
  );
});

test("F3 a resolver that knows no EDNS is asked without it", async (t) => {
  const resolver = await startTestResolver(t, (query) =>
    query.additionals?.length ? { flags: 1 } : address(query, "203.0.113.7"),
  );
  const { responder } = testResponder({ resolvers: [resolver] });
  t.match((await ask(responder, "old.example.test")).answers, [{ data: "203.0.113.7" }]);
  t.strictSame(
    resolver.asked.map(({ hasEdns }) => hasEdns),
    [true, false],
  );
});

test("F3 another resolver answers for one that is silent; that one is left alone until it answers again", async (t) => {
  const [one, two] = [await answering(t, "203.0.113.1"), await answering(t, "203.0.113.2")];
  one.isSilent = true;
  const { responder, close } = testResponder({ resolvers: [one, two], forwarder: { timeoutMs: 1_500 } });
  t.teardown(close);
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(responder, `${i}.example.test`)));
  for (const { answers } of all) t.match(answers, [{ data: "203.0.113.2" }], "the other one answers");
  one.isSilent = false;
  const isBack = async (i: number) =>
    ((await ask(responder, `back-${i}.example.test`)).answers?.[0] as { data: string } | undefined)?.data;
  let i = 0;
  while ((await isBack(i++)) !== "203.0.113.1" && i < 2_000) await new Promise((done) => setTimeout(done, 10));
  t.ok(i < 2_000, "it is asked again");
});

function answering(t: { teardown(callback: () => unknown): void }, data: string): Promise<TestResolver> {
  return startTestResolver(t, (query) => address(query, data));
}

test("F3 no resolver, none that answers, one that talks nonsense: SERVFAIL, in bounded time", async (t) => {
  const silent = await answering(t, "203.0.113.1");
  silent.isSilent = true;
  const wrongQuestion = await startTestResolver(t, (query) => ({
    ...address(query, "203.0.113.66"),
    questions: [{ name: "evil.example.test", type: "A" }],
  }));
  const wrongId = await startTestResolver(t, (query) => ({ ...address(query, "203.0.113.66"), id: query.id! ^ 1 }));
  const cutShort = await startTestResolver(t, (query) =>
    packet
      .encode({ type: "response", id: query.id!, questions: query.questions!, ...address(query, "203.0.113.66") })
      .subarray(0, -2),
  );
  const table: [string, TestResolver[]][] = [
    ["none", []],
    ["a silent one", [silent]],
    ["answers to another question", [wrongQuestion]],
    ["answers with another id", [wrongId]],
    ["answers cut short", [cutShort]],
  ];
  for (const [what, resolvers] of table) {
    const { responder, close } = testResponder({ resolvers, forwarder: { timeoutMs: 200, totalMs: 500 } });
    const { rcode, answers } = await ask(responder, "www.example.test");
    close();
    t.equal(rcode, "SERVFAIL", what);
    t.strictSame(answers, [], what);
  }
});

test("F3 more questions under way than allowed are refused", async (t) => {
  const silent = await answering(t, "203.0.113.1");
  silent.isSilent = true;
  const { responder, close } = testResponder({
    resolvers: [silent],
    forwarder: { maxConcurrent: 3, timeoutMs: 1_000 },
  });
  t.teardown(close);
  const rcodes = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => (await ask(responder, `${i}.test`)).rcode),
  );
  t.strictSame(rcodes.sort(), ["REFUSED", "REFUSED", "SERVFAIL", "SERVFAIL", "SERVFAIL"]);
});

test("F3 stub domains have resolvers of their own, the longest domain first", async (t) => {
  const rest = await answering(t, "203.0.113.1");
  const corp = await answering(t, "203.0.113.2");
  const lab = await answering(t, "203.0.113.3");
  const { responder } = testResponder({
    forwarder: { domains: { ".": [rest], "corp.test": [corp], "lab.corp.test": [lab] } },
  });
  const table: [string, string][] = [
    ["www.example.test", "203.0.113.1"],
    ["notcorp.test", "203.0.113.1"],
    ["corp.test", "203.0.113.2"],
    ["WWW.Corp.TEST", "203.0.113.2"],
    ["lab.corp.test", "203.0.113.3"],
    ["a.b.lab.corp.test", "203.0.113.3"],
  ];
  for (const [name, data] of table) t.match((await ask(responder, name)).answers, [{ data }], name);
});

test("F3 an ExternalName outside the cluster is followed, and says what the resolver said", async (t) => {
  const meta = { namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  const external = (name: string, externalName: string) => ({
    metadata: { ...meta, name },
    spec: { type: "ExternalName" as const, externalName },
  });
  const objects: PlainObjects = {
    namespaces: ["default"],
    slices: [],
    services: [
      external("out", "www.example.test"),
      external("gone", "gone.example.test"),
      external("ill", "ill.example.test"),
    ],
  };
  const resolver = await startTestResolver(t, (query) => {
    const { name } = query.questions![0]!;
    if (name === "gone.example.test") return { flags: 3, authorities: [soa(60, 60)] };
    if (name === "ill.example.test") return { flags: 2 };
    return {
      answers: [
        { type: "CNAME", name, ttl: 60, data: "web.example.test" },
        { type: "A", name: "web.example.test", ttl: 60, data: "203.0.113.7" },
      ],
    };
  });
  const { responder } = testResponder({ objects, resolvers: [resolver] });
  const of = (name: string) => `${name}.default.svc.cluster.local`;
  t.match(await ask(responder, of("out")), {
    rcode: "NOERROR",
    flag_aa: true,
    answers: [
      { type: "CNAME", name: of("out"), data: "www.example.test" },
      { type: "CNAME", name: "www.example.test", data: "web.example.test" },
      { type: "A", name: "web.example.test", data: "203.0.113.7" },
    ],
  });
  t.match(await ask(responder, of("gone")), { rcode: "NXDOMAIN", answers: [{ data: "gone.example.test" }] });
  t.match(await ask(responder, of("ill")), { rcode: "SERVFAIL" });
});

test("F3 reverse names that nobody here has are forwarded", async (t) => {
  const resolver = await startTestResolver(t, (query) => ({
    answers: [{ type: "PTR", name: query.questions![0]!.name, ttl: 60, data: "printer.example.test" }],
  }));
  const port = await startTestServer(t, { resolvers: [resolver] });
  t.match((await dig(port, "-x", "192.0.2.9")).answer, ["9.2.0.192.in-addr.arpa. 30 IN PTR printer.example.test."]);
});

test("F3 a resolver that leads back to this server is found out and not asked again", async (t) => {
  const free = await new Promise<number>((done) => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => done(port));
    });
  });
  const other = await answering(t, "203.0.113.2");
  const forwarder = createForwarder({
    domains: { ".": [{ host: "127.0.0.1", port: free }, other] },
    timeoutMs: 20_000,
    totalMs: 60_000,
    healthCheckMs: 50,
    maxCacheSeconds: 30,
    maxConcurrent: 1_000,
    clock: { now: Date.now, after: () => ({ cancel() {} }), sleep: () => Promise.resolve() },
    logger,
  });
  t.teardown(() => forwarder.close());
  const { responder } = testResponder({ responderForwarder: forwarder });
  await startTestServer(t, { responder, server: { port: free } });
  await forwarder.detectLoops();
  for (let i = 0; i < 10; i++)
    t.match((await ask(responder, `${i}.example.test`)).answers, [{ data: "203.0.113.2" }], "the other one answers");
  t.strictSame(
    other.asked.map(({ type }) => type),
    ["HINFO", ...Array.from({ length: 10 }, () => "A")],
  );
});

test("resolv.conf and stub domains", (t) => {
  const text =
    "# nameserver 192.0.2.1\nsearch a b\nnameserver 192.0.2.2\n nameserver\t2001:db8::1\nnameserver fe80::1%eth0\nnameserver x\n";
  t.strictSame(resolversOf(text), [
    { host: "192.0.2.2", port: 53 },
    { host: "2001:db8::1", port: 53 },
    { host: "fe80::1", port: 53 },
  ]);
  t.strictSame(parseStubDomains(["Corp.Test.=192.0.2.1", "corp.test=[2001:db8::1]:5353", "b=192.0.2.3:54"]), {
    "corp.test": [
      { host: "192.0.2.1", port: 53 },
      { host: "2001:db8::1", port: 5353 },
    ],
    b: [{ host: "192.0.2.3", port: 54 }],
  });
  for (const bad of ["", "corp.test", "corp.test=", "=192.0.2.1", "corp.test=host", "corp.test=192.0.2.1:0"])
    t.throws(() => parseStubDomains([bad]), { name: "ConfigError" }, bad);
  for (const bad of ["", "host", "1.2.3.4:", "1.2.3.4:70000", "[1.2.3.4", "::1:x"])
    t.equal(parseResolver(bad), undefined, bad);
  t.end();
});
