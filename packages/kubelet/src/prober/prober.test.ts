import { createServer } from "node:http";
import type { Container } from "@picokube/api/core/v1";
import { pod } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import type { ContainerStatus, Runtime } from "../cri/runtime.js";
import type { PodState, ProbeResult } from "../parts.js";
import { probeGrpc } from "./grpc-probe.js";
import { probeHttp } from "./http-probe.js";
import { ProbeError, resolvePort } from "./probe-outcome.js";
import { createProber } from "./prober.js";
import { grpcHealth, listen } from "./servers.testing.js";
import { probeTcp } from "./tcp-probe.js";
import { Threshold } from "./threshold.js";

test("thresholds count outcomes in a row", (t) => {
  const [yes, no] = [true, false];
  for (const [options, outcomes, verdicts] of [
    [{}, [yes, no, no, no], [yes, undefined, undefined, no]],
    [{ failureThreshold: 2 }, [no, yes, no, no], [undefined, yes, undefined, no]],
    [{ successThreshold: 2, failureThreshold: 1 }, [no, yes, yes], [no, undefined, yes]],
  ] as const) {
    const threshold = new Threshold(options);
    t.same(
      outcomes.map((outcome) => threshold.add(outcome)),
      verdicts,
    );
  }
  t.end();
});

test("ports by number and name", (t) => {
  const container = { name: "c", ports: [{ name: "web", containerPort: 8080 }] };
  t.equal(resolvePort("web", container), 8080);
  t.equal(resolvePort("81", container), 81);
  t.throws(() => resolvePort("nope", container), ProbeError);
  t.end();
});

test("http and tcp", async (t) => {
  const server = createServer((request, response) => {
    if (request.url === "/slow") return;
    if (request.url === "/moved") response.setHeader("location", "/ok");
    const status = { "/ok": 200, "/moved": 302, "/bad": 500 }[request.url ?? ""] ?? 404;
    response.statusCode = request.headers["x-key"] === "k" || request.url !== "/ok" ? status : 403;
    response.end("body");
  });
  const port = await listen(t, server);
  const at = (path: string, timeoutMs = 1000) =>
    probeHttp({ url: new URL(`http://127.0.0.1:${port}${path}`), headers: [{ name: "X-Key", value: "k" }], timeoutMs });
  t.same(await at("/ok"), { success: true, message: "" });
  t.same(await at("/moved"), { success: true, message: "" });
  t.same(await at("/bad"), { success: false, message: "HTTP probe failed with statuscode: 500" });
  t.match((await at("/slow", 50)).message, /context deadline exceeded/);
  t.equal((await probeTcp({ host: "127.0.0.1", port, timeoutMs: 500 })).success, true);
  t.same(await probeTcp({ host: "127.0.0.1", port: 1, timeoutMs: 500 }), {
    success: false,
    message: "dial tcp 127.0.0.1:1: connect: connection refused",
  });
  const refused = await probeHttp({ url: new URL("http://127.0.0.1:1/x"), headers: [], timeoutMs: 500 });
  t.equal(refused.message, 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused');
});

test("grpc health", async (t) => {
  const { health, port } = await grpcHealth(t);
  health.set("", 1).set("sick", 2);
  const ask = (service: string) => probeGrpc({ host: "127.0.0.1", port, service, timeoutMs: 1000 });
  t.same(await ask(""), { success: true, message: "" });
  t.same(await ask("sick"), { success: false, message: 'service unhealthy (responded with "NOT_SERVING")' });
});

test("workers wait for start-up, report changes and begin anew with a new container", async (t) => {
  const clock = steppingClock();
  let succeed = false;
  let id = "c1";
  const runtime = {
    execSync: async () => ({ exitCode: succeed ? 0 : 1, output: "no", timedOut: false }),
  } as unknown as Runtime;
  const exec = { exec: { command: ["check"] }, periodSeconds: 1 };
  const container: Container = {
    name: "c",
    image: "i",
    startupProbe: { ...exec, failureThreshold: 10 },
    readinessProbe: exec,
    livenessProbe: { ...exec, failureThreshold: 2 },
  };
  const subject = pod("p", { metadata: { uid: "u" }, spec: { containers: [container] } });
  const state = (): PodState => ({
    podUid: "u",
    sandboxes: [],
    containers: [{ id, name: "c", state: "running", startedAt: clock.now() - 5000 } as ContainerStatus],
    podIps: ["10.0.0.1"],
  });
  const words: string[] = [];
  const results: ProbeResult[] = [];
  const prober = createProber({
    runtime,
    lookup: { state, podByUid: () => subject },
    events: { record: (_object, event) => words.push(event.message) },
    clock,
  });
  prober.onResult((result) => results.push(result));
  prober.addPod(subject);
  await clock.advance(2500);
  t.equal(prober.startup("c1"), undefined);
  t.equal(prober.readiness("c1"), false);
  t.ok(words.every((message) => message === "Startup probe failed: no"));
  succeed = true;
  await clock.advance(3000);
  t.equal(prober.startup("c1"), true);
  t.equal(prober.readiness("c1"), true);
  succeed = false;
  await clock.advance(5000);
  t.equal(prober.readiness("c1"), false);
  t.equal(prober.liveness("c1"), false);
  t.same(
    results.map(({ probe, success }) => `${probe} ${success}`),
    ["startup true", "readiness true", "liveness false", "readiness false"],
  );
  id = "c2";
  succeed = true;
  await clock.advance(5000);
  t.equal(prober.readiness("c2"), true);
  t.equal(prober.liveness("c2"), true);
  prober.removePod("u");
  t.equal(prober.readiness("c2"), undefined);
});

test("a probe that cannot be run changes no verdict", async (t) => {
  const clock = steppingClock();
  const runtime = {
    execSync: async () => {
      throw new Error("the engine is down");
    },
  } as unknown as Runtime;
  const livenessProbe = { exec: { command: ["check"] }, periodSeconds: 1, failureThreshold: 1 };
  const container: Container = { name: "c", image: "i", livenessProbe };
  const subject = pod("p", { metadata: { uid: "u" }, spec: { containers: [container] } });
  const state = (): PodState => ({
    podUid: "u",
    sandboxes: [],
    containers: [{ id: "c1", name: "c", state: "running", startedAt: clock.now() - 5000 } as ContainerStatus],
    podIps: ["10.0.0.1"],
  });
  const words: string[] = [];
  const prober = createProber({
    runtime,
    lookup: { state, podByUid: () => subject },
    events: { record: (_object, event) => words.push(event.message) },
    clock,
  });
  prober.addPod(subject);
  await clock.advance(3500);
  t.ok(words.length > 1);
  t.equal(words[0], "Liveness probe errored and resulted in unknown state: the engine is down");
  t.equal(prober.liveness("c1"), true);
  prober.removePod("u");
});
