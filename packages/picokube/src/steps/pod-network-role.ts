// What the pod network's routes need: every kubelet reads all Nodes. Upstream's node authoriser shows a kubelet its own Node
// alone, and network add-ons bring a ClusterRole of their own; so does ours.

import { isAlreadyExists } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import { type ClusterRole, type ClusterRoleBinding, clusterrolebindings, clusterroles } from "@picokube/api/rbac/v1";
import type { Client } from "@picokube/client/client";

const name = "picokube:pod-network";

/** Creates role and binding when they are not there. */
export async function ensurePodNetworkRole(client: Client): Promise<void> {
  const role: NewObject<ClusterRole> = {
    metadata: { name },
    rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] }],
  };
  const binding: NewObject<ClusterRoleBinding> = {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
  };
  await client.create(clusterroles, role).catch(ignoreExisting);
  await client.create(clusterrolebindings, binding).catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
