// Who is asking: the interface that what a connection and its headers say implements; tokens have their own (token.ts).
// Order and union stand in create-authenticator.ts.

import type { IncomingMessage } from "node:http";

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

export interface Authenticator {
  readonly name: string;
  /** undefined: no such credential in the request, ask the next. Throws unauthorized() when there is one and it is bad. */
  authenticate(request: IncomingMessage): UserInfo | undefined;
}
