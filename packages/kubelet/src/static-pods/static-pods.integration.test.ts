// Static pods of a kubelet process, from a directory and from a URL: their mirrors, what a changed, moved, broken and
// removed file does; and what the kubelet's own server says of it all.

import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { nodes, type Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;
const annotation = ({ metadata }: Pod, name: string) => metadata.annotations?.[`kubernetes.io/config.${name}`];
const containerIdOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.containerID;

const manifest = (name: string, word: string, graceSeconds = 2) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { word } },
    spec: {
      terminationGracePeriodSeconds: graceSeconds,
      containers: [{ ...sleeper(), imagePullPolicy: "IfNotPresent", env: [{ name: "WORD", value: word }] }],
    },
  });

test("static pods", async (t) => {
  let served = "";
  let asked: IncomingHttpHeaders = {};
  const source = createServer(({ headers }, response) => {
    asked = headers;
    response.end(served);
  });
  await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
  t.teardown(() => source.close());
  served = manifest("remote", "one");
  const server = await startApiServer(t);
  const { get, until, kubectl } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest94",
    subnet: 94,
    flags: [
      `--manifest-url=http://127.0.0.1:${(source.address() as AddressInfo).port}/pods`,
      "--manifest-url-header=x-token:secret",
      "--http-check-frequency=200ms",
    ],
  });
  const file = join(kubelet.manifests, "web.json");
  writeFileSync(file, manifest("web", "one"));

  /** As the administrator, by certificate. */
  const ask = (path: string, method = "GET") =>
    new Promise<{ code: number; text: string }>((resolve, reject) => {
      const pki = (name: string) => readFileSync(join(server.pkiDirectory, name));
      const place = { host: "127.0.0.1", port: kubelet.port, path, method, rejectUnauthorized: false };
      request({ ...place, cert: pki("admin.crt"), key: pki("admin.key") }, async (answer) => {
        let text = "";
        for await (const part of answer.setEncoding("utf8")) text += part;
        resolve({ code: answer.statusCode!, text });
      })
        .on("error", reject)
        .end();
    });

  await t.test("show themselves by mirrors", async (t) => {
    const web = await until("web-node-1", "ready", isReady, patienceMs);
    const remote = await until("remote-node-1", "ready", isReady, patienceMs);
    t.equal(asked["x-token"], "secret");
    const { uid } = (await server.client.get(nodes, { name: "node-1" })).metadata;
    for (const [pod, kind] of [
      [web, "file"],
      [remote, "http"],
    ] as const) {
      t.equal(annotation(pod, "source"), kind);
      t.match(annotation(pod, "hash"), /^[0-9a-f]{32}$/);
      t.equal(annotation(pod, "mirror"), annotation(pod, "hash"));
      t.ok(Date.parse(annotation(pod, "seen")!) > 0);
      t.match(pod.metadata.ownerReferences, [
        { apiVersion: "v1", kind: "Node", name: "node-1", uid, controller: true },
      ]);
    }
    await kubectl("delete", "pod", "web-node-1", "--force", "--grace-period=0");
    const again = await until(
      "web-node-1",
      "its mirror is back",
      (pod) => pod.metadata.uid !== web.metadata.uid && isReady(pod),
      patienceMs,
    );
    t.equal(containerIdOf(again), containerIdOf(web), "and nothing was stopped");
    t.equal(again.status?.containerStatuses?.[0]?.restartCount, 0);
  });

  await t.test("are told of by the kubelet's server", async (t) => {
    for (const check of ["ping", "log", "syncloop"]) t.match(await ask(`/healthz/${check}`), { code: 200, text: "ok" });
    const pods = JSON.parse((await ask("/pods")).text) as { items: Pod[] };
    const names = pods.items.map(({ metadata }) => metadata.name).sort();
    t.same(names, ["remote-node-1", "web-node-1"]);
    t.match((await ask("/runningpods/")).text, /"name":"web-node-1"/);
    t.match(await ask("/run/default/web-node-1/c?cmd=echo%20out", "POST"), { code: 200, text: "out\n" });
    t.match(await ask("/checkpoint/default/none/c", "POST"), { code: 404 });
    t.match(await ask("/checkpoint/default/web-node-1/none", "POST"), {
      code: 404,
      text: /container none does not exist/,
    });
    t.match(await ask("/checkpoint/default/web-node-1/c", "POST"), {
      code: 500,
      text: /method CheckpointContainer not/,
    });
    t.same(await ask("/debug/pprof/heap"), { code: 405, text: "profiling endpoint is disabled.\n" });
    t.same(await ask("/debug/flags/v", "PUT"), { code: 405, text: "flags endpoint is disabled.\n" });
    t.match(await ask("/logs/"), { code: 200, text: /<pre>/ });
    const { kubeletconfig } = JSON.parse((await ask("/configz")).text) as { kubeletconfig: object };
    t.match(kubeletconfig, { kind: "KubeletConfiguration", httpCheckFrequency: "200ms", enableSystemLogHandler: true });
    const metrics = (await ask("/metrics")).text;
    t.match(metrics, /^kubelet_desired_pods\{static="true"\} 2$/m);
    t.match(metrics, /^kubelet_mirror_pods 2$/m);
  });

  await t.test("follow their files", async (t) => {
    const first = (await get("web-node-1"))!;
    writeFileSync(file, "kind: Pod\n  metadata: [");
    await eventually(
      "a broken file is told",
      async () =>
        /"Could not process manifest file".*couldn't parse as pod\(.*\), please check config file/.test(kubelet.log()),
      patienceMs,
    );
    t.equal(containerIdOf((await get("web-node-1"))!), containerIdOf(first), "its pod runs on");
    writeFileSync(file, manifest("web", "two"));
    const changed = await until(
      "web-node-1",
      "changed",
      (pod) => pod.metadata.labels?.word === "two" && isReady(pod),
      patienceMs,
    );
    t.not(annotation(changed, "hash"), annotation(first, "hash"));
    t.not(containerIdOf(changed), containerIdOf(first));
    t.match(kubelet.log(), /"Killing container with a grace period".* gracePeriod=2/, "with the grace of the old file");
    const moved = join(kubelet.manifests, "moved.json");
    renameSync(file, moved);
    const there = await until(
      "web-node-1",
      "another pod",
      (pod) => annotation(pod, "hash") !== annotation(changed, "hash") && isReady(pod),
      patienceMs,
    );
    t.equal(there.metadata.labels?.word, "two", "of the same words in another file");
    unlinkSync(moved);
    await eventually("the mirror goes with its file", async () => (await get("web-node-1")) === undefined, patienceMs);
    served = JSON.stringify({ apiVersion: "v1", kind: "PodList", items: [] });
    await eventually("and with its URL", async () => (await get("remote-node-1")) === undefined, patienceMs);
    await eventually("nothing of them is left", async () => (await kubelet.containers()).length === 0, patienceMs);
  });

  await t.test("and the server keeps to itself what it is told to", async (t) => {
    const config = join(kubelet.rootDir, "config.json");
    const type = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
    const restart = async (document: object) => {
      writeFileSync(config, JSON.stringify({ ...type, ...document }));
      await kubelet.stop();
      kubelet.start([`--config=${config}`]);
      await eventually("it answers", () => ask("/healthz").catch(() => undefined), patienceMs);
    };
    await restart({ enableSystemLogHandler: false });
    t.same(await ask("/logs/"), { code: 405, text: "logs endpoint is disabled.\n" });
    t.equal((await ask("/configz")).code, 200);
    await restart({ enableDebuggingHandlers: false });
    for (const path of [
      "/run/a/b/c",
      "/exec/a/b/c",
      "/containerLogs/a/b/c",
      "/runningpods/",
      "/debug/pprof/",
      "/logs/",
    ]) {
      t.same(await ask(path), { code: 405, text: "Debug endpoints are disabled.\n" }, path);
    }
    t.equal((await ask("/configz")).code, 404);
    for (const path of ["/pods", "/metrics", "/stats/summary"]) t.equal((await ask(path)).code, 200, path);
  });
});
