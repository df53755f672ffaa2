// The checks that the Pod Security Standards' restricted level adds to baseline, in upstream's words. Pure.

import { seccompProfile } from "./pod-security-baseline.js";
import {
  type Check,
  type CheckedPod,
  containerWords,
  offending,
  plural,
  quoted,
  settersWords,
  type VersionedCheck,
  violation,
} from "./pod-security-check.js";

/** Windows knows neither capabilities nor seccomp nor set-user-ID: since 1.25 its pods are let be. */
const unlessWindows =
  (check: Check): Check =>
  (pod: CheckedPod) =>
    pod.spec.os?.name === "windows" ? undefined : check(pod);

const allowPrivilegeEscalation: Check = ({ spec }) => {
  const bad = offending(spec, (context) => context?.allowPrivilegeEscalation !== false);
  return bad.length > 0
    ? violation(
        "allowPrivilegeEscalation != false",
        `${containerWords(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      )
    : undefined;
};

const capabilities: Check = ({ spec }) => {
  const keeping = offending(spec, (context) => !context?.capabilities?.drop?.includes("ALL"));
  const added = new Set<string>();
  const adding = offending(spec, (context) => {
    const forbidden = (context?.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
    for (const name of forbidden) added.add(name);
    return forbidden.length > 0;
  });
  if (keeping.length === 0 && adding.length === 0) return undefined;
  const details = [
    ...(keeping.length > 0 ? [`${containerWords(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${containerWords(adding)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`]
      : []),
  ];
  return violation("unrestricted capabilities", details.join("; "));
};

const VOLUME_TYPES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
  "image",
];

const volumes: Check = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter(
    (volume) => !VOLUME_TYPES.some((type) => (volume as never)[type] !== undefined),
  );
  if (bad.length === 0) return undefined;
  const types = new Set(bad.flatMap((volume) => Object.keys(volume).filter((key) => key !== "name")));
  const names = quoted(bad.map(({ name }) => name));
  const verb = bad.length === 1 ? "uses" : "use";
  const kinds = `${plural("restricted volume type", types.size)} ${quoted([...types].sort())}`;
  return violation("restricted volume types", `${plural("volume", bad.length)} ${names} ${verb} ${kinds}`);
};

const runAsNonRoot: Check = ({ spec }) => {
  const who = settersWords(spec, (context) => context?.runAsNonRoot === false);
  if (who !== "") return violation("runAsNonRoot != true", `${who} must not set securityContext.runAsNonRoot=false`);
  if (spec.securityContext?.runAsNonRoot === true) return undefined;
  const silent = offending(spec, (context) => context?.runAsNonRoot === undefined);
  return silent.length > 0
    ? violation("runAsNonRoot != true", `pod or ${containerWords(silent)} must set securityContext.runAsNonRoot=true`)
    : undefined;
};

const runAsUser: Check = ({ spec }) => {
  const who = settersWords(spec, (context) => context?.runAsUser === 0);
  return who === "" ? undefined : violation("runAsUser=0", `${who} must not set runAsUser=0`);
};

const seccomp: Check = (pod) => {
  const unconfined = seccompProfile(pod);
  if (unconfined || pod.spec.securityContext?.seccompProfile) return unconfined;
  const silent = offending(pod.spec, (context) => context?.seccompProfile === undefined);
  return silent.length > 0
    ? violation(
        "seccompProfile",
        `pod or ${containerWords(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      )
    : undefined;
};

const sinceThenNotWindows = (minor: number, check: Check) => [
  { minor, check },
  { minor: 25, check: unlessWindows(check) },
];

/** In the order in which upstream reports them, after those of baseline. */
export const restrictedChecks: readonly VersionedCheck[] = [
  { id: "allowPrivilegeEscalation", since: sinceThenNotWindows(8, allowPrivilegeEscalation) },
  {
    id: "capabilities_restricted",
    since: sinceThenNotWindows(22, capabilities),
    overrides: ["capabilities_baseline"],
  },
  { id: "restrictedVolumes", since: [{ minor: 0, check: volumes }], overrides: ["hostPathVolumes"] },
  { id: "runAsNonRoot", since: [{ minor: 0, check: runAsNonRoot }] },
  { id: "runAsUser", since: [{ minor: 23, check: runAsUser }] },
  {
    id: "seccompProfile_restricted",
    since: sinceThenNotWindows(19, seccomp),
    overrides: ["seccompProfile_baseline"],
  },
];
