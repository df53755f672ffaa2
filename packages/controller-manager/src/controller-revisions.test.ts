import { type ControllerRevision, controllerrevisions } from "@picokube/api/apps/v1";
import type { PodTemplateSpec } from "@picokube/api/core/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import {
  byRevision,
  hashRevision,
  holdsTemplate,
  nextRevision,
  revisionData,
  templateOf,
} from "./controller-revisions.js";

const template: PodTemplateSpec = {
  spec: {
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    schedulerName: "default-scheduler",
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    containers: [
      {
        name: "test",
        image: "test",
        imagePullPolicy: "Always",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
  },
  metadata: { labels: { app: "foo" }, annotations: { test: "value" } },
};
const revision = (name: string, number: number, creationTimestamp = "2026-01-01T00:00:00Z"): ControllerRevision =>
  object(controllerrevisions, name, {
    metadata: { creationTimestamp },
    revision: number,
    data: revisionData(template),
  } as object);

test("a template has upstream's hash", async (t) => {
  // What a kube-controller-manager 1.33.0 calls the revision of this template.
  t.equal(hashRevision(revisionData(template), 0), "c77f6d978");
  t.not(hashRevision(revisionData(template), 1), "c77f6d978");
  const shown = { ...template, metadata: { ...template.metadata, annotations: { test: "<&>" } } };
  t.match(JSON.stringify(revisionData(shown)), "<&>", "escaped for the hash alone");
});

test("a revision gives back what was put in", async (t) => {
  const kept = revision("web-1", 1);
  t.match(kept.data, { spec: { template: { $patch: "replace", metadata: { creationTimestamp: null } } } });
  t.ok(holdsTemplate(kept, template));
  t.ok(holdsTemplate(kept, { ...template, spec: { ...template.spec!, nodeSelector: {} } }), "nothing is nothing");
  t.notOk(holdsTemplate(kept, { ...template, spec: { ...template.spec!, nodeName: "n1" } }));
  t.notOk("$patch" in templateOf(kept));
});

test("revisions are counted and sorted", async (t) => {
  t.equal(nextRevision([]), 1);
  const list = [revision("c", 7), revision("b", 2), revision("a", 2), revision("d", 2, "2025-01-01T00:00:00Z")];
  t.equal(nextRevision(list), 8);
  t.strictSame(
    [...list].sort(byRevision).map(({ metadata }) => metadata.name),
    ["d", "a", "b", "c"],
  );
});
