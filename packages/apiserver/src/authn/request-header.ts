// --requestheader-*: a front proxy with its own client CA says who the user is, in headers (upstream: headerrequest).

import type { TLSSocket } from "node:tls";
import type { Authenticator } from "./authenticator.js";
import { parseBundle, peerCertificates, userOf, verifyClientCertificate } from "./x509.js";

export interface RequestHeaderOptions {
  bundle(): string;
  /** Common names of proxies; empty allows every certificate of the CA. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  now(): number;
}

const all = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Keys that are not escaped as they should be stand as they are (upstream: unescapeExtraKey). */
function unescapedKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** Authenticates as the user that a trusted proxy names; the headers of anyone else are ignored. */
export function requestHeaderAuthenticator(options: RequestHeaderOptions): Authenticator {
  return {
    name: "requestheader",
    authenticate(request) {
      const { socket, headers } = request;
      // Nearly every request is of no proxy: no certificate needs to be judged for it.
      const name = options.usernameHeaders.flatMap((header) => all(headers[header.toLowerCase()]))[0];
      if (!name) return undefined;
      const presented = peerCertificates(socket as TLSSocket);
      if (!presented) return undefined;
      const { leaf, intermediates } = presented;
      const roots = parseBundle(options.bundle());
      if (verifyClientCertificate(leaf, { roots, intermediates, now: options.now() })) return undefined;
      const proxy = userOf(leaf)?.name ?? "";
      if (options.allowedNames.length > 0 && !options.allowedNames.includes(proxy)) return undefined;
      const { headersDistinct } = request;
      const groups = options.groupHeaders.flatMap((header) => headersDistinct[header.toLowerCase()] ?? []);
      const extra: { [key: string]: string[] } = {};
      for (const prefix of options.extraHeaderPrefixes) {
        for (const [header, values] of Object.entries(headersDistinct)) {
          if (!header.startsWith(prefix.toLowerCase()) || !values) continue;
          extra[unescapedKey(header.slice(prefix.length))] = values;
        }
      }
      return { name, groups, ...(Object.keys(extra).length > 0 ? { extra } : {}) };
    },
  };
}
