// OwnerReferencesPermissionEnforcement: who sets owners must be allowed to delete the object, and who lets it hold its
// owner back must be allowed to set the owner's finalizers (upstream: plugin/pkg/admission/gc). Off by default.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { apiVersionOf } from "@picokube/api/resource";
import type { Authorizer } from "../authz/authorizer.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden } from "./forbidden.js";

const ownersOf = (object: KubernetesObject | undefined): OwnerReference[] => object?.metadata.ownerReferences ?? [];

function isChangingOwners(now: KubernetesObject, before: KubernetesObject | undefined): boolean {
  const byUid = (object: KubernetesObject | undefined) =>
    Object.fromEntries(ownersOf(object).map((reference) => [reference.uid, reference]));
  return !semanticDeepEqual(byUid(now), byUid(before));
}

/** Those that hold their owner back and did not before. */
function newBlocking(now: KubernetesObject, before: KubernetesObject | undefined): OwnerReference[] {
  const blocked = new Set(
    ownersOf(before).flatMap(({ uid, blockOwnerDeletion }) => (blockOwnerDeletion === true ? [uid] : [])),
  );
  return ownersOf(now).filter(({ uid, blockOwnerDeletion }) => blockOwnerDeletion === true && !blocked.has(uid));
}

export function ownerReferencesPermissionEnforcement(
  storage: StorageRegistry,
  authorizer: Authorizer,
): AdmissionPlugin {
  async function refuseBlocking(attributes: AdmissionAttributes, reference: OwnerReference): Promise<void> {
    const { apiVersion, kind, name } = reference;
    const owner = storage
      .all()
      .map(({ resource }) => resource)
      .find((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
    if (!owner) {
      const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
      throw admissionForbidden(
        attributes,
        `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind "${kind}" in version "${version}"`,
      );
    }
    const { group, version, resource, namespaced } = owner;
    const asked = { group, version, resource, subresource: "finalizers", name };
    const namespace = namespaced ? attributes.namespace : "";
    const { decision, reason } = await authorizer.authorize({
      user: attributes.user,
      verb: "update",
      path: "",
      resource: { ...asked, namespace },
    });
    if (decision === "Allow") return;
    throw admissionForbidden(
      attributes,
      `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
    );
  }

  return {
    name: "OwnerReferencesPermissionEnforcement",
    async validate(attributes) {
      const { operation, object, oldObject, resource, subresource, namespace, name, user } = attributes;
      if (!object || (operation !== "CREATE" && operation !== "UPDATE")) return;
      // The kubelet writes the status of pods and may delete none.
      if (resource.group === "" && resource.resource === "pods" && subresource === "status") return;
      if (!isChangingOwners(object, oldObject)) return;
      const { decision, reason } = await authorizer.authorize({
        user,
        verb: "delete",
        path: "",
        resource: { ...resource, subresource, namespace, name },
      });
      if (decision !== "Allow") {
        throw admissionForbidden(attributes, `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`);
      }
      for (const reference of newBlocking(object, oldObject)) await refuseBlocking(attributes, reference);
    },
  };
}
