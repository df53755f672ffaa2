import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { type KubectlOptions, kubectlReleases, releaseName } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const settings = (data: object, metadata: object = {}) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", ...metadata }, data });

/** No pods: what is written is what is tested. */
const web = (more: object = {}) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "nginx", env: [{ name: "A", value: "1" }] }], ...more },
      },
    },
  });

/** One release of kubectl in a namespace of its own. */
async function kubectlIn(t: { teardown(fn: () => unknown): void }, binary: string) {
  const { kubectl } = await useNamespace(t, await useCluster(t));
  const options = (input?: string): KubectlOptions => ({ binary, ...(input === undefined ? {} : { input }) });
  return {
    attempt: (args: readonly string[], input?: string) => kubectl.attempt(args, options(input)),
    run: (args: readonly string[], input?: string) => kubectl.run(args, options(input)),
    // biome-ignore lint/suspicious/noExplicitAny: tests read whatever kubectl prints
    json: async (args: readonly string[]): Promise<any> =>
      JSON.parse(await kubectl.run([...args, "-o", "json"], options())),
  };
}

function temporaryDirectory(t: { teardown(fn: () => unknown): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "picokube-writes-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

for (const binary of kubectlReleases()) {
  const name = releaseName(binary);

  test(`B3 create, replace and edit with ${name}`, async (t) => {
    const { attempt, run, json } = await kubectlIn(t, binary);
    t.equal(await run(["create", "-f", "-"], settings({ a: "1" })), "configmap/settings created\n");
    t.match(await attempt(["create", "-f", "-"], settings({ a: "1" })), {
      code: 1,
      stderr: /Error from server \(AlreadyExists\): error when creating "STDIN": configmaps "settings" already exists/,
    });
    const first = await json(["get", "configmap", "settings"]);
    t.equal(await run(["replace", "-f", "-"], settings({ b: "2" })), "configmap/settings replaced\n");
    t.same((await json(["get", "configmap", "settings"])).data, { b: "2" }, "replace leaves nothing of the old one");
    const stale = settings({ c: "3" }, { resourceVersion: first.metadata.resourceVersion });
    t.match(await attempt(["replace", "-f", "-"], stale), {
      code: 1,
      stderr: /\(Conflict\)[\s\S]*Operation cannot be fulfilled on configmaps "settings": the object has been modified/,
    });
    const { uid } = (await json(["get", "configmap", "settings"])).metadata;
    await run(["replace", "--force", "-f", "-"], settings({ d: "4" }));
    const forced = await json(["get", "configmap", "settings"]);
    t.same(forced.data, { d: "4" });
    t.not(forced.metadata.uid, uid, "deleted and made anew");
    const editor = join(temporaryDirectory(t), "editor.sh");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/d: \\"4\\"/d: \\"5\\"/" "$1"\n');
    chmodSync(editor, 0o755);
    process.env.KUBE_EDITOR = editor;
    t.teardown(() => delete process.env.KUBE_EDITOR);
    t.equal(await run(["edit", "configmap", "settings"]), "configmap/settings edited\n");
    t.same((await json(["get", "configmap", "settings"])).data, { d: "5" });
    t.match(await attempt(["edit", "configmap", "settings"]), { stderr: /Edit cancelled, no changes made/ });
  });

  test(`B3 B6 patches of each type with ${name}`, async (t) => {
    const { attempt, run, json } = await kubectlIn(t, binary);
    await run(["create", "-f", "-"], web());
    const patch = (type: string, body: unknown, ...more: string[]) =>
      attempt(["patch", "deployment", "web", `--type=${type}`, "-p", JSON.stringify(body), ...more]);
    const containers = async () => (await json(["get", "deployment", "web"])).spec.template.spec.containers;

    const strategic = { spec: { template: { spec: { containers: [{ name: "side", image: "busybox" }] } } } };
    t.match(await patch("strategic", strategic), { code: 0, stdout: "deployment.apps/web patched\n" });
    t.same(
      (await containers()).map((each: { name: string }) => each.name),
      ["side", "web"],
    );
    t.match(await patch("strategic", strategic), { code: 0 });
    t.equal((await containers()).length, 2, "the same patch again changes nothing");
    const gone = { spec: { template: { spec: { containers: [{ name: "side", $patch: "delete" }] } } } };
    await patch("strategic", gone);
    t.same(
      (await containers()).map((each: { name: string }) => each.name),
      ["web"],
    );

    await patch("json", [
      { op: "test", path: "/spec/template/spec/containers/0/name", value: "web" },
      { op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "B", value: "2" } },
    ]);
    t.match(await containers(), [{ env: [{ name: "A" }, { name: "B", value: "2" }] }]);
    t.match(await patch("json", [{ op: "remove", path: "/spec/nothing" }]), {
      code: 1,
      stderr: /the server rejected our request due to an error in our request/,
    });
    await patch("merge", { spec: { template: { spec: { containers: [{ name: "only", image: "nginx" }] } } } });
    t.match(await containers(), [{ name: "only" }]);
    t.match(await patch("merge", { spec: { replicas: "x" } }), {
      code: 1,
      stderr:
        /patch: Invalid value: [\s\S]*cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
    });
    const { generation } = (await json(["get", "deployment", "web"])).metadata;
    const status = {
      metadata: { annotations: { seen: "yes" } },
      spec: { replicas: 7 },
      status: { observedGeneration: 77 },
    };
    t.match(await patch("merge", status, "--subresource=status"), { code: 0 });
    const after = await json(["get", "deployment", "web"]);
    t.match(after, { metadata: { generation, annotations: { seen: "yes" } }, spec: { replicas: 0 } });
    t.match(await patch("merge", { metadata: { resourceVersion: "1" } }), {
      code: 1,
      stderr: /the object has been modified/,
    });
  });

  test(`B3 delete: grace, cascades, no wait, with ${name}`, async (t) => {
    const { attempt, run, json } = await kubectlIn(t, binary);
    const deploymentWithSets = async () => {
      await run(["create", "-f", "-"], web());
      await eventually("its ReplicaSet is there", async () => (await json(["get", "replicasets"])).items.length === 1);
    };
    // Early, so that the garbage collector has heard of the ReplicaSet long before its owner goes.
    await deploymentWithSets();
    await run(["create", "-f", "-"], settings({ a: "1" }, { finalizers: ["example.com/hold"] }));
    await run(["delete", "configmap", "settings", "--wait=false"]);
    t.ok((await json(["get", "configmap", "settings"])).metadata.deletionTimestamp, "marked, held by its finalizer");
    t.match(await attempt(["delete", "configmap", "settings", "--timeout=1s"]), { code: 1, stderr: /timed out/ });
    await run(["patch", "configmap", "settings", "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
    await eventually("it is gone", async () => (await attempt(["get", "configmap", "settings"])).code === 1);

    await run(["run", "p", "--image=nginx", "--image-pull-policy=IfNotPresent"]);
    await run(["wait", "pod/p", "--for=condition=Ready", "--timeout=90s"]);
    t.match(await attempt(["delete", "pod", "p", "--grace-period=0", "--force"]), {
      code: 0,
      stdout: /pod "p" force deleted/,
      stderr: /Immediate deletion does not wait for confirmation/,
    });
    t.equal((await attempt(["get", "pod", "p"])).code, 1);
    await run(["delete", "deployment", "web", "--cascade=orphan"]);
    await eventually("the ReplicaSet has no owner any more", async () => {
      const [left] = (await json(["get", "replicasets"])).items;
      return left !== undefined && left.metadata.ownerReferences === undefined;
    });
    await run(["delete", "replicasets", "--all"]);
    for (const cascade of ["background", "foreground"]) {
      await deploymentWithSets();
      t.match(await run(["delete", "deployment", "web", `--cascade=${cascade}`]), 'deployment.apps "web" deleted');
      await eventually("the ReplicaSet goes too", async () => (await json(["get", "replicasets"])).items.length === 0);
    }
  });

  test(`B3 diff and dry runs write nothing, with ${name}`, async (t) => {
    const { attempt, run, json } = await kubectlIn(t, binary);
    for (const mode of ["client", "server"]) {
      t.match(
        await run(["create", "-f", "-", `--dry-run=${mode}`], settings({ a: "1" })),
        /configmap\/settings created/,
      );
      t.match(
        await run(["apply", "-f", "-", `--dry-run=${mode}`], settings({ a: "1" })),
        /configmap\/settings created/,
      );
      t.equal((await attempt(["get", "configmap", "settings"])).code, 1);
    }
    t.match(await attempt(["create", "-f", "-", "--dry-run=server"], settings({ a: "1" }, { name: "A_b" })), {
      code: 1,
      stderr: /a lowercase RFC 1123 subdomain/,
    });
    await run(["apply", "-f", "-"], settings({ a: "1" }));
    const before = await json(["get", "configmap", "settings"]);
    t.match(await attempt(["diff", "-f", "-"], settings({ a: "1" })), { code: 0, stdout: "" });
    const changed = await attempt(["diff", "-f", "-"], settings({ a: "2" }));
    t.match(changed, { code: 1, stdout: /- {2}a: "1"\n\+ {2}a: "2"/ });
    const wrong = await attempt(["diff", "-f", "-"], settings({ a: "1" }, { name: "A_b" }));
    t.ok(wrong.code > 1, `an error is no difference: ${wrong.code}`);
    await run(["label", "configmap", "settings", "x=y", "--dry-run=server"]);
    await run(["annotate", "configmap", "settings", "x=y", "--dry-run=client"]);
    await run(["patch", "configmap", "settings", "-p", '{"data":{"a":"3"}}', "--dry-run=server"]);
    await run(["replace", "-f", "-", "--dry-run=server"], settings({ z: "1" }));
    await run(["delete", "configmap", "settings", "--dry-run=server"]);
    await run(["delete", "configmaps", "--all", "--dry-run=server"]);
    t.same(await json(["get", "configmap", "settings"]), before, "to the last resourceVersion");
  });

  test(`B3 apply -k, prune by label and by set, with ${name}`, async (t) => {
    const { run, json } = await kubectlIn(t, binary);
    const directory = temporaryDirectory(t);
    const write = (file: string, text: string) => writeFileSync(join(directory, file), text);
    write("settings.json", settings({ a: "1" }));
    write("other.json", settings({ b: "1" }, { name: "other" }));
    const kustomization = (...resources: string[]) =>
      write(
        "kustomization.yaml",
        `resources: [${resources.join(", ")}]\nnamePrefix: my-\nlabels: [{ pairs: { part: of-it } }]\n`,
      );
    const names = async () =>
      (await json(["get", "configmaps", "-l", "part=of-it"])).items.map(
        (each: { metadata: { name: string } }) => each.metadata.name,
      );
    kustomization("settings.json", "other.json");
    t.equal(await run(["apply", "-k", directory]), "configmap/my-other created\nconfigmap/my-settings created\n");
    t.same(await names(), ["my-other", "my-settings"]);
    kustomization("settings.json");
    const allowed = ["--prune", "-l", "part=of-it", "--prune-allowlist=core/v1/ConfigMap"];
    t.match(
      await run(["apply", "-k", directory, ...allowed]),
      /configmap\/my-settings unchanged\nconfigmap\/my-other pruned/,
    );
    t.same(await names(), ["my-settings"]);

    process.env.KUBECTL_APPLYSET = "true";
    t.teardown(() => delete process.env.KUBECTL_APPLYSET);
    const set = ["--prune", "--applyset=secret/the-set", "--server-side"];
    kustomization("settings.json", "other.json");
    await run(["apply", "-k", directory, ...set, "--force-conflicts"]);
    t.same(await names(), ["my-other", "my-settings"]);
    kustomization("other.json");
    t.match(await run(["apply", "-k", directory, ...set]), /configmap\/my-settings pruned/);
    t.same(await names(), ["my-other"]);
  });

  test(`B3 label, annotate and set with ${name}`, async (t) => {
    const { attempt, run, json } = await kubectlIn(t, binary);
    await run(["create", "-f", "-"], web());
    t.equal(await run(["label", "deployment", "web", "tier=front"]), "deployment.apps/web labeled\n");
    t.match(await attempt(["label", "deployment", "web", "tier=back"]), {
      code: 1,
      stderr: /already has a value \(front\)/,
    });
    await run(["label", "deployment", "web", "tier=back", "app-", "--overwrite"]);
    await run(["annotate", "deployment", "web", "note=one two", "other=x"]);
    await run(["annotate", "deployment", "web", "other-"]);
    t.match(await attempt(["label", "deployment", "web", "tier=-bad-"]), { code: 1, stderr: /a valid label must be/ });
    t.equal(await run(["set", "image", "deployment/web", "web=nginx:other"]), "deployment.apps/web image updated\n");
    await run(["set", "env", "deployment/web", "B=2", "A-"]);
    await run(["set", "resources", "deployment/web", "--limits=cpu=1000m,memory=64Mi"]);
    await run(["set", "serviceaccount", "deployment/web", "default"]);
    const { metadata, spec } = await json(["get", "deployment", "web"]);
    t.same(metadata.labels, { tier: "back" });
    t.equal(metadata.annotations.note, "one two");
    t.equal(metadata.annotations.other, undefined);
    t.match(spec.template.spec, {
      serviceAccountName: "default",
      containers: [
        { image: "nginx:other", env: [{ name: "B", value: "2" }], resources: { limits: { cpu: "1", memory: "64Mi" } } },
      ],
    });
    t.equal(spec.template.spec.containers[0].env.length, 1);
    await run(["create", "service", "clusterip", "web", "--tcp=80"]);
    await run(["set", "selector", "service", "web", "app=other"]);
    t.same((await json(["get", "service", "web"])).spec.selector, { app: "other" });
  });
}
