// Signs the cluster-info ConfigMap with every bootstrap token that may sign, so that whoever holds a token can tell the
// true one.
// Watches: Secrets of kube-system, that ConfigMap. Writes: it.

import { type ConfigMap, configmaps, secrets } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isConflict, isNotFound } from "@picokube/api/errors";
import type { Controller } from "@picokube/client/controller";
import { mapped } from "@picokube/client/watch-sources";
import { detachedSignature } from "@picokube/pki/detached-signature";
import { BOOTSTRAP_TOKEN_TYPE, signingToken } from "../bootstrap-tokens.js";
import type { Dependencies } from "../dependencies.js";

const NAMESPACE = "kube-public";
const NAME = "cluster-info";
const KEY = `${NAMESPACE}/${NAME}`;
const SIGNATURE = "jws-kubeconfig-";

/** Upstream's bootstrap-signer-controller: its one key is the ConfigMap's. */
export function bootstrapSignerController({ client, informers, clock }: Dependencies): Controller {
  const configMapInformer = informers.for(configmaps, { namespace: NAMESPACE, fieldSelector: `metadata.name=${NAME}` });
  const secretInformer = informers.for(secrets, {
    namespace: "kube-system",
    fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}`,
  });

  async function reconcile(): Promise<void> {
    const current = configMapInformer.get(KEY);
    const kubeconfig = current?.data?.kubeconfig;
    if (!current || kubeconfig === undefined) return;
    const tokens = secretInformer.list().flatMap((secret) => signingToken(secret, clock.now()) ?? []);
    const data = signedData(current, tokens, kubeconfig);
    if (semanticDeepEqual(data, current.data)) return;
    try {
      await client.update(configmaps, { ...current, data });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  const always = () => [KEY];
  return {
    name: "bootstrap-signer-controller",
    watches: [mapped(configMapInformer, always), mapped(secretInformer, always)],
    reconcile,
  };
}

/** The data with one signature for each token, and none of tokens that are gone. */
function signedData(
  { data }: ConfigMap,
  tokens: readonly { id: string; secret: string }[],
  kubeconfig: string,
): { [key: string]: string } {
  const others = Object.entries(data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE));
  const signatures = tokens.map((token) => [`${SIGNATURE}${token.id}`, detachedSignature(kubeconfig, token)]);
  return Object.fromEntries([...others, ...signatures]);
}
