// PodNodeSelector: a namespace's annotation, or the plugin's configuration, says on which nodes its pods may run.

import { namespaces, type Pod, pods } from "@picokube/api/core/v1";
import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

const ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector";
const CLUSTER_DEFAULT = "clusterDefaultNodeSelector";

type Selectors = { readonly [namespaceOrDefault: string]: string };
type NodeSelector = { readonly [key: string]: string };

/** "a=b,c=d" (upstream: labels.ConvertSelectorToLabelsMap); undefined when it is not that. */
export function parseNodeSelector(text: string): NodeSelector | undefined {
  const selector: { [key: string]: string } = {};
  for (const part of text.split(",")) {
    if (text === "") break;
    const [key, value, ...more] = part.split("=").map((word) => word.trim());
    if (!key || value === undefined || more.length > 0) return undefined;
    selector[key] = value;
  }
  return selector;
}

/** Reads the plugin's section of --admission-control-config-file; throws ConfigError. */
export function readPodNodeSelectors(section: unknown): Selectors {
  const selectors = (section as { podNodeSelectorPluginConfig?: Selectors } | undefined)?.podNodeSelectorPluginConfig;
  for (const [name, text] of Object.entries(selectors ?? {})) {
    if (typeof text !== "string" || !parseNodeSelector(text)) {
      throw new ConfigError(`podNodeSelectorPluginConfig.${name}: invalid selector: ${JSON.stringify(text)}`);
    }
  }
  return selectors ?? {};
}

const conflicts = (left: NodeSelector, right: NodeSelector): boolean =>
  Object.entries(left).some(([key, value]) => right[key] !== undefined && right[key] !== value);

export function podNodeSelector(storage: StorageRegistry, configured: Selectors = {}): AdmissionPlugin {
  function selectorOf(attributes: AdmissionAttributes): NodeSelector {
    const annotation = storage.for(namespaces).get("", attributes.namespace)?.metadata.annotations?.[ANNOTATION];
    const selector = parseNodeSelector(annotation ?? configured[CLUSTER_DEFAULT] ?? "");
    if (!selector) throw admissionForbidden(attributes, `invalid selector: ${JSON.stringify(annotation)}`);
    return selector;
  }

  const isRelevant = (attributes: AdmissionAttributes) =>
    attributes.operation === "CREATE" && concerns(attributes, pods) && (attributes.object as Pod).spec !== undefined;

  return {
    name: "PodNodeSelector",
    admit(attributes) {
      if (!isRelevant(attributes)) return;
      const spec = (attributes.object as Pod).spec!;
      const wanted = selectorOf(attributes);
      if (conflicts(wanted, spec.nodeSelector ?? {})) {
        throw admissionForbidden(
          attributes,
          "pod node label selector conflicts with its namespace node label selector",
        );
      }
      if (Object.keys(wanted).length > 0) spec.nodeSelector = { ...wanted, ...spec.nodeSelector };
    },
    validate(attributes) {
      if (!isRelevant(attributes)) return;
      const own = (attributes.object as Pod).spec!.nodeSelector ?? {};
      if (conflicts(selectorOf(attributes), own)) {
        throw admissionForbidden(
          attributes,
          "pod node label selector conflicts with its namespace node label selector",
        );
      }
      const whitelist = parseNodeSelector(configured[attributes.namespace] ?? "") ?? {};
      const isListed = Object.entries(own).every(([key, value]) => whitelist[key] === value);
      // A namespace without a list may choose any node.
      if (Object.keys(whitelist).length > 0 && !isListed) {
        throw admissionForbidden(attributes, "pod node label selector labels conflict with its namespace whitelist");
      }
    },
  };
}
