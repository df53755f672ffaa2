import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlFor, kubectlReleases, releaseName } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const application = (namespace: string, { replicas, greeting }: { replicas: number; greeting: string }) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: ${namespace} }
data: { greeting: "${greeting}" }
---
apiVersion: v1
kind: Secret
metadata: { name: keys, namespace: ${namespace} }
data: { password: czNjcmV0 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - name: nginx
        image: nginx
        imagePullPolicy: IfNotPresent
        env:
        - { name: GREETING, valueFrom: { configMapKeyRef: { name: settings, key: greeting } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: ${namespace} }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

for (const binary of kubectlReleases())
  test(`B3 B7 apply a file of many documents, change it, apply again, delete its namespace, with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const namespace = `apply-${releaseName(binary).replaceAll(/[^0-9]/g, "") || "x"}-${process.pid}`;
    const root = kubectlFor(cluster);
    const kubectl = kubectlFor(cluster, namespace);
    t.teardown(() => root.attempt(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]));

    const first = await root.attempt(["apply", "-f", "-"], {
      binary,
      input: application(namespace, { replicas: 1, greeting: "hello" }),
    });
    t.equal(
      first.stdout,
      `namespace/${namespace} created\nconfigmap/settings created\nsecret/keys created\ndeployment.apps/web created\nservice/web created\n`,
    );
    t.equal(first.stderr, "", "no warning");
    await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"], { binary });

    const again = await root.run(["apply", "-f", "-"], {
      binary,
      input: application(namespace, { replicas: 1, greeting: "hello" }),
    });
    t.equal(again.match(/ unchanged\n/g)?.length, 5, again);

    const changed = await root.run(["apply", "-f", "-"], {
      binary,
      input: application(namespace, { replicas: 2, greeting: "bye" }),
    });
    t.match(changed, /configmap\/settings configured\n[\s\S]*deployment\.apps\/web configured\nservice\/web unchanged/);
    await kubectl.run(["wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=90s"], {
      binary,
    });
    t.equal(await kubectl.run(["get", "configmap", "settings", "-o", "jsonpath={.data.greeting}"], { binary }), "bye");
    t.equal(
      await kubectl.run(["get", "secret", "keys", "-o", "go-template={{.data.password | base64decode}}"], { binary }),
      "s3cret",
    );

    await root.run(["delete", "namespace", namespace], { binary });
    t.match(await root.attempt(["get", "namespace", namespace]), {
      code: 1,
      stderr: `namespaces "${namespace}" not found`,
    });
    t.equal((await kubectl.run(["get", "all,configmaps,secrets"])).trim(), "");
  });

for (const binary of kubectlReleases())
  test(`B4 discovery and explain with ${releaseName(binary)}`, async (t) => {
    const kubectl = kubectlFor(await useCluster(t));
    const resources = await kubectl.attempt(["api-resources"], { binary });
    t.equal(resources.stderr, "");
    for (const line of [
      /^pods +po +v1 +true +Pod$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^nodes +no +v1 +false +Node$/m,
    ])
      t.match(resources.stdout, line);
    const explained = await kubectl.attempt(["explain", "pod.spec.containers", "--recursive"], { binary });
    t.equal(explained.stderr, "");
    t.match(explained.stdout, /livenessProbe\s*<Probe>/);
    t.match(await kubectl.run(["version", "-o", "json"], { binary }), /"serverVersion"/);
    t.match(await kubectl.run(["api-versions"], { binary }), /^apps\/v1$/m);
    t.match(await kubectl.run(["cluster-info"], { binary }), /Kubernetes control plane[\s\S]* is running at /);
  });

test("B2 ways of getting", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  for (const [name, tier] of [
    ["a", "front"],
    ["b", "back"],
    ["c", "front"],
  ] as const) {
    await kubectl.run(["create", "configmap", name]);
    await kubectl.run(["label", "configmap", name, `tier=${tier}`]);
  }
  t.equal(await kubectl.run(["get", "cm", "-l", "tier=front", "-o", "name"]), "configmap/a\nconfigmap/c\n");
  t.equal(await kubectl.run(["get", "cm", "-l", "tier in (back)", "-o", "name"]), "configmap/b\n");
  t.equal(
    await kubectl.run(["get", "cm", "--field-selector=metadata.name=b", "-o", "jsonpath={.items[*].metadata.name}"]),
    "b",
  );
  t.match(await kubectl.run(["get", "cm", "--show-labels"]), /a +0 +\d+s +tier=front/);
  t.match(await kubectl.run(["get", "cm", "-A"]), new RegExp(`${namespace} +a `));
  t.equal(
    await kubectl.run([
      "get",
      "cm",
      "-l",
      "tier",
      "--sort-by=.metadata.labels.tier",
      "-o",
      "custom-columns=N:.metadata.name",
      "--no-headers",
    ]),
    "b\na\nc\n",
  );
  t.match(await kubectl.run(["get", "cm", "a", "-o", "yaml"]), /^apiVersion: v1\nkind: ConfigMap\n/);
  t.match(
    await kubectl.run(["get", "cm", "--chunk-size=1", "-l", "tier", "-o", "name"]),
    "configmap/a\nconfigmap/b\nconfigmap/c\n",
  );
  await kubectl.run(["patch", "cm", "a", "--type=json", "-p", '[{"op":"add","path":"/data","value":{"k":"v"}}]']);
  await kubectl.run(["patch", "cm", "a", "--type=merge", "-p", '{"data":{"l":"w"}}']);
  t.equal(await kubectl.run(["get", "cm", "a", "-o", "jsonpath={.data}"]), '{"k":"v","l":"w"}');
  t.match(await kubectl.run(["create", "configmap", "d", "--dry-run=server", "-o", "name"]), "configmap/d");
  t.match(await kubectl.attempt(["get", "cm", "d"]), { code: 1 });
});

test("A2 the node, as kubectl shows it", async (t) => {
  const cluster = await useCluster(t);
  const kubectl = kubectlFor(cluster);
  t.match(
    await kubectl.run(["get", "nodes", "-o", "wide"]),
    new RegExp(
      `${cluster.nodeName} +Ready +control-plane +\\S+ +v1\\.33\\.\\S+ +${cluster.nodeIp.replaceAll(".", "\\.")} +<none> +.+ docker://\\d+`,
    ),
  );
  const described = await kubectl.run(["describe", "node", cluster.nodeName]);
  for (const line of [
    /MemoryPressure +False/,
    /Ready +True .* KubeletReady/,
    /Kubelet Version: +v1\.33/,
    /PodCIDR: +\d+\.\d+\.\d+\.0\/24/,
    /Allocated resources:/,
  ])
    t.match(described, line);
  await eventually("it renews its lease", async () => {
    const lease = await kubectl.json(["get", "lease", cluster.nodeName, "-n", "kube-node-lease"]);
    return Date.now() - Date.parse(lease.spec.renewTime) < 20_000;
  });
});
