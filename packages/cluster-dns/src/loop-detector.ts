// Finds resolvers that send our questions back to us (upstream: the loop plugin, which ends the process then). Each is asked
// for a name that nobody else can know; who sees it come in knows which one it was, and that one is left alone.

import { randomInt } from "node:crypto";
import type { Logger } from "@picokube/component-base/logger";
import { exchangeUdp, type Resolver, resolverName } from "./exchange.js";
import type { Query } from "./query.js";
import type { Upstreams } from "./upstreams.js";

export interface LoopDetector {
  /** Resolves when every resolver was asked and answered, or did not. */
  probe(): Promise<void>;
  /** Whether the query is one of ours; the resolver that sent it is not asked again. */
  isProbe(query: Query): boolean;
}

const typeHinfo = 13;
const largest = 2 ** 48 - 1;

export function createLoopDetector({
  upstreams,
  logger,
  timeoutMs,
}: {
  upstreams: readonly Upstreams[];
  logger: Logger;
  timeoutMs: number;
}): LoopDetector {
  const sent = new Map<string, { group: Upstreams; resolver: Resolver }>();

  return {
    async probe() {
      const all = upstreams.flatMap((group) => group.resolvers.map((resolver) => ({ group, resolver })));
      await Promise.allSettled(
        all.map(({ group, resolver }) => {
          const labels = [String(randomInt(largest)), String(randomInt(largest))];
          sent.set(labels.join("."), { group, resolver });
          return exchangeUdp(probeQuery(labels), { resolver, timeoutMs });
        }),
      );
    },

    isProbe({ type, name }) {
      const probe = type === typeHinfo ? sent.get(name) : undefined;
      if (!probe) return false;
      probe.group.drop(probe.resolver);
      logger.error("A resolver leads back to this server: it is not asked any more", {
        resolver: resolverName(probe.resolver),
      });
      return true;
    },
  };
}

function probeQuery(labels: readonly string[]): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(randomInt(65_536), 0);
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([header, ...parts, Buffer.from([0, 0, typeHinfo, 0, 1])]);
}
