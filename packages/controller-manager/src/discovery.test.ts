import { test } from "tap";
import { discoveryFailureMessage, discoveryOf, versionsOf } from "./discovery.js";

const aggregated = {
  items: [
    {
      metadata: {},
      versions: [
        {
          version: "v1",
          resources: [
            {
              resource: "pods",
              responseKind: { group: "", version: "v1", kind: "Pod" },
              scope: "Namespaced",
              singularResource: "pod",
              verbs: ["delete", "list", "watch"],
            },
          ],
        },
      ],
    },
    {
      metadata: { name: "autoscaling" },
      versions: [
        {
          version: "v2",
          resources: [
            {
              resource: "horizontalpodautoscalers",
              responseKind: { kind: "HorizontalPodAutoscaler" },
              scope: "Namespaced",
              verbs: ["list"],
            },
          ],
        },
        {
          version: "v1",
          resources: [
            {
              resource: "horizontalpodautoscalers",
              responseKind: { kind: "HorizontalPodAutoscaler" },
              scope: "Namespaced",
              verbs: ["list"],
            },
          ],
        },
      ],
    },
    { metadata: { name: "metrics.k8s.io" }, versions: [{ version: "v1beta1", freshness: "Stale", resources: [] }] },
  ],
};

test("aggregated discovery: each resource once, kinds of every version, stale groups as failures", (t) => {
  const discovery = discoveryOf(versionsOf(aggregated));
  t.strictSame(
    discovery.preferred.map(({ resource }) => [resource.group, resource.version, resource.resource]),
    [
      ["", "v1", "pods"],
      ["autoscaling", "v2", "horizontalpodautoscalers"],
    ],
  );
  t.equal(discovery.preferred[0]!.resource.namespaced, true);
  t.ok(discovery.preferred[0]!.verbs.has("delete"));
  t.equal(
    discovery.resourceOfKind({ group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler" })?.version,
    "v1",
  );
  t.equal(discovery.resourceOfKind({ group: "", version: "v1", kind: "Nope" }), undefined);
  t.equal(
    discoveryFailureMessage(discovery.failures),
    "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1",
  );
  t.end();
});
