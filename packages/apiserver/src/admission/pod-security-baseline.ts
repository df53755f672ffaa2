// The checks of the Pod Security Standards' baseline level, in upstream's words (k8s.io/pod-security-admission/policy).
// Pure.

import type { Container } from "@picokube/api/core/v1";
import {
  allContainers,
  type Check,
  containerWords,
  offending,
  plural,
  quoted,
  settersValues,
  settersWords,
  type VersionedCheck,
  violation,
} from "./pod-security-check.js";

const hostNamespaces: Check = ({ spec }) => {
  const used = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true);
  return used.length > 0 ? violation("host namespaces", used.map((field) => `${field}=true`).join(", ")) : undefined;
};

const privileged: Check = ({ spec }) => {
  const bad = offending(spec, (context) => context?.privileged === true);
  return bad.length > 0
    ? violation("privileged", `${containerWords(bad)} must not set securityContext.privileged=true`)
    : undefined;
};

const CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

const capabilities: Check = ({ spec }) => {
  const extra = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !CAPABILITIES.has(name));
  const bad = allContainers(spec).filter((container) => extra(container).length > 0);
  if (bad.length === 0) return undefined;
  const added = quoted([...new Set(bad.flatMap(extra))].sort());
  return violation(
    "non-default capabilities",
    `${containerWords(bad)} must not include ${added} in securityContext.capabilities.add`,
  );
};

const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return names.length > 0
    ? violation("hostPath volumes", `${plural("volume", names.length)} ${quoted(names)}`)
    : undefined;
};

