// Every kind of probe through a whole kubelet: pods on the host's network, whose answers the test's own servers give. What
// becomes of readiness, restarts and events. Needs root, Docker, and the test image busybox.

import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import type { Container, Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";
import { grpcHealth, listen } from "./servers.testing.js";

const patienceMs = 120_000;

/** An HTTP server whose answer to a path can be changed, and that knows what it was asked. */
async function web(t: Test) {
  const answers = new Map<string, number>();
  const asked: string[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push(`${url} of ${headers.host}`);
    const status = answers.get(url!) ?? 200;
    response.writeHead(status, status === 302 ? { location: "http://elsewhere.example/" } : {}).end("words");
  });
  return { answers, asked, port: await listen(t, server) };
}

const often = { periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1 };
const isContainerReady = (pod: Pod, name: string) =>
  pod.status?.containerStatuses?.find((status) => status.name === name)?.ready === true;

test("probes", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, kubectl, eventsOf, remove } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest72", subnet: 72 });
  const { answers, asked, port } = await web(t);
  const grpc = await grpcHealth(t);
  const tcp = createTcpServer((socket) => socket.destroy());
  const tcpPort = await listen(t, tcp);
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const events = (name: string, words: RegExp) =>
    eventually(`${name}: ${words}`, async () => words.test(await eventsOf(name)), patienceMs);
  const probed = (name: string, fields: Partial<Container>): Container => ({
    ...sleeper(name),
    imagePullPolicy: "IfNotPresent",
    ...fields,
  });
  const httpGet = (path: string, more: object = {}) => ({ httpGet: { path, port, ...more } });

  await t.test("readiness by HTTP, TCP, gRPC and a command, each failing in its own words", async (t) => {
    grpc.health.set("db", 1);
    const named = httpGet("/ready", { port: "web", httpHeaders: [{ name: "Host", value: "me.example" }] });
    await create("kinds", {
      hostNetwork: true,
      containers: [
        probed("http", { ports: [{ name: "web", containerPort: port }], readinessProbe: { ...often, ...named } }),
        probed("tcp", { readinessProbe: { ...often, tcpSocket: { port: tcpPort } } }),
        probed("grpc", { readinessProbe: { ...often, grpc: { port: grpc.port, service: "db" } } }),
        probed("exec", {
          readinessProbe: { ...often, exec: { command: ["sh", "-c", "echo no; exit $(cat /tmp/no || echo 0)"] } },
        }),
      ],
    });
    await until("kinds", "ready", isReady, patienceMs);
    t.ok(asked.includes("/ready of me.example"));
    answers.set("/ready", 503);
    grpc.health.set("db", 2);
    tcp.close();
    await kubectl("exec", "kinds", "-c", "exec", "--", "sh", "-c", "echo 4 > /tmp/no");
    const none = (pod: Pod) => ["http", "tcp", "grpc", "exec"].every((name) => !isContainerReady(pod, name));
    const pod = await until("kinds", "nothing is ready", none, patienceMs);
    t.match(
      pod.status?.conditions?.find(({ type }) => type === "Ready"),
      {
        status: "False",
        reason: "ContainersNotReady",
        message: "containers with unready status: [http tcp grpc exec]",
      },
    );
    t.match(
      pod.status?.containerStatuses?.map(({ restartCount }) => restartCount),
      [0, 0, 0, 0],
      "nothing restarts",
    );
    for (const words of [
      /^Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503$/m,
      new RegExp(
        `^Unhealthy: Readiness probe failed: dial tcp 127\\.0\\.0\\.1:${tcpPort}: connect: connection refused$`,
        "m",
      ),
      /^Unhealthy: Readiness probe failed: service unhealthy \(responded with "NOT_SERVING"\)$/m,
      /^Unhealthy: Readiness probe failed: no$/m,
    ]) {
      await events("kinds", words);
    }
    await remove("kinds");
  });

  await t.test("a command that takes too long has failed; a redirect elsewhere is a warning", async (t) => {
    answers.set("/moved", 302);
    await create("odd", {
      hostNetwork: true,
      containers: [
        probed("slow", { readinessProbe: { ...often, timeoutSeconds: 1, exec: { command: ["sleep", "600"] } } }),
        probed("moved", { readinessProbe: { ...often, ...httpGet("/moved") } }),
      ],
    });
    await events("odd", /^Unhealthy: Readiness probe failed: command timed out: "sleep 600" timed out after 1s$/m);
    await events("odd", /^ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: words$/m);
    const pod = await until("odd", "the one is ready", (pod) => isContainerReady(pod, "moved"), patienceMs);
    t.equal(isContainerReady(pod, "slow"), false);
    await remove("odd");
  });

  await t.test("nothing else is asked before the startup probe has succeeded; liveness restarts", async (t) => {
    const folder = join(kubelet.rootDir, "signs");
    mkdirSync(folder);
    const has = (file: string) => ({ exec: { command: ["test", "-e", `/signs/${file}`] } });
    await create("slow-start", {
      hostNetwork: true,
      terminationGracePeriodSeconds: 60,
      volumes: [{ name: "signs", hostPath: { path: folder } }],
      containers: [
        probed("c", {
          volumeMounts: [{ name: "signs", mountPath: "/signs" }],
          startupProbe: { ...often, ...has("started"), failureThreshold: 600 },
          readinessProbe: { ...often, ...httpGet("/gate/ready") },
          livenessProbe: { ...often, ...httpGet("/gate/live"), failureThreshold: 2 },
        }),
      ],
    });
    await events("slow-start", /^Unhealthy: Startup probe failed: /m);
    t.notOk(
      asked.some((line) => line.startsWith("/gate/")),
      "the gate is closed",
    );
    writeFileSync(join(folder, "started"), "");
    await until("slow-start", "ready", isReady, patienceMs);
    answers.set("/gate/live", 500);
    const again = (pod: Pod) => (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1;
    const pod = await until("slow-start", "restarted", again, patienceMs);
    t.match(pod.status?.containerStatuses, [{ lastState: { terminated: { exitCode: 0, reason: "Completed" } } }]);
    await events("slow-start", /^Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500$/m);
    await events("slow-start", /^Killing: Container c failed liveness probe, will be restarted$/m);
    await remove("slow-start");
  });

  await t.test("a startup probe that never succeeds restarts", async () => {
    await create("never-up", {
      containers: [probed("c", { startupProbe: { ...often, exec: { command: ["false"] }, failureThreshold: 2 } })],
    });
    await events("never-up", /^Killing: Container c failed startup probe, will be restarted$/m);
    await until(
      "never-up",
      "restarted",
      ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1,
      patienceMs,
    );
    await remove("never-up");
  });

  await t.test("readiness is asked, and told, while a pod ends; liveness is not", async (t) => {
    answers.set("/end/live", 200);
    await create("ending", {
      hostNetwork: true,
      terminationGracePeriodSeconds: 600,
      containers: [
        probed("c", {
          command: ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"],
          readinessProbe: { ...often, ...httpGet("/end/ready") },
          livenessProbe: { ...often, ...httpGet("/end/live") },
        }),
      ],
    });
    await until("ending", "ready", isReady, patienceMs);
    await kubectl("delete", "pod", "ending", "--wait=false");
    await events("ending", /^Killing: Stopping container c$/m);
    answers.set("/end/ready", 500);
    answers.set("/end/live", 500);
    const pod = await until("ending", "not ready", (pod) => !isReady(pod), patienceMs);
    t.ok(pod.metadata.deletionTimestamp);
    t.match(pod.status, { phase: "Running", containerStatuses: [{ ready: false, state: { running: {} } }] });
    await kubectl("delete", "pod", "ending", "--grace-period=1", "--timeout=90s");
    t.notMatch(await eventsOf("ending"), /Liveness probe failed/);
  });
});
