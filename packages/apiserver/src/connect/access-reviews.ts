// The SubjectAccessReview family: what the authorizers would say (upstream: registry/authorization). Asks, never decides.

import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from "@picokube/api/authorization/v1";
import { badRequest, invalid } from "@picokube/api/errors";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import type { UserInfo } from "../authn/authenticator.js";
import type { Attributes, Authorizer } from "../authz/authorizer.js";
import type { ConnectHandler } from "../registry/resource-definition.js";
import { reviewedSelectors, selectorFaults } from "./reviewed-selectors.js";

const GROUP = { group: "authorization.k8s.io", version: "v1" };

interface AccessSpec {
  resourceAttributes?: SelfSubjectAccessReview["spec"]["resourceAttributes"];
  nonResourceAttributes?: SelfSubjectAccessReview["spec"]["nonResourceAttributes"];
}

function checkSpec(kind: string, spec: AccessSpec & { user?: string; groups?: string[] }, needsSubject: boolean): void {
  const faults: FieldError[] = [];
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes && nonResourceAttributes) {
    const why = "cannot be specified in combination with resourceAttributes";
    faults.push(invalidValue("spec.nonResourceAttributes", nonResourceAttributes, why));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const why = `exactly one of nonResourceAttributes or resourceAttributes must be specified`;
    faults.push(invalidValue("spec.resourceAttributes", nonResourceAttributes, why));
  }
  faults.push(...selectorFaults(resourceAttributes, "spec.resourceAttributes"));
  if (needsSubject && !spec.user && !spec.groups?.length) {
    faults.push(invalidValue("spec.user", spec.user ?? "", "at least one of user or group must be specified"));
  }
  if (faults.length > 0) throw invalid({ group: GROUP.group, kind }, "", faults);
}

/** What the authorizers are asked; defaults as upstream's ResourceAttributesFrom. */
export function attributesFrom(user: UserInfo, { resourceAttributes, nonResourceAttributes }: AccessSpec): Attributes {
  if (!resourceAttributes) {
    return { user, verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
  }
  const {
    group = "",
    version = "",
    resource = "",
    subresource = "",
    namespace = "",
    name = "",
    verb = "",
  } = resourceAttributes;
  const narrowed = reviewedSelectors(resourceAttributes);
  return { user, verb, path: "", resource: { group, version, resource, subresource, namespace, name, ...narrowed } };
}

async function statusOf(authorizer: Authorizer, attributes: Attributes) {
  const { decision, reason, error } = await authorizer.authorize(attributes);
  return {
    allowed: decision === "Allow",
    ...(decision === "Deny" ? { denied: true } : {}),
    ...(reason ? { reason } : {}),
    ...(error ? { evaluationError: error } : {}),
  };
}

function subjectOf(spec: SubjectAccessReview["spec"]): UserInfo {
  return {
    name: spec.user ?? "",
    ...(spec.uid ? { uid: spec.uid } : {}),
    groups: spec.groups ?? [],
    ...(spec.extra ? { extra: spec.extra as { [key: string]: string[] } } : {}),
  };
}

/** Go's reviews hold their spec by value: it is there, if empty, whatever was sent. */
function withSpec<T extends { spec: object }>(review: T): T {
  return { ...review, spec: (review.spec as object | undefined) ?? {} };
}

/** POST subjectaccessreviews. */
export function subjectAccessReviewHandler(authorizer: Authorizer): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "SubjectAccessReview" },
    async handle({ body }) {
      const review = withSpec(body as SubjectAccessReview);
      checkSpec("SubjectAccessReview", review.spec, true);
      const status = await statusOf(authorizer, attributesFrom(subjectOf(review.spec), review.spec));
      return { code: 201, object: { ...review, status } };
    },
  };
}

/** POST localsubjectaccessreviews: about the namespace it is posted to, and no other. */
export function localSubjectAccessReviewHandler(authorizer: Authorizer): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "LocalSubjectAccessReview" },
    async handle({ namespace, body }) {
      const review = withSpec(body as LocalSubjectAccessReview);
      checkSpec("LocalSubjectAccessReview", review.spec, true);
      const asked = review.spec.resourceAttributes?.namespace ?? "";
      if (asked !== namespace) {
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}, was: ${asked}`);
      }
      const status = await statusOf(authorizer, attributesFrom(subjectOf(review.spec), review.spec));
      return { code: 201, object: { ...review, status } };
    },
  };
}

/** POST selfsubjectaccessreviews: `kubectl auth can-i`. */
export function selfSubjectAccessReviewHandler(authorizer: Authorizer): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "SelfSubjectAccessReview" },
    async handle({ context, body }) {
      const review = withSpec(body as SelfSubjectAccessReview);
      checkSpec("SelfSubjectAccessReview", review.spec, false);
      const status = await statusOf(authorizer, attributesFrom(context.user, review.spec));
      return { code: 201, object: { ...review, status } };
    },
  };
}

/** POST selfsubjectrulesreviews: `kubectl auth can-i --list`. */
export function selfSubjectRulesReviewHandler(authorizer: Authorizer): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "SelfSubjectRulesReview" },
    async handle({ context, body }) {
      const review = withSpec(body as SelfSubjectRulesReview);
      const namespace = review.spec?.namespace ?? "";
      if (namespace === "") throw badRequest("no namespace on request");
      const { resourceRules, nonResourceRules, incomplete } = authorizer.rulesFor(context.user, namespace);
      const status = {
        resourceRules,
        nonResourceRules,
        incomplete: incomplete !== undefined,
        ...(incomplete ? { evaluationError: incomplete } : {}),
      };
      return { code: 201, object: { ...review, status } };
    },
  };
}
