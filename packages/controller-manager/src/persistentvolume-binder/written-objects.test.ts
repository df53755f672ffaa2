// What was written and what the informer shows: the newer of the two.

import { type PersistentVolume, persistentvolumes } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { pvProtectionController } from "../pv-protection/pv-protection-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { WrittenObjects } from "./written-objects.js";

const spec = { accessModes: ["ReadWriteOnce" as const], capacity: { storage: "1Gi" }, hostPath: { path: "/x" } };
const name = "pv";

test("a write is seen at once, and forgotten when the informer is as far", async (t) => {
  const { client } = await startApiServer(t);
  const { informers } = runControllers(t, { client, create: [pvProtectionController] });
  const informer = informers.for(persistentvolumes);
  const written = new WrittenObjects(informer);
  const phaseOf = (volume: PersistentVolume | undefined) => volume?.metadata.labels?.phase;
  const label = (phase: string) =>
    client.patch(persistentvolumes, { name }, { metadata: { labels: { phase } } }, { type: "merge" });
  const until = (what: string, look: () => boolean) => eventually(what, async () => look(), 60_000);

  await client.create(persistentvolumes, { metadata: { name }, spec });
  await until("the informer knows it", () => informer.get(name) !== undefined);
  const first = informer.get(name)!;
  const second = await label("second");
  written.remember(second);
  t.equal(phaseOf(written.get(name)), "second", "whatever the informer shows");
  t.strictSame(written.list().map(phaseOf), ["second"]);

  await label("third");
  await until("the informer is further", () => phaseOf(informer.get(name)) === "third");
  t.equal(phaseOf(written.get(name)), "third", "somebody else wrote since");

  written.remember({ ...first, metadata: { ...first.metadata, uid: "another" } });
  t.equal(phaseOf(written.get(name)), "third", "another object of the name is not it");
  written.remember(await label("fourth"));
  await client.delete(persistentvolumes, { name });
  await until("the informer has seen it go", () => informer.get(name) === undefined);
  t.equal(written.get(name), undefined, "what is gone does not come back");
});
