// Hooks against real servers: what counts as an answer, how each kind fails, in upstream's words.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { HTTPGetAction, LifecycleHandler } from "@picokube/api/core/v1";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import type { ExecResult, Runtime } from "../cri/runtime.js";
import { runHook } from "./lifecycle-hooks.js";
import { testPod } from "./observed.js";
import type { PodEventWords } from "./pod-events.js";

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

function hooks(t: Test, { exec, webPort = 80 }: { exec?: Partial<ExecResult>; webPort?: number } = {}) {
  const events: PodEventWords[] = [];
  const clock = steppingClock();
  const result = { exitCode: 0, output: "", stderr: "", timedOut: false, ...exec };
  const runtime = { execSync: async () => result } as unknown as Runtime;
  const context = {
    runtime,
    clock,
    events: { normal: () => t.fail(), warning: (_: unknown, w: PodEventWords) => void events.push(w) },
  };
  const container = { name: "c", image: "i", ports: [{ name: "web", containerPort: webPort }] };
  const target = {
    pod: testPod(),
    container,
    containerId: "c-0",
    podIp: "127.0.0.1",
    signal: new AbortController().signal,
  };
  const run = (handler: LifecycleHandler, timeoutMs = 60_000) => runHook({ ...target, handler, timeoutMs }, context);
  return { run, events, clock, get: (action: Partial<HTTPGetAction>) => run({ httpGet: { port: "web", ...action } }) };
}

test("httpGet: any answer of a named port will do, with headers, and redirects on the host", async (t) => {
  const seen: IncomingMessage[] = [];
  const answer: RequestListener = (request, response) => {
    seen.push(request);
    response.writeHead(request.url === "/moved" ? 302 : 500, { location: "/there" }).end("broken");
  };
  const webPort = await listen(t, createServer(answer));
  const { get, events } = hooks(t, { webPort });
  await get({
    path: "/stop",
    httpHeaders: [
      { name: "Host", value: "me.example" },
      { name: "X-Key", value: "k" },
    ],
  });
  t.match(seen[0], {
    url: "/stop",
    headers: { host: "me.example", "x-key": "k", "user-agent": "kube-lifecycle/1.33" },
  });
  await get({ path: "/moved" });
  t.same(
    seen.map(({ url }) => url),
    ["/stop", "/moved", "/there"],
  );
  t.same(events, []);
});

test("httpGet: HTTPS without looking at the certificate; plain HTTP where a server speaks no TLS", async (t) => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "somebody", nowMs });
  const subject = { commonName: "other", usages: ["server" as const], names: ["other.example"] };
  const urls: string[] = [];
  const answer: RequestListener = ({ url }, response) => {
    urls.push(url!);
    response.end();
  };
  const tls = await listen(t, createTlsServer(await issueCertificate({ ca, subject, nowMs }), answer));
  const plain = await listen(t, createServer(answer));
  const { get, events } = hooks(t, { webPort: tls });
  await get({ scheme: "HTTPS", path: "/tls" });
  t.same(events, []);
  await get({ scheme: "HTTPS", path: "/plain", port: plain });
  t.same(urls, ["/tls", "/plain"]);
  const message = `request to HTTPS lifecycle hook 127.0.0.1:${plain} got HTTP response, retry with HTTP succeeded`;
  t.same(events, [{ reason: "LifecycleHTTPFallback", message }]);
});

test("each kind fails in its own words", async (t) => {
  const of = 'for Container "c" in Pod "web_default(uid-1)" failed - error:';
  const handler = { exec: { command: ["sh", "-c", "nope"] } };
  const failed = { exitCode: 127, output: "a\nnot found\n", stderr: "not found\n" };
  await t.rejects(hooks(t, { exec: failed }).run(handler), {
    message: `Exec lifecycle hook ([sh -c nope]) ${of} command 'sh -c nope' exited with 127: not found\n, message: "a\\nnot found\\n"`,
  });
  await t.rejects(hooks(t, { exec: { exitCode: -1, timedOut: true } }).run(handler), /command "sh -c nope" timed out/);
  const { get, run } = hooks(t);
  await t.rejects(get({ path: "/x", port: 1 }), {
    message: `HTTP lifecycle hook (/x) ${of} connect ECONNREFUSED 127.0.0.1:1`,
  });
  await t.rejects(get({ port: "nope" }), /^HTTP lifecycle hook \(\) .* couldn't find port: "nope" in container: "c"/);
  await t.rejects(run({}), /^Cannot run handler: invalid handler/);
});

test("sleep: its seconds, none at all, and no longer than there is time", async (t) => {
  const { run, clock } = hooks(t);
  let endedMs = 0;
  const timed = async (seconds: number, timeoutMs?: number) => {
    const beganMs = clock.now();
    const done = run({ sleep: { seconds } }, timeoutMs).then(() => {
      endedMs = clock.now() - beganMs;
    });
    await clock.advance(3_600_000);
    await done;
    return endedMs;
  };
  t.equal(await timed(5), 5_000);
  t.equal(await timed(0), 0);
  t.equal(await timed(100, 30_000), 30_000);
});