const hostPorts: Check = ({ spec }) => {
  const used = ({ ports }: Container) => (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const bad = allContainers(spec).filter((container) => used(container).length > 0);
  if (bad.length === 0) return undefined;
  // Upstream sorts the numbers as words.
  const ports = [...new Set(bad.flatMap(used))].sort();
  const verb = bad.length === 1 ? "uses" : "use";
  return violation(
    "hostPort",
    `${containerWords(bad)} ${verb} ${plural("hostPort", ports.length)} ${ports.join(", ")}`,
  );
};

const seLinuxOptions =
  (allowed: ReadonlySet<string>): Check =>
  ({ spec }) => {
    const badType = (type: string | undefined) => (type !== undefined && !allowed.has(type) ? type : undefined);
    const who = settersWords(spec, (context) => {
      const { type, user, role } = context?.seLinuxOptions ?? {};
      return badType(type) !== undefined || !!user || !!role;
    });
    if (who === "") return undefined;
    const types = settersValues(spec, (context) => badType(context?.seLinuxOptions?.type));
    const users = settersValues(spec, (context) => context?.seLinuxOptions?.user || undefined);
    const roles = settersValues(spec, (context) => context?.seLinuxOptions?.role || undefined);
    const details = [
      ...(types.length > 0 ? [`${plural("type", types.length)} ${quoted(types)}`] : []),
      ...(users.length > 0 ? ["user may not be set"] : []),
      ...(roles.length > 0 ? ["role may not be set"] : []),
    ];
    return violation("seLinuxOptions", `${who} set forbidden securityContext.seLinuxOptions: ${details.join("; ")}`);
  };

const procMount: Check = ({ spec }) => {
  const value = ({ securityContext }: Container) => securityContext?.procMount ?? "Default";
  const bad = allContainers(spec).filter((container) => value(container) !== "Default");
  if (bad.length === 0) return undefined;
  const values = quoted([...new Set(bad.map(value))].sort());
  return violation("procMount", `${containerWords(bad)} must not set securityContext.procMount to ${values}`);
};

const isSeccompAllowed = (type: string | undefined) => type === "RuntimeDefault" || type === "Localhost";

/** Nobody may set another seccomp profile than the runtime's or one of the node's. */
export const seccompProfile: Check = ({ spec }) => {
  const who = settersWords(spec, (context) => {
    const profile = context?.seccompProfile;
    return profile !== undefined && !isSeccompAllowed(profile.type);
  });
  if (who === "") return undefined;
  const bad = settersValues(spec, (context) => {
    const type = context?.seccompProfile?.type;
    return isSeccompAllowed(type) ? undefined : type;
  });
  return violation("seccompProfile", `${who} must not set securityContext.seccompProfile.type to ${quoted(bad)}`);
};

const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";

/** As it was before seccomp profiles had a field. */
const seccompAnnotations: Check = ({ annotations = {}, spec }) => {
  const isAllowed = (value: string) =>
    value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
  const keys = [SECCOMP_POD, ...allContainers(spec).map(({ name }) => SECCOMP_CONTAINER + name)];
  const bad = keys
    .filter((key) => annotations[key] !== undefined && !isAllowed(annotations[key]))
    .map((key) => `${key}=${JSON.stringify(annotations[key])}`)
    .sort();
  return bad.length > 0
    ? violation("seccompProfile", `forbidden ${plural("annotation", bad.length)} ${bad.join(", ")}`)
    : undefined;
};

const SYSCTLS_0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const SYSCTLS_27 = [...SYSCTLS_0, "net.ipv4.ip_local_reserved_ports"];
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const SYSCTLS_32 = [...SYSCTLS_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

const sysctls =
  (allowed: readonly string[]): Check =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((n) => !allowed.includes(n));
    return names.length > 0 ? violation("forbidden sysctls", names.join(", ")) : undefined;
  };

const APPARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/";

const appArmor: Check = ({ annotations = {}, spec }) => {
  const isAllowed = (profile: string) =>
    profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");
  const isBad = (type: string | undefined) => type !== undefined && !isSeccompAllowed(type);
  const who = settersWords(spec, (context) => isBad(context?.appArmorProfile?.type));
  const types = settersValues(spec, (context) => {
    const type = context?.appArmorProfile?.type;
    return isBad(type) ? type : undefined;
  });
  const byAnnotation = Object.entries(annotations)
    .filter(([key, profile]) => key.startsWith(APPARMOR_PREFIX) && !isAllowed(profile))
    .map(([key, profile]) => `${key}=${JSON.stringify(profile)}`)
    .sort();
  const setters = [
    ...(who === "" ? [] : [who]),
    ...(byAnnotation.length > 0 ? [plural("annotation", byAnnotation.length)] : []),
  ];
  const values = [...types, ...byAnnotation];
  return setters.length > 0
    ? violation(
        plural("forbidden AppArmor profile", values.length),
        `${setters.join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
      )
    : undefined;
};

const windowsHostProcess: Check = ({ spec }) => {
  const who = settersWords(spec, (context) => context?.windowsOptions?.hostProcess === true);
  return who === ""
    ? undefined
    : violation("hostProcess", `${who} must not set securityContext.windowsOptions.hostProcess=true`);
};

const SELINUX_0 = new Set(["", "container_t", "container_init_t", "container_kvm_t"]);
const SELINUX_31 = new Set([...SELINUX_0, "container_engine_t"]);

const always = (check: Check) => [{ minor: 0, check }];

/** In the order in which upstream reports them. */
export const baselineChecks: readonly VersionedCheck[] = [
  { id: "appArmorProfile", since: always(appArmor) },
  { id: "capabilities_baseline", since: always(capabilities) },
  { id: "hostNamespaces", since: always(hostNamespaces) },
  { id: "hostPathVolumes", since: always(hostPathVolumes) },
  { id: "hostPorts", since: always(hostPorts) },
  { id: "privileged", since: always(privileged) },
  { id: "procMount", since: always(procMount) },
  {
    id: "seLinuxOptions",
    since: [
      { minor: 0, check: seLinuxOptions(SELINUX_0) },
      { minor: 31, check: seLinuxOptions(SELINUX_31) },
    ],
  },
  {
    id: "seccompProfile_baseline",
    since: [
      { minor: 0, check: seccompAnnotations },
      { minor: 19, check: seccompProfile },
    ],
  },
  {
    id: "sysctls",
    since: [
      { minor: 0, check: sysctls(SYSCTLS_0) },
      { minor: 27, check: sysctls(SYSCTLS_27) },
      { minor: 29, check: sysctls(SYSCTLS_29) },
      { minor: 32, check: sysctls(SYSCTLS_32) },
    ],
  },
  { id: "windowsHostProcess", since: always(windowsHostProcess) },
];
