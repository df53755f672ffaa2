// A disk that runs full, one that turns read-only, and data directories that cannot be used. Needs root, to mount.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { ask } from "./harness/ask.js";
import { type Kubectl, kubectlFor } from "./harness/kubectl.js";

const mount = (...args: string[]) => execFileSync("mount", args, { stdio: "pipe" });

function useDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "picokube-disk-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory of its own file system, unmounted with the test. */
function useMount(t: Test, ...how: string[]): string {
  const directory = mkdtempSync(join(tmpdir(), "picokube-disk-"));
  mount(...how, directory);
  t.teardown(() => {
    execFileSync("umount", ["-l", directory]);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** Creates ConfigMaps of 800 KiB until one is refused; resolves to the names that were acknowledged. */
async function writeUntilRefused(kubectl: Kubectl): Promise<{ acknowledged: string[]; refusal: string }> {
  const acknowledged: string[] = [];
  for (let i = 0; i < 200; i++) {
    const name = `filler-${i}`;
    const value = randomBytes(600 * 1024).toString("base64");
    const manifest = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { value } });
    const { code, stderr } = await kubectl.attempt(["create", "-f", "-"], { input: manifest });
    if (code !== 0) return { acknowledged, refusal: stderr };
    acknowledged.push(name);
  }
  throw new Error("200 writes of 800 KiB were accepted: the disk is not small");
}

/** While writes are refused: reads go on, health says so, nobody's write is lost or half done. */
async function provesReadOnly(
  t: Test,
  {
    server,
    kubectl,
    acknowledged,
    why,
  }: { server: TestApiServer; kubectl: Kubectl; acknowledged: string[]; why: string },
): Promise<void> {
  const words = new RegExp(`the store refuses writes: .*${why}`);
  for (const args of [
    ["create", "namespace", "another"],
    ["label", "namespace", "default", "a=b"],
    ["delete", "configmap", acknowledged[0]!],
  ])
    t.match(await kubectl.attempt(args), { code: 1, stderr: words }, args.join(" "));
  const raw = await kubectl.attempt(["create", "--raw", "/api/v1/namespaces", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "another" } }),
  });
  t.match(raw, { code: 1, stderr: /ServiceUnavailable/ }, "503");
  const names = (await kubectl.run(["get", "configmaps", "-o", "name"])).split("\n");
  for (const name of acknowledged) t.ok(names.includes(`configmap/${name}`), `${name} can be read`);
  for (const endpoint of ["readyz", "livez"])
    t.match(await ask(`${server.url}/${endpoint}`), { code: 500, text: /^\[-\]etcd failed: reason withheld$/m });
  const lines = server
    .log()
    .split("\n")
    .filter((line) => line.includes("The store cannot write any more; reads go on"));
  t.equal(lines.length, 1, "its log says it once");
  t.match(lines[0], why);
}

async function provesNothingLost(t: Test, kubectl: Kubectl, acknowledged: readonly string[]): Promise<void> {
  const found = await kubectl.run(["get", "configmaps", "-o", "name"]);
  for (const name of acknowledged) t.ok(found.includes(`configmap/${name}\n`), `${name} is there`);
  t.match(await kubectl.run(["create", "namespace", "another"]), "namespace/another created");
}

test("A3 B5 a full disk: writes are refused in words, reads go on, with room again it goes on by itself", async (t) => {
  const disk = useMount(t, "-t", "tmpfs", "-o", "size=24m", "picokube-test");
  const server = await startApiServer(t, { dataDirectory: join(disk, "data") });
  const kubectl = kubectlFor(server, "default");
  const { acknowledged, refusal } = await writeUntilRefused(kubectl);
  t.ok(acknowledged.length > 5);
  t.match(
    refusal,
    /^Error from server \(ServiceUnavailable\): .*the store refuses writes: .*No space left on device$/m,
  );
  await provesReadOnly(t, { server, kubectl, acknowledged, why: "No space left on device" });

  await t.test("started again on the full disk, it says so in one line and loses nothing", async (t) => {
    await server.stop("SIGKILL");
    const before = server.log().length;
    await t.rejects(server.restart());
    const said = server.log().slice(before);
    t.match(said, /^Error: --data-dir \S+: cannot open the store in .*: .*No space left on device\n$/);
    t.equal(await server.ended(), 1);
  });

  mount("-o", "remount,size=160m", disk);
  await server.restart();
  await provesNothingLost(t, kubectl, acknowledged);

  await t.test("filled again: when there is room, it ends to open its store anew", async (t) => {
    await kubectl.run(["delete", "namespace", "another", "--wait=false"]);
    execFileSync("sh", ["-c", `dd if=/dev/zero of=${disk}/filler bs=1M count=200 2>/dev/null || true`]);
    await eventually("a write is refused", async () => {
      const { stderr } = await kubectl.attempt([
        "annotate",
        "--overwrite",
        "ns",
        "default",
        `at=${"x".repeat(100_000)}`,
      ]);
      return /the store refuses writes: .*No space left on device/.test(stderr);
    });
    rmSync(join(disk, "filler"));
    t.equal(await server.ended(), 1);
    t.match(server.log(), /The disk takes writes again; ending so that the store is opened anew/);
    await server.restart();
    const found = await kubectl.run(["get", "configmaps", "-o", "name"]);
    for (const name of acknowledged) t.ok(found.includes(`configmap/${name}\n`), `${name} is there`);
  });
});

