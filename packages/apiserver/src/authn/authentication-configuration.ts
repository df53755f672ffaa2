// The AuthenticationConfiguration file (apiserver.config.k8s.io/v1beta1): other issuers, and where anonymous requests may
// go. Reads and checks it; what only CEL expressions can say is refused in words.

import type { FieldError } from "@picokube/api/errors";
import { forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { GoValue } from "@picokube/api/validation/go-syntax";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { type JwtConfiguration, jwtFaults } from "./jwt-configuration.js";

export interface AnonymousConfiguration {
  readonly enabled: boolean;
  /** Paths that anonymous requests may go to; undefined for any. */
  readonly paths: readonly string[] | undefined;
}

export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtConfiguration[];
  /** undefined leaves it to --anonymous-auth. */
  readonly anonymous: AnonymousConfiguration | undefined;
}

interface Mapping {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

/** As it stands in the file: anything may be missing. */
interface Document {
  readonly jwt?: readonly {
    readonly issuer?: Partial<JwtConfiguration["issuer"]> & { readonly audienceMatchPolicy?: string };
    readonly claimValidationRules?: readonly (Mapping & { readonly requiredValue?: string })[];
    readonly claimMappings?: {
      readonly username?: Mapping;
      readonly groups?: Mapping;
      readonly uid?: Mapping;
      readonly extra?: readonly object[];
    };
    readonly userValidationRules?: readonly object[];
  }[];
  readonly anonymous?: { readonly enabled?: boolean; readonly conditions?: readonly { readonly path?: string }[] };
}

const MAX_ISSUERS = 64;

/** Reads and validates the file. Throws ConfigError with every fault. */
export async function readAuthenticationConfiguration(
  path: string,
  serviceAccountIssuers: readonly string[],
): Promise<AuthenticationConfiguration> {
  const expected = { apiVersion: "apiserver.config.k8s.io/v1beta1", kind: "AuthenticationConfiguration" };
  const document = (await readConfigFile(path, expected)) as Document;
  const { configuration, faults } = parseAuthenticationConfiguration(document, serviceAccountIssuers);
  if (faults.length === 0) return configuration;
  const words = faults.map(({ field, message }) => `${field}: ${message}`);
  throw new ConfigError(`${path}: ${words.length === 1 ? words[0] : `[${words.join(", ")}]`}`);
}

/** The configuration and what is wrong with it (upstream: ValidateAuthenticationConfiguration). */
export function parseAuthenticationConfiguration(
  { jwt = [], anonymous }: Document,
  serviceAccountIssuers: readonly string[],
): { configuration: AuthenticationConfiguration; faults: FieldError[] } {
  const faults: FieldError[] = [];
  if (jwt.length > MAX_ISSUERS) {
    const message = `Too many: ${jwt.length}: must have at most ${MAX_ISSUERS} items`;
    faults.push({ reason: "FieldValueTooMany", field: "jwt", message });
  }
  const issuers = jwt.map((each): JwtConfiguration => {
    const { issuer = {}, claimValidationRules = [], claimMappings = {} } = each;
    const { username, groups, uid } = claimMappings;
    return {
      issuer: {
        url: issuer.url ?? "",
        audiences: issuer.audiences ?? [],
        ...(issuer.discoveryURL ? { discoveryURL: issuer.discoveryURL } : {}),
        ...(issuer.certificateAuthority ? { certificateAuthority: issuer.certificateAuthority } : {}),
      },
      claimValidationRules: claimValidationRules.map(({ claim = "", requiredValue = "" }) => ({
        claim,
        requiredValue,
      })),
      claimMappings: {
        username: { claim: username?.claim ?? "", prefix: username?.prefix ?? "" },
        ...(groups?.claim ? { groups: { claim: groups.claim, prefix: groups.prefix ?? "" } } : {}),
        ...(uid?.claim ? { uid: { claim: uid.claim } } : {}),
      },
    };
  });
  for (const [index, each] of jwt.entries()) faults.push(...documentFaults(each, `jwt[${index}]`));
  // An expression is told of once, not as a claim that is missing as well.
  if (faults.length === 0) faults.push(...jwtFaults(issuers, serviceAccountIssuers));
  const paths = anonymous?.conditions?.map(({ path = "" }) => path);
  if (paths && anonymous?.enabled !== true) {
    const why = "enabled should be set to true when conditions are defined";
    faults.push(invalidValue("anonymous.conditions", shownConditions(paths), why));
  }
  return {
    configuration: { jwt: issuers, anonymous: anonymous && { enabled: anonymous.enabled === true, paths } },
    faults,
  };
}

function shownConditions(paths: readonly string[]): GoValue {
  const name = "apiserver.AnonymousAuthCondition";
  return new GoValue(`[]${name}{${paths.map((path) => `${name}{Path:${JSON.stringify(path)}}`).join(", ")}}`);
}

function documentFaults(document: NonNullable<Document["jwt"]>[number], path: string): FieldError[] {
  const { issuer = {}, claimValidationRules = [], claimMappings = {}, userValidationRules = [] } = document;
  const faults: FieldError[] = [];
  const { username, groups, uid, extra = [] } = claimMappings;
  const mappings = { username, groups, uid };
  for (const [name, mapping] of Object.entries(mappings)) {
    const at = `${path}.claimMappings.${name}`;
    if (mapping?.expression) faults.push(expressionFault(`${at}.expression`));
    if (name !== "uid" && mapping?.claim && mapping.prefix === undefined) {
      const why = "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
      faults.push(required(`${at}.prefix`, why));
    }
  }
  if (extra.length > 0) faults.push(expressionFault(`${path}.claimMappings.extra`));
  if (userValidationRules.length > 0) faults.push(expressionFault(`${path}.userValidationRules`));
  for (const [index, { expression }] of claimValidationRules.entries()) {
    if (expression) faults.push(expressionFault(`${path}.claimValidationRules[${index}].expression`));
  }
  const policy = issuer.audienceMatchPolicy ?? "";
  const at = `${path}.issuer.audienceMatchPolicy`;
  if ((issuer.audiences?.length ?? 0) > 1 && policy !== "MatchAny") {
    faults.push(invalidValue(at, policy, "audienceMatchPolicy must be MatchAny for multiple audiences"));
  } else if (policy !== "" && policy !== "MatchAny") {
    faults.push(invalidValue(at, policy, "audienceMatchPolicy must be empty or MatchAny for single audience"));
  }
  return faults;
}

function expressionFault(path: string): FieldError {
  return forbiddenField(path, "CEL expressions are not part of this build: name a claim instead");
}
