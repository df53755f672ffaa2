// Fills Secrets of type kubernetes.io/service-account-token with a token of their ServiceAccount, and deletes those whose
// account is gone.
// Watches: Secrets of that type, ServiceAccounts. Writes: the Secrets.

import { readFileSync } from "node:fs";
import { type Secret, type ServiceAccount, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { isConflict, isNotFound } from "@picokube/api/errors";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import { serviceAccountJwtSigner } from "@picokube/pki/service-account-jwt";
import type { Dependencies } from "../dependencies.js";
import { ACCOUNT_NAME, filledSecret, isTokenOf, SERVICE_ACCOUNT_TOKEN_TYPE } from "./serviceaccount-token-plan.js";

/** Upstream's serviceaccount-token-controller; undefined without --service-account-private-key-file. */
export function serviceAccountTokenController({
  client,
  informers,
  logger,
  options,
}: Dependencies): Controller | undefined {
  if (!options.serviceAccountPrivateKeyFile) return undefined;
  const sign = serviceAccountJwtSigner(readFileSync(options.serviceAccountPrivateKeyFile, "utf8"));
  const rootCa = options.rootCaFile ? readFileSync(options.rootCaFile, "utf8") : "";
  const secretInformer = informers.for(secrets, { fieldSelector: `type=${SERVICE_ACCOUNT_TOKEN_TYPE}` });
  const accountInformer = informers.for(serviceaccounts);

  /** The account that the Secret names. The cache may be behind: before a Secret is deleted the apiserver is asked. */
  async function accountOf(secret: Secret): Promise<ServiceAccount | undefined> {
    const name = secret.metadata.annotations?.[ACCOUNT_NAME];
    const namespace = secret.metadata.namespace!;
    if (!name) return undefined;
    const cached = accountInformer.get(`${namespace}/${name}`);
    if (cached && isTokenOf(secret, cached)) return cached;
    try {
      const live = await client.get(serviceaccounts, { namespace, name });
      return isTokenOf(secret, live) ? live : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async function reconcile(key: ObjectKey): Promise<void> {
    const secret = secretInformer.get(key);
    if (!secret || secret.metadata.deletionTimestamp !== undefined) return;
    const account = await accountOf(secret);
    try {
      if (account) {
        const filled = filledSecret(secret, { account, rootCa, sign });
        if (filled) await client.update(secrets, filled);
        return;
      }
      logger.info("Deleting token of a service account that is gone", { secret: key });
      const { name, namespace, uid, resourceVersion } = secret.metadata;
      const preconditions = { uid: uid!, resourceVersion: resourceVersion! };
      await client.delete(secrets, { name, namespace: namespace! }, { preconditions });
    } catch (error) {
      // What it has become, or that it is gone, comes through the watch.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  const secretsNaming = ({ metadata }: ServiceAccount): ObjectKey[] =>
    secretInformer
      .list(metadata.namespace)
      .filter((secret) => secret.metadata.annotations?.[ACCOUNT_NAME] === metadata.name)
      .map(keyOf);

  return {
    name: "serviceaccount-token-controller",
    watches: [self(secretInformer), mapped(accountInformer, secretsNaming)],
    reconcile,
  };
}
