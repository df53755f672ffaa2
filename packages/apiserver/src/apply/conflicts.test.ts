// The words of a refused apply, for one, two and many owners and fields.

import { test } from "tap";
import { applyConflict } from "./conflicts.js";
import { parseFieldSet } from "./field-set.js";
import type { ManagedFieldsEntry } from "./managed-fields.js";

function owner(
  manager: string,
  operation: "Apply" | "Update",
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry {
  return { manager, operation, apiVersion: "apps/v1", fieldsType: "FieldsV1", fieldsV1: {}, ...more };
}

const replicas = parseFieldSet({ "f:spec": { "f:replicas": {} } });
const many = parseFieldSet({
  "f:metadata": { "f:annotations": { "f:a.b/c": {} } },
  "f:spec": {
    "f:replicas": {},
    "f:containers": { 'k:{"name":"c"}': { ".": {}, "f:image": {} } },
    "f:finalizers": { 'v:"x"': {} },
  },
});

test("conflict messages", (t) => {
  const table: [string, Parameters<typeof applyConflict>[0], string][] = [
    [
      "one",
      [{ owner: owner("a", "Apply"), fields: replicas }],
      'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
    ],
    [
      "an updater through a subresource",
      [{ owner: owner('a"b', "Update", { subresource: "scale" }), fields: replicas }],
      'Apply failed with 1 conflict: conflict with "a\\"b" with subresource "scale" using apps/v1: .spec.replicas',
    ],
    [
      "two of the same name",
      [
        { owner: owner("a", "Update"), fields: replicas },
        { owner: owner("a", "Apply"), fields: replicas },
      ],
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.replicas\nconflicts with "a" using apps/v1:\n- .spec.replicas',
    ],
    [
      "many fields, those that end above those that go on",
      [
        { owner: owner("z", "Update"), fields: replicas },
        { owner: owner("b", "Apply"), fields: many },
      ],
      `Apply failed with 6 conflicts: conflicts with "b":
- .metadata.annotations.a.b/c
- .spec.replicas
- .spec.containers[name="c"]
- .spec.containers[name="c"].image
- .spec.finalizers[="x"]
conflicts with "z" using apps/v1:
- .spec.replicas`,
    ],
  ];
  for (const [what, conflicts, message] of table) t.equal(applyConflict(conflicts).message, message, what);
  t.end();
});
