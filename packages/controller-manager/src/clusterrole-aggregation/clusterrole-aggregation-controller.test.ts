// Aggregated ClusterRoles against a real apiserver, whose RBAC knows what was aggregated and nothing else.

import { type ClusterRole, clusterroles } from "@picokube/api/rbac/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { aggregateRules } from "./aggregate-rules.js";
import { clusterRoleAggregationController } from "./clusterrole-aggregation-controller.js";

const toView = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
const rule = { verbs: ["get", "list", "watch"], apiGroups: ["stable.example.com"], resources: ["crontabs"] };
const role = (name: string, fields: object) => ({ metadata: { name }, ...fields }) as unknown as ClusterRole;

test("each rule once, from every role that a selector chooses, by name, never its own", async (t) => {
  const other = { ...rule, verbs: ["update"] };
  const selector = (matchLabels: object) => ({ clusterRoleSelectors: [{ matchLabels }] });
  const whole = role("a", {
    aggregationRule: selector({ x: "1" }),
    metadata: { name: "a", labels: { x: "1" } },
    rules: [other],
  });
  const parts = [
    role("c", { metadata: { name: "c", labels: { x: "1" } }, rules: [other, rule] }),
    role("b", { metadata: { name: "b", labels: { x: "1" } }, rules: [rule] }),
    role("d", { metadata: { name: "d" }, rules: [{ ...rule, verbs: ["delete"] }] }),
  ];
  t.strictSame(aggregateRules(whole, [whole, ...parts]), [rule, other]);
  t.strictSame(aggregateRules(role("e", {}), parts), []);
});

test("admin, edit and view show what they allow, and follow roles that come and go", async (t) => {
  const { client } = await startApiServer(t);
  const rulesOf = async (name: string) => (await client.get(clusterroles, { name })).rules ?? [];
  const knows = async (name: string) => JSON.stringify(await rulesOf(name)).includes("crontabs");
  t.strictSame(await rulesOf("view"), [], "without the controller");
  runControllers(t, { client, create: [clusterRoleAggregationController] });
  const everywhere = (wanted: boolean) =>
    eventually(`crontabs in all three: ${wanted}`, async () => {
      const known = await Promise.all(["admin", "edit", "view"].map(knows));
      return known.every((each) => each === wanted);
    });
  await eventually("view may list pods", async () => JSON.stringify(await rulesOf("view")).includes('"pods"'));
  await client.create(clusterroles, { metadata: { name: "crontabs", labels: toView }, rules: [rule] });
  await everywhere(true);
  await client.delete(clusterroles, { name: "crontabs" });
  await everywhere(false);
  t.ok((await rulesOf("admin")).length > (await rulesOf("view")).length);
});
