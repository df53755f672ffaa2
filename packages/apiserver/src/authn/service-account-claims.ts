// The claims of a ServiceAccount token: what they say about a user, and whether the objects it is bound to still stand
// (upstream: pkg/serviceaccount claims.go). Knows no cryptography.

import { nodes, pods, secrets, serviceaccounts } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import { parseTime } from "@picokube/api/time";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { UserInfo } from "./authenticator.js";

export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

/** The private claim "kubernetes.io". */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: ObjectClaim;
  readonly pod?: ObjectClaim;
  readonly secret?: ObjectClaim;
  readonly node?: ObjectClaim;
  /** Epoch seconds. */
  readonly warnafter?: number;
}

/** How long a deleted object still vouches for its tokens, in milliseconds. */
const DELETION_LEEWAY_MS = 60_000;
const EXTRA = "authentication.kubernetes.io";

/** "system:serviceaccount:ns:name". */
export function serviceAccountUserName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Namespace and name of a ServiceAccount's user; undefined for any other user. */
export function splitServiceAccountUserName(userName: string): { namespace: string; name: string } | undefined {
  const parts = userName.split(":");
  if (parts.length !== 4 || parts[0] !== "system" || parts[1] !== "serviceaccount") return undefined;
  return parts[2] && parts[3] ? { namespace: parts[2], name: parts[3] } : undefined;
}

/** The user that the claims speak for; jti is the token's id. */
export function userFromClaims(claims: KubernetesClaims, jti: string | undefined): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims;
  const extra: { [key: string]: string[] } = {};
  if (jti) extra[`${EXTRA}/credential-id`] = [`JTI=${jti}`];
  if (node) {
    extra[`${EXTRA}/node-name`] = [node.name];
    extra[`${EXTRA}/node-uid`] = [node.uid];
  }
  if (pod) {
    extra[`${EXTRA}/pod-name`] = [pod.name];
    extra[`${EXTRA}/pod-uid`] = [pod.uid];
  }
  return {
    name: serviceAccountUserName(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** Why the token no longer counts; undefined when all it is bound to still stands. now in epoch ms. */
export function boundObjectFault(
  claims: KubernetesClaims,
  { storage, now }: { storage: StorageRegistry; now: number },
): string | undefined {
  const standing = (object: KubernetesObject | undefined, uid: string): "ok" | "absent" | "deleted" | "replaced" => {
    if (!object) return "absent";
    const deletedAt = parseTime(object.metadata.deletionTimestamp);
    if (deletedAt !== undefined && deletedAt + DELETION_LEEWAY_MS < now) return "deleted";
    return object.metadata.uid === uid ? "ok" : "replaced";
  };
  const fault = (resource: Resource, word: string, claim: ObjectClaim | undefined, namespace: string) => {
    if (!claim) return undefined;
    switch (standing(storage.for(resource).get(namespace, claim.name), claim.uid)) {
      case "absent":
      case "deleted":
        return word === "ServiceAccount"
          ? `ServiceAccount ${namespace}/${claim.name} has been deleted`
          : `${word} has been invalidated`;
      case "replaced":
        return word === "ServiceAccount"
          ? `ServiceAccount UID does not match claim`
          : `${word} UID (${claim.uid}) does not match claim`;
      default:
        return undefined;
    }
  };
  const { namespace } = claims;
  return (
    fault(serviceaccounts as Resource, "ServiceAccount", claims.serviceaccount, namespace) ??
    fault(secrets as Resource, "service account token", claims.secret, namespace) ??
    fault(pods as Resource, "service account token", claims.pod, namespace) ??
    fault(nodes as Resource, "service account token", claims.pod ? undefined : claims.node, "")
  );
}
