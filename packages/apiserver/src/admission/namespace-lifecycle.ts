// NamespaceLifecycle: nothing is made in a namespace that is absent or going, and some namespaces never go.

import { namespaces } from "@picokube/api/core/v1";
import { forbidden, notFound, StatusError } from "@picokube/api/errors";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionPlugin } from "./admission.js";
import { admissionForbidden } from "./forbidden.js";

const IMMORTAL = ["default", "kube-system", "kube-public"];

export function namespaceLifecycle(storage: StorageRegistry): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    admit(attributes) {
      const { operation, resource, kind, namespace, name } = attributes;
      const isNamespace = kind.group === "" && kind.kind === "Namespace";
      if (operation === "DELETE" && isNamespace && IMMORTAL.includes(name)) {
        throw forbidden(resource, name, "this namespace may not be deleted");
      }
      if (isNamespace || namespace === "" || operation === "DELETE") return;
      // Asking whether something would be allowed is harmless wherever it is asked for.
      if (resource.group === "authorization.k8s.io" && resource.resource === "localsubjectaccessreviews") return;
      const found = storage.for(namespaces).get("", namespace);
      if (!found) throw notFound({ group: "", resource: "namespaces" }, namespace);
      if (operation !== "CREATE") return;
      const isGoing = found.status?.phase === "Terminating" || found.metadata.deletionTimestamp !== undefined;
      if (!isGoing) return;
      const error = admissionForbidden(
        attributes,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
      throw new StatusError({
        code: error.code,
        reason: error.reason,
        message: error.message,
        details: {
          ...error.details,
          causes: [
            {
              reason: "NamespaceTerminating",
              message: `namespace ${namespace} is being terminated`,
              field: "metadata.namespace",
            },
          ],
        },
      });
    },
  };
}
