// What componentstatuses tell of daemons that are there, that are not, and that are ill.

import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { staticTls } from "@picokube/component-base/tls-options";
import { createCa } from "@picokube/pki/ca";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

/** Nothing listens there, and no program is given it by chance. */
const CLOSED_PORT = 1;

test("each component is asked when somebody asks for it", async (t) => {
  const { options } = staticTls(await createCa({ commonName: "test", nowMs: Date.now() }));
  let code = 200;
  const scheduler = createServer(options, (request, response) => {
    response.writeHead(request.url === "/healthz" ? code : 404).end("ok");
  });
  scheduler.listen(0, "127.0.0.1");
  await once(scheduler, "listening");
  t.teardown(() => scheduler.close());
  const { port } = scheduler.address() as AddressInfo;
  const server = await startApiServer(t, {
    flags: [`--scheduler-port=${port}`, `--controller-manager-port=${CLOSED_PORT}`],
  });
  async function get(path: string, accept = "application/json") {
    const { status, headers, body } = await server.client.raw({
      method: "GET",
      path: `/api/v1/componentstatuses${path}`,
      headers: { accept },
    });
    // biome-ignore lint/suspicious/noExplicitAny: a list or a Status
    return { status, headers, json: JSON.parse(await textOf(body)) as any };
  }

  const address = `127.0.0.1:${CLOSED_PORT}`;
  const refused = `Get "https://${address}/healthz": dial tcp ${address}: connect: connection refused`;
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
