// What componentstatuses tell of daemons that are there, that are not, and that are ill.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("each component is asked when somebody asks for it", async (t) => {
  const down = await closedPort();
  // Its certificate is there only once the apiserver is: the port is held by a plain listener until then.
  const held = await closedPort();
  const server = await startApiServer(t, {
    flags: [`--scheduler-port=${held}`, `--controller-manager-port=${down}`],
  });
  const pem = (name: string) => readFileSync(join(server.pkiDirectory, name));
  let code = 200;
  const scheduler = createServer({ cert: pem("apiserver.crt"), key: pem("apiserver.key") }, (request, response) => {
    response.writeHead(request.url === "/healthz" ? code : 404).end("ok");
  });
  scheduler.listen(held, "127.0.0.1");
  await once(scheduler, "listening");
  t.teardown(() => scheduler.close());
  async function get(path: string, accept = "application/json") {
    const { status, headers, body } = await server.client.raw({
      method: "GET",
      path: `/api/v1/componentstatuses${path}`,
      headers: { accept },
    });
    // biome-ignore lint/suspicious/noExplicitAny: a list or a Status
    return { status, headers, json: JSON.parse(await textOf(body)) as any };
  }

  const refused = `Get "https://127.0.0.1:${down}/healthz": dial tcp 127.0.0.1:${down}: connect: connection refused`;
  const table = await get("", "application/json;as=Table;g=meta.k8s.io;v=v1");
  t.same(
    table.json.rows.map(({ cells }: { cells: string[] }) => cells),
    [
      ["controller-manager", "Unhealthy", refused, ""],
      ["scheduler", "Healthy", "ok", ""],
      ["etcd-0", "Healthy", "ok", ""],
    ],
  );
  t.equal(table.headers.warning, '299 - "v1 ComponentStatus is deprecated in v1.19+"');
  code = 500;
  const one = await get("/scheduler");
  t.match(one.json, {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name: "scheduler" },
    conditions: [{ type: "Healthy", status: "False", message: "HTTP probe failed with statuscode: 500" }],
  });
  t.match((await get("/absent")).json, { code: 404, message: 'componentstatuses "absent" not found' });
  const selected = await get("?fieldSelector=metadata.name%3Detcd-0");
  t.match(selected.json, { kind: "ComponentStatusList", apiVersion: "v1", items: [{ metadata: { name: "etcd-0" } }] });
  t.equal(selected.json.items.length, 1);
  const watch = await server.client.raw({ method: "GET", path: "/api/v1/componentstatuses?watch=1" });
  t.match(JSON.parse(await textOf(watch.body)), { code: 405, reason: "MethodNotAllowed" });
});
