// Merging into and out of a person's kubeconfig.

import { test } from "tap";
import { parse } from "yaml";
import { mergeKubeconfig, userKubeconfigPath, withoutContext } from "./merge-kubeconfig.js";

const entries = {
  clusterName: "picokube",
  userName: "picokube-admin",
  contextName: "picokube",
  server: "https://192.0.2.7:6443",
  ca: "CA",
  credentials: { cert: "CERT", key: "KEY" },
};
const theirs = `# mine
apiVersion: v1
kind: Config
clusters:
- name: work # keep
  cluster: {server: https://work.example}
contexts:
- name: work
  context: {cluster: work, user: me}
current-context: work
users:
- name: me
  user: {token: abc}
`;

test("what others wrote stays, comments included", (t) => {
  const merged = mergeKubeconfig(theirs, entries);
  t.match(merged, "# mine");
  t.match(merged, "# keep");
  const config = parse(merged);
  t.same(
    config.clusters.map(({ name }: { name: string }) => name),
    ["work", "picokube"],
  );
  t.equal(config["current-context"], "picokube");
  t.equal(mergeKubeconfig(merged, entries), merged, "a second merge changes nothing");
  const moved = parse(mergeKubeconfig(merged, { ...entries, server: "https://192.0.2.8:6443" }));
  t.equal(moved.clusters.length, 2);
  t.equal(moved.clusters[1].cluster.server, "https://192.0.2.8:6443");

  const left = parse(withoutContext(merged, "picokube"));
  t.same(left, { ...parse(theirs), "current-context": "" });
  t.end();
});

test("odd files", (t) => {
  for (const empty of [undefined, "", "\n"]) t.match(parse(mergeKubeconfig(empty, entries)), { kind: "Config" });
  t.match(parse(mergeKubeconfig("# only a comment\n", entries)).contexts, [{ name: "picokube" }]);
  t.match(parse(mergeKubeconfig("clusters: null\ncontexts: []\n", entries)).clusters, [{ name: "picokube" }]);
  t.throws(() => mergeKubeconfig("a: [", entries, "config"), /^config: .*left as it is$/);
  t.throws(() => mergeKubeconfig("- a", entries, "config"), /not a kubeconfig/);
  t.equal(withoutContext(theirs, "picokube"), theirs);
  t.equal(userKubeconfigPath({ KUBECONFIG: ":/a:/b" }), "/a");
  t.equal(userKubeconfigPath({ HOME: "/root" }), "/root/.kube/config");
  t.end();
});
