// The interface of admission plugins. They run in the order of plugins.ts, all mutating ones first.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { GroupResource, GroupVersionKind } from "@picokube/api/resource";
import type { UserInfo } from "../authn/authenticator.js";

export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: GroupResource & { readonly version: string };
  readonly kind: GroupVersionKind;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty on create with generateName. */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The object as it will be stored; mutating plugins change it in place. undefined for DELETE. */
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
  /** Adds a Warning header to the answer. */
  warn(message: string): void;
  /** Adds an annotation to the request's audit event, if it has one. */
  annotate?(key: string, value: string): void;
}

export interface AdmissionPlugin {
  readonly name: string;
  /** Changes attributes.object or throws (forbidden(), invalid(), ...). */
  admit?(attributes: AdmissionAttributes): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}
