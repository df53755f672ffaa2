// What a Secret of a ServiceAccount's token must hold. Pure.

import type { Secret, ServiceAccount } from "@picokube/api/core/v1";

export const SERVICE_ACCOUNT_TOKEN_TYPE = "kubernetes.io/service-account-token";
export const ACCOUNT_NAME = "kubernetes.io/service-account.name";
export const ACCOUNT_UID = "kubernetes.io/service-account.uid";

const CLAIMS = "kubernetes.io/serviceaccount";
const encode = (text: string) => Buffer.from(text).toString("base64");

/** Whether the Secret names this very account: its uid counts where it is written down. */
export function isTokenOf({ metadata }: Secret, account: ServiceAccount): boolean {
  const { [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid } = metadata.annotations ?? {};
  return name === account.metadata.name && (!uid || uid === account.metadata.uid);
}

/** Upstream's serviceaccount.LegacyClaims and their issuer: a token without an end, which lives as long as its Secret. */
export function legacyClaims({ metadata: account }: ServiceAccount, { metadata: secret }: Secret): object {
  return {
    iss: "kubernetes/serviceaccount",
    [`${CLAIMS}/namespace`]: account.namespace,
    [`${CLAIMS}/secret.name`]: secret.name,
    [`${CLAIMS}/service-account.name`]: account.name,
    [`${CLAIMS}/service-account.uid`]: account.uid,
    sub: `system:serviceaccount:${account.namespace}:${account.name}`,
  };
}

/** The Secret as it should be; undefined when it is (upstream: generateTokenIfNeeded). rootCa is "" without --root-ca-file. */
export function filledSecret(
  secret: Secret,
  { account, rootCa, sign }: { account: ServiceAccount; rootCa: string; sign: (claims: object) => string },
): Secret | undefined {
  const data = { ...(secret.data as { [key: string]: string } | undefined) };
  const needsCa = rootCa !== "" && data["ca.crt"] !== encode(rootCa);
  if (!needsCa && data.namespace && data.token) return undefined;
  if (needsCa) data["ca.crt"] = encode(rootCa);
  data.namespace ||= encode(secret.metadata.namespace ?? "");
  data.token ||= encode(sign(legacyClaims(account, secret)));
  const annotations = {
    ...secret.metadata.annotations,
    [ACCOUNT_NAME]: account.metadata.name,
    [ACCOUNT_UID]: account.metadata.uid!,
  };
  return { ...secret, metadata: { ...secret.metadata, annotations }, data } as Secret;
}
