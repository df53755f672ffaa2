// What a kubelet gives pods and shows of them beside running them, each on real containers: log files and their rotation.
// One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { eventually, isReady, podsOf, startKubelet } from "./kubelet.testing.js";

const patienceMs = 60_000;

test("what surrounds a pod", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, get, until, kubectl } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest31",
    subnet: 31,
    flags: ["--container-log-max-size=10Ki", "--container-log-max-files=3"],
  });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const remove = async (name: string) => {
    await client.delete(pods, { name, namespace: "default" }, { gracePeriodSeconds: 1 });
    await eventually(`${name} is gone`, async () => (await get(name)) === undefined, patienceMs);
  };

  await t.test("logs are files in CRI format, and kubectl reads over the engine's rotation", async (t) => {
    const count = 700;
    // Slow enough that the engine's three small files do not turn over before they are read.
    const pause = "[ $((i % 70)) = 0 ] && sleep 0.3";
    const command = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; ${pause}; done; echo last >&2; exec sleep 600`;
    await create("talker", { containers: [{ name: "c", image: "busybox", command: ["sh", "-c", command] }] });
    const pod = await until("talker", "ready", isReady, patienceMs);
    const logs = join(kubelet.rootDir, "log");
    const folder = join(logs, "pods", `default_talker_${pod.metadata.uid}`);
    const id = pod.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
    const link = join(logs, "containers", `talker_default_c-${id}.log`);
    const everything = () =>
      readdirSync(join(folder, "c"))
        .filter((name) => !name.endsWith(".gz"))
        .sort()
        .reverse()
        .map((name) => readFileSync(join(folder, "c", name), "utf8"))
        .join("");
    await eventually(
      "the last line",
      async () => existsSync(link) && / stderr F last\n/.test(everything()),
      patienceMs,
    );
    t.equal(readlinkSync(link), join(folder, "c", "0.log"));
    t.match(everything(), new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z stdout F line ${count}$`, "m"));
    t.ok(
      readdirSync(join(folder, "c")).some((name) => name.startsWith("0.log.")),
      "the file was rotated",
    );

    const tail = 200;
    const expected = Array.from({ length: tail - 1 }, (_, line) => `line ${count - tail + 2 + line}\n`).join("");
    const said = await eventually("the tail over a rotation", async () => {
      const text = await kubectl("logs", "talker", `--tail=${tail}`);
      return text.includes("last\n") && text;
    });
    t.equal(said.replace("last\n", ""), expected);
    await remove("talker");
    await eventually("the files go with the pod", async () => !existsSync(folder) && !existsSync(link), patienceMs);
  });

  t.equal(await kubelet.stop(), 0);
});
