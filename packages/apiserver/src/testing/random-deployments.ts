// Deployments by chance, of few names and values, so that any two of them have much in common and much that differs.

import { randomFrom } from "./fuzz-requests.js";

export type Json = { [field: string]: unknown };

export interface Dice {
  /** True with that likelihood. */
  chance(share: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** Some of the choices, in an order by chance. */
  some<T>(choices: readonly T[]): T[];
}

/** Dice that fall the same for the same seed. */
export function diceFrom(seed: number): Dice {
  const random = randomFrom(seed);
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!;
  return {
    chance: (share) => random() < share,
    pick,
    some(choices) {
      const left = choices.filter(() => random() < 0.5).map((choice) => ({ choice, at: random() }));
      return left.sort((a, b) => a.at - b.at).map(({ choice }) => choice);
    },
  };
}

/** The names that a Deployment may use. Deployments of names that are apart have no field in common. */
export interface Names {
  readonly keys: readonly string[];
  readonly containers: readonly string[];
  /** May it set what is one value for all: replicas, the node selector, tolerations? */
  readonly isWhole: boolean;
}

const map = (keys: readonly string[], { some, pick }: Dice) =>
  Object.fromEntries(some(keys).map((key) => [key, pick(["1", "2"])]));

/** A Deployment named web; fields that it does not speak of are left out. */
export function randomDeployment({ keys, containers, isWhole }: Names, dice: Dice): Json {
  const { chance, pick, some } = dice;
  const podSpec: Json = {
    ...(chance(0.9) ? { containers: some(containers).map((name) => randomContainer(name, keys, dice)) } : {}),
    ...(chance(0.5)
      ? { volumes: some(keys).map((name) => ({ name, ...pick([{ emptyDir: {} }, { hostPath: { path: "/" } }]) })) }
      : {}),
  };
  if (isWhole && chance(0.5)) podSpec.nodeSelector = map(keys, dice);
  if (isWhole && chance(0.5)) podSpec.tolerations = some(keys).map((key) => ({ key, operator: "Exists" }));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      ...(chance(0.6) ? { labels: map(keys, dice) } : {}),
      ...(chance(0.4) ? { annotations: map(keys, dice) } : {}),
      ...(chance(0.4) ? { finalizers: some(keys).map((key) => `example.com/${key}`) } : {}),
    },
    spec: {
      ...(isWhole && chance(0.5) ? { replicas: pick([1, 2, 3]) } : {}),
      template: { metadata: { labels: map(keys, dice) }, spec: podSpec },
    },
  };
}

function randomContainer(name: string, keys: readonly string[], dice: Dice): Json {
  const { chance, pick, some } = dice;
  return {
    name,
    ...(chance(0.7) ? { image: pick(["a", "b"]) } : {}),
    ...(chance(0.4) ? { args: some(["x", "y", "z"]) } : {}),
    ...(chance(0.6) ? { env: some(keys).map((key) => ({ name: key, value: pick(["1", "2"]) })) } : {}),
    ...(chance(0.4) ? { ports: some([80, 81]).map((containerPort) => ({ containerPort, protocol: "TCP" })) } : {}),
    ...(chance(0.3) ? { resources: { limits: map(["cpu", "memory"], dice) } } : {}),
  };
}
