// Real kubectl, of several releases where they are installed, against the kubelet's server. Between them stands a
// facade that answers as the apiserver would and splices upgrades through; "containers" are processes of this host.
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { pod } from "@picokube/testing/builders";
import { test } from "tap";
import type { ExecSession, Runtime } from "../cri/runtime.js";
import type { KubeletSettings, PodLookup, PodState } from "../parts.js";
import { createServer } from "./server.js";
import { kubeletTls } from "./serving-tls.js";

function session(command: readonly string[]): ExecSession {
  const child = spawn(command[0]!, command.slice(1), { stdio: "pipe" });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    resize: async () => undefined,
    exited: new Promise((resolve) => child.on("close", (code) => resolve(code ?? 137))),
    close: () => void child.kill(),
  };
}

const runtime = {
  exec: async (_id: string, { command }: { command: readonly string[] }) => session(command),
  attach: async () => session(["sh", "-c", "read line; echo got $line"]),
  logs: async (_id: string, { tailLines }: { tailLines?: number }) =>
    Readable.from(
      ["one\n", "two\n", "three\n"].slice(tailLines === undefined ? 0 : -tailLines).map((line) => Buffer.from(line)),
    ),
  portForward: async (_id: string, port: number) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () => resolve(socket));
      socket.on("error", reject);
    }),
  stats: async () => [{ containerId: "c1", cpuNanos: 5e9, memoryBytes: 10, memoryWorkingSetBytes: 7 }],
  imageDirectory: async () => "/",
  containerDiskUsage: async () => ({ rootfs: { bytes: 1, inodes: 1 }, logs: { bytes: 1, inodes: 1 } }),
  execSync: async () => ({ exitCode: 0, output: "ran\n", stderr: "", timedOut: false }),
} as unknown as Runtime;

const web = pod("web", {
  metadata: { namespace: "default", uid: "u-1" },
  spec: { containers: [{ name: "c", image: "i", stdin: true }], nodeName: "n" },
  status: {
    phase: "Running",
    containerStatuses: [
      {
        name: "c",
        image: "i",
        imageID: "",
        ready: true,
        restartCount: 0,
        containerID: "docker://c1",
        state: { running: {} },
      },
    ],
  },
});

const lookup: PodLookup = {
  podByName: (namespace, name) => (namespace === "default" && name === "web" ? web : undefined),
  podByUid: () => web,
  pods: () => [web],
  status: () => undefined,
  state: () =>
    ({
      podUid: "u-1",
      sandboxes: [{ id: "s1", ready: true }],
      containers: [{ id: "c1", name: "c", state: "running", startedAt: Date.now() }],
      podIps: ["127.0.0.1"],
    }) as unknown as PodState,
};

