// NodeRestriction: a kubelet writes only its own Node, its own Lease and the pods bound to it (upstream:
// plugin/pkg/admission/noderestriction). What it may read is the Node authorizer's.

import type { TokenRequest } from "@picokube/api/authentication/v1";
import { leases } from "@picokube/api/coordination/v1";
import { type Node, nodes, type Pod, persistentvolumeclaims, pods, serviceaccounts } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { notFound } from "@picokube/api/errors";
import type { Eviction } from "@picokube/api/policy/v1";
import { csinodes } from "@picokube/api/storage/v1";
import { nodeNameOf } from "../authz/node.js";
import { podReferences } from "../authz/node-graph.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";
import { changedRestrictedLabels } from "./node-labels.js";

const MIRROR = "kubernetes.io/config.mirror";
const LEASE_NAMESPACE = "kube-node-lease";

export function nodeRestriction(storage: StorageRegistry): AdmissionPlugin {
  function boundPod(attributes: AdmissionAttributes, name: string): Pod {
    const pod = storage.for(pods).get(attributes.namespace, name);
    if (!pod) throw notFound(pods, name);
    return pod;
  }

  function createPod(attributes: AdmissionAttributes, node: string): void {
    const pod = attributes.object as Pod;
    const mirror = pod.metadata.annotations?.[MIRROR];
    if (mirror === undefined) {
      throw admissionForbidden(
        attributes,
        `pod does not have "${MIRROR}" annotation, node "${node}" can only create mirror pods`,
      );
    }
    if (pod.spec?.nodeName !== node) {
      throw admissionForbidden(attributes, `node "${node}" can only create pods with spec.nodeName set to itself`);
    }
    const owners = pod.metadata.ownerReferences ?? [];
    const own = storage.for(nodes).get("", node);
    const isOwn = owners.length === 1 && owners[0]!.kind === "Node" && owners[0]!.name === node;
    if (owners.length > 0 && (!isOwn || (own && owners[0]!.uid !== own.metadata.uid))) {
      throw admissionForbidden(attributes, `node "${node}" can only create pods with an owner reference set to itself`);
    }
    if (pod.spec?.serviceAccountName) {
      throw admissionForbidden(attributes, `node "${node}" can not create pods that reference a service account`);
    }
    const bare = { ...pod, metadata: { ...pod.metadata, annotations: {} } };
    for (const reference of podReferences(bare)) {
      const [resource] = reference.split(":");
      throw admissionForbidden(attributes, `node "${node}" can not create pods that reference ${resource}`);
    }
  }

  function admitPod(attributes: AdmissionAttributes, node: string): void {
    const { operation, name, subresource } = attributes;
    if (subresource === "status") {
      const old = attributes.oldObject as Pod | undefined;
      if (operation !== "UPDATE") throw admissionForbidden(attributes, `unexpected operation "${operation}"`);
      if (old?.spec?.nodeName !== node) {
        throw admissionForbidden(
          attributes,
          `node "${node}" can only update pod status for pods with spec.nodeName set to itself`,
        );
      }
      if (!semanticDeepEqual((attributes.object as Pod).metadata.labels, old?.metadata.labels)) {
        throw admissionForbidden(attributes, `node "${node}" cannot update labels through pod status`);
      }
    } else if (subresource === "eviction") {
      const target = (attributes.object as Eviction | undefined)?.metadata?.name || name;
      if (boundPod(attributes, target).spec?.nodeName !== node) {
        throw admissionForbidden(attributes, `node "${node}" can only evict pods with spec.nodeName set to itself`);
      }
    } else if (subresource !== "") {
      throw admissionForbidden(
        attributes,
        `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`,
      );
    } else if (operation === "CREATE") createPod(attributes, node);
    else if (operation === "DELETE") {
      if (boundPod(attributes, name).spec?.nodeName !== node) {
        throw admissionForbidden(attributes, `node "${node}" can only delete pods with spec.nodeName set to itself`);
      }
    } else
      throw admissionForbidden(
        attributes,
        `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`,
      );
  }

  function admitNode(attributes: AdmissionAttributes, node: string): void {
    const requested = attributes.name || attributes.object?.metadata.name || "";
    if (requested !== node) {
      throw admissionForbidden(attributes, `node "${node}" is not allowed to modify node "${requested}"`);
    }
    const object = attributes.object as Node | undefined;
    if (attributes.operation === "CREATE") {
      const labels = changedRestrictedLabels(object?.metadata.labels);
      if (labels.length > 0) {
        const words = `node "${node}" is not allowed to set the following labels: ${labels.join(", ")}`;
        throw admissionForbidden(attributes, words);
      }
      if (object?.spec?.configSource !== undefined) {
        throw admissionForbidden(
          attributes,
          `node "${node}" is not allowed to create pods with a non-nil configSource`,
        );
      }
    }
    if (attributes.operation !== "UPDATE") return;
    const old = attributes.oldObject as Node;
    if (!semanticDeepEqual(object?.metadata.ownerReferences, old.metadata.ownerReferences)) {
      throw admissionForbidden(attributes, `node "${node}" is not allowed to modify ownerReferences`);
    }
    if (!semanticDeepEqual(object?.spec?.taints, old.spec?.taints)) {
      throw admissionForbidden(attributes, `node "${node}" is not allowed to modify taints`);
    }
    const labels = changedRestrictedLabels(object?.metadata.labels, old.metadata.labels);
    if (labels.length > 0) {
      throw admissionForbidden(attributes, `node "${node}" is not allowed to modify labels: ${labels.join(", ")}`);
    }
  }

  function admitToken(attributes: AdmissionAttributes, node: string): void {
    const reference = (attributes.object as TokenRequest | undefined)?.spec?.boundObjectRef;
    if (reference?.apiVersion !== "v1" || reference.kind !== "Pod" || !reference.name) {
      throw admissionForbidden(attributes, "node requested token not bound to a pod");
    }
    if (!reference.uid) {
      throw admissionForbidden(attributes, "node requested token with a pod binding without a uid");
    }
    const pod = boundPod(attributes, reference.name);
    if (pod.metadata.uid !== reference.uid) {
      const words = `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw admissionForbidden(attributes, words);
    }
    if (pod.spec?.nodeName !== node) {
      throw admissionForbidden(attributes, "node requested token bound to a pod scheduled on a different node");
    }
  }

  function admitLease(attributes: AdmissionAttributes, node: string): void {
    if (attributes.namespace !== LEASE_NAMESPACE) {
      throw admissionForbidden(attributes, `can only access leases in the "${LEASE_NAMESPACE}" system namespace`);
    }
    if ((attributes.name || attributes.object?.metadata.name) !== node) {
      throw admissionForbidden(attributes, "can only access node lease with the same name as the requesting node");
    }
  }

  return {
    name: "NodeRestriction",
    admit(attributes) {
      const { user, resource } = attributes;
      if (!user.groups.includes("system:nodes") || !user.name.startsWith("system:node:")) return;
      const node = nodeNameOf(user);
      if (node === undefined) throw admissionForbidden(attributes, `could not determine node from user "${user.name}"`);
      if (resource.group === "" && resource.resource === "pods") admitPod(attributes, node);
      else if (resource.group === "" && resource.resource === "nodes") admitNode(attributes, node);
      else if (concerns(attributes, serviceaccounts, ["token"])) admitToken(attributes, node);
      else if (resource.group === leases.group && resource.resource === "leases") admitLease(attributes, node);
      else if (concerns(attributes, persistentvolumeclaims, ["status"]) && attributes.operation !== "UPDATE") {
        throw admissionForbidden(attributes, `unexpected operation "${attributes.operation}"`);
      } else if (concerns(attributes, csinodes) && (attributes.name || attributes.object?.metadata.name) !== node) {
        throw admissionForbidden(attributes, "can only access CSINode with the same name as the requesting node");
      }
    },
  };
}
