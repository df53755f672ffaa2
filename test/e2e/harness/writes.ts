// Writes that go on while something is broken, and whether those that were acknowledged are there afterwards.

import type { Kubectl } from "./kubectl.js";

export interface Writes {
  acknowledged(): number;
  refused(): number;
  /** Resolves with the names of acknowledged writes that are not to be found, or hold something else. */
  stop(): Promise<string[]>;
}

const pauseMs = 100;
const label = "writer=load";

/** Creates ConfigMaps, one after the other, until it is stopped; they stay. */
export function startWrites(kubectl: Kubectl): Writes {
  let isOver = false;
  let refused = 0;
  const acknowledged: string[] = [];

  const manifest = (name: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, labels: { writer: load } }
data: { name: ${name} }
`;

  async function write(): Promise<void> {
    for (let number = 1; !isOver; number++) {
      const name = `written-${number}`;
      const { code } = await kubectl.attempt(["create", "-f", "-"], { input: manifest(name) });
      if (code === 0) acknowledged.push(name);
      else refused += 1;
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  }

  const ended = write();
  return {
    acknowledged: () => acknowledged.length,
    refused: () => refused,
    async stop() {
      isOver = true;
      await ended;
      const { items } = await kubectl.json(["get", "configmaps", "-l", label]);
      const found = new Set(
        items.flatMap(({ metadata, data }: { metadata: { name: string }; data?: { name?: string } }) =>
          data?.name === metadata.name ? [metadata.name] : [],
        ),
      );
      return acknowledged.filter((name) => !found.has(name));
    },
  };
}
