// The process itself beside a real apiserver: ready when it knows the cluster, right while the apiserver is away, counting
// under CoreDNS's names, and leaving when told to.

import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { namespaces, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import packet from "dns-packet";
import { test } from "tap";
import { dig, startTestResolver } from "./dns-server.testing.js";

const executable = fileURLToPath(new URL("../bin/cluster-dns.js", import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

// Without a process of its own, as dig is: there is no time for one.
async function askOnce(port: number, name: string): Promise<packet.DecodedPacket> {
  const socket = createSocket("udp4");
  socket.send(packet.encode({ type: "query", id: 7, questions: [{ name, type: "A" }] }), port, "127.0.0.1");
  const [message] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return packet.decode(message);
}

test("F3 cluster-dns beside an apiserver", async (t) => {
  const apiServer = await startApiServer(t);
  const resolver = await startTestResolver(t, (query) => ({
    answers: [{ type: "A", name: query.questions![0]!.name, ttl: 60, data: "203.0.113.7" }],
  }));
  const directory = mkdtempSync(join(tmpdir(), "picokube-dns-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const resolvConf = join(directory, "resolv.conf");
  writeFileSync(resolvConf, "search example.test\n");
  const [port, healthPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  await apiServer.stop();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      executable,
      `--kubeconfig=${apiServer.as("cluster-dns").kubeconfig}`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      `--health-port=${healthPort}`,
      `--metrics-bind-address=127.0.0.1:${metricsPort}`,
      `--resolv-conf=${resolvConf}`,
      `--stub-domains=corp.test=127.0.0.1:${resolver.port}`,
      "--lameduck=5s",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr!.on("data", (chunk) => (log += chunk));
  t.teardown(() => child.kill("SIGKILL"));
  const ask = async (path: string, at = healthPort) => {
    const response = await fetch(`http://127.0.0.1:${at}${path}`);
    return { code: response.status, text: await response.text() };
  };

  // Before the first news: alive, not ready, forwarding, and no word about the cluster.
  await eventually("it is alive", async () => (await ask("/health")).code === 200);
  t.match(await ask("/ready"), { code: 503, text: "kubernetes" });
  t.equal((await ask("/readyz")).code, 500);
  t.match(await dig(port, "www.corp.test", "A"), { answer: ["www.corp.test. 30 IN A 203.0.113.7"] });
  t.equal((await dig(port, "kubernetes.default.svc.cluster.local", "A")).status, "SERVFAIL");

  await apiServer.restart();
  await eventually("it is ready", async () => (await ask("/ready")).code === 200);
  t.equal((await ask("/readyz")).code, 200);
  await eventually("the apiserver's own Service is known", async () => {
    const { answer } = await dig(port, "kubernetes.default.svc.cluster.local", "A");
    return answer[0] === "kubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1";
  });

  // What is made, changed and deleted.
  const { client } = apiServer;
  await client.create(services, {
    metadata: { name: "db", namespace: "default" },
    spec: { clusterIP: "None", ports: [{ name: "sql", port: 5432 }] },
  });
  const slice = await client.create(endpointslices, {
    metadata: { name: "db-1", namespace: "default", labels: { "kubernetes.io/service-name": "db" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } }],
    ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
  });
  const addressesOf = async (name: string) =>
    (await dig(port, `${name}.default.svc.cluster.local`, "A")).answer.map((line) => line.split(" ").pop());
  await eventually("db-0 has its name", async () => (await addressesOf("db-0.db")).join() === "10.244.0.5");
  await client.update(endpointslices, { ...slice, endpoints: [{ addresses: ["10.244.0.6"], hostname: "db-0" }] });
  await eventually("db-0 has moved", async () => (await addressesOf("db-0.db")).join() === "10.244.0.6");
  const serial = async () => Number(/ (\d+) 7200 /.exec((await dig(port, "cluster.local", "SOA")).answer[0]!)![1]);
  const before = await serial();
  t.ok(Math.abs(before - Date.now() / 1000) < 600, "the serial is the time of the last change");

  // The apiserver away: what was known still holds.
  await apiServer.stop("SIGKILL");
  t.strictSame(await addressesOf("db-0.db"), ["10.244.0.6"]);
  t.equal((await ask("/ready")).code, 200);
  await apiServer.restart();
  await client.create(namespaces, { metadata: { name: "later" } });
  await eventually(
    "news come again",
    async () => (await dig(port, "later.svc.cluster.local", "A")).status === "NOERROR",
  );
  await client.delete(services, { namespace: "default", name: "db" });
  await eventually(
    "db is gone",
    async () => (await dig(port, "db.default.svc.cluster.local", "A")).status === "NXDOMAIN",
  );

  const { text } = await ask("/metrics", metricsPort);
  for (const line of [
    /^coredns_dns_requests_total\{.*zone="cluster\.local\.".*proto="udp",family="1",type="A"\} \d+$/m,
    /^coredns_dns_responses_total\{.*zone="cluster\.local\.".*rcode="NXDOMAIN",plugin="kubernetes"\} \d+$/m,
    /^coredns_dns_responses_total\{.*zone="\.".*rcode="NOERROR",plugin="forward"\} 1$/m,
    /^coredns_dns_request_duration_seconds_count\{.*zone="cluster\.local\."/m,
    /^coredns_cache_entries\{.*type="success",zones="\."\} 1$/m,
    new RegExp(
      `^coredns_proxy_request_duration_seconds_count\\{proxy_name="forward",to="127.0.0.1:${resolver.port}",rcode="NOERROR"\\} 1$`,
      "m",
    ),
  ])
    t.match(text, line);

  // Told to stop: not ready, still answering, then gone.
  child.kill("SIGTERM");
  const exited = once(child, "exit");
  await eventually("it is not ready any more", async () => (await ask("/ready")).code === 503);
  const [health, answer] = await Promise.all([ask("/health"), askOnce(port, "kubernetes.default.svc.cluster.local")]);
  t.equal(health.code, 200);
  t.match(answer, { answers: [{ data: "10.96.0.1" }] }, "lame, not dead");
  t.strictSame(await exited, [0, null], log);
});
