import { startHealthServer } from "@picokube/component-base/health-server";
import { createLogger } from "@picokube/component-base/logger";
import { node } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createProxyHealth } from "./proxy-health.js";
import { healthOf } from "./service-facts.js";
import { createServiceHealthServers } from "./service-health.js";
import { servicePorts } from "./service-ports.js";
import { service, slice } from "./shapes.testing.js";

const zero = "0001-01-01 00:00:00 +0000 UTC";

test("F1 /healthz and /livez say upstream's JSON: 503 while changes wait too long, /healthz also while the node goes", async (t) => {
  const clock = steppingClock();
  const answers: string[] = [];
  const health = createProxyHealth({
    clock,
    timeoutMs: 60_000,
    answered: (path, code) => answers.push(`${path} ${code}`),
  });
  const server = await startHealthServer({ address: "127.0.0.1", port: 0, handlers: health.handlers });
  t.teardown(() => server.close());
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    t.match(response.headers.get("content-type"), "application/json");
    t.equal(response.headers.get("x-content-type-options"), "nosniff");
    return { code: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const now = () => new Date(clock.now()).toISOString().replace("T", " ").replace("Z", " +0000 UTC");

  t.strictSame(await get("/healthz"), {
    code: 200,
    body: { lastUpdated: now(), currentTime: now(), nodeEligible: true },
  });
  health.updated("IPv4");
  health.updated("IPv6");
  const updated = now();
  health.queued("IPv6");
  await clock.advance(30_000);
  health.queued("IPv6");
  t.equal((await get("/livez")).code, 200, "not late yet");
  await clock.advance(30_000);
  t.strictSame(await get("/livez"), { code: 503, body: { lastUpdated: updated, currentTime: now() } });
  t.equal((await get("/healthz")).code, 503);
  t.equal(health.isHealthy(), false);
  health.updated("IPv6");
  t.equal((await get("/healthz")).code, 200);

  const tainted = node("n", { spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } });
  for (const going of [tainted, node("n", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }), undefined]) {
    health.syncNode(going);
    t.match(await get("/healthz"), { code: 503, body: { nodeEligible: false } });
    t.equal((await get("/livez")).code, 200, "the proxy itself is well");
  }
  health.syncNode(node("n"));
  t.match(await get("/healthz"), { code: 200, body: { nodeEligible: true } });
  t.same(answers.slice(0, 3), ["healthz 200", "livez 200", "livez 503"]);
  t.not(updated, zero);
});

test("F1 a health-check node port says how many endpoints this node has", async (t) => {
  // An address of our own, so that a port that was free a moment ago still is.
  const address = `127.77.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`;
  const failures: string[] = [];
  let isProxyHealthy = true;
  const servers = createServiceHealthServers({
    nodeName: "node-1",
    addresses: () => [address],
    isProxyHealthy: () => isProxyHealthy,
    onFailure: (of, message) => failures.push(`${of}: ${message}`),
    logger: createLogger({ name: "test" }),
  });
  t.teardown(() => servers.close());
  const taken = await startHealthServer({ address, port: 0 });
  const { port } = await startHealthServer({ address, port: 0 }).then(async (free) => {
    await free.close();
    return free;
  });
  const get = async () => {
    const response = await fetch(`http://${address}:${port}/anything`);
    return {
      code: response.status,
      weight: response.headers.get("x-load-balancing-endpoint-weight"),
      text: await response.text(),
    };
  };
  const balancer = (...slices: ReturnType<typeof slice>[]) =>
    healthOf(
      servicePorts(
        service({
          type: "LoadBalancer",
          externalTrafficPolicy: "Local",
          healthCheckNodePort: port,
          ports: [
            { name: "", port: 80, protocol: "TCP" },
            { name: "again", port: 81, protocol: "TCP" },
          ],
        }),
        slices,
        { family: "IPv4", nodeName: "node-1", zone: "" },
      ),
    );

  await servers.sync(
    balancer(
      slice(
        { ip: "10.244.0.5" },
        { ip: "10.244.0.6", ready: false, terminating: true },
        { ip: "10.244.1.7", node: "node-2" },
      ),
    ),
  );
  t.strictSame(await get(), {
    code: 200,
    weight: "1",
    text: '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 1,\n\t"serviceProxyHealthy": true\n}',
  });
  isProxyHealthy = false;
  t.match(await get(), { code: 503, text: /"serviceProxyHealthy": false/ });
  isProxyHealthy = true;
  await servers.sync(balancer());
  t.match(await get(), { code: 503, weight: "0", text: /"localEndpoints": 0/ });
  await servers.sync([]);
  await t.rejects(get(), "its port is closed with the Service");

  for (let tries = 0; tries < 2; tries++)
    await servers.sync([{ service: "default/web", port: taken.port, localEndpoints: 1 }]);
  t.equal(failures.length, 1, "told once");
  t.match(failures[0], `default/web: node node-1 failed to start healthcheck "default/web" on port ${taken.port}: `);
  await taken.close();
});
