// Requests with bodies through nodes/proxy to a node that answers before it has read them.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { nodes } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { rawConnection, requestText } from "../testing/raw-connection.js";

test("a node that answers at once, whatever was sent to it, does the apiserver no harm", async (t) => {
  const server = await startApiServer(t);
  const file = (name: string) => readFileSync(join(server.pkiDirectory, name));
  const kubelet = createServer({ cert: file("apiserver.crt"), key: file("apiserver.key") }, (_request, response) => {
    response.writeHead(500, { "content-type": "text/plain" }).end("not here");
  });
  kubelet.listen(0, "127.0.0.1");
  await once(kubelet, "listening");
  t.teardown(() => {
    kubelet.closeAllConnections();
    kubelet.close();
  });
  const { port } = kubelet.address() as AddressInfo;
  await server.client.create(nodes, { metadata: { name: "node-1" } });
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await server.client.patch(nodes, { name: "node-1" }, { status }, { type: "merge", subresource: "status" });
  const { pid } = server;
  for (const body of ["", "{}", "", "{}", "", "{}"]) {
    const connection = await rawConnection(server);
    connection.write(requestText("POST", "/api/v1/nodes/node-1/proxy/anything", body).repeat(2));
    await connection.until(/not here[\s\S]{1,2000}not here/);
    connection.destroy();
  }
  await server.client.raw({ method: "GET", path: "/readyz" });
  t.equal(server.pid, pid);
  t.notMatch(server.log(), /Uncaught exception/);
});
