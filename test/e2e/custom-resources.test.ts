// Custom resources as a person meets them, with the oldest and the newest kubectl: declared, explained, applied, edited,
// scaled, waited for, owned, and gone with their definition.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlReleases, releaseName } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";
import { certificateCrd, cronTab, cronTabCrd } from "./samples/custom-resources.js";

for (const binary of kubectlReleases()) {
  // Each release declares resources of its own: definitions belong to the whole cluster.
  const group = `v${releaseName(binary).replace(/\D/g, "") || "0"}.stable.example.com`;

  test(`B8 a CronTab lives as built-in kinds do, with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl: tool, name: namespace } = await useNamespace(t, cluster);
    const kubectl = (args: string[], input = "") => tool.attempt(args, { binary, input });
    const crd = `crontabs.${group}`;
    const said = async (args: string[], words: string | RegExp, input = "") => {
      const { stdout, stderr, code } = await kubectl(args, input);
      if (typeof words === "string") t.equal(stdout, words, stderr);
      else t.match(stdout, words, stderr);
      t.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    };
    const refused = async (args: string[], words: RegExp, input = "") => {
      const { stderr, code } = await kubectl(args, input);
      t.match(stderr, words);
      t.equal(code, 1);
    };
    t.teardown(() => tool.attempt(["delete", "crd", crd, "--ignore-not-found", "--wait=false"]));

    await said(
      ["apply", "-f", "-"],
      `customresourcedefinition.apiextensions.k8s.io/${crd} created\n`,
      cronTabCrd(group),
    );
    await said(
      ["wait", "--for=condition=established", "--timeout=60s", `crd/${crd}`],
      `customresourcedefinition.apiextensions.k8s.io/${crd} condition met\n`,
    );
    await said(
      ["apply", "-f", "-"],
      `customresourcedefinition.apiextensions.k8s.io/${crd} unchanged\n`,
      cronTabCrd(group),
    );
    await said(
      ["api-resources", `--api-group=${group}`, "--no-headers"],
      new RegExp(`^crontabs\\s+ct\\s+${group}/v1\\s+true\\s+CronTab\\n$`),
    );

    await said(["apply", "-f", "-"], `crontab.${group}/mine created\n`, cronTab(group));
    await said(["apply", "-f", "-"], `crontab.${group}/mine unchanged\n`, cronTab(group));
    await said(["apply", "-f", "-"], `crontab.${group}/mine configured\n`, cronTab(group, { replicas: 2 }));
    const resource = `crontabs.${group}`;
    await said(["get", resource], /^NAME +SPEC +REPLICAS +AGE *\nmine +\* \* \* \* \*\/5 +2 +\w+\n$/);
    await said(["get", resource, "-o", "wide"], /^NAME +SPEC +REPLICAS +IMAGE +AGE *\nmine .* 2 +busybox +\w+\n$/);
    await said(["get", resource, "mine", "-o", "name"], `crontab.${group}/mine\n`);
    await said(["describe", resource, "mine"], /Kind: +CronTab\n[\s\S]*Cron Spec: +\* \* \* \* \*\/5/);

    await said(["explain", `${resource}.spec.cronSpec`], /cronSpec <string>[\s\S]*When it runs\./);
    await said(["explain", resource, "--recursive"], /spec\s<Object>\n\s+cronSpec\s<string>[\s\S]*replicas\s<integer>/);

    const misspelt = cronTab(group, { replicas: 2 }).replace("image:", "imgae:");
    await refused(["apply", "-f", "-"], /strict decoding error: unknown field "spec\.imgae"/, misspelt);
    await refused(
      ["create", "-f", "-"],
      /strict decoding error: unknown field "spec\.imgae"/,
      misspelt.replace("mine", "two"),
    );
    await refused(
      ["apply", "-f", "-"],
      /The CronTab "mine" is invalid: spec\.replicas: Invalid value: 50: spec\.replicas in body should be less than or equal to 10/,
      cronTab(group, { replicas: 50 }),
    );
    await refused(
      ["patch", resource, "mine", "--type=merge", "-p", '{"spec":{"replicas":"two"}}'],
      /spec\.replicas: Invalid value: "string": spec\.replicas in body must be of type integer: "string"/,
    );

    const watch = tool.start(["get", resource, "-w"], { binary });
    t.teardown(() => watch.kill());
    await eventually("the watch has begun", async () => watch.output().includes("mine"));
    await said(["scale", "--replicas=4", `${resource}/mine`], `crontab.${group}/mine scaled\n`);
    await eventually("the watch tells of it", async () => /\*\/5 +4 /.test(watch.output()));
    watch.kill();
    await said(
      ["patch", resource, "mine", "--type=json", "-p", '[{"op":"replace","path":"/spec/image","value":"x"}]'],
      /patched/,
    );
    await said(["label", resource, "mine", "tier=front"], /labeled/);
    await said(["get", resource, "-l", "tier=front", "-o", "jsonpath={.items[*].spec.image}"], "x");

    const directory = mkdtempSync(join(tmpdir(), "picokube-editor-"));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const editor = join(directory, "editor");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/replicas: 4/replicas: 5/" "$1"\n');
    chmodSync(editor, 0o755);
    process.env.KUBE_EDITOR = editor;
    await said(["edit", resource, "mine"], `crontab.${group}/mine edited\n`);
    await said(["get", resource, "mine", "-o", "jsonpath={.spec.replicas}/{.metadata.generation}"], /^5\/\d+$/);

    const status = '{"status":{"phase":"Done","conditions":[{"type":"Ready","status":"True"}]}}';
    await said(["patch", resource, "mine", "--subresource=status", "--type=merge", "-p", status], /patched/);
    await said(["wait", "--for=condition=Ready", "--timeout=60s", `${resource}/mine`], /condition met/);
    await said(["wait", "--for=jsonpath={.status.phase}=Done", "--timeout=60s", `${resource}/mine`], /condition met/);

    await said(
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      /serverside-applied/,
      cronTab(group, { replicas: 2 }),
    );
    const applied = await kubectl(["apply", "--server-side", "-f", "-"], misspelt);
    t.match(applied.stderr, /\.spec\.imgae: field not declared in schema/);

    const owner = (await tool.json(["get", resource, "mine"])).metadata.uid;
    const owned = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "owned",
        ownerReferences: [{ apiVersion: `${group}/v1`, kind: "CronTab", name: "mine", uid: owner }],
      },
    };
    await said(["create", "-f", "-"], "configmap/owned created\n", JSON.stringify(owned));
    await said(["delete", resource, "mine"], /deleted/);
    await eventually("what it owned is gone", async () => (await kubectl(["get", "configmap", "owned"])).code === 1);

    await said(["create", "-f", "-"], /created/, cronTab(group));
    await said(["delete", "crd", crd], /deleted/);
    t.equal((await kubectl(["get", resource])).code, 1);
    t.notOk((await kubectl(["api-resources", "--cached=false", "-o", "name"])).stdout.includes(crd), namespace);
  });

  test(`B8 a Certificate has versions, defaults and conditions, with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl: tool } = await useNamespace(t, cluster);
    const kubectl = (args: string[], input = "") => tool.attempt(args, { binary, input });
    const crd = `certificates.${group}`;
    t.teardown(() => tool.attempt(["delete", "crd", crd, "--ignore-not-found", "--wait=false"]));
    const made = await kubectl(["create", "-f", "-"], certificateCrd(group));
    t.equal(made.stdout, `customresourcedefinition.apiextensions.k8s.io/${crd} created\n`, made.stderr);
    await tool.run(["wait", "--for=condition=established", "--timeout=60s", `crd/${crd}`]);

    const certificate = (version: string, spec: object) =>
      JSON.stringify({ apiVersion: `${group}/${version}`, kind: "Certificate", metadata: { name: "web" }, spec });
    const bad = await kubectl(
      ["create", "-f", "-"],
      certificate("v1", { secretName: "web", duration: "soon", usages: ["fly"] }),
    );
    t.match(bad.stderr, /spec\.issuerRef: Required value/);
    t.match(bad.stderr, /spec\.usages\[0\]: Unsupported value: "fly": supported values: "signing", "server auth"/);
    t.match(bad.stderr, /spec\.duration: Invalid value: "soon": spec\.duration in body should match/);

    const old = await kubectl(
      ["apply", "-f", "-"],
      certificate("v1alpha1", { secretName: "web", issuerRef: { name: "ca" } }),
    );
    t.match(
      old.stderr,
      new RegExp(`Warning: ${group}/v1alpha1 Certificate is deprecated; use ${group}/v1 Certificate`),
    );
    t.equal(old.code, 0, old.stderr);
    const read = await tool.json(["get", crd, "web"]);
    t.equal(read.apiVersion, `${group}/v1`, "the preferred version");
    t.same(read.spec, {
      secretName: "web",
      issuerRef: { name: "ca", kind: "Issuer" },
      privateKey: { algorithm: "RSA", size: 2048 },
    });
    const again = await tool.json(["get", `certificates.v1alpha1.${group}`, "web"]);
    t.equal(again.apiVersion, `${group}/v1alpha1`);

    const ready =
      '{"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}';
    await tool.run(["patch", crd, "web", "--subresource=status", "--type=merge", "-p", ready]);
    const table = await kubectl(["get", crd]);
    t.match(table.stdout, /^NAME +READY +SECRET +AGE *\nweb +True +web +\w+\n$/, table.stderr);
    const one = await kubectl(["get", crd, "--field-selector", "spec.secretName=web", "-o", "name"]);
    t.equal(one.stdout, `certificate.${group}/web\n`, one.stderr);
    t.equal((await kubectl(["get", crd, "--field-selector", "spec.secretName=no", "-o", "name"])).stdout, "");
    const namespaces = await tool.json(["get", "crd", crd]);
    t.same(namespaces.status.storedVersions, ["v1"]);
  });
}
