// A client that acts as one controller's own ServiceAccount in kube-system, with tokens from TokenRequest.
// Upstream's DynamicControllerClientBuilder.

import { type TokenRequest, tokenrequests } from "@picokube/api/authentication/v1";
import { serviceaccounts } from "@picokube/api/core/v1";
import { isAlreadyExists, isNotFound } from "@picokube/api/errors";
import { apiVersionOf } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Kubeconfig } from "@picokube/client/kubeconfig";
import type { Clock } from "@picokube/component-base/clock";

const namespace = "kube-system";
const expirationSeconds = 3600;
const renewAtShare = 0.8;

/** The kubeconfig with the identity taken out and the ServiceAccount's put in. */
export function asServiceAccount({
  kubeconfig,
  client,
  name,
  clock,
}: {
  kubeconfig: Kubeconfig;
  client: Client;
  name: string;
  clock: Clock;
}): Kubeconfig {
  let token: string | undefined;
  let renewAtMs = 0;
  let asking: Promise<string> | undefined;
  async function ask(): Promise<string> {
    const body = { apiVersion: apiVersionOf(tokenrequests), kind: tokenrequests.kind, spec: { expirationSeconds } };
    const request = () =>
      client.createSubresource<object, TokenRequest>(serviceaccounts, { name, namespace }, "token", body);
    const answer = await request().catch(async (error: unknown) => {
      if (!isNotFound(error)) throw error;
      await client.create(serviceaccounts, { metadata: { name, namespace } }).catch((cause: unknown) => {
        if (!isAlreadyExists(cause)) throw cause;
      });
      return request();
    });
    token = answer.status?.token ?? "";
    renewAtMs = clock.now() + expirationSeconds * 1000 * renewAtShare;
    return token;
  }
  const { cert: _, key: __, token: ___, tokenFile: ____, username: _____, password: ______, ...server } = kubeconfig;
  return {
    ...server,
    tokenSource() {
      if (token !== undefined && clock.now() < renewAtMs) return Promise.resolve(token);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}
