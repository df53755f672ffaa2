import { test } from "tap";
import { judge, type OwnerState, sameOwners, stateOfOwner } from "./delete-plan.js";

const owners = (...states: OwnerState[]) => states.map((state, i) => ({ uid: `owner-${i}`, state }));
const idle = { deletingDependents: false };
const waiting = { deletingDependents: true };
const background = { act: "delete", policy: "Background", unblock: false };
const foreground = { act: "delete", policy: "Foreground", unblock: false };

test("judge", (t) => {
  const table = [
    { name: "a living owner keeps it", owners: owners("solid"), verdict: { act: "keep" } },
    {
      name: "dead owners beside a living one are dropped",
      owners: owners("solid", "dangling", "waiting"),
      verdict: { act: "dropOwners", uids: ["owner-1", "owner-2"] },
    },
    { name: "all owners gone", owners: owners("dangling", "dangling"), verdict: background },
    { name: "its owner waits, nothing hangs on it", owners: owners("waiting"), verdict: background },
    {
      name: "its owner waits and it has dependents",
      owners: owners("waiting"),
      dependents: [idle],
      verdict: foreground,
    },
    {
      name: "a circle of waiting is cut",
      owners: owners("waiting"),
      dependents: [idle, waiting],
      verdict: { act: "delete", policy: "Foreground", unblock: true },
    },
    {
      name: "its own finalizer asks for orphans",
      owners: owners("dangling"),
      finalizers: ["orphan"],
      verdict: { act: "delete", policy: "Orphan", unblock: false },
    },
    {
      name: "its own finalizer asks for the foreground",
      owners: owners("dangling"),
      finalizers: ["foregroundDeletion"],
      verdict: foreground,
    },
  ];
  for (const { name, owners: states, dependents = [], finalizers, verdict } of table)
    t.strictSame(judge({ owners: states, dependents, finalizers }), verdict, name);
  t.end();
});

test("an owner waits only while it is deleted in the foreground", (t) => {
  t.equal(stateOfOwner({ finalizers: ["foregroundDeletion"] }), "solid");
  t.equal(stateOfOwner({ deletionTimestamp: "2026-01-01T00:00:00Z" }), "solid");
  t.equal(stateOfOwner({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["foregroundDeletion"] }), "waiting");
  t.end();
});

test("sameOwners sees a change of owners", (t) => {
  const owner = { apiVersion: "v1", kind: "Node", name: "a", uid: "1" };
  t.ok(sameOwners([owner], [{ ...owner }]));
  t.ok(sameOwners(undefined, []));
  t.notOk(sameOwners([owner], []));
  t.notOk(sameOwners([owner], [{ ...owner, blockOwnerDeletion: true }]));
  t.end();
});
