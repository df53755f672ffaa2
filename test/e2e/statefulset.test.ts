import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

interface PodJson {
  metadata: { name: string; uid: string; creationTimestamp: string; labels: Record<string, string> };
  spec: { containers: { env: { value: string }[] }[] };
  status: { podIP: string; conditions: { type: string; lastTransitionTime: string }[] };
}

const manifest = `
apiVersion: v1
kind: Service
metadata: { name: peers }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: peers
  replicas: 3
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: db
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, sleep 100000]
        env: [{ name: VERSION, value: "1" }]
`;

test("D3 a StatefulSet: names that stay, in order, a partitioned update, a rollback, a smaller size", async (t) => {
  const cluster = await useCluster(t);
  const { name: namespace, kubectl } = await useNamespace(t, cluster);
  const rolledOut = () => kubectl.run(["rollout", "status", "statefulset/db", "--timeout=120s"]);
  const list = async (): Promise<PodJson[]> =>
    (await kubectl.json(["get", "pods", "-l", "app=db"])).items.sort((a: PodJson, b: PodJson) =>
      a.metadata.name < b.metadata.name ? -1 : 1,
    );
  const versions = async () => (await list()).map(({ spec }) => spec.containers[0]!.env[0]!.value).join();

  await kubectl.apply(manifest);
  t.match(await rolledOut(), /partitioned roll out complete: 3 new pods have been updated\.\.\./);
  const three = await list();
  t.strictSame(
    three.map(({ metadata }) => metadata.name),
    ["db-0", "db-1", "db-2"],
  );
  for (const [index, { metadata }] of three.entries()) {
    t.equal(metadata.labels["apps.kubernetes.io/pod-index"], String(index));
    const before = three[index - 1]?.status.conditions.find(({ type }) => type === "Ready");
    if (before) t.ok(metadata.creationTimestamp >= before.lastTransitionTime, "made when the one before was ready");
  }
  t.match(await kubectl.run(["get", "statefulset", "db"]), /^NAME +READY +AGE\ndb +3\/3 +\d+s\n$/);

  t.equal((await kubectl.run(["exec", "db-1", "--", "hostname"])).trim(), "db-1");
  const fullName = `db-0.peers.${namespace}.svc.cluster.local`;
  t.match(await kubectl.run(["exec", "db-0", "--", "cat", "/etc/hosts"]), fullName);
  await eventually("each pod has a name of its own", async () =>
    (await kubectl.run(["exec", "db-1", "--", "nslookup", fullName])).includes(three[0]!.status.podIP),
  );

  await kubectl.run(["delete", "pod", "db-1"]);
  const again = await eventually("db-1 is there again", async () => {
    const now = await list();
    return now.length === 3 && now[1]!.metadata.uid !== three[1]!.metadata.uid && now;
  });
  t.equal(again[1]!.metadata.name, "db-1");
  t.equal(again[0]!.metadata.uid, three[0]!.metadata.uid);
  await eventually("and ready", async () => (await kubectl.run(["get", "statefulset", "db"])).includes(" 3/3 "));

  const partition = (from: number) =>
    kubectl.run([
      "patch",
      "statefulset",
      "db",
      "-p",
      JSON.stringify({ spec: { updateStrategy: { rollingUpdate: { partition: from } } } }),
    ]);
  await partition(2);
  await kubectl.run(["set", "env", "statefulset/db", "VERSION=2"]);
  t.match(await rolledOut(), /partitioned roll out complete: 1 new pods have been updated\.\.\./);
  await eventually("only the last is new", async () => (await versions()) === "1,1,2");
  await partition(0);
  await rolledOut();
  await eventually("all are new", async () => (await versions()) === "2,2,2");

  t.match(
    await kubectl.run(["rollout", "history", "statefulset/db"]),
    /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/,
  );
  t.match(await kubectl.run(["rollout", "history", "statefulset/db", "--revision=2"]), /VERSION:\s+2/);
  t.equal(await kubectl.run(["rollout", "undo", "statefulset/db"]), "statefulset.apps/db rolled back\n");
  await rolledOut();
  await eventually("all are as before", async () => (await versions()) === "1,1,1");
  t.match(await kubectl.run(["rollout", "history", "statefulset/db"]), /CHANGE-CAUSE\n2 +<none>\n3 +<none>\n/);
  t.match(
    await kubectl.run(["rollout", "undo", "statefulset/db", "--to-revision=3"]),
    /skipped rollback \(current template already matches revision 3\)/,
  );

  t.equal(await kubectl.run(["scale", "statefulset", "db", "--replicas=1"]), "statefulset.apps/db scaled\n");
  await eventually("one is left", async () => (await list()).length === 1);
  const described = await eventually("events tell of it", async () => {
    const text = await kubectl.run(["describe", "statefulset", "db"]);
    return /SuccessfulDelete .*statefulset-controller +delete Pod db-1 in StatefulSet db successful/.test(text) && text;
  });
  t.match(described, /Replicas: +1 desired \| 1 total/);
  t.match(described, /Update Strategy: +RollingUpdate\n +Partition: +0/);

  await kubectl.run(["delete", "statefulset", "db", "--cascade=orphan"]);
  const [kept] = await list();
  await kubectl.apply(manifest.replace("replicas: 3", "replicas: 1"));
  await rolledOut();
  t.equal((await list())[0]!.metadata.uid, kept!.metadata.uid, "the orphan is taken back as it is");
});
