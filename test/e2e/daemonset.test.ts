import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const manifest = (label: string) => `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec:
      nodeSelector: { ${label}: "yes" }
      terminationGracePeriodSeconds: 1
      containers:
      - name: agent
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, sleep 100000]
        env: [{ name: VERSION, value: "1" }]
`;

test("D4 a DaemonSet: on the nodes it selects, updated, rolled back, gone when a node is no longer selected", async (t) => {
  const cluster = await useCluster(t);
  const { name: namespace, kubectl } = await useNamespace(t, cluster);
  const label = `agents-of-${namespace}`;
  const labelNode = (value: string) => kubectlFor(cluster).run(["label", "node", cluster.nodeName, `${label}${value}`]);
  t.teardown(() => labelNode("-"));
  const rolledOut = () => kubectl.run(["rollout", "status", "daemonset/agent", "--timeout=90s"]);
  const list = async () => (await kubectl.json(["get", "pods", "-l", "app=agent"])).items;
  const field = (path: string) => kubectl.run(["get", "daemonset", "agent", "-o", `jsonpath={${path}}`]);
  const version = async () =>
    (await list())
      .map((pod: { spec: { containers: { env: { value: string }[] }[] } }) => pod.spec.containers[0]!.env[0]!.value)
      .join();

  await kubectl.apply(manifest(label));
  await eventually("it is seen", async () => (await field(".status.observedGeneration")) === "1");
  t.match(
    await kubectl.run(["get", "daemonset", "agent"]),
    new RegExp(
      `^NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nagent +0 +0 +0 +0 +0 +${label}=yes +\\d+s\n$`,
    ),
  );
  t.strictSame(await list(), []);

  await labelNode("=yes");
  await eventually("it is wanted on one node", async () => (await field(".status.desiredNumberScheduled")) === "1");
  t.equal(await rolledOut().then((said) => said.split("\n").at(-2)), 'daemon set "agent" successfully rolled out');
  t.match(await kubectl.run(["get", "daemonset", "agent"]), /\nagent +1 +1 +1 +1 +1 /);
  const [pod] = await list();
  t.equal(pod.spec.nodeName, cluster.nodeName);
  t.strictSame(pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms, [
    { matchFields: [{ key: "metadata.name", operator: "In", values: [cluster.nodeName] }] },
  ]);
  const events = ["get", "events", "--field-selector", `involvedObject.name=${pod.metadata.name},reason=Scheduled`];
  await eventually("the scheduler has bound it", async () =>
    (await kubectl.run(events)).includes("Successfully assigned"),
  );

  await kubectl.run(["delete", "pod", pod.metadata.name]);
  await eventually("another takes its place", async () => {
    const now = await list();
    return now.length === 1 && now[0].metadata.uid !== pod.metadata.uid;
  });

  await kubectl.run(["set", "env", "daemonset/agent", "VERSION=2"]);
  await rolledOut();
  t.equal(await version(), "2");
  t.match(
    await kubectl.run(["rollout", "history", "daemonset/agent"]),
    /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/,
  );
  t.equal(await kubectl.run(["rollout", "undo", "daemonset/agent"]), "daemonset.apps/agent rolled back\n");
  await rolledOut();
  t.equal(await version(), "1");
  t.match(await kubectl.run(["rollout", "history", "daemonset/agent"]), /CHANGE-CAUSE\n2 +<none>\n3 +<none>\n/);
  t.match(
    await kubectl.run(["rollout", "undo", "daemonset/agent", "--to-revision=3"]),
    /skipped rollback \(current template already matches revision 3\)/,
  );
  const [before] = await list();
  t.equal(await kubectl.run(["rollout", "restart", "daemonset/agent"]), "daemonset.apps/agent restarted\n");
  await rolledOut();
  await eventually("made anew", async () =>
    (await list()).every((each: typeof before) => each.metadata.uid !== before.metadata.uid),
  );

  const described = await kubectl.run(["describe", "daemonset", "agent"]);
  t.match(described, /Desired Number of Nodes Scheduled: 1\nCurrent Number of Nodes Scheduled: 1\n/);
  t.match(described, /SuccessfulCreate .*daemonset-controller +Created pod: agent-\w{5}/);
  t.match(described, /deprecated\.daemonset\.template\.generation: \d/);

  await labelNode("-");
  await eventually("it goes where it is not wanted", async () => (await list()).length === 0);
});
