// What a real process does with requests that are too many, too slow, too large or broken off.

import { text as textOf } from "node:stream/consumers";
import { configmaps, services } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { rawConnection, requestText } from "../testing/raw-connection.js";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const chunked = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
const configMap = (name: string) => JSON.stringify({ metadata: { name } });

test("requests in flight are bounded, watches and administrators are not", async (t) => {
  const flags = ["--max-requests-inflight=1", "--max-mutating-requests-inflight=1"];
  const server = await startApiServer(t, { flags });
  const [holding, writer, reader, watcher, admin] = await Promise.all([
    rawConnection(server, "kube-scheduler"),
    rawConnection(server, "kube-scheduler"),
    rawConnection(server, "kube-scheduler"),
    rawConnection(server, "kube-scheduler"),
    rawConnection(server),
  ]);
  holding.write(chunked(LEASES));
  const inFlight = async () => textOf((await server.client.raw({ method: "GET", path: "/metrics" })).body);
  while (!/inflight_requests\{request_kind="mutating"\} 1/.test(await inFlight()));
  writer.write(requestText("POST", LEASES, configMap("a")));
  const refused = await writer.until(/too many requests/i);
  t.match(refused, /^HTTP\/1.1 429 Too Many Requests\r\n/);
  t.match(refused, /\r\nRetry-After: 1\r\n/);
  t.match(refused, /\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
  t.match(refused, /\r\n\r\n(\w+\r\n)?Too many requests, please try again later\.\n/, "in words, no Status");
  reader.write(requestText("GET", "/api/v1/nodes"));
  t.match(await reader.until(/NodeList/), /^HTTP\/1.1 200/, "reads are counted apart");
  admin.write(requestText("POST", CONFIG_MAPS, configMap("a")));
  t.match(await admin.until(/"uid"/), /^HTTP\/1.1 201/, "system:masters pass");
  watcher.write(requestText("GET", "/api/v1/nodes?watch=1"));
  await watcher.until(/HTTP\/1.1 200/);
  reader.write(requestText("GET", "/api/v1/pods"));
  await reader.until(/PodList/);
  t.match(await inFlight(), /apiserver_longrunning_requests 1/);
  holding.write(`${chunk(JSON.stringify({ metadata: { name: "held" } }))}0\r\n\r\n`);
  t.match(await holding.until(/"uid"/), /^HTTP\/1.1 201/, "the one in flight ends well");
  writer.write(requestText("POST", LEASES, configMap("b")));
  t.match(
    await writer.until(/"uid"/),
    /\r\n\r\n.*HTTP\/1.1 201/s,
    "its place is free again, and the refused connection serves on",
  );
  for (const connection of [holding, writer, reader, admin, watcher]) connection.destroy();
  while (!/apiserver_longrunning_requests 0/.test(await inFlight()));
});

test("a request that takes too long gets 504 and writes nothing; a watch goes on", async (t) => {
  const server = await startApiServer(t, { flags: ["--request-timeout=1s"] });
  const [slow, watcher] = await Promise.all([rawConnection(server), rawConnection(server)]);
  watcher.write(requestText("GET", `${CONFIG_MAPS}?watch=1`));
  slow.write(`${chunked(CONFIG_MAPS)}${chunk(configMap("late"))}`);
  const answer = await slow.closed();
  t.match(answer, /^HTTP\/1.1 504 Gateway Timeout\r\n/);
  t.match(answer, /"reason":"Timeout"/);
  t.equal(answer.match(/HTTP\/1.1/g)?.length, 1, "one answer");
  await server.client.create(configmaps, { metadata: { name: "after", namespace: "default" } } as never);
  t.match(await watcher.until(/"after"/), /"ADDED"/);
  t.notMatch(watcher.received(), /"late"/);
  t.notMatch(server.log(), /a request failed/);
});

test("what breaks off halfway, or fails late, leaves nothing behind", async (t) => {
  const server = await startApiServer(t);
  for (const text of [
    `${chunked(CONFIG_MAPS)}${chunk(configMap("half"))}`,
    `POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n${configMap("half")}`,
  ]) {
    const connection = await rawConnection(server);
    connection.write(text);
    connection.socket.end();
    await connection.closed();
  }
  const broken = await rawConnection(server);
  broken.write(`${chunked(CONFIG_MAPS)}${chunk(configMap("half"))}xyz\r\n`);
  t.match(await broken.closed(), /^HTTP\/1.1 400 Bad Request/);
  t.same(
    (await server.client.list(configmaps, { namespace: "default" })).items.filter(
      ({ metadata }) => metadata.name === "half",
    ),
    [],
  );
  const service = (port: number) => ({
    metadata: { name: "s", namespace: "default" },
    spec: { type: "NodePort", clusterIP: "10.96.0.77", ports: [{ port, nodePort: 30077 }] },
  });
  await t.rejects(server.client.create(services, service(70_000) as never), { code: 422 });
  t.match(await server.client.create(services, service(80) as never), { spec: { clusterIP: "10.96.0.77" } });
});

test("limits of size, and what is no HTTP", async (t) => {
  const server = await startApiServer(t);
  const large = "x".repeat(200 * 1024);
  const cases: { name: string; text: string; answer: RegExp }[] = [
    {
      name: "headers",
      text: requestText("GET", "/api", "", `X: ${large}\r\n`),
      answer: /^HTTP\/1.1 431 Request Header Fields Too Large\r\n/,
    },
    { name: "URL", text: requestText("GET", `/api/v1/${large}`), answer: /^HTTP\/1.1 431 / },
    { name: "long URL", text: requestText("GET", `/api/v1/pods/${"x".repeat(60_000)}`), answer: /^HTTP\/1.1 404 / },
    { name: "method", text: requestText("BREW", "/api"), answer: /^HTTP\/1.1 400 Bad Request\r\n.*400 Bad Request$/s },
    { name: "no HTTP", text: "\x16\x03\x01 hello\r\n\r\n", answer: /^HTTP\/1.1 400 / },
    {
      name: "two lengths",
      text: `POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /,
    },
    { name: "no host", text: "GET /version HTTP/1.1\r\n\r\n", answer: /^HTTP\/1.1 400 / },
    { name: "proxy", text: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", answer: /^$/ },
    {
      name: "declared body",
      text: `POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n`,
      answer: /^HTTP\/1.1 413 /,
    },
  ];
  for (const { name, text, answer } of cases) {
    const connection = await rawConnection(server);
    connection.write(text);
    if (name === "long URL") await connection.until(/404/);
    t.match(name === "long URL" ? connection.received() : await connection.closed(), answer, name);
    connection.destroy();
  }
  const body = await rawConnection(server);
  body.write(chunked(CONFIG_MAPS));
  for (let part = 0; part < 49; part++) body.write(chunk("x".repeat(64 * 1024)));
  t.match(await body.until(/limit is 3145728/), /^HTTP\/1.1 413 /, "a body that grows beyond the limit");
  body.destroy();
  const { status } = await server.client.raw({ method: "GET", path: "/readyz" });
  t.equal(status, 200);
});

test("a client that is still sending reads its answer, not a reset", async (t) => {
  const server = await startApiServer(t);
  const part = "x".repeat(64 * 1024);
  const tooLong = "y".repeat(400 * 1024);
  for (let attempt = 0; attempt < 20; attempt++) {
    const declared = await rawConnection(server);
    declared.write(`POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * part.length}\r\n\r\n`);
    for (let sent = 0; sent < 64; sent++) declared.write(part);
    const header = await rawConnection(server);
    header.write(`GET /api HTTP/1.1\r\nX: ${tooLong}`);
    header.write(tooLong);
    t.match(await declared.closed(), /^HTTP\/1.1 413 .*RequestEntityTooLarge/s);
    t.match(await header.closed(), /^HTTP\/1.1 431 /);
    t.equal(declared.failure(), undefined);
    t.equal(header.failure(), undefined);
  }
  const pipelined = await rawConnection(server);
  pipelined.write(`POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * part.length}\r\n\r\n`);
  for (let sent = 0; sent < 64; sent++) pipelined.write(part);
  pipelined.write(requestText("POST", CONFIG_MAPS, configMap("behind")));
  t.equal((await pipelined.closed()).match(/HTTP\/1.1/g)?.length, 1, "what is sent behind it is not served");
  await t.rejects(server.client.get(configmaps, { name: "behind", namespace: "default" }), { code: 404 });
});

test("paths that are not served leave no trace in the metrics", async (t) => {
  const server = await startApiServer(t);
  const anyone = await rawConnection(server, "kube-scheduler");
  anyone.write(requestText("GET", "/api/v1/namespaces/default/madeup/a/b"));
  anyone.write(requestText("GET", "/apis/made.up/v1/x?a"));
  anyone.write(requestText("GET", "/api/v1/namespaces/default/pods/a/madeup"));
  anyone.write(requestText("GET", "/api/v1/namespaces/default/secrets"));
  await anyone.until(/secrets is forbidden/);
  const text = await textOf((await server.client.raw({ method: "GET", path: "/metrics" })).body);
  t.notMatch(text, /made/);
  t.match(
    text,
    /apiserver_request_total\{verb="LIST",group="",version="v1",resource="secrets",subresource="",code="403"\} 1/,
  );
});
