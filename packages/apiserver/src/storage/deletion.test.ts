// What deletes do, by table: grace, finalizers, propagation.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import { type DeleteOptions, planDeletion, unmetPrecondition, validateDeleteOptions } from "./deletion.js";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const object = (metadata: object = {}, rest: object = {}) =>
  ({ kind: "Pod", metadata: { name: "a", uid: "u", resourceVersion: "5", ...metadata }, ...rest }) as KubernetesObject;
const graceOf = (_object: unknown, requested: number | undefined) => requested ?? 30;

test("plans", async (t) => {
  const cases: {
    name: string;
    object: KubernetesObject;
    options?: DeleteOptions;
    graceful?: boolean;
    expected: object;
  }[] = [
    { name: "nothing keeps it", object: object(), expected: { action: "remove" } },
    {
      name: "grace marks",
      object: object({ generation: 1 }),
      graceful: true,
      expected: {
        action: "mark",
        object: {
          metadata: { deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30, generation: 2 },
        },
      },
    },
    {
      name: "no grace removes",
      object: object(),
      options: { gracePeriodSeconds: 0 },
      graceful: true,
      expected: { action: "remove" },
    },
    {
      name: "a second delete waits",
      object: object({ deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 }),
      graceful: true,
      expected: { action: "wait" },
    },
    {
      name: "a shorter grace shortens",
      object: object({ deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 }),
      options: { gracePeriodSeconds: 5 },
      graceful: true,
      expected: {
        action: "mark",
        object: { metadata: { deletionTimestamp: "2026-01-01T00:00:05Z", deletionGracePeriodSeconds: 5 } },
      },
    },
    {
      name: "a grace of 0 ends it",
      object: object({ deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 }),
      options: { gracePeriodSeconds: 0 },
      graceful: true,
      expected: { action: "remove" },
    },
    {
      name: "finalizers mark",
      object: object({ finalizers: ["a/b"] }),
      expected: {
        action: "mark",
        object: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 } },
      },
    },
    {
      name: "finalizers wait when marked",
      object: object({ finalizers: ["a/b"], deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 }),
      expected: { action: "wait" },
    },
    {
      name: "foreground adds its finalizer",
      object: object(),
      options: { propagationPolicy: "Foreground" },
      expected: { action: "mark", object: { metadata: { finalizers: ["foregroundDeletion"] } } },
    },
    {
      name: "orphan adds its finalizer",
      object: object(),
      options: { orphanDependents: true },
      expected: { action: "mark", object: { metadata: { finalizers: ["orphan"] } } },
    },
    {
      name: "background drops them",
      object: object({ finalizers: ["orphan"] }),
      options: { propagationPolicy: "Background" },
      expected: { action: "remove" },
    },
    {
      name: "a namespace terminates",
      object: object({}, { kind: "Namespace", spec: { finalizers: ["kubernetes"] } }),
      expected: {
        action: "mark",
        object: { status: { phase: "Terminating" }, metadata: { deletionGracePeriodSeconds: undefined } },
      },
    },
  ];
  for (const { name, object: current, options = {}, graceful, expected } of cases) {
    t.match(planDeletion(current, { options, graceOf: graceful ? graceOf : undefined, nowMs: NOW }), expected, name);
  }
});

test("preconditions and options", async (t) => {
  const resource = { group: "", resource: "pods" };
  t.equal(unmetPrecondition(object(), { uid: "u", resourceVersion: "5" }, resource), undefined);
  t.match(unmetPrecondition(object(), { uid: "x" }, resource), {
    code: 409,
    message:
      'Operation cannot be fulfilled on pods "a": Precondition failed: UID in precondition: x, UID in object meta: u',
  });
  t.throws(() => validateDeleteOptions({ propagationPolicy: "Never" }), { code: 422 });
  t.throws(() => validateDeleteOptions({ propagationPolicy: "Orphan", orphanDependents: true }), { code: 400 });
});
