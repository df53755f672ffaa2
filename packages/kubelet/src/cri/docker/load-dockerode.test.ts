// What loading dockerode loads, and that what is left out comes when it is called.

import { createRequire } from "node:module";
import { test } from "tap";
import { loadDockerode } from "./load-dockerode.js";

test("neither SSH nor gRPC is loaded before it is used", async (t) => {
  const { cache } = createRequire(import.meta.url);
  const loaded = (name: string) => Object.keys(cache).some((file) => file.includes(`/node_modules/${name}/`));
  const Docker = loadDockerode();
  const docker = new Docker({ protocol: "ssh", host: "127.0.0.1", port: 1, username: "nobody" });
  t.same(["ssh2", "@grpc/grpc-js", "dockerode"].map(loaded), [false, false, true]);
  await t.rejects(docker.ping());
  t.same(["ssh2", "@grpc/grpc-js"].map(loaded), [true, false]);
  const build = docker.buildImage({ context: ".", src: [] }, { version: "2", t: "none" } as never);
  await t.rejects(build as unknown as Promise<unknown>);
  t.ok(loaded("@grpc/grpc-js"));
});
