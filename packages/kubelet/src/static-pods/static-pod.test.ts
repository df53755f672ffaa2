// Manifests as pods, and answers of a URL, by table.

import { test } from "tap";
import { staticPod } from "./static-pod.js";
import { podsOfAnswer } from "./url-source.js";

const manifest = { kind: "Pod", apiVersion: "v1", metadata: { name: "web" }, spec: { containers: [] } };
const place = { source: "file" as const, path: "/m/web.yaml", nodeName: "n1", seen: "2026-01-01T00:00:00Z" };

test("a static pod is named after its node and known by what it says", async (t) => {
  const pod = staticPod(manifest, place);
  t.match(pod, {
    metadata: {
      name: "web-n1",
      namespace: "default",
      annotations: { "kubernetes.io/config.source": "file", "kubernetes.io/config.hash": pod.metadata.uid },
    },
    spec: { nodeName: "n1", restartPolicy: "Always", tolerations: [{ effect: "NoExecute", operator: "Exists" }] },
  });
  const uidOf = (document: unknown, other: Partial<typeof place> = {}) =>
    staticPod(document, { ...place, ...other }).metadata.uid;
  t.equal(uidOf({ ...manifest }), pod.metadata.uid, "the same words are the same pod");
  t.not(uidOf({ ...manifest, spec: { containers: [{ name: "c" }] } }), pod.metadata.uid);
  t.not(uidOf(manifest, { path: "/m/other.yaml" }), pod.metadata.uid);
  t.equal(
    staticPod(manifest, { ...place, source: "http" as never }).metadata.annotations?.["kubernetes.io/config.source"],
    "http",
  );
  t.throws(
    () => staticPod({ kind: "Service" }, place),
    /couldn't parse as pod\(invalid pod: Service\), please check config file$/,
  );
  t.throws(() => staticPod({ kind: "Pod", metadata: {} }, place), /has no name/);
});

test("what a URL may answer", async (t) => {
  t.same(podsOfAnswer(JSON.stringify(manifest), "u"), [manifest]);
  t.match(podsOfAnswer(JSON.stringify({ kind: "PodList", items: [{ metadata: { name: "a" } }, manifest] }), "u"), [
    { kind: "Pod", metadata: { name: "a" } },
    { kind: "Pod", metadata: { name: "web" } },
  ]);
  t.throws(
    () => podsOfAnswer("kind: Service", "http://u"),
    /^http:\/\/u: received 'kind: Service', but couldn't parse/,
  );
});
