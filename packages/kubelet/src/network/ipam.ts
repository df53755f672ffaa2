// Addresses for pods from the node's CIDR, in the manner of CNI's host-local: one file an address, its content the
// owner, so that a restarted kubelet gives nobody's address away. Never touches a network interface.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isIPv4 as isIpv4 } from "node:net";
import { join } from "node:path";
import { cidrSize, formatIpv4, parseCidr, parseIpv4 } from "./ipv4.js";

export interface Ipam {
  /** The owner's address: the one it has, or a new one. Throws when none is left. */
  allocate(owner: string): string;
  addressOf(owner: string): string | undefined;
  release(owner: string): void;
  owners(): string[];
}

const lastFile = "last_reserved_ip";

/** Opens the leases in a directory; leases outside the CIDR stay their owner's until released. */
export function createIpam({ cidr, directory }: { cidr: string; directory: string }): Ipam {
  const range = parseCidr(cidr);
  // Network, gateway and broadcast are nobody's.
  const first = range.base + 2;
  const last = range.base + cidrSize(range) - 2;
  const owners = new Map<string, string>();
  const addresses = new Map<string, string>();
  mkdirSync(directory, { recursive: true });
  let previous = first - 1;
  for (const file of readdirSync(directory)) {
    const content = readFileSync(join(directory, file), "utf8").trim();
    if (file === lastFile) {
      const address = isIpv4(content) ? parseIpv4(content) : 0;
      if (address >= first && address <= last) previous = address;
    } else if (isIpv4(file) && content !== "") {
      owners.set(file, content);
      addresses.set(content, file);
    } else {
      // A kubelet or a host that died in mid-write: nobody was told of that address.
      rmSync(join(directory, file), { force: true });
    }
  }

  /** Whole or not at all, for a kubelet may be killed at any moment. */
  function write(file: string, content: string): void {
    const path = join(directory, `${file}.new`);
    writeFileSync(path, `${content}\n`);
    renameSync(path, join(directory, file));
  }

  function nextFree(): string | undefined {
    const count = last - first + 1;
    for (let step = 1; step <= count; step++) {
      const address = formatIpv4(first + ((previous - first + step + count) % count));
      if (!owners.has(address)) return address;
    }
    return undefined;
  }

  return {
    allocate(owner) {
      const held = addresses.get(owner);
      if (held !== undefined) return held;
      const address = nextFree();
      if (address === undefined) throw new Error(`no IP addresses available in range set: ${cidr}`);
      write(address, owner);
      write(lastFile, address);
      previous = parseIpv4(address);
      owners.set(address, owner);
      addresses.set(owner, address);
      return address;
    },
    addressOf: (owner) => addresses.get(owner),
    release(owner) {
      const address = addresses.get(owner);
      if (address === undefined) return;
      rmSync(join(directory, address), { force: true });
      addresses.delete(owner);
      owners.delete(address);
    },
    owners: () => [...addresses.keys()],
  };
}
