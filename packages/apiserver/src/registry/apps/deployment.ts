// Deployments: the kind's declaration.

import { setDeploymentDefaults } from "@picokube/api/apps/defaults";
import { type Deployment, deployments } from "@picokube/api/apps/v1";
import { ageColumn, column, containerColumns, labelSelectorString, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateDeployment, validateDeploymentUpdate } from "./deployment-validation.js";
import { validateDeploymentStatus } from "./workload-status-validation.js";

/** Unlike the other workloads' it is empty, not `<none>`, when it selects everything (upstream: printDeployment). */
function selector({ spec }: Deployment): string {
  const text = labelSelectorString(spec?.selector);
  return text === "<error>" ? "<invalid>" : text;
}

/** The definition of deployments. */
export const deploymentDefinition = define<Deployment>({
  resource: deployments,
  storagePrefix: "deployments",
  applyDefaults: setDeploymentDefaults,
  hasStatus: true,
  hasGeneration: true,
  annotationsMakeGeneration: true,
  validate: validateDeployment,
  validateStatusUpdate: validateDeploymentStatus,
  validateUpdate: validateDeploymentUpdate,
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: (object) => labelSelectorString((object as Deployment).spec?.selector),
  },
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, {
      description: "Number of the pod with ready state",
    }),
    column("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0, {
      field: "apps.v1.DeploymentStatus.updatedReplicas",
    }),
    column("Available", ({ status }) => status?.availableReplicas ?? 0, {
      field: "apps.v1.DeploymentStatus.availableReplicas",
    }),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template?.spec),
    column("Selector", selector, {
      wide: true,
      field: "apps.v1.DeploymentSpec.selector",
    }),
  ],
});
