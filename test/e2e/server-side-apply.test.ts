import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlReleases, releaseName } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const web = ({ replicas, image = "nginx", label = "" }: { replicas: number; image?: string; label?: string }) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web${label} } }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - { name: web, image: ${image}, imagePullPolicy: IfNotPresent }
`;

interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read paths that they expect
  fieldsV1: any;
}

for (const binary of kubectlReleases())
  test(`B6 server-side apply: ownership, conflicts, force, diff, with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl: tool } = await useNamespace(t, cluster);
    const { attempt } = tool;
    const kubectl = (args: string[], input = "") => attempt(args, { binary, input });
    const entries = async (): Promise<Entry[]> => {
      const { stdout } = await kubectl(["get", "deployment", "web", "-o", "json", "--show-managed-fields"]);
      return JSON.parse(stdout).metadata.managedFields;
    };
    const apply = (manifest: string, ...args: string[]) =>
      kubectl(["apply", "--server-side", "-f", "-", ...args], manifest);

    const first = await apply(web({ replicas: 1, label: ", tier: front" }));
    t.same(first, { stdout: "deployment.apps/web serverside-applied\n", stderr: "", code: 0 });
    const again = await apply(web({ replicas: 1, label: ", tier: front" }));
    t.same(again, first);
    const [own] = await entries();
    t.match(own, { manager: "kubectl", operation: "Apply", fieldsV1: { "f:spec": { "f:replicas": {} } } });
    t.notMatch((await kubectl(["get", "deployment", "web", "-o", "yaml"])).stdout, /managedFields/);

    await kubectl(["rollout", "status", "deployment/web", "--timeout=90s"]);
    const status = (await entries()).find(({ subresource }) => subresource === "status");
    t.match(status, { manager: "kube-controller-manager", operation: "Update" });
    t.same(Object.keys(status!.fieldsV1).includes("f:status"), true);

    await kubectl(["scale", "deployment/web", "--replicas=2"]);
    const conflict = await apply(web({ replicas: 1 }));
    t.equal(conflict.code, 1);
    t.match(
      conflict.stderr,
      /Apply failed with 1 conflict: conflict with "kubectl[^"]*" with subresource "scale" using apps\/v1/,
    );
    t.match(conflict.stderr, /\.spec\.replicas/);
    const diff = await kubectl(["diff", "--server-side", "--force-conflicts", "-f", "-"], web({ replicas: 1 }));
    t.equal(diff.code, 1, diff.stderr);
    t.match(diff.stdout, /-\s+replicas: 2\n\+\s+replicas: 1/);
    const forced = await apply(web({ replicas: 1 }), "--force-conflicts");
    t.equal(forced.code, 0, forced.stderr);
    const labels = await kubectl(["get", "deployment", "web", "-o", "jsonpath={.metadata.labels}"]);
    t.same(JSON.parse(labels.stdout), { app: "web" }, "the label that is no longer applied is gone");

    const other = await apply(web({ replicas: 1, image: "busybox" }), "--field-manager=other");
    t.match(other.stderr, /conflict with "kubectl": \.spec\.template\.spec\.containers\[name="web"\]\.image/);
    const shared = await apply(web({ replicas: 1 }), "--field-manager=other");
    t.equal(shared.code, 0, "two may own the same value");
    const unknown = await apply(web({ replicas: 1 }).replace("replicas:", "replicaz:"));
    t.match(unknown.stderr, /\.spec\.replicaz: field not declared in schema/);
  });

for (const binary of kubectlReleases())
  test(`B6 from client-side to server-side apply, with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl: tool } = await useNamespace(t, cluster);
    const { attempt } = tool;
    const settings = (data: object) =>
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data });
    const kubectl = (args: string[], input = "") => attempt(args, { binary, input });
    const read = async () =>
      JSON.parse((await kubectl(["get", "configmap", "settings", "-o", "json", "--show-managed-fields"])).stdout);

    t.equal((await kubectl(["apply", "-f", "-"], settings({ a: "one", b: "two" }))).code, 0);
    t.match((await read()).metadata.managedFields, [{ manager: "kubectl-client-side-apply", operation: "Update" }]);
    const moved = await kubectl(["apply", "--server-side", "-f", "-"], settings({ a: "three" }));
    t.equal(moved.code, 0, moved.stderr);
    const after = await read();
    t.equal(after.data.a, "three");
    t.match(
      after.metadata.managedFields.find(({ manager }: Entry) => manager === "kubectl"),
      { operation: "Apply", fieldsV1: { "f:data": { "f:a": {} } } },
    );
    const back = await kubectl(["apply", "-f", "-"], settings({ a: "four" }));
    t.equal(back.code, 0, back.stderr);
    t.equal((await read()).data.a, "four");
    const patched = await kubectl([
      "patch",
      "configmap",
      "settings",
      "--type=json",
      "-p",
      '[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]',
    ]);
    t.equal(patched.code, 0, patched.stderr);
    t.equal((await read()).metadata.managedFields, undefined);
  });
