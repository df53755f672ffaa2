// Names from generateName: the base cut to fit and five random letters (apiserver pkg/storage/names). Does not check
// whether the name is free.

import { randomInt } from "node:crypto";

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const MAX_NAME_LENGTH = 63;
const RANDOM_LENGTH = 5;

/** Upstream's rand.String: letters without vowels and look-alikes. */
export function randomSuffix(length: number = RANDOM_LENGTH): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** base, cut to 58 characters, and a random suffix. */
export function generateName(base: string): string {
  return `${base.slice(0, MAX_NAME_LENGTH - RANDOM_LENGTH)}${randomSuffix()}`;
}
