// The words of `picokube token`: parses them and calls one command each. Flags and defaults are kubeadm's.

import { formatBootstrapToken, generateBootstrapToken } from "@picokube/pki/bootstrap-token";
import type { Command } from "commander";
import { tokenDefaults } from "../join/token-secret.js";
import { dataDir } from "./shared-options.js";
import { createToken, deleteTokens, listTokens, type TokenFlags } from "./token.js";

const list = (word: string) => word.split(",").filter((part) => part !== "");

/** Adds `token create|list|delete|generate`. */
export function addTokenCommands(program: Command): void {
  const token = program.command("token").description("tokens by which machines join the cluster");
  token
    .command("create [token]")
    .description("make a token, one of your own or a random one, and print it")
    .option("--description <text>", "what the token is for", "")
    .option("--groups <groups>", "groups of who comes with it", list, [...tokenDefaults.groups])
    .option("--usages <usages>", "what it is good for: signing, authentication", list, [...tokenDefaults.usages])
    .option("--ttl <duration>", "how long it holds (1s, 2m, 3h); 0 is for ever", tokenDefaults.ttl)
    .option("--print-join-command", "print the whole line by which a machine joins", false)
    .addOption(dataDir())
    .action((word: string | undefined, flags: TokenFlags) => createToken(word, flags));
  token
    .command("list")
    .description("a row a token: until when it holds, what for")
    .addOption(dataDir())
    .action(({ dataDir }: { dataDir: string }) => listTokens(dataDir));
  token
    .command("delete <tokens...>")
    .description("remove tokens, named whole or by the six letters before the dot")
    .addOption(dataDir())
    .action((words: string[], { dataDir }: { dataDir: string }) => deleteTokens(words, dataDir));
  token
    .command("generate")
    .description("print a random token, made known to nobody: for `token create`")
    .action(() => console.log(formatBootstrapToken(generateBootstrapToken())));
}
