// The AuthorizationConfiguration file (apiserver.config.k8s.io/v1): which authorizers are asked, in which order, and several
// webhooks among them. Reads and checks it; matchConditions, which are CEL expressions, are refused in words.

import type { FieldError } from "@picokube/api/errors";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import type { WebhookOptions } from "./webhook.js";

export interface AuthorizerConfiguration {
  /** Webhook, RBAC, Node, AlwaysAllow, AlwaysDeny. */
  readonly type: string;
  readonly webhook?: WebhookOptions;
}

interface WebhookDocument {
  readonly authorizedTTL?: string;
  readonly unauthorizedTTL?: string;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly object[];
}

interface Document {
  readonly authorizers?: readonly {
    readonly type?: string;
    readonly name?: string;
    readonly webhook?: WebhookDocument;
  }[];
}

const TYPES = ["AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"];
const MAX_TIMEOUT_MS = 30_000;

/** Reads and validates the file. Throws ConfigError with every fault. */
export async function readAuthorizationConfiguration(path: string): Promise<AuthorizerConfiguration[]> {
  const expected = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration" };
  const document = (await readConfigFile(path, expected)) as Document;
  const faults = authorizationFaults(document);
  if (faults.length > 0) {
    const words = faults.map(({ field, message }) => `${field}: ${message}`);
    throw new ConfigError(`${path}: ${words.length === 1 ? words[0] : `[${words.join(", ")}]`}`);
  }
  return document.authorizers!.map(({ type = "", webhook }) => ({
    type,
    ...(webhook ? { webhook: webhookOptions(webhook) } : {}),
  }));
}

function webhookOptions(webhook: WebhookDocument): WebhookOptions {
  return {
    configFile: webhook.connectionInfo?.kubeConfigFile ?? "",
    version: webhook.subjectAccessReviewVersion ?? "",
    authorizedTtlMs: parseDuration(webhook.authorizedTTL ?? "5m"),
    unauthorizedTtlMs: parseDuration(webhook.unauthorizedTTL ?? "30s"),
    timeoutMs: parseDuration(webhook.timeout ?? ""),
    failurePolicy: webhook.failurePolicy === "Deny" ? "Deny" : "NoOpinion",
  };
}

/** Upstream: ValidateAuthorizationConfiguration. */
export function authorizationFaults({ authorizers = [] }: Document): FieldError[] {
  if (authorizers.length === 0) return [required("authorizers", "at least one authorization mode must be defined")];
  const faults: FieldError[] = [];
  const [names, types] = [new Set<string>(), new Set<string>()];
  for (const [index, { type = "", name = "", webhook }] of authorizers.entries()) {
    const path = `authorizers[${index}]`;
    if (type === "") faults.push(required(`${path}.type`));
    else if (!TYPES.includes(type)) faults.push(notSupported(`${path}.type`, type, TYPES));
    else if (types.has(type) && type !== "Webhook") faults.push(duplicate(`${path}.type`, type));
    types.add(type);
    if (name === "") faults.push(required(`${path}.name`));
    else if (names.has(name)) faults.push(duplicate(`${path}.name`, name));
    else {
      const objections = isDNS1123Subdomain(name);
      if (objections.length > 0) {
        faults.push(invalidValue(`${path}.name`, name, `authorizer name is invalid: ${objections.join(", ")}`));
      }
    }
    names.add(name);
    if (type === "Webhook" && !webhook) faults.push(required(`${path}.webhook`, "required when type=Webhook"));
    else if (type === "Webhook") faults.push(...webhookFaults(webhook!, `${path}.webhook`));
    else if (webhook)
      faults.push(invalidValue(`${path}.webhook`, "non-null", "may only be specified when type=Webhook"));
  }
  return faults;
}

function webhookFaults(webhook: WebhookDocument, path: string): FieldError[] {
  const { timeout, subjectAccessReviewVersion, failurePolicy, connectionInfo = {}, matchConditions = [] } = webhook;
  const faults: FieldError[] = [];
  const timeoutMs = msOf(timeout);
  if (timeout === undefined) faults.push(required(`${path}.timeout`));
  else if (timeoutMs === undefined || timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) {
    faults.push(invalidValue(`${path}.timeout`, timeout, "must be > 0s and <= 30s"));
  }
  for (const name of ["authorizedTTL", "unauthorizedTTL"] as const) {
    const ttlMs = msOf(webhook[name] ?? "1s");
    if (ttlMs === undefined || ttlMs <= 0) faults.push(invalidValue(`${path}.${name}`, webhook[name], "must be > 0s"));
  }
  faults.push(
    ...chosen(subjectAccessReviewVersion, `${path}.subjectAccessReviewVersion`, ["v1", "v1beta1"]),
    ...chosen(failurePolicy, `${path}.failurePolicy`, ["NoOpinion", "Deny"]),
    ...chosen(connectionInfo.type, `${path}.connectionInfo.type`, ["KubeConfigFile"]),
  );
  if (connectionInfo.type === "KubeConfigFile" && !connectionInfo.kubeConfigFile) {
    faults.push(required(`${path}.connectionInfo.kubeConfigFile`));
  }
  if (matchConditions.length > 0) {
    const why = "CEL expressions are not part of this build: let the webhook say that it has no opinion";
    faults.push(forbiddenField(`${path}.matchConditions`, why));
  }
  return faults;
}

function chosen(value: string | undefined, path: string, supported: readonly string[]): FieldError[] {
  if (!value) return [required(path)];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

function msOf(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : parseDuration(text);
  } catch {
    return undefined;
  }
}
