// The Docker runtime against the contract, on the engine of this machine, with an image made of its static busybox.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { test } from "tap";
import { plainContainer, plainSandbox, runtimeContract } from "../contract.js";
import { createDockerRuntime } from "./docker-runtime.js";
import { tar } from "./pause-image.js";

const image = "picokube-test/kubelet-busybox:1";
const endpoint = "unix:///var/run/docker.sock";
const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const scope = `test-${randomUUID()}`;
const sleep = ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; while true; do busybox sleep 0.1; done"];

async function importImage(): Promise<void> {
  const busybox = readFileSync("/bin/busybox");
  const rootfs = tar([
    { name: "bin/busybox", mode: 0o755, content: busybox },
    { name: "bin/true", mode: 0o755, content: busybox },
  ]);
  const stream = await docker.importImage(Readable.from([rootfs]), { repo: "picokube-test/kubelet-busybox", tag: "1" });
  for await (const _ of stream as AsyncIterable<Buffer>) {
    // Read to its end: then the image is there.
  }
}

async function removeLeftovers(): Promise<void> {
  const filters = { label: [`io.picokube.scope=${scope}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  await docker.getImage(image).remove({ force: true });
}

test("the Docker runtime", async (t) => {
  await importImage();
  t.teardown(removeLeftovers);
  const runtime = createDockerRuntime({ endpoint, scope });

  await t.test("keeps the contract", async (t) => {
    await runtimeContract(t, { runtime, image, command: sleep, podUid: randomUUID() });
  });

  await t.test("carries streams, exit codes and errors", async (t) => {
    const podUid = randomUUID();
    const sandboxId = await runtime.runSandbox(plainSandbox(podUid));
    const id = await runtime.createContainer(sandboxId, plainContainer({ image, command: sleep }));
    await runtime.startContainer(id);

    const failed = await runtime.execSync(
      id,
      ["/bin/busybox", "sh", "-c", "echo oops >&2; echo $GREETING; exit 7"],
      5000,
    );
    t.same(failed, { exitCode: 7, output: "hello\noops\n", stderr: "oops\n", timedOut: false });
    const slow = await runtime.execSync(id, ["/bin/busybox", "sleep", "60"], 300);
    t.match(slow, { timedOut: true });

    const session = await runtime.exec(id, { command: ["/bin/busybox", "cat"], tty: false, stdin: true });
    session.stdin?.end("to and fro");
    let echoed = "";
    for await (const chunk of session.stdout) echoed += chunk;
    t.equal(echoed, "to and fro");
    t.equal(await session.exited, 0);

    const broken = await runtime.createContainer(
      sandboxId,
      plainContainer({ image, command: ["/no/such/program"], name: "broken" }),
    );
    await t.rejects(runtime.startContainer(broken), /no such file or directory/);
    t.match(await runtime.containerStatus(broken), { state: "exited", exitCode: 127 });

    const talker = await runtime.createContainer(
      sandboxId,
      plainContainer({
        image,
        command: [
          "/bin/busybox",
          "sh",
          "-c",
          "echo one; echo two >&2; while true; do echo hi | busybox nc -l -p 80; done",
        ],
        name: "talker",
      }),
    );
    await runtime.startContainer(talker);
    const port = await new Promise<string>((resolve, reject) => {
      const attempt = async (left: number) => {
        const stream = await runtime.portForward(sandboxId, 80);
        let text = "";
        stream.on("data", (chunk) => {
          text += chunk;
          stream.end();
        });
        stream.on("error", (error) => (left > 0 ? attempt(left - 1) : reject(error)));
        stream.on("close", () => text && resolve(text));
      };
      void attempt(10);
    });
    t.equal(port, "hi\n");
    const options = { follow: false, timestamps: false };
    const said = await text(await runtime.logs(talker, options, new AbortController().signal));
    t.same(said.trim().split("\n").sort(), ["one", "two"]);
    t.equal((await runtime.stats()).length, 3);

    for (const container of await runtime.listContainers({ podUid })) await runtime.removeContainer(container.id);
    const before = Date.now();
    await runtime.stopSandbox(sandboxId);
    t.ok(Date.now() - before < 1500, "pause ends at SIGTERM");
    await runtime.removeSandbox(sandboxId);
  });
});
