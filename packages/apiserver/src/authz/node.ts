// The Node mode: what a kubelet may do beyond RBAC, by what its own pods mention (upstream:
// plugin/pkg/auth/authorizer/node). Limits on writes stand in admission's NodeRestriction.

import { volumeattachments } from "@picokube/api/storage/v1";
import type { UserInfo } from "../authn/authenticator.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { Attributes, Authorizer, Decision } from "./authorizer.js";
import { nodeRules } from "./default-roles.js";
import { nodeGraph } from "./node-graph.js";
import { ruleAllows } from "./rule-match.js";

const NODES_GROUP = "system:nodes";
const NODE_USER_PREFIX = "system:node:";
const LEASE_NAMESPACE = "kube-node-lease";
const READ = ["get", "list", "watch"];

/** The node's name when the user is a kubelet: user system:node:<name> of group system:nodes. */
export function nodeNameOf(user: UserInfo): string | undefined {
  const isNode = user.name.startsWith(NODE_USER_PREFIX) && user.groups.includes(NODES_GROUP);
  return isNode ? user.name.slice(NODE_USER_PREFIX.length) || undefined : undefined;
}

const noOpinion = (reason = ""): Decision => ({ decision: "NoOpinion", reason });
const allow: Decision = { decision: "Allow", reason: "" };

/** The authorizer of --authorization-mode=Node. */
export function nodeAuthorizer(storage: StorageRegistry): Authorizer {
  const graph = nodeGraph(storage);

  function related(node: string, { resource }: Attributes): Decision {
    const place = resource!.namespace === "" ? resource!.name : `${resource!.namespace}/${resource!.name}`;
    if (resource!.name === "") return noOpinion("No Object name found");
    return graph.reaches(node, `${resource!.resource}:${place}`)
      ? allow
      : noOpinion(`no relationship found between node '${node}' and this object`);
  }

  function read(node: string, attributes: Attributes, options: { namespaced: boolean; verbs: readonly string[] }) {
    const { verb, resource } = attributes;
    if (!options.verbs.includes(verb)) {
      return noOpinion(
        options.verbs === READ
          ? "can only read resources of this type"
          : "can only get individual resources of this type",
      );
    }
    if (resource!.subresource !== "") return noOpinion("cannot read subresource");
    if (options.namespaced && resource!.namespace === "")
      return noOpinion("can only read namespaced object of this type");
    return related(node, attributes);
  }

  function claim(node: string, attributes: Attributes): Decision {
    if (attributes.resource!.subresource === "") return read(node, attributes, { namespaced: true, verbs: ["get"] });
    if (attributes.resource!.subresource !== "status") {
      return noOpinion("can only update PersistentVolumeClaim status");
    }
    return ["update", "patch"].includes(attributes.verb)
      ? related(node, attributes)
      : noOpinion("can only get or update");
  }

  function serviceAccount(node: string, attributes: Attributes): Decision {
    if (attributes.resource!.subresource === "") return read(node, attributes, { namespaced: true, verbs: ["get"] });
    if (attributes.verb !== "create" || attributes.resource!.subresource !== "token") {
      return noOpinion("can only create tokens for individual service accounts");
    }
    return related(node, attributes);
  }

  function lease(node: string, { verb, resource }: Attributes): Decision {
    if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
      return noOpinion("can only get, create, update, patch, or delete a node lease");
    }
    if (resource!.namespace !== LEASE_NAMESPACE) {
      return noOpinion(`can only access leases in the "${LEASE_NAMESPACE}" system namespace`);
    }
    // The name of a create is in its body, where NodeRestriction looks.
    if (verb !== "create" && resource!.name !== node) {
      return noOpinion("can only access node lease with the same name as the requesting node");
    }
    return allow;
  }

  function csiNode(node: string, { verb, resource }: Attributes): Decision {
    if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
      return noOpinion("can only get, create, update, patch, or delete a CSINode");
    }
    if (resource!.subresource !== "") return noOpinion(`unauthorized subresource ${resource!.subresource}`);
    if (verb !== "create" && resource!.name !== node) {
      return noOpinion("can only access CSINode with the same name as the requesting node");
    }
    return allow;
  }

  function attachment(node: string, { verb, resource }: Attributes): Decision {
    if (verb !== "get") return noOpinion("can only get individual resources of this type");
    const found = storage.for(volumeattachments).get("", resource!.name);
    return found?.spec?.nodeName === node
      ? allow
      : noOpinion(`no relationship found between node '${node}' and this object`);
  }

  function ownNode(node: string, { verb, resource }: Attributes): Decision | undefined {
    if (verb === "get" && resource!.subresource === "" && resource!.name !== node) {
      return noOpinion(`node '${node}' cannot read '${resource!.name}', only its own Node object`);
    }
    return undefined;
  }

  function ownPod(node: string, { verb, resource }: Attributes): Decision | undefined {
    if (verb !== "get") return undefined;
    const pod = storage.find({ group: "", resource: "pods" })?.get(resource!.namespace, resource!.name) as
      | { spec?: { nodeName?: string } }
      | undefined;
    return pod && pod.spec?.nodeName !== node
      ? noOpinion(`no relationship found between node '${node}' and this object`)
      : undefined;
  }

  function special(node: string, attributes: Attributes): Decision | undefined {
    const { group = "", resource = "" } = attributes.resource ?? {};
    switch (`${group}/${resource}`) {
      case "/secrets":
      case "/configmaps":
        return read(node, attributes, { namespaced: true, verbs: READ });
      case "/persistentvolumeclaims":
        return claim(node, attributes);
      case "/persistentvolumes":
        return read(node, attributes, { namespaced: false, verbs: ["get"] });
      case "/serviceaccounts":
        return serviceAccount(node, attributes);
      case "/nodes":
        return ownNode(node, attributes);
      case "/pods":
        return ownPod(node, attributes);
      case "coordination.k8s.io/leases":
        return lease(node, attributes);
      case "storage.k8s.io/csinodes":
        return csiNode(node, attributes);
      case "storage.k8s.io/volumeattachments":
        return attachment(node, attributes);
      default:
        return undefined;
    }
  }

  return {
    name: "Node",
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return noOpinion();
      const decision = attributes.resource ? special(node, attributes) : undefined;
      if (decision) return decision;
      return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? allow : noOpinion();
    },
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
  };
}
