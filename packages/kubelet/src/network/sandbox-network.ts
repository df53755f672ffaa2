// The network that a sandbox gets: by CNI plugins when their configuration directory has a configuration, by the built-in
// pod network otherwise. Each sandbox leaves by the way it came, whatever the directory has by then.

import type { SandboxNetwork } from "../pods/pod-context.js";
import type { CniNetwork } from "./cni/cni-network.js";
import type { NetworkList } from "./cni/network-list.js";
import type { PodNetwork } from "./pod-network.js";

export interface ChosenNetwork extends SandboxNetwork, Pick<PodNetwork, "configure" | "ready"> {
  /** Looks which it is now; done before anything is asked of it, and at each sandbox. */
  choose(): Promise<void>;
}

/** The built-in network changes nothing on the host while CNI plugins are configured. */
export function chooseSandboxNetwork({ builtIn, cni }: { builtIn: PodNetwork; cni: CniNetwork }): ChosenNetwork {
  let list: NetworkList | undefined;
  let cidr: string | undefined;
  const choose = async () => {
    list = await cni.configured();
  };
  return {
    choose,
    async configure(podCidr) {
      cidr = podCidr;
      await choose();
      if (!list) await builtIn.configure(podCidr);
    },
    ready: (signal) => (list ? Promise.resolve() : builtIn.ready(signal)),
    async reserve(owner) {
      await choose();
      if (list) return undefined;
      // The plugins' configuration has gone since: what stood aside for it is set up now.
      if (cidr !== undefined && builtIn.problems().length > 0) await builtIn.configure(cidr);
      return builtIn.reserve(owner);
    },
    addressOf: (owner) => cni.addressOf(owner) ?? builtIn.addressOf(owner),
    async attach(owner, sandbox) {
      if (list && !builtIn.owners().includes(owner)) return cni.attach(owner, sandbox, list);
      // The wire last: where it is in place, a kubelet that starts anew takes the pod's network for complete.
      if (sandbox.ports.length > 0) await builtIn.publish(owner, sandbox.ports);
      await builtIn.attach(owner, sandbox.pid);
      return [builtIn.reserve(owner)];
    },
    detach: (owner) => (cni.has(owner) ? cni.detach(owner) : builtIn.detach(owner)),
    owners: () => [...cni.owners(), ...builtIn.owners()],
    problems: () => (list ? [] : builtIn.problems()),
  };
}
