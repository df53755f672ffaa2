// Bootstrap tokens as text: "id.secret" (cluster-bootstrap/token/util). Pure but for the dice.

import { randomInt } from "node:crypto";
import { ConfigError } from "@picokube/component-base/config-error";

export interface BootstrapToken {
  /** Public: it names the Secret and the signature. */
  readonly id: string;
  readonly secret: string;
}

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const ID = /^[a-z0-9]{6}$/;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

export const isBootstrapTokenId = (text: string): boolean => ID.test(text);

/** Throws ConfigError in kubeadm's words (NewBootstrapTokenString). */
export function parseBootstrapToken(text: string): BootstrapToken {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  if (id === undefined || secret === undefined)
    throw new ConfigError(
      `the bootstrap token ${JSON.stringify(text)} was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`,
    );
  return { id, secret };
}

export function formatBootstrapToken({ id, secret }: BootstrapToken): string {
  return `${id}.${secret}`;
}

/** A new one: 31 and 82 bits of chance. */
export function generateBootstrapToken(): BootstrapToken {
  const letters = (count: number) => Array.from({ length: count }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return { id: letters(6), secret: letters(16) };
}
