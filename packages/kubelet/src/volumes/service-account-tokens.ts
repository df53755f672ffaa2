// Tokens bound to pods: asked for by TokenRequest, kept in memory, asked for anew at 80 % of their life.
// Upstream's kubelet/token manager.

import type { TokenRequest } from "@picokube/api/authentication/v1";
import { type Pod, serviceaccounts } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";

const maxAgeMs = 24 * 3600_000;
const maxJitterMs = 10_000;

interface Known {
  token: string;
  refreshAtMs: number;
  expiresAtMs: number;
}

export interface ServiceAccountTokens {
  get(pod: Pod, options: { audience: string | undefined; expirationSeconds: number }): Promise<string>;
  forget(podUid: string): void;
}

/** When a token given at issuedAtMs should be asked for anew. */
export function refreshTime({
  issuedAtMs,
  expiresAtMs,
  jitterMs,
}: {
  issuedAtMs: number;
  expiresAtMs: number;
  jitterMs: number;
}): number {
  const lifeMs = expiresAtMs - issuedAtMs;
  return Math.min(expiresAtMs - lifeMs * 0.2 - jitterMs, issuedAtMs + maxAgeMs - jitterMs);
}

/** Makes the one token cache of a kubelet. */
export function createServiceAccountTokens({ client, clock }: { client: Client; clock: Clock }): ServiceAccountTokens {
  const known = new Map<string, Map<string, Known>>();

  return {
    async get(pod, { audience, expirationSeconds }) {
      const uid = pod.metadata.uid;
      const name = pod.spec?.serviceAccountName ?? "default";
      const namespace = pod.metadata.namespace ?? "default";
      const key = JSON.stringify([name, audience, expirationSeconds]);
      const current = known.get(uid)?.get(key);
      if (current && clock.now() < current.refreshAtMs) return current.token;
      const issuedAtMs = clock.now();
      const spec = {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid },
      };
      try {
        const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
        const answer = await client.createSubresource<typeof body, Pick<TokenRequest, "status">>(
          serviceaccounts,
          { namespace, name },
          "token",
          body,
        );
        const { token = "", expirationTimestamp } = answer.status ?? {};
        const expiresAtMs = Date.parse(expirationTimestamp as string);
        const jitterMs = Math.random() * maxJitterMs;
        const ofPod = known.get(uid) ?? new Map<string, Known>();
        ofPod.set(key, { token, expiresAtMs, refreshAtMs: refreshTime({ issuedAtMs, expiresAtMs, jitterMs }) });
        known.set(uid, ofPod);
        return token;
      } catch (error) {
        // A token that still holds is better than none.
        if (current && clock.now() < current.expiresAtMs) return current.token;
        throw new Error(`failed to fetch token: ${(error as Error).message}`, { cause: error });
      }
    },
    forget: (podUid) => void known.delete(podUid),
  };
}
