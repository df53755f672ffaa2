// The pure parts by table, and the splice between two real sockets.

import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { endpoints, type Pod, pods, services } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { requestInfoOf } from "../request/request-info.js";
import { plainStorage } from "../testing/plain-storage.js";
import { chooseContainer } from "./container-choice.js";
import { execQuery, logQuery, portForwardQuery } from "./pod-options.js";
import { proxiedPath, proxyTarget, splitSchemeNamePort } from "./proxy-target.js";
import { splice } from "./splice.js";

const pod = (containers: string[], initContainers: string[] = []) =>
  ({
    metadata: { name: "web" },
    spec: {
      containers: containers.map((name) => ({ name })),
      initContainers: initContainers.map((name) => ({ name })),
    },
  }) as unknown as Pod;

test("which container", (t) => {
  t.equal(chooseContainer(pod(["a"]), ""), "a");
  t.equal(chooseContainer(pod(["a", "b"]), "b"), "b");
  t.equal(chooseContainer(pod(["a"], ["i"]), "i"), "i");
  t.throws(() => chooseContainer(pod(["a", "b"]), ""), {
    code: 400,
    message: "a container name must be specified for pod web, choose one of: [a b]",
  });
  t.throws(() => chooseContainer(pod(["a", "b"], ["i"]), ""), {
    message: "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]",
  });
  t.throws(() => chooseContainer(pod(["a"]), "x"), { code: 400, message: "container x is not valid for pod web" });
  t.end();
});

test("queries for the kubelet", (t) => {
  const log = (text: string) => logQuery(new URLSearchParams(text)).toString();
  t.equal(log("follow=true&container=a&tailLines=5&timestamps=true"), "follow=true&timestamps=true&tailLines=5");
  t.equal(log("follow=false&previous=true"), "previous=true");
  t.throws(() => log("tailLines=-1"), {
    code: 422,
    message: 'PodLogOptions "" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  });
  t.throws(() => log("sinceSeconds=0"), /sinceSeconds: Invalid value: 0: must be greater than 0/);
  t.throws(() => log("limitBytes=x"), { code: 400 });
  const exec = (text: string) => execQuery(new URLSearchParams(text)).toString();
  t.equal(
    exec("stdin=true&stdout=true&tty=true&command=sh&command=-c&command=a b"),
    "input=1&output=1&tty=1&command=sh&command=-c&command=a+b",
  );
  t.throws(() => exec("command=ls"), { code: 400, message: "you must specify at least 1 of stdin, stdout, stderr" });
  t.equal(portForwardQuery(new URLSearchParams("ports=80&ports=81")).toString(), "port=80%2C81");
  t.equal(portForwardQuery(new URLSearchParams()).toString(), "");
  t.end();
});

test("proxy targets", (t) => {
  t.same(splitSchemeNamePort("https:web:443"), { scheme: "https", name: "web", port: "443" });
  t.same(splitSchemeNamePort("web:http"), { scheme: "", name: "web", port: "http" });
  t.equal(splitSchemeNamePort("ftp:web:1"), undefined);
  const path = (url: string) => proxiedPath(requestInfoOf("GET", url));
  t.equal(path("/api/v1/namespaces/d/pods/web/proxy"), "");
  t.equal(path("/api/v1/namespaces/d/pods/web/proxy/"), "/");
  t.equal(path("/api/v1/namespaces/d/pods/web/proxy/a/b%2Fc?x=1"), "/a/b%2Fc");
  t.equal(path("/api/v1/nodes/n1/proxy/stats/summary/"), "/stats/summary/");
  const storage = plainStorage(
    [
      pods as Resource,
      {
        metadata: { name: "web", namespace: "d" },
        spec: { containers: [{ name: "c", ports: [{ containerPort: 8080 }] }] },
        status: { podIP: "10.244.0.5" },
      },
      {
        metadata: { name: "host", namespace: "d" },
        spec: { containers: [{ name: "c" }] },
        status: { podIP: "127.0.0.1" },
      },
    ],
    [
      services as Resource,
      { metadata: { name: "web", namespace: "d" }, spec: { ports: [{ name: "http", port: 80 }] } },
      { metadata: { name: "empty", namespace: "d" }, spec: { ports: [{ port: 80 }] } },
    ],
    [
      endpoints as Resource,
      {
        metadata: { name: "web", namespace: "d" },
        subsets: [{ addresses: [{ ip: "10.244.0.5" }], ports: [{ name: "http", port: 8080 }] }],
      },
    ],
  );
  const target = (resource: string, name: string) =>
    proxyTarget({ resource, namespace: "d", name }, { storage, locate: () => ({ host: "192.0.2.9", port: 10250 }) });
  const web = { scheme: "http", host: "10.244.0.5", port: 8080, isKubelet: false };
  t.same(target("pods", "web"), web);
  t.same(target("pods", "https:web:9"), { ...web, scheme: "https", port: 9 });
  t.same(target("services", "web"), web);
  t.same(target("services", "web:80"), web);
  t.same(target("services", "web:http"), web);
  t.same(target("nodes", "n1"), { scheme: "https", host: "192.0.2.9", port: 10250, isKubelet: true });
  t.throws(() => target("pods", "host"), { code: 400, message: "address not allowed" });
  t.throws(() => target("pods", "none"), { code: 404 });
  t.throws(() => target("services", "empty"), { code: 503, message: 'no endpoints available for service "empty"' });
  t.end();
});

test("a splice hands on bytes, and no credentials", async (t) => {
  const seen: string[] = [];
  const backend = createServer((socket) => {
    socket.once("data", (head) => {
      seen.push(head.toString("latin1"));
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n");
      socket.pipe(socket);
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const front = createHttpServer();
  const target = { host: "127.0.0.1", port: (backend.address() as AddressInfo).port };
  front.on(
    "upgrade",
    (request, socket, head) => void splice(request, { socket, head, target, path: "/exec/d/web/c?input=1" }),
  );
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    backend.close();
    front.close();
  });
  const client = connect((front.address() as AddressInfo).port, "127.0.0.1");
  client.write(
    "POST /x HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer secret\r\nImpersonate-User: bob\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n",
  );
  let answer = "";
  const payload = Buffer.from([0x80, 3, 0, 1, 255, 0]).toString("latin1");
  await new Promise<void>((resolve) => {
    client.on("data", (chunk) => {
      if (answer === "") client.write(payload, "latin1");
      answer += chunk.toString("latin1");
      if (answer.endsWith(payload)) resolve();
    });
  });
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.end();
  await closed;
  t.match(answer, /^HTTP\/1\.1 101 /);
  t.match(seen[0], /^POST \/exec\/d\/web\/c\?input=1 HTTP\/1\.1\r\n/);
  t.match(seen[0], /X-Stream-Protocol-Version: v4\.channel\.k8s\.io/);
  t.notMatch(seen[0], /secret|Impersonate/);
});

test("a backend that is not there is an error, not a broken connection", async (t) => {
  const request = { method: "GET", rawHeaders: [] } as never;
  const socket = {} as never;
  const target = { host: "127.0.0.1", port: 1 };
  await t.rejects(splice(request, { socket, head: Buffer.alloc(0), target, path: "/" }), {
    code: 500,
    message: /^Internal error occurred: error dialing backend: connect ECONNREFUSED/,
  });
});
