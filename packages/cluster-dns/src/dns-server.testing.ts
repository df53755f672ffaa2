// For tests: a DNS server on a free port of the loopback, over Services and slices given as plain objects; resolvers that
// answer what the test says; and dig.

import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import packet from "dns-packet";
import type { Resolver } from "./exchange.js";
import { createForwarder, type Forwarder, type ForwarderOptions } from "./forwarder.js";
import { canonicalIp } from "./names.js";
import { createRecords, type RecordSource, type RecordsOptions } from "./records.js";
import { createResponder, type Responder } from "./responder.js";
import { type DnsServerOptions, startDnsServer } from "./server.js";

interface Test {
  teardown(callback: () => unknown): void;
}

export const logger = createLogger({ name: "test", verbosity: -1 });

/** Objects that a test may change: it must add to changes() then, as an informer's news do. */
export interface PlainObjects {
  services: Service[];
  slices: EndpointSlice[];
  namespaces: string[];
  /** "namespace/ip" */
  pods?: string[];
  changes?: number;
}

export function plainSource(objects: PlainObjects): RecordSource {
  const ips = ({ spec }: Service) => spec?.clusterIPs ?? [spec?.clusterIP];
  return {
    service: (namespace, name) =>
      objects.services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    slices: (namespace, service) =>
      objects.slices.filter(
        ({ metadata }) =>
          metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === service,
      ),
    namespaceExists: (name) => objects.namespaces.includes(name),
    servicesByIp: (ip) => objects.services.filter((service) => ips(service).includes(ip)),
    slicesByIp: (ip) =>
      objects.slices.filter(({ endpoints }) =>
        endpoints?.some(({ addresses }) => addresses.some((address) => canonicalIp(address) === ip)),
      ),
    podExists: (namespace, ip) => objects.pods?.includes(`${namespace}/${ip}`) ?? false,
    changes: () => objects.changes ?? 0,
    modifiedSeconds: () => 1_700_000_000,
  };
}

export interface TestServerOptions {
  readonly objects?: PlainObjects;
  readonly resolvers?: readonly Resolver[];
  readonly records?: Partial<RecordsOptions>;
  readonly forwarder?: Partial<ForwarderOptions>;
  readonly server?: Partial<DnsServerOptions>;
  /** Instead of those that would be made. */
  readonly responderForwarder?: Forwarder;
  readonly responder?: Responder;
  isReady?(): boolean;
}

/** A responder on its own, without sockets. */
export function testResponder(options: TestServerOptions = {}): { responder: Responder; close(): void } {
  const { objects = { services: [], slices: [], namespaces: [] }, resolvers = [] } = options;
  const made = createForwarder({
    domains: { ".": resolvers },
    timeoutMs: 5_000,
    totalMs: 20_000,
    healthCheckMs: 50,
    maxCacheSeconds: 30,
    maxConcurrent: 1_000,
    clock: realClock(),
    logger,
    ...options.forwarder,
  });
  const forwarder = options.responderForwarder ?? made;
  const records = createRecords({
    zone: "cluster.local",
    ttl: 30,
    podNames: "insecure",
    source: plainSource(objects),
    self: { addresses: ["10.0.0.1"], port: 10053 },
    ...options.records,
  });
  const responder = createResponder({ records, forwarder, logger, isReady: options.isReady ?? (() => true) });
  return { responder, close: () => forwarder.close() };
}

/** The server's port; it is gone when the test ends. */
export async function startTestServer(t: Test, options: TestServerOptions = {}): Promise<number> {
  const { responder, close } = options.responder
    ? { responder: options.responder, close() {} }
    : testResponder(options);
  const server = await startDnsServer({ address: "127.0.0.1", port: 0, logger, responder, ...options.server });
  t.teardown(async () => {
    close();
    await server.close();
  });
  return server.port;
}

export interface TestResolver extends Resolver {
  /** Names asked, in order, with the transport. */
  readonly asked: { name: string; type: string; transport: "udp" | "tcp"; hasEdns: boolean }[];
  /** Answers nothing from now on, or again. */
  isSilent: boolean;
}

/** A resolver that answers over UDP and TCP what the callback says; undefined is silence. */
export async function startTestResolver(
  t: Test,
  answer: (query: packet.DecodedPacket, transport: "udp" | "tcp") => Partial<packet.Packet> | Buffer | undefined,
): Promise<TestResolver> {
  const reply = (message: Buffer, transport: "udp" | "tcp") => {
    const query = packet.decode(message);
    const { name, type } = query.questions![0]!;
    const hasEdns = (query.additionals?.length ?? 0) > 0;
    if (!resolver.isSilent) resolver.asked.push({ name, type, transport, hasEdns });
    const said = resolver.isSilent ? undefined : answer(query, transport);
    if (said === undefined || Buffer.isBuffer(said)) return said;
    return packet.encode({ type: "response", id: query.id!, questions: query.questions!, ...said } as packet.Packet);
  };
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data: Buffer) => {
      const said = reply(data.subarray(2), "tcp");
      if (!said) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(said.length);
      socket.end(Buffer.concat([length, said]));
    });
  });
  await new Promise<void>((done) => tcp.listen(0, "127.0.0.1", done));
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => {
    const said = reply(message, "udp");
    if (said) udp.send(said, from.port, from.address);
  });
  const port = (tcp.address() as { port: number }).port;
  await new Promise<void>((done) => udp.bind(port, "127.0.0.1", done));
  t.teardown(() => Promise.all([new Promise((done) => tcp.close(done)), new Promise<void>((done) => udp.close(done))]));
  const resolver: TestResolver = { host: "127.0.0.1", port, asked: [], isSilent: false };
  return resolver;
}

export interface DigAnswer {
  readonly status: string;
  readonly flags: string[];
  /** "name ttl class type data" with single spaces, sorted. */
  readonly answer: string[];
  readonly authority: string[];
  readonly additional: string[];
  readonly text: string;
}

/** Asks with the real dig; words are its own: ["web.default.svc.cluster.local", "A", "+tcp"]. */
export function dig(port: number, ...words: string[]): Promise<DigAnswer> {
  const args = ["@127.0.0.1", "-p", String(port), "+tries=2", "+time=30", "+nocookie", ...words];
  return new Promise((resolve, reject) => {
    execFile("dig", args, { timeout: 90_000 }, (error, text) => {
      if (error) return reject(new Error(`dig ${args.join(" ")}: ${error.message}\n${text}`, { cause: error }));
      const section = (name: string) => {
        const match = new RegExp(`;; ${name} SECTION:\n([^;][^]*?)\n\n`).exec(text);
        return (match?.[1]?.split("\n") ?? []).map((line) => line.replaceAll(/\s+/g, " ")).sort();
      };
      resolve({
        status: /status: (\w+)/.exec(text)?.[1] ?? "",
        flags: /;; flags: ([^;]*);/.exec(text)?.[1]?.split(" ") ?? [],
        answer: section("ANSWER"),
        authority: section("AUTHORITY"),
        additional: section("ADDITIONAL"),
        text,
      });
    });
  });
}
