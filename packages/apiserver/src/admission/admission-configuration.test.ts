// --admission-control-config-file: sections in place and in files of their own, and what is no such file.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readAdmissionConfiguration } from "./admission-configuration.js";

test("sections by plugin", async (t) => {
  const directory = t.testdir({
    "pod-security.yaml": "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n",
  });
  const file = (text: string) => {
    writeFileSync(join(directory, "config.yaml"), text);
    return readAdmissionConfiguration(join(directory, "config.yaml"));
  };
  const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n";
  t.equal((await readAdmissionConfiguration(undefined)).size, 0);
  const read = await file(
    `${head}plugins:\n- name: PodSecurity\n  path: pod-security.yaml\n- name: PodNodeSelector\n  configuration: { podNodeSelectorPluginConfig: { dev: "a=b" } }\n`,
  );
  t.same(Object.fromEntries(read), {
    PodSecurity: { apiVersion: "pod-security.admission.config.k8s.io/v1", kind: "PodSecurityConfiguration" },
    PodNodeSelector: { podNodeSelectorPluginConfig: { dev: "a=b" } },
  });
  await t.rejects(file("kind: Pod\napiVersion: v1\n"), {
    name: "ConfigError",
    message: /is no AdmissionConfiguration/,
  });
  await t.rejects(file(`${head}plugins:\n- configuration: {}\n`), { name: "ConfigError", message: /without a name/ });
  await t.rejects(file(`${head}plugins:\n- { name: PodSecurity, path: absent.yaml }\n`), { name: "ConfigError" });
  await t.rejects(readAdmissionConfiguration(join(directory, "absent")), { message: /no such file/ });
});
