// Over real connections: the audit id stands in the head once, however the head is made.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "tap";
import { AuditedResponse } from "./audited-response.js";

const answers: { readonly [name: string]: (response: AuditedResponse) => void } = {
  "a head of an object": (response) => response.writeHead(201, { "X-A": "b" }).end("."),
  "a head of a list": (response) => response.writeHead(201, ["X-A", "b"]).end("."),
  "a head with a reason": (response) => response.writeHead(201, "Made", { "X-A": "b" }).end("."),
  "headers set before": (response) => {
    response.setHeader("X-A", "b");
    response.writeHead(201, { "X-C": "d" }).end(".");
  },
  "headers set before a list": (response) => {
    response.setHeader("X-A", "b");
    response.writeHead(201, ["X-C", "d"]).end(".");
  },
  "no head at all": (response) => {
    response.statusCode = 201;
    response.setHeader("X-A", "b");
    response.end(".");
  },
};

for (const [name, answer] of Object.entries(answers)) {
  test(name, async (t) => {
    const server = createServer({ ServerResponse: AuditedResponse }, (request, response) => {
      response.auditId = request.url === "/none" ? "" : "id-1";
      answer(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told = await fetch(url);
    t.equal(told.status, 201);
    t.equal(told.headers.get("audit-id"), "id-1");
    t.equal(told.headers.get("x-a"), "b");
    t.equal(await told.text(), ".");
    const silent = await fetch(`${url}/none`);
    t.equal(silent.headers.get("audit-id"), null);
    t.equal(silent.headers.get("x-a"), "b");
  });
}