test("A3 B5 a disk that turns read-only: the same, and at a start one clear line", async (t) => {
  const image = join(useDirectory(t), "disk.img");
  execFileSync("truncate", ["-s", "64M", image]);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
  const disk = useMount(t, "-o", "loop", image);
  const server = await startApiServer(t, { dataDirectory: join(disk, "data") });
  const kubectl = kubectlFor(server, "default");
  const acknowledged = ["one", "two", "three"];
  for (const name of acknowledged) await kubectl.run(["create", "configmap", name]);
  // As the kernel does when it meets errors on a disk.
  mount("-o", "remount,abort", disk);
  await eventually("a write is refused", async () => {
    const { code } = await kubectl.attempt(["annotate", "--overwrite", "namespace", "default", `at=${Date.now()}`]);
    return code !== 0;
  });
  await provesReadOnly(t, { server, kubectl, acknowledged, why: "Read-only file system" });
  await server.stop("SIGTERM");
  const before = server.log().length;
  await t.rejects(server.restart());
  t.match(
    server.log().slice(before),
    /^Error: --data-dir \S+: cannot open the store in .*: .*Read-only file system\n$/,
  );
  execFileSync("umount", [disk]);
  mount("-o", "loop", image, disk);
  await server.restart();
  await provesNothingLost(t, kubectl, acknowledged);
});

test("A3 B5 a data directory that cannot be used: one clear line and exit code 1", async (t) => {
  const directory = useDirectory(t);
  const inUse = await startApiServer(t);
  writeFileSync(join(directory, "file"), "");
  const readOnly = useMount(t, "-t", "tmpfs", "-o", "ro", "picokube-test");
  const damaged = join(directory, "damaged");
  const sound = await startApiServer(t, { dataDirectory: damaged });
  await sound.stop();
  for (const name of readdirSync(damaged).filter((file) => file.startsWith("MANIFEST")))
    writeFileSync(join(damaged, name), Buffer.alloc(4096, "x"));
  const table: [string, string, RegExp][] = [
    ["locked by another apiserver", inUse.dataDirectory, /another process is using it/],
    ["a file", join(directory, "file"), /: it is not a directory$/],
    ["below a file", join(directory, "file", "below"), /: ENOTDIR: not a directory/],
    ["on a read-only disk", join(readOnly, "data"), /read-only file system/i],
    ["a read-only disk itself", readOnly, /Read-only file system/],
    ["damaged", damaged, /its files are damaged; restore a snapshot or remove the directory/],
  ];
  for (const [what, dataDirectory, words] of table) {
    const error: Error = await startApiServer(t, { dataDirectory }).then(
      () => new Error("it started"),
      (reason: Error) => reason,
    );
    const [ended, said, ...more] = error.message.trimEnd().split("\n");
    t.equal(ended, "the apiserver ended with 1:", what);
    t.match(said, /^Error: --data-dir \S+: cannot open the store in /, what);
    t.match(said, words, what);
    t.strictSame(more, [], `${what}: one line`);
  }
  t.equal((await ask(`${inUse.url}/readyz`)).code, 200, "whose directory it is notices nothing");
  const missing = await startApiServer(t, { dataDirectory: join(directory, "not", "there", "yet") });
  t.equal((await ask(`${missing.url}/readyz`)).code, 200, "a missing directory is made");
});
