// A patch made from the difference of two objects turns the one into the other: merge patches, and strategic merge
// patches as kubectl makes them, with every directive. PROPERTY_SEED repeats a run.

import { definition } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { test } from "tap";
import { sameJson } from "../storage/same-json.js";
import { diceFrom, type Json, type Names, randomDeployment } from "../testing/random-deployments.js";
import { mergePatch } from "./merge-patch.js";
import { strategicMergePatch } from "./strategic-merge-patch.js";

const seed = Number(process.env.PROPERTY_SEED ?? 20_260_102);
const ROUNDS = 500;
const names: Names = { keys: ["k1", "k2", "k3"], containers: ["a", "b", "c", "d"], isWhole: true };
const schema: Schema = { ref: "io.k8s.api.apps.v1.Deployment" };

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge patch from one object to the other. */
function mergeDiff(from: Json, to: Json): Json {
  const patch: Json = {};
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    if (sameJson(before, value)) continue;
    patch[key] = isObject(before) && isObject(value) ? mergeDiff(before, value) : value;
  }
  return patch;
}

function resolved(declared: Schema): Schema {
  return declared.ref === undefined ? declared : { ...definition(declared.ref), ...declared };
}

/** The strategic merge patch from one object to the other, as kubectl's two-way merge. */
function strategicDiff(from: Json, to: Json, declared: Schema): Json {
  const { properties = {}, additionalProperties } = resolved(declared);
  const patch: Json = {};
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    const field = properties[key] ?? additionalProperties ?? {};
    if (sameJson(before, value)) continue;
    if (isObject(before) && isObject(value)) patch[key] = strategicDiff(before, value, field);
    else if (Array.isArray(before) && Array.isArray(value) && field.patchStrategy?.includes("merge")) {
      listDiff(patch, { key, before, value, field });
    } else patch[key] = value;
  }
  return patch;
}

function listDiff(
  patch: Json,
  { key, before, value, field }: { key: string; before: unknown[]; value: unknown[]; field: Schema },
): void {
  const { patchMergeKey, patchStrategy, items = {} } = field;
  patch[`$setElementOrder/${key}`] = patchMergeKey
    ? value.map((item) => ({ [patchMergeKey]: (item as Json)[patchMergeKey] }))
    : value;
  if (!patchMergeKey) {
    const added = value.filter((item) => !before.includes(item));
    const gone = before.filter((item) => !value.includes(item));
    if (added.length > 0) patch[key] = added;
    if (gone.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = gone;
    return;
  }
  const keyOf = (item: unknown) => (item as Json)[patchMergeKey];
  const changed = value.flatMap((item) => {
    const old = before.find((each) => keyOf(each) === keyOf(item));
    if (old === undefined) return [item];
    if (sameJson(old, item)) return [];
    const retained = patchStrategy?.includes("retainKeys") ? { $retainKeys: Object.keys(item as Json) } : {};
    return [{ ...strategicDiff(old as Json, item as Json, items), [patchMergeKey]: keyOf(item), ...retained }];
  });
  const gone = before
    .filter((item) => !value.some((each) => keyOf(each) === keyOf(item)))
    .map((item) => ({ $patch: "delete", [patchMergeKey]: keyOf(item) }));
  if (changed.length + gone.length > 0) patch[key] = [...changed, ...gone];
}

/** Lists that a patch empties are as good as none. */
function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => !(Array.isArray(field) && field.length === 0));
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutEmptyLists(field)]));
}

test(`${ROUNDS} differences by chance (seed ${seed})`, (t) => {
  const failed = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const dice = diceFrom(seed + round);
    const [from, to] = [randomDeployment(names, dice), randomDeployment(names, dice)];
    const before = JSON.stringify(from);
    const merge = mergeDiff(from, to);
    if (!sameJson(mergePatch(from, merge), to)) failed.set("merge patch", JSON.stringify({ from, to, merge }));
    const strategic = strategicDiff(from, to, schema);
    const patched = strategicMergePatch(from, strategic, schema);
    if (!sameJson(withoutEmptyLists(patched), withoutEmptyLists(to))) {
      failed.set("strategic merge patch", JSON.stringify({ from, to, strategic, patched }));
    }
    const again = strategicMergePatch(patched, strategic, schema);
    if (!sameJson(again, patched))
      failed.set("strategic merge patch twice", JSON.stringify({ patched, strategic, again }));
    if (JSON.stringify(from) !== before) failed.set("the original stays", before);
  }
  for (const [what, told] of failed) t.fail(`${what}: ${told}`);
  t.pass("all turned the one into the other");
  t.end();
});
