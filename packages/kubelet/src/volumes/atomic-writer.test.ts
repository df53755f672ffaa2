import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configmaps } from "@picokube/api/core/v1";
import { object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { type Payload, validatePayloadPath, writeAtomically } from "./atomic-writer.js";
import { configMapData } from "./config-map.js";
import { memorySizeBytes } from "./empty-dir.js";
import { mountsBelow } from "./mounter.js";
import { keysPayload } from "./payload-volume.js";
import { refreshTime } from "./service-account-tokens.js";

const files = (entries: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

test("a payload is swapped in whole", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "atomic-writer-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const read = (path: string) => readFile(join(directory, path), "utf8");

  t.equal(await writeAtomically(directory, files({ a: "1", "dir/b": "2", "dir/sub/c": "3" }, 0o400)), true);
  t.equal(await read("a"), "1");
  t.equal(await read("dir/sub/c"), "3");
  t.equal((await stat(join(directory, "dir/b"))).mode & 0o777, 0o400);
  t.equal(await readlink(join(directory, "dir")), "..data/dir");
  t.ok((await lstat(join(directory, "..data"))).isSymbolicLink());
  const first = await readlink(join(directory, "..data"));

  t.equal(await writeAtomically(directory, files({ a: "1", "dir/b": "2", "dir/sub/c": "3" })), false);
  t.equal(await readlink(join(directory, "..data")), first);

  t.equal(await writeAtomically(directory, files({ a: "changed", "dir/b": "2" })), true);
  t.equal(await read("a"), "changed");
  t.same(await readdir(join(directory, "dir")), ["b"]);

  t.equal(await writeAtomically(directory, files({ other: "x" })), true);
  const names = (await readdir(directory)).filter((name) => !name.startsWith("..20"));
  t.same(names.sort(), ["..data", "other"]);
  t.equal((await readdir(directory)).length, 3, "old versions are gone");

  await t.rejects(
    writeAtomically(directory, files({ other: "y" }), async () => {
      throw new Error("chown failed");
    }),
  );
  t.equal(await read("other"), "x", "a failed write changes nothing");
  t.equal(await writeAtomically(directory, files({})), true);
});

test("paths stay inside", (t) => {
  for (const path of ["", "/etc/passwd", "../x", "a/../../x", "..data", "..hidden/x"]) {
    t.throws(() => validatePayloadPath(path), path);
  }
  for (const path of ["a", "a/b", ".hidden", "a..b/c"]) t.equal(validatePayloadPath(path), path);
  t.end();
});

test("items choose keys, names and modes", (t) => {
  const data = configMapData(
    object(configmaps, "c", {
      data: { one: "1", two: "2" },
      binaryData: { bin: Buffer.from([0, 255]).toString("base64") },
    }),
  );
  const options = { mode: 0o600, optional: undefined, kind: "config" as const };
  t.same([...keysPayload(data, { ...options, items: undefined }).keys()], ["one", "two", "bin"]);
  const chosen = keysPayload(data, { ...options, items: [{ key: "two", path: "x/y", mode: 0o444 }] });
  t.same([...chosen], [["x/y", { data: Buffer.from("2"), mode: 0o444 }]]);
  const absent = { items: [{ key: "nope", path: "p" }] };
  t.throws(() => keysPayload(data, { ...options, ...absent }), {
    message: "configmap references non-existent config key: nope",
  });
  t.throws(() => keysPayload(data, { ...options, ...absent, kind: "secret" }), {
    message: "references non-existent secret key: nope",
  });
  t.equal(keysPayload(data, { ...options, ...absent, optional: true }).size, 0);
  t.end();
});

test("small reckonings", (t) => {
  t.equal(refreshTime({ issuedAtMs: 0, expiresAtMs: 3600_000, jitterMs: 0 }), 2880_000);
  t.equal(refreshTime({ issuedAtMs: 0, expiresAtMs: 1e10, jitterMs: 0 }), 24 * 3600_000);
  const mebibyte = 1024 * 1024;
  const limited = { name: "c", image: "i", resources: { limits: { memory: "32Mi" } } };
  const one = pod("p", { spec: { containers: [limited] } });
  const some = pod("p", { spec: { containers: [limited, { name: "d", image: "i" }] } });
  for (const [subject, limit, allocatable, wanted] of [
    [pod("p"), "64Mi", undefined, 64],
    [pod("p"), "64Mi", "48Mi", 48],
    [pod("p"), undefined, "48Mi", 48],
    [pod("p"), undefined, undefined, undefined],
    [one, "64Mi", "48Mi", 32],
    [one, "16Mi", "48Mi", 16],
    [some, undefined, "48Mi", 48],
  ] as const) {
    const volume = { name: "m", emptyDir: limit === undefined ? {} : { sizeLimit: limit } };
    const size = memorySizeBytes({ pod: subject, volume }, allocatable);
    t.equal(size, wanted && wanted * mebibyte);
  }
  const info =
    "1 0 0:1 / /p/a rw - tmpfs t rw\n2 1 0:2 / /p/a/b\\040c rw - tmpfs t rw\n3 0 0:3 / /p/ab rw - tmpfs t rw\n";
  t.same(mountsBelow(info, "/p/a"), ["/p/a/b c", "/p/a"]);
  t.end();
});
