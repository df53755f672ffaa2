// What lets others verify our ServiceAccount tokens: the OpenID discovery document and the key set. Signs nothing.

import type { VerificationKey } from "./service-account-keys.js";

export interface OpenIdDocument {
  readonly contentType: string;
  readonly body: string;
}

/** The two documents by path; none when the issuer is no https URL, as upstream serves none then. */
export function openIdDocuments({
  issuer,
  jwksUri,
  keys,
}: {
  issuer: string;
  /** Where clients find the key set. */
  jwksUri: string;
  keys: readonly VerificationKey[];
}): { [path: string]: () => OpenIdDocument } {
  if (!issuer.startsWith("https://") || keys.length === 0) return {};
  const configuration = {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
  };
  const keySet = {
    keys: keys.map(({ id, key, algorithm }) => ({
      use: "sig",
      kid: id,
      alg: algorithm,
      ...key.export({ format: "jwk" }),
    })),
  };
  const documents = { configuration: JSON.stringify(configuration), keySet: JSON.stringify(keySet) };
  return {
    "/.well-known/openid-configuration": () => ({ contentType: "application/json", body: documents.configuration }),
    "/openid/v1/jwks": () => ({ contentType: "application/jwk-set+json", body: documents.keySet }),
  };
}
