// What holds of server-side apply whatever is applied: again changes nothing, managers who share no field converge in any
// order, nobody loses what he owns, and whoever gives everything up leaves nothing. PROPERTY_SEED repeats a run.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import { stringify } from "yaml";
import { sameJson } from "../storage/same-json.js";
import { diceFrom, type Names, randomDeployment } from "../testing/random-deployments.js";
import { appliedSet } from "./applied-set.js";
import { keepTimesOfNoChange, trackWrite } from "./field-manager.js";
import { difference, isEmptySet, pathsOf, pathText } from "./field-set.js";
import { applied, write } from "./field-writes.testing.js";
import { entriesOf } from "./managed-fields.js";
import { ownable } from "./ownership.js";

const seed = Number(process.env.PROPERTY_SEED ?? 20_260_101);
const ROUNDS = 150;
const all: Names = { keys: ["k1", "k2", "k3"], containers: ["a", "b", "c"], isWhole: true };
const apart: readonly Names[] = [
  { keys: ["x1", "x2"], containers: ["xa", "xb"], isWhole: true },
  { keys: ["y1", "y2"], containers: ["ya", "yb"], isWhole: false },
  { keys: ["z1", "z2"], containers: ["za", "zb"], isWhole: false },
];
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** Lists with keys and sets in an order that does not tell who came first; times left out. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(unordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== "time");
  return Object.fromEntries(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, unordered(field)]),
  );
}

test(`${ROUNDS} rounds of applies by chance (seed ${seed})`, (t) => {
  const failed = new Map<string, string>();
  const check = (isTrue: boolean, what: string, told: () => string) => {
    if (!isTrue && !failed.has(what)) failed.set(what, told());
  };
  for (let round = 0; round < ROUNDS; round++) {
    const dice = diceFrom(seed + round);
    const config = randomDeployment(all, dice);
    const yaml = stringify(config, { aliasDuplicateObjects: false });
    const other = stringify(randomDeployment(all, dice), { aliasDuplicateObjects: false });
    const first = applied(undefined, yaml);
    const again = applied(first, yaml, { seconds: 60 });
    keepTimesOfNoChange(first, again);
    check(sameJson(again, first), "apply twice is a no-op", () => yaml);
    check(sameJson(JSON.parse(JSON.stringify(first)), first), "what is stored is what was applied", () => yaml);

    const moved = applied(first, other, { seconds: 60 });
    const fresh = applied(undefined, other);
    check(
      sameJson(unordered(withoutEmpty(moved)), unordered(withoutEmpty(fresh))),
      "one applier's last word counts alone",
      () => `${yaml}---\n${other}`,
    );

    const forced = applied(first, other, { manager: "b", force: true, seconds: 60 });
    const owned = ownable(appliedSet(JSON.parse(JSON.stringify(config)) as object, write("b").schemaIn("apps/v1")));
    const mine = entriesOf(forced).find(({ manager }) => manager === "a")?.fieldsV1 ?? {};
    check(isEmptySet(difference(mine, owned)), "force gives the first applier nothing new", () =>
      [...pathsOf(difference(mine, owned))].map(pathText).join(),
    );

    const untouched = structuredClone(forced);
    trackWrite(forced, untouched, write("u"));
    check(
      untouched.metadata.managedFields === forced.metadata.managedFields,
      "an update that changes nothing owns nothing",
      () => yaml,
    );
  }
  for (const [what, told] of failed) t.fail(`${what}: ${told}`);
  t.pass("all held");
  t.end();
});

/** Without empty lists and maps, and what is empty without them: emptiness is nothing that one applier leaves another. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutEmpty);
  const fields = Object.entries(value).map(([name, field]) => [name, withoutEmpty(field)] as const);
  return Object.fromEntries(
    fields.filter(([, field]) => typeof field !== "object" || field === null || Object.keys(field).length > 0),
  );
}

test(`${ROUNDS} rounds of three managers who share nothing, in every order (seed ${seed})`, (t) => {
  const failed = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const dice = diceFrom(seed + 1000 + round);
    // Who applies an empty map claims the map itself, and conflicts with whoever puts the first entry into it.
    const parts = apart.map((names) => withoutEmpty(randomDeployment(names, dice)));
    const configs = parts.map((part) => stringify(part, { aliasDuplicateObjects: false }));
    const results = ORDERS.map((order) => {
      let object: KubernetesObject | undefined;
      for (const at of order) object = applied(object, configs[at]!, { manager: `m${at}` });
      return unordered(object);
    });
    for (const result of results) if (!sameJson(result, results[0])) failed.set("they converge", configs.join("---\n"));

    let object: KubernetesObject | undefined;
    for (const at of [0, 1, 2]) object = applied(object, configs[at]!, { manager: `m${at}` });
    const bare = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n";
    for (const at of [1, 2]) object = applied(object, bare, { manager: `m${at}` });
    const alone = applied(undefined, configs[0]!, { manager: "m0" });
    if (!sameJson(unordered(withoutEmpty(object!)), unordered(withoutEmpty(alone))))
      failed.set("who gives up leaves nothing", configs.join("---\n"));
  }
  for (const [what, told] of failed) t.fail(`${what}: ${told}`);
  t.pass("all held");
  t.end();
});
