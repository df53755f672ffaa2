// Where names that are not the cluster's are asked: the node's resolv.conf and the stub domains of the command line. Pure.

import { ConfigError } from "@picokube/component-base/config-error";
import { parseResolver, type Resolver } from "./exchange.js";

/** The nameservers of a resolv.conf's text; what is no address is passed over, as resolvers do. */
export function resolversOf(resolvConf: string): Resolver[] {
  return [...resolvConf.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)]
    .map(([, address]) => parseResolver(address!.replace(/%.*$/, "")))
    .filter((resolver) => resolver !== undefined);
}

/** "corp.example=10.0.0.53", "corp.example=10.0.0.54:5353": the resolvers of each domain. */
export function parseStubDomains(words: readonly string[]): Record<string, Resolver[]> {
  const domains: Record<string, Resolver[]> = {};
  for (const word of words) {
    const [domain = "", address = ""] = word.split("=", 2);
    const resolver = parseResolver(address);
    const name = domain.toLowerCase().replace(/\.$/, "");
    if (name === "" || !resolver)
      throw new ConfigError(`--stub-domains: ${JSON.stringify(word)} is not <domain>=<address>[:<port>]`);
    domains[name] = [...(domains[name] ?? []), resolver];
  }
  return domains;
}
