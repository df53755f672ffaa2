// The protocol around the records: headers, EDNS, sizes, TCP. Messages are made by hand where no client would send them.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Service } from "@picokube/api/core/v1";
import packet from "dns-packet";
import { test } from "tap";
import { type PlainObjects, startTestServer, testResponder } from "./dns-server.testing.js";

const meta = { name: "big", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const services: Service[] = [
  { metadata: meta, spec: { clusterIP: "None", ports: [{ name: "sql", port: 5432 }] } },
  {
    metadata: { ...meta, name: "web" },
    spec: { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80 }] },
  },
];
const objects: PlainObjects = {
  namespaces: ["default"],
  services,
  slices: [
    {
      metadata: { ...meta, labels: { "kubernetes.io/service-name": "big" } },
      addressType: "IPv4",
      endpoints: Array.from({ length: 120 }, (_, i) => ({ addresses: [`10.244.1.${i + 1}`] })),
      ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
    },
  ],
};
const web = "web.default.svc.cluster.local";
const big = "big.default.svc.cluster.local";

function query(name: string, rest: Partial<packet.Packet> & { of?: string } = {}): Buffer {
  const { of: type = "A", ...others } = rest;
  const questions = [{ name, type } as packet.Question];
  return packet.encode({ type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions, ...others });
}

function opt(udpPayloadSize: number, rest: object = {}): packet.Answer {
  const fields = { udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [], ...rest };
  return { type: "OPT", name: ".", ...fields } as packet.Answer;
}

/** With these bytes put in at their offsets. */
function patched(message: Buffer, patches: Record<number, number>): Buffer {
  const copy = Buffer.from(message);
  for (const [offset, byte] of Object.entries(patches)) copy[Number(offset)] = byte;
  return copy;
}

const plain = query(web);
const withTwoOpts = query(web, { additionals: [opt(1232), opt(1232)] });

test("F3 what cannot be answered says why: FORMERR, NOTIMP, REFUSED, BADVERS, or nothing at all", async (t) => {
  const { responder } = testResponder({ objects });
  const table: [what: string, message: Buffer, rcode: number | undefined][] = [
    ["a whole query", plain, 0],
    ["no whole header", plain.subarray(0, 11), undefined],
    ["a response", patched(plain, { 2: 0x81 }), undefined],
    ["a header alone that counts one question", plain.subarray(0, 12), 1],
    ["no question", patched(plain, { 5: 0 }), 1],
    ["two questions", packet.encode({ ...packet.decode(plain), questions: [q(web), q(web)] } as packet.Packet), 1],
    ["a question without its class", plain.subarray(0, plain.length - 1), 1],
    ["a name that ends in a pointer to itself", patched(plain, { 12: 0xc0, 13: 12 }), 1],
    ["a label of 64 bytes", patched(plain, { 12: 64 }), 1],
    [
      "a name longer than 255 bytes",
      Buffer.concat([plain.subarray(0, 12), longName(), Buffer.from([0, 0, 1, 0, 1])]),
      1,
    ],
    ["an answer that is counted and not there", patched(plain, { 7: 1 }), 1],
    ["two answers", patched(plain, { 7: 2 }), 1],
    ["three additional records", patched(plain, { 11: 3 }), 1],
    ["two OPT records", withTwoOpts, 1],
    ["an OPT record cut short", query(web, { additionals: [opt(1232)] }).subarray(0, -1), 1],
    ["an inverse query", patched(plain, { 2: 0x09 }), 4],
    ["a status query", patched(plain, { 2: 0x10 }), 4],
    ["a notification", patched(plain, { 2: 0x20 }), 4],
    ["a dynamic update", patched(plain, { 2: 0x28 }), 4],
    ["the CHAOS class", patched(plain, { [plain.length - 1]: 3 }), 5],
    ["any class", patched(plain, { [plain.length - 1]: 255 }), 5],
    ["EDNS of version 1", query(web, { additionals: [opt(1232, { ednsVersion: 1 })] }), 16],
  ];
  for (const [what, message, rcode] of table) {
    const outcome = await responder.respond(message, "udp");
    t.equal(outcome?.rcode, rcode, what);
    if (!outcome) continue;
    t.equal(outcome.response.readUInt16BE(0), 7, `${what}: the query's id`);
    t.equal(outcome.response[2]! & 0x80, 0x80, `${what}: a response`);
    t.equal(outcome.response[3]! & 15, rcode! & 15, `${what}: in the header`);
    t.equal(outcome.response[2]! & 0x78, rcode === 4 ? message[2]! & 0x78 : 0, `${what}: the operation`);
  }
});

function q(name: string): packet.Question {
  return { name, type: "A" };
}

function longName(): Buffer {
  return Buffer.concat(Array.from({ length: 5 }, () => Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 0x61)])));
}

