// A hundred thousand malformed requests against a real process: it answers each with a Status below 500, lives, does not
// grow, and what it has stored can still be read. FUZZ_SEED repeats a run, FUZZ_COUNT makes it longer or shorter. Takes
// about a minute and a half of two cores; on a machine that is so busy that it would take many, it ends early and says so.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apiVersionOf } from "@picokube/api/resource";
import { builtinResources } from "@picokube/api/resources";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { Pool } from "undici";
import { type FuzzRequest, fuzzRequests, randomFrom } from "./testing/fuzz-requests.js";

const count = Number(process.env.FUZZ_COUNT ?? 100_000);
const seed = Number(process.env.FUZZ_SEED ?? 20_250_601);
const width = 32;
/** When a busy machine has had enough, and how many requests it must have answered by then. */
const MAX_DURATION_MS = 300_000;
const MIN_COUNT = Math.min(count, 5_000);
/** How much larger the process may be after the last quarter than after the second: a leak of 4 KB a request shows. */
const MAX_GROWTH_BYTES = Math.max(64 * 1024 * 1024, count * 2 * 1024);

/** What the process holds in memory, as the kernel counts it. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

test("malformed requests never end in a 5xx or a crash", async (t) => {
  const server = await startApiServer(t);
  const file = (name: string) => readFileSync(join(server.pkiDirectory, name));
  const connect = { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") };
  const pool = new Pool(server.url, { connect, connections: width });
  t.teardown(() => pool.destroy());
  const account = { kind: "ServiceAccount", metadata: { name: "default" } };
  await pool.request({
    method: "POST",
    path: "/api/v1/namespaces/default/serviceaccounts",
    body: JSON.stringify(account),
  });
  const { pid } = server;
  const faults: string[] = [];
  const codes = new Map<number, number>();

  async function send({ method, path, headers, body }: FuzzRequest): Promise<void> {
    const shown = () => `${method} ${path} ${JSON.stringify(headers)} ${body?.toString("latin1").slice(0, 2000)}`;
    const answer = await pool.request({ method: method as "GET", path, headers, body: body ?? null });
    const text = await answer.body.text();
    const { statusCode } = answer;
    codes.set(statusCode, (codes.get(statusCode) ?? 0) + 1);
    if (statusCode >= 500) faults.push(`${statusCode} ${text.slice(0, 500)} for ${shown()}`);
    const isJson = String(answer.headers["content-type"]).startsWith("application/json") && text !== "";
    if (statusCode < 400 || !isJson) return;
    const status = JSON.parse(text);
    if (status.kind !== "Status" || status.code !== statusCode)
      faults.push(`no Status: ${text.slice(0, 500)} for ${shown()}`);
  }

  const random = randomFrom(seed);
  const sizes: number[] = [];
  const deadline = Date.now() + MAX_DURATION_MS;
  let sent = 0;
  for (let quarter = 0; quarter < 4; quarter++) {
    const requests = fuzzRequests({ random, count: count / 4 });
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (const request of requests) {
          await send(request);
          sent++;
          if (Date.now() > deadline - (3 - quarter) * (MAX_DURATION_MS / 4)) return;
        }
      }),
    );
    sizes.push(residentBytes(pid));
  }
  const shownSizes = sizes.map((size) => `${Math.round(size / 2 ** 20)} MB`).join(", ");
  t.comment(`${sent} requests, resident after each quarter: ${shownSizes}`);
  t.ok(sent >= MIN_COUNT, `${sent} requests were answered in time`);
  t.ok(sizes[3]! - sizes[1]! < MAX_GROWTH_BYTES, `it does not grow with the requests: ${shownSizes}`);
  t.same(faults.slice(0, 20), [], `seed ${seed}: ${faults.length} faults`);
  t.comment(`answers by code: ${JSON.stringify(Object.fromEntries([...codes].sort()))}`);
  for (const code of [200, 201, 400, 404, 405, 409, 415, 422]) t.ok(codes.get(code), `the requests reached ${code}`);
  t.equal(server.pid, pid);
  t.notMatch(server.log(), /a request failed/);

  const listed = async () => {
    const names: { [path: string]: string[] } = {};
    for (const resource of builtinResources) {
      const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
      const path = `${root}/${resource.resource}`;
      for (const accept of ["application/json", "application/json;as=Table;g=meta.k8s.io;v=v1"]) {
        const answer = await pool.request({ method: "GET", path, headers: { accept } });
        const text = await answer.body.text();
        if (answer.statusCode === 404 || answer.statusCode === 405) continue;
        t.equal(answer.statusCode, 200, `${path} ${accept}: ${text.slice(0, 200)}`);
        const { items = [] } = JSON.parse(text) as { items?: { metadata: { name: string; namespace?: string } }[] };
        if (accept === "application/json")
          names[path] = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      }
    }
    return names;
  };
  const before = await listed();
  t.ok(Object.values(before).flat().length > 100, "many of them were stored");
  await server.restart();
  const after = await listed();
  const lost = Object.entries(before).flatMap(([path, names]) =>
    names.filter((name) => !after[path]?.includes(name)).map((name) => `${path}: ${name}`),
  );
  t.same(lost, [], "a new process reads all that was stored");
});
