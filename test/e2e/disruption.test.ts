import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

// Of its own: a drained node takes no pods, and other stories need theirs.
test("D8 a drained node gives up what its budgets let go, and the rest when they do", async (t) => {
  const { cluster, dispose } = await createCluster();
  t.teardown(dispose);
  const { kubectl } = await useNamespace(t, cluster);
  const { nodeName } = cluster;
  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  t.equal(
    await kubectl.run(["create", "pdb", "web", "--selector=app=web", "--min-available=2"]),
    "poddisruptionbudget.policy/web created\n",
  );
  const allowed = (count: number) =>
    eventually(`${count} may go`, async () => {
      const { status, metadata } = await kubectl.json(["get", "pdb", "web"]);
      return status?.observedGeneration === metadata.generation && status.disruptionsAllowed === count;
    });
  await allowed(0);
  t.match(
    await kubectl.run(["get", "pdb", "web"]),
    /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +2 +N\/A +0 +\d+s\n$/,
  );

  const drain = (...flags: string[]) =>
    kubectl.attempt(["drain", nodeName, "--ignore-daemonsets", "--delete-emptydir-data", "--force", ...flags]);
  const running = async () =>
    (await kubectl.json(["get", "pods", "-l", "app=web"])).items.filter(
      (pod: { spec: { nodeName?: string }; metadata: { deletionTimestamp?: string } }) =>
        pod.spec.nodeName && !pod.metadata.deletionTimestamp,
    ).length;
  const refused = await drain("--timeout=10s");
  t.not(refused.code, 0);
  t.match(refused.stderr, /Cannot evict pod as it would violate the pod's disruption budget\./);
  t.equal(await running(), 2, "both run on");

  await kubectl.run(["patch", "pdb", "web", "-p", '{"spec":{"minAvailable":1}}']);
  await allowed(1);
  const half = await drain("--timeout=15s");
  t.not(half.code, 0);
  await eventually("one had to stay: the other's replacement finds no node", async () => (await running()) === 1);
  await eventually("the budget says so", async () =>
    /Allowed disruptions: +0\n +Current: +1\n +Desired: +1\n +Total: +2/.test(
      await kubectl.run(["describe", "pdb", "web"]),
    ),
  );

  await kubectl.run(["delete", "pdb", "web"]);
  const whole = await drain("--timeout=90s");
  t.equal(whole.code, 0, whole.stderr);
  t.match(whole.stdout, new RegExp(`node/${nodeName} drained`));
  t.equal(await running(), 0);
  t.match(await kubectl.run(["get", "node", nodeName]), /Ready,SchedulingDisabled/);
  t.equal(await kubectl.run(["uncordon", nodeName]), `node/${nodeName} uncordoned\n`);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
});