test("F3 the longest name there may be is answered", async (t) => {
  const name = [63, 63, 63, 61].map((length) => "a".repeat(length)).join(".");
  const { responder } = testResponder({ objects });
  t.equal((await responder.respond(query(name), "udp"))?.rcode, 2, "forwarded, and there is nobody to forward it to");
});

test("F3 a dot or a backslash inside a label is no dot between labels", async (t) => {
  const { responder } = testResponder({ objects });
  const label = Buffer.from("\x0bweb.default\x03svc\x07cluster\x05local\x00", "latin1");
  const message = Buffer.concat([plain.subarray(0, 12), label, Buffer.from([0, 1, 0, 1])]);
  const outcome = await responder.respond(message, "udp");
  t.equal(outcome?.rcode, 3);
  t.equal(packet.decode(outcome!.response).authorities?.[0]?.name, "cluster.local", "the SOA's owner is whole");
});

test("F3 the question comes back as it was written, and records are found whatever its case", async (t) => {
  const { responder } = testResponder({ objects });
  for (const name of ["WEB.default.SVC.cluster.LOCAL", "wEb.DeFaUlT.sVc.ClUsTeR.lOcAl", web]) {
    const { questions, answers } = packet.decode((await responder.respond(query(name), "udp"))!.response);
    t.equal(questions?.[0]?.name, name);
    t.match(answers, [{ name, data: "10.96.0.20", ttl: 30 }]);
  }
});

test("F3 header bits: recursion is offered, what the client wished comes back", async (t) => {
  const { responder } = testResponder({ objects });
  for (const flags of [0, packet.RECURSION_DESIRED, packet.CHECKING_DISABLED]) {
    const answer = packet.decode((await responder.respond(query(web, { flags }), "udp"))!.response);
    t.equal(answer.flag_rd, flags === packet.RECURSION_DESIRED);
    t.equal(answer.flag_cd, flags === packet.CHECKING_DISABLED);
    t.match(answer, { flag_ra: true, flag_aa: true, flag_ad: false, flag_tc: false });
  }
});

test("F3 sizes: 512 bytes without EDNS, what the client takes with it up to 1232, all over TCP", async (t) => {
  const { responder } = testResponder({ objects });
  const table: [what: string, message: Buffer, transport: "udp" | "tcp", most: number, isWhole: boolean][] = [
    ["no EDNS", query(big), "udp", 512, false],
    ["EDNS of less than 512", query(big, { additionals: [opt(100)] }), "udp", 512, false],
    ["EDNS of 900", query(big, { additionals: [opt(900)] }), "udp", 900, false],
    ["EDNS of 4096", query(big, { additionals: [opt(4096)] }), "udp", 1232, false],
    ["TCP", query(big), "tcp", 65_535, true],
    ["SRV over UDP", query(`_sql._tcp.${big}`, { of: "SRV" }), "udp", 512, false],
    ["SRV over TCP", query(`_sql._tcp.${big}`, { of: "SRV" }), "tcp", 65_535, true],
  ];
  for (const [what, message, transport, most, isWhole] of table) {
    const { response } = (await responder.respond(message, transport))!;
    const { answers = [], additionals = [], flag_tc } = packet.decode(response);
    t.ok(response.length <= most, `${what}: ${response.length} bytes`);
    t.equal(flag_tc, !isWhole, `${what}: truncated`);
    const size = answers[0]?.type === "SRV" ? 60 : 16;
    if (isWhole) t.equal(answers.length, 120, what);
    else t.ok(answers.length >= Math.floor((most - 80) / size), `${what}: ${answers.length} records, as many as fit`);
    const opts = additionals.filter(({ type }) => type === "OPT") as { udpPayloadSize: number }[];
    t.strictSame(
      opts.map(({ udpPayloadSize }) => udpPayloadSize),
      what.startsWith("EDNS") ? [1232] : [],
      `${what}: EDNS is spoken to those who do`,
    );
  }
});

test("F3 additional records that do not fit are left out without a word", async (t) => {
  const few: PlainObjects = {
    ...objects,
    slices: [{ ...objects.slices[0]!, endpoints: objects.slices[0]!.endpoints!.slice(0, 6) }],
  };
  const { responder } = testResponder({ objects: few });
  const { response } = (await responder.respond(query(`_sql._tcp.${big}`, { of: "SRV" }), "udp"))!;
  const { answers, additionals, flag_tc } = packet.decode(response);
  t.equal(answers?.length, 6);
  t.ok(additionals!.length < 6);
  t.equal(flag_tc, false);
});

test("F3 the DO bit comes back, and brings no signatures", async (t) => {
  const { responder } = testResponder({ objects });
  for (const flag_do of [true, false]) {
    const message = query(web, { additionals: [opt(1232, { flag_do, flags: flag_do ? packet.DNSSEC_OK : 0 })] });
    const { answers, additionals } = packet.decode((await responder.respond(message, "udp"))!.response);
    t.match(additionals, [{ type: "OPT", flag_do }]);
    t.equal(answers?.length, 1);
  }
});

