import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { ask } from "./harness/ask.js";
import { useCluster } from "./harness/cluster.js";
import { startLoad } from "./harness/load.js";
import { useNamespace } from "./harness/namespace.js";

test("D1 a deployment: created, watched, scaled, updated, described", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);

  const watch = kubectl.start(["get", "pods", "-o", "wide", "-w"]);
  t.teardown(() => watch.kill());
  t.equal(
    await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=3"]),
    "deployment.apps/web created\n",
  );
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);

  t.match(
    await kubectl.run(["get", "deployment", "web"]),
    /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +3\/3 +3 +3 +\d+s\n$/,
  );
  const wide = await kubectl.run(["get", "pods", "-o", "wide"]);
  t.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
  t.equal(wide.match(/ 1\/1 +Running +0 /g)?.length, 3);
  await eventually("the watch has seen pods walk to Running", async () =>
    ["Pending", "ContainerCreating", "Running"].every((state) => watch.output().includes(state)),
  );
  t.match(await kubectl.run(["get", "all"]), /pod\/web-[\s\S]*deployment\.apps\/web[\s\S]*replicaset\.apps\/web-/);

  t.equal(await kubectl.run(["scale", "deployment", "web", "--replicas=5"]), "deployment.apps/web scaled\n");
  await kubectl.run(["wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=5", "--timeout=90s"]);
  await kubectl.run(["scale", "deployment", "web", "--replicas=2"]);
  await eventually("three pods are gone", async () => (await kubectl.json(["get", "pods"])).items.length === 2);

  await kubectl.run(["set", "image", "deployment/web", "nginx=nginx:other"]);
  t.match(await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]), /successfully rolled out/);
  // The rollout is over while old pods still end, and until then they are Running.
  await eventually("only pods of the new image are left", async () => {
    const { items } = await kubectl.json(["get", "pods"]);
    return items.every(
      (pod: { spec: { containers: { image: string }[] } }) => pod.spec.containers[0]!.image === "nginx:other",
    );
  });
  const history = await kubectl.run(["rollout", "history", "deployment/web"]);
  t.match(history, /REVISION[\s\S]*1[\s\S]*2/);
  await kubectl.run(["rollout", "undo", "deployment/web"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  t.equal(
    await kubectl.run(["get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"]),
    "nginx",
  );

  const described = await kubectl.run(["describe", "deployment", "web"]);
  t.match(described, /StrategyType: +RollingUpdate/);
  t.match(
    described,
    /ScalingReplicaSet +\S+(?: \(x\d+ over \S+\))? +deployment-controller +Scaled up replica set web-\w+ from 0 to 3/,
  );
});

test("D2 a deleted pod is replaced; labels decide whose pod it is", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  const names = async () =>
    (await kubectl.json(["get", "pods", "-l", "app=web"])).items.map(
      (pod: { metadata: { name: string } }) => pod.metadata.name,
    );
  const [first, second] = await names();

  t.equal(await kubectl.run(["delete", "pod", first]), `pod "${first}" deleted\n`);
  await eventually("another pod runs in its place", async () => {
    const now = await names();
    return now.length === 2 && !now.includes(first) && now.includes(second);
  });

  await kubectl.run(["label", "pod", second, "app=mine", "--overwrite"]);
  await eventually(
    "the released pod is replaced",
    async () => (await names()).length === 2 && !(await names()).includes(second),
  );
  const released = await kubectl.json(["get", "pod", second]);
  t.notOk(released.metadata.ownerReferences?.length, "nobody owns it any more");

  await kubectl.run(["delete", "deployment", "web"]);
  await eventually("its replica set and pods go with it", async () => {
    const left = await kubectl.json(["get", "replicasets,pods"]);
    return left.items.length === 1 && left.items[0].metadata.name === second;
  });
});

