// The order of all admission plugins, as data (upstream: pkg/kubeapiserver/options/plugins.go). A new plugin is a file
// and a line here.

import type { Authorizer } from "../authz/authorizer.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionPlugin } from "./admission.js";
import type { AdmissionConfiguration } from "./admission-configuration.js";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "./certificates.js";
import { defaultIngressClass } from "./default-ingress-class.js";
import { defaultStorageClass } from "./default-storage-class.js";
import { defaultTolerationSeconds } from "./default-toleration-seconds.js";
import { extendedResourceToleration } from "./extended-resource-toleration.js";
import { limitRanger } from "./limit-ranger.js";
import { namespaceLifecycle } from "./namespace-lifecycle.js";
import { nodeRestriction } from "./node-restriction.js";
import { ownerReferencesPermissionEnforcement } from "./owner-references-permission-enforcement.js";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.js";
import { podNodeSelector, readPodNodeSelectors } from "./pod-node-selector.js";
import { podSecurity } from "./pod-security.js";
import { readPodSecurityConfiguration } from "./pod-security-config.js";
import { priority } from "./priority.js";
import { resourceQuota } from "./resource-quota.js";
import { runtimeClass } from "./runtime-class.js";
import { serviceAccount } from "./service-account.js";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.js";
import { taintNodesByCondition } from "./taint-nodes-by-condition.js";

export interface PluginOptions {
  /** For plugins that ask whether the user may do something else as well. */
  readonly authorizer: Authorizer;
  readonly configuration?: AdmissionConfiguration;
  readonly defaultNotReadyTolerationSeconds?: number;
  readonly defaultUnreachableTolerationSeconds?: number;
}

interface PluginFactory {
  readonly name: string;
  create(storage: StorageRegistry, options: PluginOptions): AdmissionPlugin;
}

/** Mutating plugins run in this order, then validating ones. */
export const pluginFactories: readonly PluginFactory[] = [
  { name: "NamespaceLifecycle", create: namespaceLifecycle },
  { name: "LimitRanger", create: limitRanger },
  { name: "ServiceAccount", create: serviceAccount },
  { name: "NodeRestriction", create: nodeRestriction },
  { name: "TaintNodesByCondition", create: taintNodesByCondition },
  {
    name: "PodSecurity",
    create: (storage, { configuration }) =>
      podSecurity(storage, readPodSecurityConfiguration(configuration?.get("PodSecurity"))),
  },
  {
    name: "PodNodeSelector",
    create: (storage, { configuration }) =>
      podNodeSelector(storage, readPodNodeSelectors(configuration?.get("PodNodeSelector"))),
  },
  { name: "Priority", create: priority },
  {
    name: "DefaultTolerationSeconds",
    create: (_storage, options) =>
      defaultTolerationSeconds({
        notReadySeconds: options.defaultNotReadyTolerationSeconds ?? 300,
        unreachableSeconds: options.defaultUnreachableTolerationSeconds ?? 300,
      }),
  },
  { name: "ExtendedResourceToleration", create: extendedResourceToleration },
  { name: "DefaultStorageClass", create: defaultStorageClass },
  { name: "StorageObjectInUseProtection", create: storageObjectInUseProtection },
  {
    name: "OwnerReferencesPermissionEnforcement",
    create: (storage, { authorizer }) => ownerReferencesPermissionEnforcement(storage, authorizer),
  },
  { name: "PersistentVolumeClaimResize", create: persistentVolumeClaimResize },
  { name: "RuntimeClass", create: runtimeClass },
  { name: "CertificateApproval", create: (_storage, { authorizer }) => certificateApproval(authorizer) },
  { name: "CertificateSigning", create: (_storage, { authorizer }) => certificateSigning(authorizer) },
  { name: "CertificateSubjectRestriction", create: certificateSubjectRestriction },
  { name: "DefaultIngressClass", create: defaultIngressClass },
  { name: "ResourceQuota", create: (storage) => resourceQuota(storage) },
];

/** Plugins that run only when --enable-admission-plugins names them. Unlike upstream NodeRestriction is on, because every installer turns it on. */
export const defaultDisabled: ReadonlySet<string> = new Set([
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
  "PodNodeSelector",
]);