test("F3 addresses change places from answer to answer, evenly", async (t) => {
  const three: PlainObjects = {
    ...objects,
    slices: [{ ...objects.slices[0]!, endpoints: objects.slices[0]!.endpoints!.slice(0, 3) }],
  };
  const { responder } = testResponder({ objects: three });
  const first: Record<string, number> = {};
  for (let i = 0; i < 3_000; i++) {
    const { answers } = packet.decode((await responder.respond(query(big), "udp"))!.response);
    const { data } = answers![0] as { data: string };
    first[data] = (first[data] ?? 0) + 1;
  }
  // Seven standard deviations around a thousand.
  for (const count of Object.values(first)) t.ok(count > 800 && count < 1_200, `${count} times first`);
  t.equal(Object.keys(first).length, 3);
});

test("F3 TCP: many questions in one piece, and one in many pieces", async (t) => {
  const port = await startTestServer(t, { objects });
  const socket = connect({ port, host: "127.0.0.1" });
  t.teardown(() => socket.destroy());
  const ids = Array.from({ length: 250 }, (_, i) => i + 1);
  socket.write(Buffer.concat(ids.map((id) => framed(query(big, { id })))));
  const answers = await readMessages(socket, ids.length);
  t.strictSame(
    answers.map(({ id }) => id).sort((a, b) => a! - b!),
    ids,
  );
  t.ok(answers.every((answer) => answer.answers?.length === 120));
  const last = framed(query(web, { id: 999 }));
  for (const byte of last) await new Promise((done) => socket.write(Buffer.from([byte]), done));
  t.match(await readMessages(socket, 1), [{ id: 999, answers: [{ data: "10.96.0.20" }] }]);
});

test("F3 TCP: one that says nothing, or never ends, is left after a while; garbage ends the connection", async (t) => {
  const port = await startTestServer(t, { objects, server: { idleTimeoutMs: 100 } });
  for (const bytes of [Buffer.alloc(0), Buffer.from([0, 50, 1, 2, 3]), framed(Buffer.from([1, 2, 3]))]) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.resume();
    if (bytes.length > 0) socket.write(bytes);
    await once(socket, "close");
  }
  t.pass("all are closed");
});

test("F3 TCP: one who does not read holds up nobody, and the rest of its questions waits", async (t) => {
  const port = await startTestServer(t, { objects });
  const greedy = connect({ port, host: "127.0.0.1" });
  greedy.on("error", () => {});
  t.teardown(() => greedy.destroy());
  greedy.pause();
  const many = framed(query(big));
  for (let i = 0; i < 5; i++) greedy.write(Buffer.concat(Array.from({ length: 1_000 }, () => many)));
  const other = connect({ port, host: "127.0.0.1" });
  t.teardown(() => other.destroy());
  other.write(framed(query(web)));
  t.match(await readMessages(other, 1), [{ answers: [{ data: "10.96.0.20" }] }]);
  t.equal((await readMessages(greedy, 5_000)).length, 5_000, "all are answered once it reads");
});

test("F3 no more connections than allowed", async (t) => {
  const port = await startTestServer(t, { objects, server: { maxConnections: 2 } });
  const sockets = Array.from({ length: 2 }, () => connect({ port, host: "127.0.0.1" }));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.write(framed(query(web)));
    t.equal((await readMessages(socket, 1)).length, 1);
  }
  const third = connect({ port, host: "127.0.0.1" });
  third.on("error", () => {});
  third.resume();
  await once(third, "close");
  sockets[0]!.destroy();
  for (let tries = 0; ; tries++) {
    const again = connect({ port, host: "127.0.0.1" });
    again.on("error", () => {});
    again.write(framed(query(web)));
    const got = await Promise.race([readMessages(again, 1), once(again, "close").then(() => [])]);
    again.destroy();
    if (got.length === 1) break;
    if (tries > 1_000) return t.fail("a place that came free is not given again");
    await new Promise((done) => setTimeout(done, 20));
  }
  t.pass("a place that came free is given again");
});

test("F3 a datagram's answer comes from the address that was asked", async (t) => {
  const port = await startTestServer(t, { objects });
  const socket = createSocket("udp4");
  t.teardown(() => socket.close());
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.send(query(web));
  const [message] = (await once(socket, "message")) as [Buffer];
  t.match(packet.decode(message), { id: 7, answers: [{ data: "10.96.0.20" }] });
});

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function readMessages(socket: Socket, count: number): Promise<packet.DecodedPacket[]> {
  return new Promise((resolve) => {
    const messages: packet.DecodedPacket[] = [];
    let received: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        messages.push(packet.decode(received.subarray(2, 2 + received.readUInt16BE(0))));
        received = received.subarray(2 + received.readUInt16BE(0));
      }
      if (messages.length < count) return;
      socket.off("data", onData);
      resolve(messages);
    };
    socket.on("data", onData);
    socket.resume();
  });
}
