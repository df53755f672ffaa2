// The Webhook mode: another server judges, by SubjectAccessReview; its answers are remembered for a while (upstream:
// plugin/pkg/authorizer/webhook). A server that is away has no opinion, and says why it has none.

import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Logger } from "@picokube/component-base/logger";
import { LRUCache } from "lru-cache";
import { type PostReview, reviewWebhook } from "../authn/review-webhook.js";
import type { Authorizer, Decision } from "./authorizer.js";
import { attributesBytes, type ReviewStatus, reviewSpec, subjectAccessReview } from "./webhook-review.js";

export interface WebhookOptions {
  /** A kubeconfig file. */
  readonly configFile: string;
  /** Of SubjectAccessReview: v1, v1beta1. */
  readonly version: string;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** How long one try may take; 30 s when left out. */
  readonly timeoutMs?: number;
  /** What it means that there is no answer; NoOpinion when left out. */
  readonly failurePolicy?: "NoOpinion" | "Deny";
}

export interface WebhookDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends its connections. */
  readonly signal: AbortSignal;
}

const REMEMBERED = 8192;
/** Attributes longer than this may be somebody's attempt to fill the memory: they are not remembered. */
const MAX_REMEMBERED_BYTES = 10_000;

/** Reads the kubeconfig file. Throws ConfigError. */
export function openWebhookAuthorizer(options: WebhookOptions, dependencies: WebhookDependencies): Authorizer {
  if (options.version !== "v1" && options.version !== "v1beta1") {
    const supported = 'supported versions are "v1", "v1beta1"';
    throw new ConfigError(`unsupported webhook authorizer version ${JSON.stringify(options.version)}, ${supported}`);
  }
  const { timeoutMs } = options;
  const limited = timeoutMs === undefined ? dependencies : { ...dependencies, timeoutMs };
  return webhookAuthorizer(options, { ...dependencies, post: reviewWebhook(options.configFile, limited) });
}

/** The authorizer of --authorization-mode=Webhook. */
export function webhookAuthorizer(
  { version, authorizedTtlMs, unauthorizedTtlMs, failurePolicy = "NoOpinion" }: Omit<WebhookOptions, "configFile">,
  { clock, logger, post }: Pick<WebhookDependencies, "clock" | "logger"> & { post: PostReview<ReviewStatus> },
): Authorizer {
  const remembered = new LRUCache<string, { status: ReviewStatus; untilMs: number }>({ max: REMEMBERED });
  return {
    name: "Webhook",
    authorize(attributes) {
      const spec = reviewSpec(attributes);
      const key = JSON.stringify(spec);
      const known = remembered.get(key);
      if (known && known.untilMs > clock.now()) return decisionOf(known.status);
      return post(subjectAccessReview(spec, version)).then(
        (status) => {
          const ttlMs = status.allowed ? authorizedTtlMs : unauthorizedTtlMs;
          if (ttlMs > 0 && attributesBytes(attributes) < MAX_REMEMBERED_BYTES) {
            remembered.set(key, { status, untilMs: clock.now() + ttlMs });
          }
          return decisionOf(status);
        },
        (error: Error): Decision => {
          logger.error("Failed to make webhook authorizer request", { err: error });
          return { decision: failurePolicy, reason: "", error: error.message };
        },
      );
    },
    rulesFor: () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: "webhook authorizer does not support user rule resolution",
    }),
  };
}

function decisionOf({ allowed, denied, reason = "" }: ReviewStatus): Decision {
  if (denied && allowed) {
    return { decision: "Deny", reason, error: "webhook subject access review returned both allow and deny response" };
  }
  if (denied) return { decision: "Deny", reason };
  return { decision: allowed ? "Allow" : "NoOpinion", reason };
}
