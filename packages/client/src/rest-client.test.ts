// The client, reflector and informer against a real HTTP server.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pods } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { type Test, test } from "tap";
import { createClient } from "./rest-client.js";
import { createInformerFactory } from "./shared-informer.js";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serve(t: Pick<Test, "teardown">, handler: Handler) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    handler(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createClient({
    kubeconfig: { server: `http://127.0.0.1:${port}`, token: "T", namespace: "x" },
    userAgent: "test/1",
  });
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const status = (code: number, reason: string) =>
  JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message: `m ${reason}`, reason, code });
const pod = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: "default", uid: name, resourceVersion, creationTimestamp: "" },
});

test("verbs become requests and failures StatusErrors", async (t) => {
  const seen: string[] = [];
  const client = await serve(t, (request, response, body) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers["content-type"] ?? "-"} ${request.headers.authorization} ${body}`,
    );
    if (request.url?.includes("gone")) {
      response.statusCode = 404;
      return response.end(status(404, "NotFound"));
    }
    return response.end(JSON.stringify(pod("web", "1")));
  });
  t.match(await client.get(pods, { name: "web", namespace: "default" }), { apiVersion: "v1", kind: "Pod" });
  await client.patch(
    pods,
    { name: "web", namespace: "d" },
    { a: 1 },
    { type: "apply", force: true, fieldManager: "m", subresource: "status" },
  );
  await client.delete(pods, { name: "web", namespace: "d" }, { gracePeriodSeconds: 0 });
  t.strictSame(seen, [
    "GET /api/v1/namespaces/default/pods/web - Bearer T ",
    'PATCH /api/v1/namespaces/d/pods/web/status?fieldManager=m&force=true application/apply-patch+yaml Bearer T {"a":1}',
    'DELETE /api/v1/namespaces/d/pods/web application/json Bearer T {"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}',
  ]);
  await t.rejects(client.get(pods, { name: "gone", namespace: "d" }), { message: "m NotFound" });
  t.ok(isNotFound(await client.get(pods, { name: "gone", namespace: "d" }).catch((error: unknown) => error)));
});

test("a 429 with Retry-After is tried again", async (t) => {
  let tries = 0;
  const client = await serve(t, (_, response) => {
    tries += 1;
    response.writeHead(tries === 1 ? 429 : 200, tries === 1 ? { "retry-after": "0" } : {});
    response.end(tries === 1 ? status(429, "TooManyRequests") : JSON.stringify(pod("web", "1")));
  });
  t.match(await client.get(pods, { name: "web" }), { metadata: { name: "web" } });
  t.equal(tries, 2);
});

test("an informer lists in pages, watches, lists again after 410 and tells of each change", async (t) => {
  const requests: string[] = [];
  let watches = 0;
  const client = await serve(t, (request, response) => {
    const { searchParams: query } = new URL(request.url!, "http://x");
    requests.push(
      query.has("watch")
        ? `watch ${query.get("resourceVersion")}`
        : `list ${query.get("continue") ?? query.get("resourceVersion")}`,
    );
    if (query.has("watch")) {
      watches += 1;
      if (watches === 1) {
        response.write(`${JSON.stringify({ type: "MODIFIED", object: pod("a", "6") })}\n`);
        return response.end(
          `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "old" } })}\n`,
        );
      }
      return response.write(`${JSON.stringify({ type: "DELETED", object: pod("c", "11") })}\n`);
    }
    const second = watches > 0;
    const page = query.get("continue")
      ? { metadata: { resourceVersion: "5" }, items: [pod("b", "2")] }
      : second
        ? { metadata: { resourceVersion: "10" }, items: [pod("a", "6"), pod("c", "9")] }
        : { metadata: { resourceVersion: "5", continue: "more" }, items: [pod("a", "1")] };
    return response.end(JSON.stringify(page));
  });
  const factory = createInformerFactory({ client, logger: createLogger({ write() {} }), clock: realClock() });
  const informer = factory.for(pods);
  t.equal(factory.for(pods), informer);
  const heard: string[] = [];
  const done = new Promise<void>((resolve) => {
    informer.addHandler({
      add: (object, initial) => void heard.push(`add ${object.metadata.name} ${initial}`),
      update: (from, to) =>
        void heard.push(`update ${to.metadata.name} ${from.metadata.resourceVersion}>${to.metadata.resourceVersion}`),
      delete(object) {
        heard.push(`delete ${object.metadata.name}`);
        if (object.metadata.name === "c") resolve();
      },
    });
  });
  const stop = new AbortController();
  factory.start(stop.signal);
  await factory.waitForSync(stop.signal);
  await done;
  stop.abort();
  t.strictSame(heard, [
    "add a true",
    "add b true",
    "update a 1>6",
    "update a 6>6",
    "add c false",
    "delete b",
    "delete c",
  ]);
  t.strictSame(requests.slice(0, 5), ["list 0", "list more", "watch 5", "list null", "watch 10"]);
  t.strictSame(
    informer.list("default").map(({ metadata }) => metadata.name),
    ["a"],
  );
});
