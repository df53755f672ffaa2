// Admission in a real apiserver: the configuration file, switches by name, and quotas under many writers at once.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { namespaces, type Pod, pods, resourcequotas, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { isForbidden } from "@picokube/api/errors";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

const namespace = "default";
const podNamed = (name: string, spec: object = {}) =>
  ({ metadata: { name, namespace }, spec: { containers: [{ name: "c", image: "nginx" }], ...spec } }) as unknown as Pod;

const configuration = `
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: { enforce: baseline, enforce-version: v1.33 }
- name: PodNodeSelector
  configuration: { podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: disk=ssd } }
`;

test("plugins are configured by file and switched by name", async (t) => {
  const file = join(t.testdir(), "admission.yaml");
  writeFileSync(file, configuration);
  const { client } = await startApiServer(t, {
    flags: [
      `--admission-control-config-file=${file}`,
      "--enable-admission-plugins=PodNodeSelector",
      "--disable-admission-plugins=ServiceAccount",
    ],
  });
  await t.rejects(client.create(pods, podNamed("bad", { hostNetwork: true })), {
    message: 'pods "bad" is forbidden: violates PodSecurity "baseline:v1.33": host namespaces (hostNetwork=true)',
  });
  const made = await client.create(pods, podNamed("good"));
  t.same(made.spec?.nodeSelector, { disk: "ssd" });
  t.equal(made.spec?.serviceAccountName, undefined, "ServiceAccount is off");
});

test("of many that come at once a quota lets in as many as it has room for", async (t) => {
  const { client } = await startApiServer(t);
  await client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  const hard = { pods: "3", secrets: "2" };
  await client.create(resourcequotas, { metadata: { name: "q", namespace }, spec: { hard } });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => client.create(pods, podNamed(`p${i}`))),
  );
  t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
  t.equal(outcomes.filter((each) => each.status === "rejected" && isForbidden(each.reason)).length, 47);

  // What is refused for another reason takes nothing from the quota.
  await client.create(secrets, { metadata: { name: "a", namespace } });
  for (let i = 0; i < 3; i++) {
    await t.rejects(client.create(secrets, { metadata: { name: "a", namespace } }), /already exists/);
  }
  await client.create(secrets, { metadata: { name: "b", namespace } });
  await t.rejects(client.create(secrets, { metadata: { name: "c", namespace } }), {
    message: 'secrets "c" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2',
  });
  await client.delete(secrets, { name: "b", namespace });
  await client.create(secrets, { metadata: { name: "c", namespace } });
  await client.create(namespaces, { metadata: { name: "free" } });
  await client.create(secrets, { metadata: { name: "c", namespace: "free" } });
});
