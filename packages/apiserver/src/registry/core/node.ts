// Nodes: the kind's declaration.

import { setNodeDefaults } from "@picokube/api/core/defaults";
import { type Node, nodes } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateNode, validateNodeUpdate } from "./node-validation.js";

function status(node: Node): string {
  const ready = (node.status?.conditions ?? []).find(({ type }) => type === "Ready");
  const words = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (node.spec?.unschedulable) words.push("SchedulingDisabled");
  return words.join(",");
}

const rolePrefix = "node-role.kubernetes.io/";

function roles(node: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) found.add(key.slice(rolePrefix.length));
    else if (key === "kubernetes.io/role" && value !== "") found.add(value);
  }
  return found.size > 0 ? [...found].sort().join(",") : "<none>";
}

const address = (wanted: string) => (node: Node) =>
  (node.status?.addresses ?? []).find(({ type }) => type === wanted)?.address ?? "<none>";

const columns: Column<Node>[] = [
  nameColumn,
  column("Status", status, { description: "The status of the node" }),
  column("Roles", roles, { description: "The roles of the node" }),
  ageColumn,
  column("Version", (node) => node.status?.nodeInfo?.kubeletVersion ?? "", {
    field: "core.v1.NodeSystemInfo.kubeletVersion",
  }),
  column("Internal-IP", address("InternalIP"), { wide: true, field: "core.v1.NodeStatus.addresses" }),
  column("External-IP", address("ExternalIP"), { wide: true, field: "core.v1.NodeStatus.addresses" }),
  column("OS-Image", (node) => node.status?.nodeInfo?.osImage || "<unknown>", {
    wide: true,
    field: "core.v1.NodeSystemInfo.osImage",
  }),
  column("Kernel-Version", (node) => node.status?.nodeInfo?.kernelVersion || "<unknown>", {
    wide: true,
    field: "core.v1.NodeSystemInfo.kernelVersion",
  }),
  column("Container-Runtime", (node) => node.status?.nodeInfo?.containerRuntimeVersion || "<unknown>", {
    wide: true,
    field: "core.v1.NodeSystemInfo.containerRuntimeVersion",
  }),
];

/** The definition of nodes. */
export const nodeDefinition = define<Node>({
  resource: nodes,
  storagePrefix: "minions",
  applyDefaults: setNodeDefaults,
  hasStatus: true,
  keepsStatusOnCreate: true,
  hasGeneration: false,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  validateStatusUpdate: validateNodeUpdate,
  selectableFields: {
    "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false),
  },
  columns,
  streams: ["proxy"],
});
