// serviceaccounts/token: hands out a token for an account, bound to the object that the request names (upstream:
// registry/core/serviceaccount/storage/token.go). Signing is authn's.

import type { TokenRequest } from "@picokube/api/authentication/v1";
import { nodes, type Pod, pods, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { badRequest, conflict, invalid, notFound } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { GroupResource, Resource } from "@picokube/api/resource";
import { formatTime } from "@picokube/api/time";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import type { KubernetesClaims, ObjectClaim } from "../authn/service-account-claims.js";
import type { TokenSigner } from "../authn/token-signer.js";
import type { ConnectHandler, RequestContext } from "../registry/resource-definition.js";

const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** What the volume plugin asks for; such tokens live longer and warn before they end. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;
/** Kinds that a token may be bound to. */
const BINDABLE: { readonly [kind: string]: Resource } = {
  Pod: pods as Resource,
  Secret: secrets as Resource,
  Node: nodes as Resource,
};

export interface TokenRequestOptions {
  readonly signer: TokenSigner;
  readonly apiAudiences: readonly string[];
  /** 0: no bound. */
  readonly maxExpirationSeconds: number;
  readonly extendExpiration: boolean;
}

/** Throws invalid() for a lifetime out of bounds. */
export function validateTokenRequest(expirationSeconds: number): void {
  const faults: FieldError[] = [];
  const field = "spec.expirationSeconds";
  if (expirationSeconds < MIN_SECONDS) {
    faults.push(invalidValue(field, expirationSeconds, "may not specify a duration less than 10 minutes"));
  }
  if (expirationSeconds > MAX_SECONDS) {
    faults.push(invalidValue(field, expirationSeconds, "may not specify a duration larger than 2^32 seconds"));
  }
  if (faults.length > 0) throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", faults);
}

const claimOf = ({ metadata }: KubernetesObject): ObjectClaim => ({ name: metadata.name, uid: metadata.uid });

type Bound = Pick<KubernetesClaims, "pod" | "secret" | "node">;

function boundClaims(
  context: RequestContext,
  { namespace, account, request }: { namespace: string; account: string; request: TokenRequest },
): Bound {
  const reference = request.spec?.boundObjectRef;
  if (!reference) return {};
  const resource = reference.apiVersion === "v1" ? BINDABLE[reference.kind ?? ""] : undefined;
  if (!resource) {
    throw badRequest(
      `cannot bind token for serviceaccount "${account}" to object of type ${reference.apiVersion}, Kind=${reference.kind}`,
    );
  }
  const name = reference.name ?? "";
  const object = context.storage.for(resource).get(resource.namespaced ? namespace : "", name);
  if (!object) throw notFound(resource as GroupResource, name);
  if (reference.uid && reference.uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(resource, name, why);
  }
  if (reference.kind === "Secret") return { secret: claimOf(object) };
  if (reference.kind === "Node") return { node: claimOf(object) };
  const { spec } = object as Pod;
  if (spec?.serviceAccountName !== account) {
    throw badRequest(`cannot bind token to a Pod running with different service account name.`);
  }
  const node = spec.nodeName ? context.storage.for(nodes).get("", spec.nodeName) : undefined;
  return {
    pod: claimOf(object),
    ...(spec.nodeName ? { node: { name: spec.nodeName, uid: node?.metadata.uid ?? "" } } : {}),
  };
}

/** POST serviceaccounts/token. */
export function tokenRequestHandler(options: TokenRequestOptions): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    async handle({ context, namespace, name, body }) {
      const request = body as TokenRequest;
      const account = context.storage.for(serviceaccounts).get(namespace, name);
      if (!account) throw notFound(serviceaccounts, name);
      const wanted = Number(request.spec?.expirationSeconds ?? DEFAULT_SECONDS);
      validateTokenRequest(wanted);
      request.spec = { ...request.spec, expirationSeconds: wanted };
      if (!request.spec.audiences?.length) request.spec.audiences = [...options.apiAudiences];
      if (options.maxExpirationSeconds > 0 && wanted > options.maxExpirationSeconds) {
        context.warn(`requested expiration of ${wanted} seconds shortened to ${options.maxExpirationSeconds} seconds`);
        request.spec.expirationSeconds = options.maxExpirationSeconds;
      }
      const seconds = Number(request.spec.expirationSeconds);
      const bound = boundClaims(context, { namespace, account: name, request });
      const issuedAt = Math.floor(context.now() / 1000);
      // A mounted token outlives what was asked for, so that programs which never read the file again keep working; the
      // kubelet is told the short time and renews by it.
      const onlyApi = request.spec.audiences.every((audience) => options.apiAudiences.includes(audience));
      const extended = options.extendExpiration && wanted === WARN_ONLY_SECONDS && bound.pod !== undefined && onlyApi;
      const token = await options.signer.sign({
        claims: {
          namespace,
          ...bound,
          serviceaccount: claimOf(account),
          ...(extended ? { warnafter: issuedAt + seconds } : {}),
        },
        audiences: request.spec.audiences,
        issuedAt,
        expiresAt: issuedAt + (extended ? EXTENDED_SECONDS : seconds),
      });
      const status = {
        token: context.dryRun ? "" : token,
        expirationTimestamp: formatTime((issuedAt + seconds) * 1000),
      };
      const metadata = {
        ...request.metadata,
        name,
        namespace,
        creationTimestamp: formatTime(context.now()),
      };
      return { code: 201, object: { ...request, metadata, status } };
    },
  };
}