/** What kubectl asks of an apiserver, with the pod's subresources spliced through to the kubelet. */
function facade(kubeletPort: number): HttpServer {
  const kubeletPath = (request: IncomingMessage): string | undefined => {
    const url = new URL(request.url!, "http://x");
    const verb = /\/pods\/web\/(exec|attach|portforward|log)$/.exec(url.pathname)?.[1];
    const query = url.searchParams;
    for (const [from, to] of [
      ["stdin", "input"],
      ["stdout", "output"],
      ["stderr", "error"],
    ] as const) {
      if (query.get(from) === "true") query.set(to, "1");
    }
    if (query.get("tty") === "true") query.set("tty", "1");
    if (verb === "portforward") return `/portForward/default/web?${query}`;
    if (verb === "log") return `/containerLogs/default/web/c?${query}`;
    return verb && `/${verb}/default/web/c?${query}`;
  };
  const server = createHttpServer((request, response) => {
    const path = kubeletPath(request);
    if (path) {
      const upstream = httpsRequest({
        port: kubeletPort,
        path,
        rejectUnauthorized: false,
        headers: { authorization: "Bearer good" },
      });
      upstream.on("response", (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      return upstream.end();
    }
    const answers: Record<string, unknown> = {
      "/api": { kind: "APIVersions", versions: ["v1"] },
      "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
      "/api/v1": {
        kind: "APIResourceList",
        groupVersion: "v1",
        resources: [{ name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get", "list"] }],
      },
      "/api/v1/namespaces/default/pods/web": { ...web, apiVersion: "v1", kind: "Pod" },
    };
    const answer = answers[new URL(request.url!, "http://x").pathname];
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { kind: "Status", apiVersion: "v1", status: "Failure", code: 404 }));
  });
  server.on("upgrade", (request, socket, head) => {
    const upstream = tlsConnect({ port: kubeletPort, rejectUnauthorized: false }, () => {
      const lines = [`${request.method} ${kubeletPath(request)} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2) {
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      }
      upstream.write(`${lines.join("\r\n")}\r\nAuthorization: Bearer good\r\n\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  return server;
}

function kubectls(): string[] {
  const found = (process.env.PATH ?? "")
    .split(":")
    .map((dir) => join(dir, "kubectl"))
    .find(existsSync);
  if (!found) throw new Error("kubectl is not on the PATH");
  const folder = dirname(realpathSync(found));
  const all = readdirSync(folder).filter((name) => /^kubectl[-.v0-9]*$/.test(name));
  return all.map((name) => join(folder, name));
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[], input?: Buffer | string): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { timeout: 20_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
    if (input !== undefined) child.stdin!.end(input);
  });
}

test("kubectl streams through the kubelet", async (t) => {
  const settings = {
    nodeName: "n",
    nodeIps: [],
    rootDir: "/",
    address: "127.0.0.1",
    port: 0,
    authorizationMode: "Webhook",
    enableDebuggingHandlers: true,
  } as unknown as KubeletSettings;
  const clock = realClock();
  const logger = createLogger({ name: "test", verbosity: 0 });
  const stop = new AbortController();
  const tls = await kubeletTls(settings, { clock, logger });
  let done: Promise<void> | undefined;
  const port = await new Promise<number>((resolve) => {
    const auth = {
      authenticate: async ({ headers }: IncomingMessage) =>
        headers.authorization === "Bearer good" || headers.authorization === "Bearer weak"
          ? { username: headers.authorization.slice(7) }
          : undefined,
      authorize: async (user: { username?: string }) => ({ allowed: user.username === "good", reason: "" }),
    };
    done = createServer({
      settings,
      lookup,
      runtime,
      auth,
      tls,
      metrics: createMetrics(),
      probeMetrics: createMetrics({ withProcess: false }),
      clock,
      logger,
      onListening: resolve,
    }).run(stop.signal);
  });
  const api = facade(port);
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const echo = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const echoPort = (echo.address() as AddressInfo).port;
  t.teardown(async () => {
    stop.abort();
    api.closeAllConnections();
    api.close();
    echo.close();
    await done;
  });

  const get = (path: string, token?: string) =>
    new Promise<{ code: number; body: string }>((resolve, reject) => {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      httpsRequest({ port, path, rejectUnauthorized: false, headers }, async (answer) => {
        let body = "";
        for await (const part of answer) body += part;
        resolve({ code: answer.statusCode!, body });
      })
        .on("error", reject)
        .end();
    });
  t.same(await get("/pods"), { code: 401, body: "Unauthorized" });
  t.same(await get("/containerLogs/default/web/c", "weak"), {
    code: 403,
    body: "Forbidden (user=weak, verb=get, resource=nodes, subresource(s)=[proxy])",
  });
  t.equal((await get("/containerLogs/default/none/c", "good")).code, 404);
  t.equal((await get("/healthz", "good")).body, "ok");
  t.match((await get("/metrics/resource", "good")).body, /container_memory_working_set_bytes\{container="c".*\} 7 /);
  t.match((await get("/stats/summary", "good")).body, /"nodeName":"n"/);
  t.match((await get("/pods", "good")).body, /"PodList"/);

  for (const kubectl of kubectls()) {
    const name = kubectl.split("/").at(-1)!;
    const base = ["--server", server, "--kubeconfig", "/dev/null", "-n", "default"];
    const plain = await run(kubectl, [...base, "exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    t.match(
      plain,
      { code: 3, stdout: "out\n", stderr: /err\n(.*\n)*.*command terminated with exit code 3/ },
      `${name} exec`,
    );
    const input = Buffer.alloc(3_000_000, "0123456789abcdef\n");
    const piped = await run(kubectl, [...base, "exec", "-i", "web", "--", "cat"], input);
    t.equal(piped.code, 0, `${name} exec -i ends: ${piped.stderr.slice(0, 200)}`);
    t.equal(piped.stdout.length, input.length, `${name} exec -i loses nothing`);
    const attached = await run(kubectl, [...base, "attach", "-i", "web"], "hello\n");
    t.match(attached.stdout, /got hello/, `${name} attach`);
    t.equal((await run(kubectl, [...base, "logs", "web", "--tail=2"])).stdout, "two\nthree\n", `${name} logs`);
    await t.test(`${name} port-forward`, async (tt) => {
      const forward = spawn(kubectl, [...base, "port-forward", "web", `:${echoPort}`], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const local = await new Promise<number>((resolve, reject) => {
        let words = "";
        const read = (part: Buffer) => {
          words += part;
          const found = /127\.0\.0\.1:(\d+) ->/.exec(words);
          if (found) resolve(Number(found[1]));
        };
        forward.stdout.on("data", read);
        forward.stderr.on("data", read);
        forward.on("exit", () => reject(new Error(words)));
      });
      for (let round = 0; round < 2; round++) {
        const socket = connect({ port: local, host: "127.0.0.1", allowHalfOpen: true });
        const collected = new PassThrough();
        socket.pipe(collected);
        socket.end(Buffer.alloc(400_000, "x"));
        let sizeBytes = 0;
        for await (const part of collected) sizeBytes += (part as Buffer).length;
        tt.equal(sizeBytes, 400_000);
      }
      forward.kill();
    });
  }
});
