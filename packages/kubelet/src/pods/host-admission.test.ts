// What a host refuses, by table.

import type { PodSpec } from "@picokube/api/core/v1";
import { test } from "tap";
import { hostRefusalOf, namespaceOf } from "./host-admission.js";
import { testPod } from "./observed.js";

const host = {
  kernelRelease: "6.1.0-13-amd64",
  appArmor: false,
  allowedUnsafeSysctls: ["net.core.*", "kernel.msgmax"],
};
const sysctl = (name: string, more: Partial<PodSpec> = {}): Partial<PodSpec> => ({
  securityContext: { sysctls: [{ name, value: "1" }] },
  ...more,
});
const forbidden = (words: string) => ({ reason: "SysctlForbidden", message: `forbidden sysctl: ${words}` });
const appArmor = { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };

test("sysctls and AppArmor", async (t) => {
  const profile = (type: string): Partial<PodSpec> => ({
    containers: [{ name: "c", image: "i", securityContext: { appArmorProfile: { type: type as "RuntimeDefault" } } }],
  });
  const table: [Partial<PodSpec>, ReturnType<typeof hostRefusalOf>][] = [
    [{}, undefined],
    [sysctl("net.ipv4.tcp_syncookies"), undefined],
    [sysctl("net/ipv4/tcp_syncookies"), undefined],
    [sysctl("net.ipv4.tcp_rmem"), undefined],
    [sysctl("net.core.somaxconn"), undefined],
    [sysctl("kernel.msgmax"), undefined],
    [sysctl("kernel.msgmni"), forbidden('"kernel.msgmni" not allowlisted')],
    [sysctl("vm.swappiness"), forbidden('"vm.swappiness" not allowlisted')],
    [
      sysctl("net.core.somaxconn", { hostNetwork: true }),
      forbidden('"net.core.somaxconn" not allowed with host Net enabled'),
    ],
    [
      sysctl("kernel.shm_rmid_forced", { hostIPC: true }),
      forbidden('"kernel.shm_rmid_forced" not allowed with host IPC enabled'),
    ],
    [{ securityContext: { supplementalGroupsPolicy: "Merge" } }, undefined],
    [
      { securityContext: { supplementalGroupsPolicy: "Strict" } },
      {
        reason: "SupplementalGroupsPolicyNotSupported",
        message: "SupplementalGroupsPolicy=Strict is not supported in this node",
      },
    ],
    [profile("Unconfined"), undefined],
    [profile("RuntimeDefault"), appArmor],
    [profile("Localhost"), appArmor],
  ];
  for (const [spec, refusal] of table) t.same(hostRefusalOf(testPod(spec), host), refusal, JSON.stringify(spec));
  const old = { ...host, kernelRelease: "4.14.1", appArmor: true };
  t.same(hostRefusalOf(testPod(sysctl("net.ipv4.tcp_rmem")), old), forbidden('"net.ipv4.tcp_rmem" not allowlisted'));
  t.equal(hostRefusalOf(testPod(profile("RuntimeDefault")), old), undefined, "the host has AppArmor");
  t.same(["kernel.shmmax", "fs.mqueue.msg_max", "net.a", "vm.b"].map(namespaceOf), ["IPC", "IPC", "Net", undefined]);
});
