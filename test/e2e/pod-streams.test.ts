import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlReleases, releaseName } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";
import { shellPod } from "./harness/shell-pod.js";

const run = promisify(execFile);

for (const binary of kubectlReleases())
  test(`C4 logs, exec, exec -it, attach, cp and port-forward with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl } = await useNamespace(t, cluster);
    await kubectl.apply(shellPod("talker", "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"), {
      binary,
    });
    await kubectl.apply(
      shellPod("web", "mkdir /www; echo hello from $HOSTNAME > /www/index.html; exec httpd -f -p 8080 -h /www"),
      { binary },
    );
    await kubectl.run(["wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s"], { binary });

    await eventually("it has said two lines", async () =>
      /^line \d+\nline \d+\n$/.test(await kubectl.run(["logs", "talker", "--tail=2"], { binary })),
    );
    t.match(
      await kubectl.run(["logs", "talker", "--timestamps", "--tail=1"], { binary }),
      /^\d{4}-\d\d-\d\dT\S+Z line \d+\n$/,
    );
    const follow = kubectl.start(["logs", "-f", "talker"], { binary });
    await eventually(
      "logs -f goes on",
      async () => follow.output().includes("line 1\n") && /line 1\d\n/.test(follow.output()),
    );
    follow.kill();

    t.equal(await kubectl.run(["exec", "web", "--", "cat", "/www/index.html"], { binary }), "hello from web\n");
    t.equal(
      await kubectl.run(["exec", "-i", "web", "--", "cat"], { binary, input: "through standard input\n" }),
      "through standard input\n",
    );
    const failed = await kubectl.attempt(["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"], {
      binary,
    });
    t.match(failed, { code: 7, stdout: "out\n", stderr: /^err\n/ });

    // A real terminal on our side: script(1) gives kubectl one.
    const terminal = await run("script", [
      "-qec",
      `stty cols 123 rows 45; '${binary}' --kubeconfig='${cluster.kubeconfig}' -n ${(await kubectl.json(["get", "pod", "web"])).metadata.namespace} exec -it web -- sh -c 'sleep 0.5; stty size; tty'`,
      "/dev/null",
    ]);
    t.match(terminal.stdout, /45 123[\s\S]*\/dev\/pts\//);

    const big = "x".repeat(3_000_000);
    t.equal(
      (
        await kubectl.run(["exec", "-i", "web", "--", "sh", "-c", "cat > /tmp/big; wc -c < /tmp/big"], {
          binary,
          input: big,
        })
      ).trim(),
      "3000000",
    );
    t.equal((await kubectl.run(["exec", "web", "--", "cat", "/tmp/big"], { binary })).length, 3_000_000);

    const forward = kubectl.start(["port-forward", "pod/web", ":8080"], { binary });
    const port = await eventually(
      "port-forward listens",
      async () => /127\.0\.0\.1:(\d+) -> 8080/.exec(forward.output())?.[1] ?? false,
    );
    for (let i = 0; i < 3; i++)
      t.equal((await run("curl", ["-sS", "--max-time", "5", `http://127.0.0.1:${port}/`])).stdout, "hello from web\n");
    forward.kill();

    const attached = kubectl.start(["attach", "talker"], { binary });
    await eventually("attach shows what the container goes on to write", async () =>
      /line \d+\nline \d+\n/.test(attached.output()),
    );
    attached.kill();

    const directory = mkdtempSync(join(tmpdir(), "picokube-cp-"));
    t.teardown(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, "tree", "below"), { recursive: true });
    const bytes = randomBytes(1_500_000);
    writeFileSync(join(directory, "tree", "bytes"), bytes);
    writeFileSync(join(directory, "tree", "below", "word"), "deep\n");
    await kubectl.run(["cp", join(directory, "tree"), "web:/tmp/tree"], { binary });
    t.equal(await kubectl.run(["exec", "web", "--", "cat", "/tmp/tree/below/word"], { binary }), "deep\n");
    await kubectl.run(["cp", "web:/tmp/tree", join(directory, "back")], { binary });
    t.ok(readFileSync(join(directory, "back", "bytes")).equals(bytes), "the same bytes there and back");
    t.equal(readFileSync(join(directory, "back", "below", "word"), "utf8"), "deep\n");
  });

