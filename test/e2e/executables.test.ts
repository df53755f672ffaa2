import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "tap";

const executables: Readonly<Record<string, string>> = {
  "kube-apiserver": "apiserver",
  "kube-scheduler": "scheduler",
  "kube-controller-manager": "controller-manager",
  kubelet: "kubelet",
  "kube-proxy": "kube-proxy",
  "cluster-dns": "cluster-dns",
};

function run(name: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(`../../../packages/${executables[name]}/bin/${name}.js`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? (typeof error.code === "number" ? error.code : -1) : 0, stdout, stderr }),
    );
  });
}

for (const name of Object.keys(executables)) {
  test(`A1 ${name} explains its flags and refuses bad ones in one line`, async (t) => {
    const help = await run(name, "--help");
    t.equal(help.code, 0);
    const flags = help.stdout.match(/^ +(-\w, )?--[a-z][a-z-]+/gm) ?? [];
    t.ok(flags.length > 5, `${flags.length} flags`);
    t.match(help.stdout, /--kubeconfig|--data-dir/);
    const version = await run(name, "--version");
    t.match(version, { code: 0, stdout: /^Kubernetes v1\.33\.\d+/ });
    for (const bad of [["--no-such-flag"], ["--v=many"], ["surplus"]]) {
      const outcome = await run(name, ...bad);
      t.equal(outcome.code, 1, bad.join(" "));
      t.match(outcome.stderr, /^Error: [^\n]+\n$/, bad.join(" "));
    }
  });

  if (name !== "kube-apiserver")
    test(`A1 ${name} says clearly that its kubeconfig is not there`, async (t) => {
      const outcome = await run(name, "--kubeconfig=/nonexistent/kubeconfig");
      t.equal(outcome.code, 1);
      t.match(outcome.stderr, /^Error: [^\n]*\/nonexistent\/kubeconfig[^\n]*\n$/);
    });
}

test("A1 kube-apiserver says clearly which file is missing", async (t) => {
  const outcome = await run("kube-apiserver", "--client-ca-file=/nonexistent/ca.crt", "--data-dir=/nonexistent/store");
  t.equal(outcome.code, 1);
  t.match(outcome.stderr, /^Error: [^\n]+\n$/);
});
