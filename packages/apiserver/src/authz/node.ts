// The Node mode: what a kubelet may do beyond RBAC, by what its own pods mention (upstream:
// plugin/pkg/auth/authorizer/node). Limits on writes stand in admission's NodeRestriction.

import { type Pod, pods } from "@picokube/api/core/v1";
import { volumeattachments } from "@picokube/api/storage/v1";
import type { UserInfo } from "../authn/authenticator.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { Attributes, Decision, LocalAuthorizer } from "./authorizer.js";
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
const mayDo = (verbs: readonly string[], verb: string): Decision => (verbs.includes(verb) ? allow : noOpinion());

/** The authorizer of --authorization-mode=Node. */
export function nodeAuthorizer(storage: StorageRegistry): LocalAuthorizer {
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

  /** By name, not by the graph: a kubelet looks for its Node before there is one. */
  function ownNode(node: string, { verb, resource }: Attributes): Decision {
    if (resource!.subresource === "status") return mayDo(["update", "patch"], verb);
    if (resource!.subresource !== "") return noOpinion();
    // Whose Node it writes is NodeRestriction's to see.
    if (!READ.includes(verb)) return mayDo(["create", "update", "patch"], verb);
    if (resource!.name === node) return allow;
    return resource!.name === ""
      ? noOpinion(`node '${node}' cannot read all nodes, only its own Node object`)
      : noOpinion(`node '${node}' cannot read '${resource!.name}', only its own Node object`);
  }

  /** What it writes to pods is NodeRestriction's to see: mirror pods and pods bound to itself. */
  function ownPod(node: string, attributes: Attributes): Decision {
    const { verb, resource } = attributes;
    if (resource!.subresource === "status") return mayDo(["update", "patch"], verb);
    if (resource!.subresource === "eviction") return mayDo(["create"], verb);
    if (resource!.subresource !== "") return noOpinion();
    if (verb === "get") return boundPod(node, attributes);
    if (verb !== "list" && verb !== "watch") return mayDo(["create", "delete"], verb);
    const isScoped = resource!.fieldSelector?.some(
      ({ field, operator, value }) => field === "spec.nodeName" && operator === "=" && value === node,
    );
    if (isScoped) return allow;
    return resource!.name === ""
      ? noOpinion("can only list/watch pods with spec.nodeName field selector")
      : boundPod(node, attributes);
  }

  function boundPod(node: string, { resource }: Attributes): Decision {
    const pod = storage.find(pods)?.get(resource!.namespace, resource!.name) as Pod | undefined;
    return pod?.spec?.nodeName === node
      ? allow
      : noOpinion(`no relationship found between node '${node}' and this object`);
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
    rulesFor: (user) => ({
      resourceRules: [],
      nonResourceRules: [],
      ...(nodeNameOf(user) === undefined
        ? {}
        : { incomplete: "node authorizer does not support user rule resolution" }),
    }),
  };
}
