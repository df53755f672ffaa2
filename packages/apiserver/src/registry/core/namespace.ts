// Namespaces: the kind's declaration. Who may create into one is NamespaceLifecycle's to say.

import { setNamespaceDefaults } from "@picokube/api/core/defaults";
import { type Namespace, namespaces } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateNamespaceStatus } from "./status-validation.js";

/** The definition of namespaces. */
export const namespaceDefinition = define<Namespace>({
  resource: namespaces,
  storagePrefix: "namespaces",
  nameRule: "label",
  // Upstream's store of namespaces deletes no collections.
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  applyDefaults: setNamespaceDefaults,
  hasStatus: true,
  hasGeneration: false,
  validateStatusUpdate: validateNamespaceStatus,
  prepareForCreate(namespace) {
    setNamespaceDefaults(namespace);
    namespace.status = { phase: "Active" };
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = {
      ...namespace.spec,
      finalizers: finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"],
    };
  },
  prepareForUpdate(namespace, old) {
    namespace.spec = { ...namespace.spec, finalizers: old.spec?.finalizers ?? [] };
  },
  selectableFields: { "status.phase": (namespace) => namespace.status?.phase ?? "" },
  columns: [
    nameColumn,
    column("Status", (namespace) => namespace.status?.phase ?? "", { description: "The status of the namespace" }),
    ageColumn,
  ],
  update: {
    finalize(namespace, old) {
      return {
        ...structuredClone(old),
        metadata: namespace.metadata,
        spec: { ...old.spec, finalizers: namespace.spec?.finalizers ?? [] },
      };
    },
  },
});
