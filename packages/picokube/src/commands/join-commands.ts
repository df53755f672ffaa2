// The words of `picokube join` and `picokube leave`: parses them and calls one command each.

import { ConfigError } from "@picokube/component-base/config-error";
import { parseDuration } from "@picokube/component-base/duration";
import { type Command, Option } from "commander";
import { type JoinFlags, join } from "./join.js";
import { type LeaveFlags, leave } from "./leave.js";
import { dataDir } from "./shared-options.js";

const repeated = (word: string, before: string[] = []) => [...before, word];

type Words = Omit<JoinFlags, "componentArgs" | "skipCaVerification" | "discoveryTokenCaCertHash"> & {
  readonly discoveryTokenCaCertHash?: string[];
  readonly discoveryTokenUnsafeSkipCaVerification?: boolean;
  readonly unsafeSkipCaVerification?: boolean;
  readonly kubeletArg?: string[];
  readonly kubeProxyArg?: string[];
};

/** Adds `join` and `leave`. */
export function addJoinCommands(program: Command): void {
  program
    .command("join <address>")
    .description("make this machine a worker of the cluster whose API server is there: https://IP:6443")
    .option("--token <token>", "a token of the cluster: picokube token create makes one there")
    .option("--discovery-token-ca-cert-hash <hash>", "sha256:... of the cluster's CA; may be repeated", repeated)
    .option("--discovery-token-unsafe-skip-ca-verification", "believe the token's signature alone", false)
    .addOption(new Option("--unsafe-skip-ca-verification").hideHelp())
    .option("--node-name <name>", "name of this machine's Node (default: the host name)")
    .option("--node-ip <address>", "address of this machine (default: the one that it reaches the cluster from)")
    .option("--kubelet-arg <flag=value>", "an extra flag for kubelet; may be repeated", repeated)
    .option("--kube-proxy-arg <flag=value>", "an extra flag for kube-proxy; may be repeated", repeated)
    .addOption(dataDir())
    .action((address: string, words: Words) => {
      const { kubeletArg, kubeProxyArg, unsafeSkipCaVerification, discoveryTokenUnsafeSkipCaVerification } = words;
      return join(address, {
        ...words,
        discoveryTokenCaCertHash: words.discoveryTokenCaCertHash ?? [],
        skipCaVerification: unsafeSkipCaVerification === true || discoveryTokenUnsafeSkipCaVerification === true,
        componentArgs: {
          ...(kubeletArg ? { kubelet: kubeletArg } : {}),
          ...(kubeProxyArg ? { "kube-proxy": kubeProxyArg } : {}),
        },
      });
    });
  program
    .command("leave")
    .description("drain this machine, delete its Node and remove every trace of the cluster that it joined")
    .option("--timeout <duration>", "how long pods may take to go", duration, 120_000)
    .option("--force", "delete pods that hold it up, and go even when the cluster does not answer", false)
    .addOption(dataDir())
    .action((flags: LeaveFlags) => leave(flags));
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new ConfigError(`invalid argument "${text}" for "--timeout": ${(error as Error).message}`, { cause: error });
  }
}
