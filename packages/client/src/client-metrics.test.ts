// What a client tells of its requests, against a real HTTP server.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pods } from "@picokube/api/core/v1";
import { createMetrics } from "@picokube/component-base/metrics";
import { test } from "tap";
import { createClientMetrics } from "./client-metrics.js";
import { createClient } from "./rest-client.js";

test("requests are counted by code, method and host; one without an answer too", async (t) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url?.endsWith("/gone") ? 404 : 200;
    response.end(JSON.stringify({ metadata: { name: "web" } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const metrics = createMetrics();
  const client = createClient({
    kubeconfig: { server: `http://${host}`, namespace: "" },
    userAgent: "test",
    metrics: createClientMetrics(metrics),
  });
  t.teardown(() => client.close());
  await client.get(pods, { name: "web", namespace: "default" });
  await client.get(pods, { name: "web", namespace: "default" });
  await t.rejects(client.get(pods, { name: "gone", namespace: "default" }));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await t.rejects(client.create(pods, { metadata: { name: "web", namespace: "default" } }));

  const text = await metrics.render();
  const lines = text.split("\n");
  t.ok(lines.includes(`rest_client_requests_total{code="200",method="GET",host="${host}"} 2`), text);
  t.ok(lines.includes(`rest_client_requests_total{code="404",method="GET",host="${host}"} 1`));
  t.ok(lines.includes(`rest_client_requests_total{code="<error>",method="POST",host="${host}"} 1`));
  t.ok(lines.includes(`rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 3`));
});
