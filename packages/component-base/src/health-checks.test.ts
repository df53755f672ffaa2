// What the health endpoints say, in upstream's words.

import { test } from "tap";
import { type HealthCheck, type HealthEndpoint, healthPathOf, runHealthChecks } from "./health-checks.js";

const ill = () => {
  throw new Error("the disk is full");
};
const checks: readonly HealthCheck[] = [
  { name: "ping", check() {} },
  { name: "store", on: ["readyz"], check: async () => ill() },
  { name: "poststarthook/rbac", check: async () => {} },
];

const run = (endpoint: HealthEndpoint, search = "", only = "") =>
  runHealthChecks(checks, { endpoint, only, query: new URLSearchParams(search) });

test("an endpoint runs its own checks", async (t) => {
  t.same(await run("livez"), { code: 200, text: "ok" });
  t.same(await run("livez", "verbose"), {
    code: 200,
    text: "[+]ping ok\n[+]poststarthook/rbac ok\nlivez check passed\n",
  });
  t.same(
    await run("readyz"),
    {
      code: 500,
      text: "[+]ping ok\n[-]store failed: reason withheld\n[+]poststarthook/rbac ok\nreadyz check failed\n",
    },
    "a failure is told without being asked for, but not its reason",
  );
});

test("checks can be left out", async (t) => {
  t.same(await run("readyz", "exclude=store&verbose=true"), {
    code: 200,
    text: "[+]ping ok\n[+]store excluded: ok\n[+]poststarthook/rbac ok\nreadyz check passed\n",
  });
  t.match((await run("livez", "verbose&exclude=store&exclude=a")).text, /\nwarn: .* no matches for "a", "store"\n/);
});

test("one check can be asked for", async (t) => {
  t.same(await run("readyz", "", "poststarthook/rbac"), { code: 200, text: "ok" });
  t.same(await run("readyz", "", "store"), { code: 500, text: "internal server error: the disk is full\n" });
  t.equal((await run("livez", "", "store")).code, 404, "which the endpoint does not run");
  t.same(healthPathOf("/readyz/poststarthook/rbac"), { endpoint: "readyz", only: "poststarthook/rbac" });
  t.same(healthPathOf("/healthz"), { endpoint: "healthz", only: "" });
  t.equal(healthPathOf("/healthzz"), undefined);
});
