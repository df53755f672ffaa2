// A set of resolvers that stand in for each other: which one is asked, and which are left out while they do not answer.
// Mirrors upstream's forward plugin: a random one first, an error leads to the next and to health checks until it answers.

import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { exchangeTcp, exchangeUdp, type Resolver, resolverName } from "./exchange.js";
import { rcodes } from "./query.js";

export interface Upstreams {
  readonly resolvers: readonly Resolver[];
  /** The first answer that came, whatever its rcode; rejects when there was none. The query carries an OPT record last. */
  ask(query: Buffer): Promise<Buffer>;
  /** Never asks this one again. */
  drop(resolver: Resolver): void;
  close(): void;
}

/** Whoever counts: what each resolver answered. */
export interface UpstreamEvents {
  onExchange?(facts: { to: string; rcode: number; durationMs: number }): void;
  onHealthCheckFailure?(to: string): void;
  /** All are unhealthy, one is asked all the same. */
  onBroken?(): void;
}

export interface UpstreamsOptions {
  readonly resolvers: readonly Resolver[];
  /** How long one resolver may take; and all of them together. */
  readonly timeoutMs: number;
  readonly totalMs: number;
  readonly healthCheckMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events?: UpstreamEvents;
}

const maxFails = 2;
/** ". IN NS", with recursion desired. */
const healthQuery = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);

export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { timeoutMs, totalMs, healthCheckMs, clock, logger, events } = options;
  const dropped = new Set<Resolver>();
  /** Health checks that failed in a row, and the check that is to come. */
  const failing = new Map<Resolver, { fails: number; timer: NodeJS.Timeout | undefined }>();
  let isClosed = false;

  function inOrder(): Resolver[] {
    const all = options.resolvers.filter((resolver) => !dropped.has(resolver));
    const random = all.map((resolver) => ({ resolver, order: Math.random() })).sort((a, b) => a.order - b.order);
    const healthy = random.filter(({ resolver }) => (failing.get(resolver)?.fails ?? 0) < maxFails);
    if (healthy.length === 0 && random.length > 0) events?.onBroken?.();
    return (healthy.length > 0 ? healthy : random.slice(0, 1)).map(({ resolver }) => resolver);
  }

  async function askOne(query: Buffer, resolver: Resolver): Promise<Buffer> {
    const started = clock.now();
    let answer = await exchangeUdp(query, { resolver, timeoutMs });
    // One that knows no EDNS says FORMERR to it.
    if ((answer[3]! & 15) === rcodes.formatError)
      answer = await exchangeUdp(withoutOpt(query), { resolver, timeoutMs });
    if ((answer[2]! & 0x02) !== 0) answer = await exchangeTcp(query, { resolver, timeoutMs });
    events?.onExchange?.({
      to: resolverName(resolver),
      rcode: answer[3]! & 15,
      durationMs: clock.now() - started,
    });
    return answer;
  }

  function checkLater(resolver: Resolver): void {
    if (isClosed) return;
    const state = failing.get(resolver) ?? { fails: 0, timer: undefined };
    failing.set(resolver, state);
    state.timer ??= setTimeout(() => {
      exchangeUdp(healthQuery, { resolver, timeoutMs }).then(
        () => {
          failing.delete(resolver);
          if (state.fails >= maxFails) logger.info("Resolver answers again", { resolver: resolverName(resolver) });
        },
        () => {
          state.timer = undefined;
          state.fails++;
          events?.onHealthCheckFailure?.(resolverName(resolver));
          if (state.fails === maxFails) logger.info("Resolver does not answer", { resolver: resolverName(resolver) });
          checkLater(resolver);
        },
      );
    }, healthCheckMs).unref();
  }

  return {
    resolvers: options.resolvers,
    async ask(query) {
      const deadline = clock.now() + totalMs;
      let last: unknown = new Error("there is no resolver to forward to");
      for (const resolver of inOrder()) {
        if (clock.now() >= deadline) break;
        try {
          return await askOne(query, resolver);
        } catch (error) {
          last = error;
          checkLater(resolver);
        }
      }
      throw last;
    },
    drop: (resolver) => void dropped.add(resolver),
    close() {
      isClosed = true;
      for (const { timer } of failing.values()) clearTimeout(timer);
    },
  };
}

function withoutOpt(query: Buffer): Buffer {
  const plain = Buffer.from(query.subarray(0, query.length - 11));
  plain.writeUInt16BE(0, 10);
  return plain;
}
