// Holds the code to the table of who may import whom (ARCHITECTURE.md): read from the sources, so a new arrow shows here first.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const packages = join(root, "packages");

const allowed: Readonly<Record<string, readonly string[]>> = {
  api: [],
  "component-base": [],
  pki: ["api", "component-base"],
  store: ["component-base"],
  client: ["api", "component-base"],
  apiserver: ["api", "store", "pki", "component-base", "client"],
  scheduler: ["api", "client", "component-base"],
  "controller-manager": ["api", "client", "component-base", "pki"],
  kubelet: ["api", "client", "component-base", "pki"],
  "kube-proxy": ["api", "client", "component-base"],
  "cluster-dns": ["api", "client", "component-base"],
  picokube: ["pki", "client", "api", "component-base"],
  testing: ["api", "component-base", "client", "pki", "store", "apiserver"],
};

/** Libraries that only these places may use: a package's folder, or one below it. */
const confined: Readonly<Record<string, readonly string[]>> = {
  level: ["store"],
  "classic-level": ["store"],
  "@grpc/grpc-js": ["apiserver/src/encryption/kms", "store"],
  dockerode: ["kubelet/src/cri/docker"],
  fastify: ["apiserver", "kubelet"],
};

interface Import {
  readonly file: string;
  readonly package: string;
  readonly target: string;
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith(".ts") ? [path] : [];
  });
}

const isTest = (file: string) => /\.(test|testing)\.ts$|\/contract\.ts$|\/src\/testing\//.test(file);

function imports(): Import[] {
  return readdirSync(packages).flatMap((name) =>
    sources(join(packages, name, "src")).flatMap((file) =>
      [
        ...readFileSync(file, "utf8").matchAll(
          /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|import\("([^"]+)"\)/g,
        ),
      ].map(([, plain, dynamic]) => ({ file: relative(packages, file), package: name, target: (plain ?? dynamic)! })),
    ),
  );
}

const all = imports();
const production = all.filter(({ file }) => !isTest(file));

test("the sources were found", (t) => {
  t.ok(production.length > 500, `${production.length} imports`);
  t.strictSame(Object.keys(allowed).sort(), readdirSync(packages).sort());
  t.end();
});

test("packages import only those that the table allows", (t) => {
  const wrong = production.flatMap(({ file, package: from, target }) => {
    const to = /^@picokube\/([^/]+)/.exec(target)?.[1];
    return to && to !== from && !allowed[from]!.includes(to) ? [`${file} imports ${target}`] : [];
  });
  t.strictSame(wrong, []);
  t.end();
});

test("no import climbs out of its package", (t) => {
  const wrong = all.filter(({ file, target }) => {
    if (!target.startsWith(".")) return false;
    const depth = file.split("/").length - 2;
    return (target.match(/\.\.\//g)?.length ?? 0) > depth - 1;
  });
  t.strictSame(
    wrong.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
  t.end();
});

test("LevelDB, Docker and the HTTP server stay in their rooms", (t) => {
  const wrong = production.flatMap(({ file, target }) => {
    const library = Object.keys(confined).find((name) => target === name || target.startsWith(`${name}/`));
    return library && !confined[library]!.some((place) => file.startsWith(`${place}/`))
      ? [`${file} imports ${target}`]
      : [];
  });
  t.strictSame(wrong, []);
  t.end();
});

test("iptables is run by kube-proxy's iptables.ts, the kubelet's pod network and the local VMs' link alone", (t) => {
  const homes = ["kube-proxy/src/iptables.ts", "kubelet/src/network/", "picokube/src/vms/"];
  const wrong = readdirSync(packages)
    .flatMap((name) => sources(join(packages, name, "src")))
    .map((file) => ({ file: relative(packages, file), text: readFileSync(file, "utf8") }))
    .filter(({ file }) => !isTest(file) && !homes.some((home) => file.startsWith(home)))
    .filter(({ text }) => /["'`]iptables(-save|-restore)?["'`]\s*,\s*\[/.test(text))
    .map(({ file }) => file);
  t.strictSame(wrong, []);
  t.end();
});
