// Loads dockerode without what no kubelet uses: the SSH transport and the gRPC session of image builds make up half of
// its memory and most of its loading time. Both are loaded all the same when somebody calls them.

import { Module } from "node:module";
import type Docker from "dockerode";

const require = Module.createRequire(import.meta.url);

/** Puts a function that loads the file at its first call in the place of the function that the file exports. */
function loadWhenCalled(file: string, { from }: { from: string }): void {
  const filename = Module.createRequire(require.resolve(from)).resolve(file);
  if (require.cache[filename]) return;
  const placeholder = new Module(filename);
  placeholder.exports = (...args: unknown[]): unknown => {
    delete require.cache[filename];
    return (require(filename) as (...given: unknown[]) => unknown)(...args);
  };
  placeholder.loaded = true;
  require.cache[filename] = placeholder;
}

/** dockerode's one export. */
export function loadDockerode(): typeof Docker {
  loadWhenCalled("./session.js", { from: "dockerode" });
  const modem = Module.createRequire(require.resolve("dockerode")).resolve("docker-modem");
  loadWhenCalled("./ssh.js", { from: modem });
  return require("dockerode") as typeof Docker;
}
