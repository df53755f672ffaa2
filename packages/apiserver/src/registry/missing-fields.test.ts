// Whatever a client leaves out or empties, defaulting and validation answer with faults and never throw.

import { StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import { sampleOf } from "../testing/samples.js";
import { builtinDefinitions } from "./index.js";
import type { RequestContext } from "./resource-definition.js";

const definitions = builtinDefinitions({
  serviceCidrs: ["10.96.0.0/16"],
  nodePortRange: { from: 30000, to: 32767 },
  connect: {},
});

const context = {
  user: { name: "admin", groups: [] },
  dryRun: true,
  now: () => 0,
  warn() {},
  storage: { for: () => ({ get: () => undefined, list: () => [], onChange: () => () => {} }) },
} as unknown as RequestContext;

type Tree = { [key: string]: unknown };

/** The sample with each of its fields in turn left out, and emptied. */
function* damaged(sample: object): Generator<{ path: string; object: Tree }> {
  function* paths(value: unknown, at: string[]): Generator<string[]> {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      yield [...at, key];
      yield* paths(child, [...at, key]);
    }
  }
  for (const path of paths(sample, [])) {
    for (const empty of [false, true]) {
      const object = structuredClone(sample) as Tree;
      const parent = path.slice(0, -1).reduce<Tree>((tree, key) => tree[key] as Tree, object);
      const last = path.at(-1)!;
      const old = parent[last];
      if (!empty && Array.isArray(parent)) continue;
      if (!empty) delete parent[last];
      else parent[last] = Array.isArray(old) ? [] : typeof old === "object" ? {} : typeof old === "number" ? 0 : "";
      yield { path: `${path.join(".")} ${empty ? "emptied" : "left out"}`, object };
    }
  }
}

for (const definition of definitions) {
  const { kind } = definition.resource;
  const sample = sampleOf(kind);
  test(`${definition.resource.group}/${kind} with a field missing`, async (t) => {
    const failures: string[] = [];
    for (const { path, object } of damaged(sample)) {
      const metadata = { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
      const whole = { metadata, ...object } as KubernetesObject;
      const good = { metadata, ...structuredClone(sample) } as KubernetesObject;
      try {
        definition.applyDefaults?.(whole);
        definition.applyDefaults?.(good);
        const next = structuredClone(whole);
        await definition.prepareForCreate?.(whole, context);
        definition.validate?.(whole, context);
        for (const { cell } of definition.columns ?? []) cell(whole, 0);
        for (const field of Object.values(definition.selectableFields ?? {})) field(whole);
        await definition.prepareForUpdate?.(next, good, context);
        definition.validateUpdate?.(next, good, context);
      } catch (error) {
        if (!(error instanceof StatusError))
          failures.push(`${path}: ${(error as Error).stack?.split("\n").slice(0, 3)}`);
      }
    }
    t.strictSame(failures, []);
  });
}
