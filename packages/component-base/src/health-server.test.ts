// The health server over real HTTP.

import { test } from "tap";
import { startHealthServer } from "./health-server.js";
import { createMetrics } from "./metrics.js";

test("health is open, the rest asks authorize", async (t) => {
  let healthy = true;
  const server = await startHealthServer({
    address: "127.0.0.1",
    port: 0,
    metrics: createMetrics(),
    checks: [
      {
        name: "informer-sync",
        on: ["readyz"],
        check() {
          if (!healthy) throw new Error("no");
        },
      },
    ],
    authorize: async (request) =>
      request.headers.authorization ? { allowed: true } : { allowed: false, code: 401, message: "Unauthorized" },
    handlers: { "/configz": (_, response) => void response.end("{}") },
  });
  t.teardown(() => server.close());
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    return `${response.status} ${await response.text()}`;
  };
  t.equal(await get("/healthz"), "200 ok");
  t.equal(await get("/readyz?verbose"), "200 [+]ping ok\n[+]informer-sync ok\nreadyz check passed\n");
  healthy = false;
  t.equal(await get("/livez"), "200 ok");
  t.equal(await get("/readyz"), "500 [+]ping ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n");
  t.equal(await get("/readyz?exclude=informer-sync"), "200 ok");
  t.equal(await get("/readyz/ping"), "200 ok");
  t.equal(await get("/metrics"), "401 Unauthorized\n");
  t.match(await get("/metrics", { authorization: "x" }), /^200 [\s\S]*process_resident_memory_bytes/);
  t.match(
    await get("/metrics", { authorization: "x" }),
    /kubernetes_build_info\{[^}]*git_version="v1\.33\.\S+"[^}]*\} 1/,
  );
  t.equal(await get("/configz", { authorization: "x" }), "200 {}");
  t.match(await get("/none", { authorization: "x" }), /^404/);
});
