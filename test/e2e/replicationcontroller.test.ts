import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";

test("D2 a ReplicationController: kept at its number, scaled, described, gone with its pods", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(`
apiVersion: v1
kind: ReplicationController
metadata: { name: web }
spec:
  replicas: 2
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent }] }
`);
  const names = async (): Promise<string[]> =>
    (await kubectl.json(["get", "pods", "-l", "app=web"])).items.map(
      (pod: { metadata: { name: string } }) => pod.metadata.name,
    );
  const ready = (count: number) =>
    kubectl.run(["wait", "rc/web", `--for=jsonpath={.status.readyReplicas}=${count}`, "--timeout=90s"]);
  await ready(2);
  t.match(await kubectl.run(["get", "rc", "web"]), /^NAME +DESIRED +CURRENT +READY +AGE\nweb +2 +2 +2 +\d+s\n$/);

  const [first] = await names();
  await kubectl.run(["delete", "pod", first!]);
  await eventually("it is replaced", async () => {
    const now = await names();
    return now.length === 2 && !now.includes(first!);
  });
  t.equal(await kubectl.run(["scale", "rc", "web", "--replicas=3"]), "replicationcontroller/web scaled\n");
  await ready(3);
  const described = await kubectl.run(["describe", "rc", "web"]);
  t.match(described, /Replicas: +3 current \/ 3 desired/);
  t.match(described, /SuccessfulCreate .*replication-controller +Created pod: web-\w{5}/);
  await kubectl.run(["delete", "rc", "web"]);
  await eventually("its pods go with it", async () => (await names()).length === 0);
});
