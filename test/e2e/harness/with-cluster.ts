// node with-cluster.js COMMAND ARGS...: runs the command against one cluster that all its tests share.

import { withSharedCluster } from "./cluster.js";

const [command, ...args] = process.argv.slice(2);
if (!command) throw new Error("usage: with-cluster COMMAND [ARGS...]");
process.exit(await withSharedCluster(command, args));
