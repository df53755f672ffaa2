// Logs of real containers: kubectl logs with its flags, and following over rotations of the engine's file; the files for
// log collectors, their parts of lines, their rotation, and their end.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;
const lineCount = 2500;
const hasEnded = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed";

const speaking = (script: string) => ({
  restartPolicy: "Never" as const,
  terminationGracePeriodSeconds: 0,
  containers: [{ ...sleeper(), command: ["sh", "-c", script] }],
});

test("logs", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, get, until, kubectl, remove } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest95",
    subnet: 95,
    flags: ["--container-log-max-size=64Ki", "--container-log-max-files=8"],
  });
  const podLogs = join(kubelet.rootDir, "log", "pods");
  const links = join(kubelet.rootDir, "log", "containers");
  const filesOf = ({ metadata }: Pod) => {
    const folder = join(podLogs, `default_${metadata.name}_${metadata.uid}`, "c");
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  };
  /** All that the pod's files hold, the oldest first. */
  const written = (pod: Pod) => {
    // The rotated ones are named by their time, and come before the one that is written to.
    const files = filesOf(pod).sort(
      (a, b) => Number(a.endsWith(".log")) - Number(b.endsWith(".log")) || a.localeCompare(b),
    );
    return files
      .map((file) => (file.endsWith(".gz") ? gunzipSync(readFileSync(file)).toString() : readFileSync(file, "utf8")))
      .join("");
  };
  const logs = (...args: string[]) => kubectl("logs", ...args);

  await t.test("a follower misses nothing and hears nothing twice while the log rotates", async (t) => {
    const padding = "x".repeat(90);
    const script = `echo ready; until [ -e /go ]; do sleep 0.1; done; i=0; while [ $i -lt ${lineCount} ]; do i=$((i+1)); echo $i ${padding}; [ $((i % 100)) = 0 ] && sleep 0.1; done; exit 0`;
    const pod = await create("talks", speaking(script));
    await until("talks", "runs", ({ status }) => status?.phase === "Running", patienceMs);
    const follower = spawn("kubectl", [`--kubeconfig=${server.kubeconfig}`, "logs", "-f", "talks"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let heard = "";
    follower.stdout.setEncoding("utf8").on("data", (text: string) => {
      heard += text;
    });
    const ended = new Promise<number | null>((resolve) => follower.once("close", resolve));
    t.teardown(() => follower.kill());
    await eventually("it listens", async () => heard === "ready\n", patienceMs);
    await kubectl("exec", "talks", "--", "touch", "/go");
    await until("talks", "has ended", hasEnded, patienceMs);
    t.equal(await ended, 0, "following ends with the container");
    const numbers = heard
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(" ")[0]));
    const all = Array.from({ length: lineCount }, (_, index) => index + 1);
    t.same(numbers, all);
    const lines = () =>
      written(pod as Pod)
        .trim()
        .split("\n");
    await eventually(
      "the files are up with it",
      async () => lines().at(-1)?.split(" ")[3] === String(lineCount),
      patienceMs,
    );
    t.ok(filesOf(pod as Pod).length > 1, "and have rotated");
    t.same(
      lines()
        .slice(1)
        .map((line) => Number(line.split(" ")[3])),
      all,
      "every line once, over all files",
    );
    for (const file of filesOf(pod as Pod)) t.match(file, /\/c\/0\.log(\.\d{8}-\d{6}(\.gz)?)?$/);
  });

  await t.test("long lines lie in parts in the files, and are whole to kubectl", async (t) => {
    const pod = (await create("long", speaking("head -c 40000 /dev/zero | tr '\\0' y; echo; echo short"))) as Pod;
    await until("long", "has ended", hasEnded, patienceMs);
    t.equal(await logs("long"), `${"y".repeat(40_000)}\nshort\n`);
    await eventually("its file is written", async () => written(pod).endsWith(" stdout F short\n"), patienceMs);
    const tags = written(pod)
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[2]);
    t.same(tags, ["P", "P", "F", "F"]);
    const [link] = readdirSync(links).filter((name) => name.startsWith("long_default_c-"));
    t.match(link, /^long_default_c-[0-9a-f]{64}\.log$/);
    t.equal(readlinkSync(join(links, link!)), filesOf(pod)[0]);
    await remove("long", 0);
    await eventually(
      "file and link go with the pod",
      async () => filesOf(pod).length === 0 && !existsSync(join(links, link!)),
      patienceMs,
    );
  });

  await t.test("kubectl's flags", async (t) => {
    await create("flags", speaking("echo one; sleep 1.1; echo two >&2; sleep 1.1; echo three"));
    await until("flags", "has ended", hasEnded, patienceMs);
    const stamps = (await logs("flags", "--timestamps"))
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]!);
    const second = `${stamps[1]!.slice(0, 19)}Z`;
    const table: [string[], string][] = [
      [["--tail=0"], ""],
      [["--tail=2"], "two\nthree\n"],
      [["--tail=-1"], "one\ntwo\nthree\n"],
      [["--limit-bytes=6"], "one\ntw"],
      [["--limit-bytes=1000"], "one\ntwo\nthree\n"],
      [[`--since-time=${second}`], "two\nthree\n"],
      [["--since-time=2100-01-01T00:00:00Z"], ""],
      [["--since=1h", "--tail=1"], "three\n"],
      [["-f"], "one\ntwo\nthree\n"],
      [["-f", "--tail=1"], "three\n"],
    ];
    for (const [args, text] of table) t.equal(await logs("flags", ...args), text, args.join(" "));
    await t.rejects(logs("flags", "--previous"), /previous terminated container "c" in pod "flags" not found/);
    await t.rejects(logs("flags", "--since=1h", "--since-time=2100-01-01T00:00:00Z"), /at most one of/);
  });

  await t.test("of the attempt before, and of the one before that no more", async (t) => {
    const script = "echo attempt $(cat /counted/n | wc -l); echo x >> /counted/n; sleep 0.3; exit 3";
    await create("crash", {
      ...speaking(script),
      restartPolicy: "Always",
      volumes: [{ name: "counted", emptyDir: {} }],
      containers: [
        {
          ...sleeper(),
          command: ["sh", "-c", `touch /counted/n; ${script}`],
          volumeMounts: [{ name: "counted", mountPath: "/counted" }],
        },
      ],
    });
    /** What is found while the pod stands still between two attempts. */
    const betweenAttempts = (what: string, check: (attempt: number, pod: Pod) => Promise<boolean>) =>
      eventually(
        what,
        async () => {
          const pod = await get("crash");
          const [status] = pod?.status?.containerStatuses ?? [];
          return pod && status?.state?.waiting && status.restartCount > 0 && check(status.restartCount, pod);
        },
        patienceMs,
      );
    await betweenAttempts(
      "the last that ended is told",
      async (attempt) => (await logs("crash", "--previous")) === `attempt ${attempt}\n`,
    );
    await betweenAttempts("the files of removed containers are gone", async (attempt, pod) => {
      const files = filesOf(pod).map((file) => file.split("/").at(-1));
      return files.length === 1 && files[0] === `${attempt}.log`;
    });
    t.equal((await get("crash"))?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3);
  });
});
