// ServiceAccount: gives each pod an account, its token volume and its pull secrets (upstream:
// plugin/pkg/admission/serviceaccount). The token itself is asked for by the kubelet.

import { setTimeout as sleep } from "node:timers/promises";
import {
  type Container,
  type Pod,
  type PodSpec,
  pods,
  type ServiceAccount,
  serviceaccounts,
} from "@picokube/api/core/v1";
import { randomSuffix } from "@picokube/api/names/generate-name";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

const DEFAULT_NAME = "default";
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_SECONDS = 3607;
const LOOKUPS = 10;
const LOOKUP_INTERVAL_MS = 100;
const MIRROR = "kubernetes.io/config.mirror";
const ENFORCE_MOUNTABLE_SECRETS = "kubernetes.io/enforce-mountable-secrets";

/** The projected volume that carries token, CA and namespace. */
function tokenVolume(name: string) {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

/** Mounts the token into every container that has nothing at its place; the volume is added when one needs it. */
export function mountServiceAccountToken(spec: PodSpec, suffix: string): void {
  const existing = spec.volumes?.find(({ name }) => name?.startsWith("kube-api-access-"));
  const name = existing?.name ?? `kube-api-access-${suffix}`;
  let needed = false;
  const containers: Container[] = [...(spec.initContainers ?? []), ...spec.containers];
  for (const container of containers) {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, mountPath: MOUNT_PATH, readOnly: true }];
    needed = true;
  }
  if (needed && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function refuseMirrorPodWithAccount(attributes: AdmissionAttributes, { spec }: Pod): void {
  if (spec?.serviceAccountName) {
    throw admissionForbidden(attributes, "a mirror pod may not reference service accounts");
  }
  if (spec?.volumes?.some(({ secret }) => secret)) {
    throw admissionForbidden(attributes, "a mirror pod may not reference secrets");
  }
  const tokens = spec?.volumes?.flatMap(({ projected }) => projected?.sources ?? []) ?? [];
  if (tokens.some(({ serviceAccountToken }) => serviceAccountToken)) {
    throw admissionForbidden(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
  }
}

/** Refuses references to secrets that an account does not list, where the account asks for that. */
function limitSecretReferences(attributes: AdmissionAttributes, spec: PodSpec, account: ServiceAccount): void {
  if (account.metadata.annotations?.[ENFORCE_MOUNTABLE_SECRETS] !== "true") return;
  const named = (references: readonly { name?: string }[] = []) => new Set(references.map(({ name }) => name));
  const mountable = named(account.secrets);
  const pullable = named(account.imagePullSecrets);
  const refuse = (what: string, kind = "secret"): never => {
    const why = `${what} is not allowed because service account ${account.metadata.name} does not reference that ${kind}`;
    throw admissionForbidden(attributes, why);
  };
  for (const { secret } of spec.volumes ?? []) {
    if (!secret || mountable.has(secret.secretName)) continue;
    refuse(`volume with secret.secretName=${JSON.stringify(secret.secretName ?? "")}`);
  }
  const groups: [string, readonly Container[]][] = [
    ["init container", spec.initContainers ?? []],
    ["container", spec.containers],
    ["ephemeral container", (spec.ephemeralContainers ?? []) as unknown as Container[]],
  ];
  for (const [word, containers] of groups) {
    for (const { name, env = [] } of containers) {
      for (const { name: variable, valueFrom } of env) {
        const reference = valueFrom?.secretKeyRef;
        if (!reference || mountable.has(reference.name)) continue;
        const secret = JSON.stringify(reference.name ?? "");
        refuse(`${word} ${name} with envVar ${variable} referencing secret.secretName=${secret}`);
      }
    }
  }
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pullable.has(name)) refuse(`imagePullSecrets[${index}].name=${JSON.stringify(name ?? "")}`, "imagePullSecret");
  }
}

export function serviceAccount(storage: StorageRegistry): AdmissionPlugin {
  async function lookUp(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    // A namespace's first pod may come before the controller has made its default account.
    for (let attempt = 0; ; attempt++) {
      const found = storage.for(serviceaccounts).get(namespace, name);
      if (found || name !== DEFAULT_NAME || attempt === LOOKUPS - 1) return found;
      await sleep(LOOKUP_INTERVAL_MS);
    }
  }

  return {
    name: "ServiceAccount",
    async admit(attributes) {
      if (!concerns(attributes, pods) || attributes.operation !== "CREATE") return;
      const pod = attributes.object as Pod;
      const spec = pod.spec;
      if (!spec) return;
      if (pod.metadata.annotations?.[MIRROR] !== undefined) {
        refuseMirrorPodWithAccount(attributes, pod);
        return;
      }
      const name = spec.serviceAccountName || DEFAULT_NAME;
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      const account = await lookUp(attributes.namespace, name);
      if (!account) {
        const place = `${attributes.namespace}/${name}`;
        throw admissionForbidden(
          attributes,
          `error looking up service account ${place}: serviceaccount "${name}" not found`,
        );
      }
      const automount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (automount) mountServiceAccountToken(spec, randomSuffix());
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }));
      }
    },
    validate(attributes) {
      const isNewPod = attributes.operation === "CREATE" && concerns(attributes, pods);
      const isDebugging = attributes.operation === "UPDATE" && concerns(attributes, pods, ["ephemeralcontainers"]);
      if (!isNewPod && !isDebugging) return;
      const { metadata, spec } = attributes.object as Pod;
      if (!spec || metadata.annotations?.[MIRROR] !== undefined) return;
      const account = storage.for(serviceaccounts).get(attributes.namespace, spec.serviceAccountName ?? "");
      if (account) limitSecretReferences(attributes, spec, account);
    },
  };
}