for (const binary of kubectlReleases())
  test(`C4 attach -it talks to a container's standard input with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl, name: namespace } = await useNamespace(t, cluster);
    // kubectl first makes the terminal one larger and then right, so that programs draw anew.
    await kubectl.apply(
      shellPod(
        "asker",
        "read name; echo hello $name; sleep 1; stty size; exec sleep 3600",
        "    stdin: true\n    tty: true",
      ),
      { binary },
    );
    await kubectl.apply(
      shellPod("pipe", "read name; echo hello $name; read name; echo bye $name; exec sleep 3600", "    stdin: true"),
      { binary },
    );
    await kubectl.run(["wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s"], { binary });

    const piped = kubectl.start(["attach", "-i", "pipe"], { binary });
    piped.stdin.write("ada\n");
    await eventually("it greets", async () => piped.output().includes("hello ada\n"));
    piped.stdin.write("bob\n");
    await eventually("it goes on listening", async () => piped.output().includes("bye bob\n"));
    piped.kill();
    t.match(await kubectl.run(["logs", "pipe"], { binary }), "hello ada\nbye bob\n", "and the log has it too");

    // A real terminal on our side: script(1) gives kubectl one.
    const child = spawn(
      "script",
      [
        "-qec",
        `stty cols 99 rows 33; '${binary}' --kubeconfig='${cluster.kubeconfig}' -n ${namespace} attach -it asker`,
        "/dev/null",
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    await eventually("kubectl says what it waits for", async () => /If you don't see a command prompt/.test(shown));
    child.stdin.write("vera\n");
    await eventually("the terminal answers, as large as ours", async () => {
      if (!/hello vera\r\n33 99\r\n/.test(shown)) throw new Error(`it shows ${JSON.stringify(shown)}`);
      return true;
    });
    child.kill("SIGKILL");
    t.equal((await kubectl.json(["get", "pod", "asker"])).status.containerStatuses[0].restartCount, 0);

    const ran = kubectl.start(
      [
        "run",
        "brief",
        "-i",
        "--rm",
        "--restart=Never",
        "--image=busybox",
        "--image-pull-policy=IfNotPresent",
        "--",
        "cat",
      ],
      { binary },
    );
    ran.stdin.end("through kubectl run\n");
    t.equal(await ran.exited, 0);
    t.match(ran.output(), /through kubectl run\n[\s\S]*pod "brief" deleted/);
  });

for (const binary of kubectlReleases())
  test(`C4 logs, exec and port-forward by label, container, deployment and Service with ${releaseName(binary)}`, async (t) => {
    const cluster = await useCluster(t);
    const { kubectl } = await useNamespace(t, cluster);
    await kubectl.apply(
      `
apiVersion: apps/v1
kind: Deployment
metadata: { name: pair }
spec:
  replicas: 2
  selector: { matchLabels: { app: pair } }
  template:
    metadata: { labels: { app: pair } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir /www; hostname > /www/index.html; echo web says hello; exec httpd -f -p 8080 -h /www"]
        ports: [{ name: http, containerPort: 8080 }]
      - name: side
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "echo side says hello; sleep 4; echo side says more; exec sleep 3600"]
---
apiVersion: v1
kind: Service
metadata: { name: pair }
spec: { selector: { app: pair }, ports: [{ port: 80, targetPort: http }] }
`,
      { binary },
    );
    await kubectl.run(["rollout", "status", "deployment/pair", "--timeout=90s"], { binary });
    const logs = (...args: string[]) => kubectl.run(["logs", ...args], { binary });
    const names = (await kubectl.json(["get", "pods", "-l", "app=pair"])).items.map(
      (pod: { metadata: { name: string } }) => pod.metadata.name,
    );

    t.equal(await logs("-l", "app=pair", "-c", "web"), "web says hello\n".repeat(2));
    await eventually(
      "both containers of both pods",
      async () =>
        (await logs("-l", "app=pair", "--all-containers", "--prefix")).trimEnd().split("\n").sort().join("\n") ===
        names
          .flatMap((name: string) => [
            `[pod/${name}/side] side says hello`,
            `[pod/${name}/side] side says more`,
            `[pod/${name}/web] web says hello`,
          ])
          .sort()
          .join("\n"),
    );
    // kubectl asks for them in no certain order.
    t.strictSame((await logs(names[0], "--all-containers")).split("\n").sort(), [
      "",
      "side says hello",
      "side says more",
      "web says hello",
    ]);
    t.equal(await logs(names[0], "-c", "side", "--tail=1"), "side says more\n");
    t.match(await kubectl.run(["logs", names[0]], { binary }), "web says hello\n", "the first one by default");
    t.match(await kubectl.attempt(["logs", names[0], "-c", "none"], { binary }), {
      code: 1,
      stderr: `container none is not valid for pod ${names[0]}`,
    });
    t.equal(await logs("deployment/pair", "-c", "web"), "web says hello\n");
    t.equal(await logs(names[0], "-c", "side", "--since=1h"), "side says hello\nside says more\n");
    const stamped = (await logs(names[0], "-c", "side", "--timestamps")).split("\n");
    const [second] = stamped[1]!.split(" ");
    t.equal(await logs(names[0], "-c", "side", `--since-time=${second}`), "side says more\n");
    await eventually(
      "--since leaves out what is older",
      async () => (await logs(names[0], "-c", "side", "--since=1s")) === "",
    );

    const [host] = (await kubectl.run(["exec", "deploy/pair", "-c", "web", "--", "hostname"], { binary })).split("\n");
    t.ok(names.includes(host));
    t.ok(names.includes((await kubectl.run(["exec", "svc/pair", "-c", "side", "--", "hostname"], { binary })).trim()));

    for (const target of ["svc/pair", "deploy/pair"]) {
      const forward = kubectl.start(["port-forward", target, target === "svc/pair" ? ":80" : ":http"], { binary });
      t.teardown(() => forward.kill());
      const port = await eventually(
        `port-forward ${target} listens`,
        async () => /127\.0\.0\.1:(\d+) -> 8080/.exec(forward.output())?.[1] ?? false,
      );
      const { stdout } = await run("curl", ["-sS", "--max-time", "5", `http://127.0.0.1:${port}/`]);
      t.ok(names.includes(stdout.trim()), target);
      forward.kill();
    }
  });