test("D1 a rollout: paused, resumed, undone to a revision, restarted, past its deadline, recreated", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const rolledOut = () => kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  const field = (path: string) => kubectl.run(["get", "deployment", "web", "-o", `jsonpath={${path}}`]);
  const described = async (label: string) =>
    new RegExp(`^${label}: +(.*)$`, "m").exec(await kubectl.run(["describe", "deployment", "web"]))?.[1];
  const progressing = (key: string) => field(`.status.conditions[?(@.type=="Progressing")].${key}`);
  const replicaSets = async () => (await kubectl.json(["get", "replicasets"])).items;

  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
  await rolledOut();
  t.match(await described("NewReplicaSet"), /^web-\w+ \(2\/2 replicas created\)$/);
  t.equal(await described("OldReplicaSets"), "<none>");

  t.equal(await kubectl.run(["rollout", "pause", "deployment/web"]), "deployment.apps/web paused\n");
  await kubectl.run(["set", "image", "deployment/web", "nginx=nginx:other"]);
  await eventually("the condition says so", async () => (await progressing("reason")) === "DeploymentPaused");
  await kubectl.run(["scale", "deployment", "web", "--replicas=3"]);
  await eventually("a paused one is scaled all the same", async () => (await field(".status.readyReplicas")) === "3");
  t.equal((await replicaSets()).length, 1, "nothing is rolled out");
  t.equal(await kubectl.run(["rollout", "resume", "deployment/web"]), "deployment.apps/web resumed\n");
  t.match(await rolledOut(), /successfully rolled out/);
  t.match(await described("OldReplicaSets"), /^web-\w+ \(0\/0 replicas created\)$/);
  t.match(await described("NewReplicaSet"), /^web-\w+ \(3\/3 replicas created\)$/);

  t.match(await kubectl.run(["rollout", "undo", "deployment/web", "--to-revision=1"]), /rolled back/);
  await rolledOut();
  t.equal(await field(".spec.template.spec.containers[0].image"), "nginx");
  const history = await kubectl.run(["rollout", "history", "deployment/web"]);
  t.match(history, /REVISION +CHANGE-CAUSE\n2 +<none>\n3 +<none>\n/, "revision 1 has become 3");
  t.match(await kubectl.run(["rollout", "history", "deployment/web", "--revision=2"]), /Image:\s+nginx:other/);

  t.equal(await kubectl.run(["rollout", "restart", "deployment/web"]), "deployment.apps/web restarted\n");
  await rolledOut();
  t.equal((await replicaSets()).length, 3);

  await kubectl.run(["patch", "deployment", "web", "-p", '{"spec":{"progressDeadlineSeconds":2}}']);
  await kubectl.run(["set", "image", "deployment/web", "nginx=nginx:there-is-no-such-tag"]);
  const late = (await kubectl.attempt(["rollout", "status", "deployment/web", "--timeout=90s"])).stderr;
  t.match(late, /error: deployment "web" exceeded its progress deadline/);
  t.equal(await progressing("reason"), "ProgressDeadlineExceeded");
  t.equal(await field(".status.availableReplicas"), "3", "the old ones still serve");

  const strategy = '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"progressDeadlineSeconds":600}}';
  await kubectl.run(["patch", "deployment", "web", "-p", strategy]);
  await kubectl.run(["set", "image", "deployment/web", "nginx=nginx:other"]);
  t.match(await rolledOut(), /successfully rolled out/);
  const sizes = (await replicaSets()).map(({ spec }: { spec: { replicas: number } }) => spec.replicas);
  t.strictSame(sizes.sort(), [0, 0, 0, 0, 3], "the one that never came up is gone too");
});

test("D1 no request fails while a deployment behind a service rolls over", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
        # What every rollout without a failed request needs: the pod serves on until nobody is sent to it any more.
        lifecycle: {preStop: {sleep: {seconds: 10}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=120s"]);
  const { clusterIP } = (await kubectl.json(["get", "service", "web"])).spec;
  const load = startLoad(`http://${clusterIP}/`);
  t.teardown(() => load.stop());
  await eventually("it answers", async () => load.answered() > 20);
  load.forget();
  await kubectl.run(["set", "image", "deployment/web", "nginx=nginx:other"]);
  t.match(await kubectl.run(["rollout", "status", "deployment/web", "--timeout=180s"]), /successfully rolled out/);
  await eventually(
    "the old pods are gone",
    async () => (await kubectl.json(["get", "pods"])).items.length === 3,
    120_000,
  );
  await load.stop();
  t.ok(load.answered() > 20, `${load.answered()} requests were answered`);
  t.strictSame(load.failures(), []);
});

test("D6 blue and green behind one service: its selector decides who answers", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  const deployment = (color: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${color}}
spec:
  replicas: 2
  selector: {matchLabels: {app: site, color: ${color}}}
  template:
    metadata: {labels: {app: site, color: ${color}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: httpd
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir /www && echo ${color} > /www/index.html && exec httpd -f -p 8080 -h /www"]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---`;
  await kubectl.apply(`${deployment("blue")}${deployment("green")}
apiVersion: v1
kind: Service
metadata: {name: site}
spec: {selector: {app: site, color: blue}, ports: [{port: 80, targetPort: 8080}]}
`);
  for (const color of ["blue", "green"])
    await kubectl.run(["rollout", "status", `deployment/${color}`, "--timeout=120s"]);
  const { clusterIP } = (await kubectl.json(["get", "service", "site"])).spec;
  const url = `http://${clusterIP}/`;
  const onlyFrom = (color: string) =>
    eventually(`all answers are ${color}`, async () => {
      for (let i = 0; i < 20; i++) if ((await ask(url)).text.trim() !== color) return false;
      return true;
    });
  await onlyFrom("blue");
  for (const color of ["green", "blue"]) {
    const selector = { app: "site", color };
    await kubectl.run(["patch", "service", "site", "-p", JSON.stringify({ spec: { selector } })]);
    await onlyFrom(color);
  }
  t.equal((await kubectl.json(["get", "endpointslices"])).items.length, 1);
});
