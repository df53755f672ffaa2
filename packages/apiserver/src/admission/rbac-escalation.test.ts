// What people may grant: what they hold, and no more.

import { clusterroles, rolebindings, roles } from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { rbacAuthorizer } from "../authz/rbac.js";
import { plainStorage } from "../testing/plain-storage.js";
import type { AdmissionAttributes } from "./admission.js";
import { rbacEscalation } from "./rbac-escalation.js";

const RBAC = "rbac.authorization.k8s.io";
const rule = (verbs: string[], resources: string[], apiGroups = [""]) => ({ verbs, apiGroups, resources });

test("granting", async (t) => {
  const storage = plainStorage(
    [
      clusterroles as Resource,
      {
        metadata: { name: "lead" },
        rules: [
          rule(["create", "update"], ["roles", "rolebindings"], [RBAC]),
          rule(["get", "list"], ["pods", "pods/log"]),
        ],
      },
      { metadata: { name: "root" }, rules: [rule(["*"], ["*"], ["*"])] },
      {
        metadata: { name: "binder" },
        rules: [{ ...rule(["bind"], ["clusterroles"], [RBAC]), resourceNames: ["root"] }],
      },
    ],
    [
      rolebindings as Resource,
      {
        metadata: { name: "l", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "lead" },
        subjects: [{ kind: "User", name: "lea" }],
      },
      {
        metadata: { name: "b", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "binder" },
        subjects: [{ kind: "User", name: "ben" }],
      },
    ],
    [roles as Resource],
  );
  const plugin = rbacEscalation(storage, rbacAuthorizer(storage));
  const attempt = (resource: Resource, user: string, object: object) => async () =>
    plugin.validate!({
      operation: "CREATE",
      resource,
      kind: resource,
      subresource: "",
      namespace: "dev",
      name: "x",
      user: { name: user, groups: ["system:authenticated"] },
      object: { metadata: { name: "x", namespace: "dev" }, ...object },
    } as unknown as AdmissionAttributes);
  const role = (...rules: object[]) => ({ rules });
  await t.resolves(attempt(roles as Resource, "lea", role(rule(["get"], ["pods"]))));
  await t.resolves(
    attempt(roles as Resource, "lea", role({ ...rule(["list"], ["pods/log"]), resourceNames: ["web"] })),
  );
  await t.rejects(attempt(roles as Resource, "lea", role(rule(["get", "delete"], ["pods"]))), {
    code: 403,
    message:
      'roles.rbac.authorization.k8s.io "x" is forbidden: user "lea" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
  });
  await t.rejects(attempt(roles as Resource, "lea", role(rule(["*"], ["pods"]))), { code: 403 });
  await t.rejects(attempt(roles as Resource, "lea", role(rule(["get"], ["*"]))), { code: 403 });
  const bind = (name: string) => ({ roleRef: { apiGroup: RBAC, kind: "ClusterRole", name }, subjects: [] });
  await t.resolves(attempt(rolebindings as Resource, "lea", bind("lead")));
  await t.rejects(attempt(rolebindings as Resource, "lea", bind("root")), { code: 403 });
  await t.resolves(attempt(rolebindings as Resource, "ben", bind("root")), "ben may bind this one role");
  await t.rejects(attempt(rolebindings as Resource, "ben", bind("lead")), { code: 403 });
});
