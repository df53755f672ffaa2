// Entries of other versions than the write's: fields are compared, and pruned, in the version that they are owned in.

import { horizontalpodautoscalers as v1 } from "@picokube/api/autoscaling/v1";
import { type HorizontalPodAutoscaler, horizontalpodautoscalers as v2 } from "@picokube/api/autoscaling/v2";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { schemaOf } from "@picokube/api/schema/load";
import { test } from "tap";
import { parse } from "yaml";
import { decodeMerged } from "../handlers/apply.js";
import { fromV2, toV2 } from "../registry/autoscaling/v1-conversion.js";
import { applyConfiguration, type FieldWrite, trackWrite } from "./field-manager.js";
import type { JsonObject } from "./field-type.js";
import { entriesOf } from "./managed-fields.js";
import { ownedThrough } from "./reset-fields.js";

const V1 = "autoscaling/v1";
const V2 = "autoscaling/v2";

function write(manager: string, apiVersion: string): FieldWrite {
  return {
    apiVersion,
    manager,
    subresource: "",
    nowMs: Date.parse("2030-01-01T00:00:00Z"),
    owned: ownedThrough(v2, { subresource: "", hasStatus: true }),
    schemaIn: (version) => schemaOf(version === V1 ? v1 : v2)!,
    convert(object, { to }) {
      if (to === V1)
        return { ...fromV2(structuredClone(object) as HorizontalPodAutoscaler), kind: object.kind, apiVersion: V1 };
      return to === V2 ? { ...toV2(structuredClone(object) as never), kind: object.kind, apiVersion: V2 } : undefined;
    },
  };
}

function apply(live: KubernetesObject | undefined, yaml: string, { manager = "a", force = false } = {}) {
  const config = parse(yaml) as JsonObject;
  const apiVersion = config.apiVersion as string;
  const decode = (merged: JsonObject) => decodeMerged(merged, apiVersion === V1 ? v1 : v2);
  const application = { ...write(manager, apiVersion), config, force, decode };
  return structuredClone(applyConfiguration(live && structuredClone(live), application));
}

const target = "maxReplicas: 5, scaleTargetRef: { kind: Deployment, name: web, apiVersion: apps/v1 }";
const cpu = (percent: number) =>
  `{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: ${percent} } } }`;
const inV1 = (percent: number) =>
  `apiVersion: ${V1}\nkind: HorizontalPodAutoscaler\nmetadata: { name: web }\nspec: { ${target}, targetCPUUtilizationPercentage: ${percent} }`;
const inV2 = (percent: number) =>
  `apiVersion: ${V2}\nkind: HorizontalPodAutoscaler\nmetadata: { name: web }\nspec: { ${target}, metrics: [${cpu(percent)}] }`;
const as = (object: KubernetesObject, apiVersion: string) =>
  write("", object.apiVersion!).convert!(object, { from: object.apiVersion!, to: apiVersion })!;

test("a change in one version takes the fields that mean it in another", (t) => {
  const live = as(apply(undefined, inV1(50)), V2);
  t.match(entriesOf(live), [{ manager: "a", apiVersion: V1 }]);
  t.throws(() => apply(live, inV2(80), { manager: "b" }), {
    message: 'Apply failed with 1 conflict: conflict with "a": .spec.targetCPUUtilizationPercentage',
  });
  const forced = apply(live, inV2(80), { manager: "b", force: true });
  const first = entriesOf(forced).find(({ manager }) => manager === "a")!;
  t.notOk("f:targetCPUUtilizationPercentage" in first.fieldsV1["f:spec"]!);
  t.ok("f:maxReplicas" in first.fieldsV1["f:spec"]!, "what it means the same stays");

  const changed = structuredClone(live) as HorizontalPodAutoscaler;
  changed.spec!.maxReplicas = 9;
  trackWrite(live, changed, write("u", V2));
  const spec = entriesOf(changed).find(({ manager }) => manager === "a")!.fieldsV1["f:spec"]!;
  t.same(["f:maxReplicas" in spec, "f:targetCPUUtilizationPercentage" in spec], [false, true]);
  t.end();
});

test("an applier that goes on in another version has one entry, and prunes by the old one", (t) => {
  const live = as(apply(undefined, inV1(50)), V2) as HorizontalPodAutoscaler;
  t.equal(live.spec!.metrics!.length, 1);
  const moved = apply(live, inV2(50)) as HorizontalPodAutoscaler;
  t.match(entriesOf(moved), [{ manager: "a", apiVersion: V2 }]);
  t.equal(entriesOf(moved).length, 1);
  const without = apply(live, inV2(50).replace(/, metrics: .*\]/, "")) as HorizontalPodAutoscaler;
  t.equal(without.spec!.metrics, undefined, "the utilization that only the old configuration wanted");
  t.end();
});

test("entries of a version that is not served go with the next change", (t) => {
  const live = apply(undefined, inV2(50));
  const entries = entriesOf(live).map((each) => ({ ...each, manager: "old", apiVersion: "autoscaling/v2beta9" }));
  live.metadata.managedFields = [...entriesOf(live), ...entries] as never;
  const changed = structuredClone(live) as HorizontalPodAutoscaler;
  changed.spec!.maxReplicas = 7;
  trackWrite(live, changed, write("u", V2));
  t.same(
    entriesOf(changed).map(({ manager }) => manager),
    ["a", "u"],
  );
  t.end();
});
