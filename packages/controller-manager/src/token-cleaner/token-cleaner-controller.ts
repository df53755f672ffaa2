// Deletes bootstrap tokens when they expire.
// Watches: Secrets of kube-system. Writes: deletes them.

import { secrets } from "@picokube/api/core/v1";
import { isConflict, isNotFound } from "@picokube/api/errors";
import type { Controller, Result } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import { BOOTSTRAP_TOKEN_TYPE, tokenExpiryMs } from "../bootstrap-tokens.js";
import type { Dependencies } from "../dependencies.js";

/** Upstream's token-cleaner-controller. */
export function tokenCleanerController({ client, informers, clock, logger }: Dependencies): Controller {
  const informer = informers.for(secrets, { namespace: "kube-system", fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}` });

  async function reconcile(key: ObjectKey): Promise<Result> {
    const secret = informer.get(key);
    const expiresMs = secret && tokenExpiryMs(secret);
    if (!secret || expiresMs === undefined) return;
    const leftMs = expiresMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { name, namespace, uid, resourceVersion } = secret.metadata;
    logger.info("Deleting expired secret", { secret: key });
    try {
      const preconditions = { uid: uid!, resourceVersion: resourceVersion! };
      await client.delete(secrets, { name, namespace: namespace! }, { preconditions });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  return { name: "token-cleaner-controller", watches: [self(informer)], reconcile };
}
