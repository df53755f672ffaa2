import { test } from "tap";
import { parseLogQuery } from "./container-logs.js";
import { logContainerId } from "./container-lookup.js";
import { requestSubresources, requestVerb } from "./request-attributes.js";
import { exitStatus } from "./streaming/remote-command/exit-status.js";
import { expectedStreams } from "./streaming/remote-command/spdy-streams.js";
import { chooseProtocol, decodeMessage, encodeMessage } from "./streaming/websocket/channels.js";
import { streamOptions } from "./upgrades.js";
import { busyNanos, interfaceFigures } from "./usage.js";

test("what a path asks of the authoriser", (t) => {
  for (const [path, subresources] of [
    ["/exec/default/web/c", ["proxy"]],
    ["/statsx", ["proxy"]],
    ["/stats/summary", ["stats"]],
    ["/metrics/resource", ["metrics"]],
    ["/pods", ["pods", "proxy"]],
    ["/healthz", ["healthz", "proxy"]],
  ] as const) {
    t.same(requestSubresources(path), subresources, path);
  }
  t.equal(requestVerb("POST"), "create");
  t.equal(requestVerb("GET"), "get");
  t.end();
});

test("log queries", (t) => {
  const query = (text: string) => parseLogQuery(new URLSearchParams(text), 100_000);
  t.same(query("follow=true&tailLines=5&sinceSeconds=10&timestamps=1&limitBytes=7"), {
    options: { follow: true, timestamps: true, tailLines: 5, sinceMs: 90_000 },
    previous: false,
    limitBytes: 7,
  });
  t.equal(query("previous=true").previous, true);
  t.throws(() => query("tailLines=x"), { code: 400 });
  t.end();
});

test("which container's log", (t) => {
  const base = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0 };
  const where = { pod: "p", container: "c", previous: false };
  t.equal(logContainerId({ ...base, containerID: "docker://a", state: { running: {} } }, where), "a");
  const crashed = {
    ...base,
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: { terminated: { exitCode: 1, containerID: "docker://b" } },
  };
  t.equal(logContainerId(crashed, where), "b");
  t.equal(logContainerId(crashed, { ...where, previous: true }), "b");
  t.throws(() => logContainerId({ ...base, state: { waiting: { reason: "ContainerCreating" } } }, where), {
    message: 'container "c" in pod "p" is waiting to start: ContainerCreating',
  });
  t.throws(() => logContainerId(base, { ...where, previous: true }), {
    message: 'previous terminated container "c" in pod "p" not found',
  });
  t.end();
});

test("channels and streams", (t) => {
  for (const base64 of [false, true]) {
    const message = Buffer.from(encodeMessage(1, Buffer.from("héllo"), { base64 }));
    t.same(decodeMessage(message, { base64 }), { channel: 1, data: Buffer.from("héllo") });
  }
  t.equal(chooseProtocol(["x", "b", "a"], ["a", "b"]), "b");
  t.equal(chooseProtocol([], ["a"]), "");
  t.equal(chooseProtocol(["x"], ["a"]), undefined);
  const options = streamOptions(new URLSearchParams("input=1&output=1&error=1&tty=1"));
  t.same(options, { stdin: true, stdout: true, stderr: false, tty: true });
  t.same(expectedStreams(options, "v4.channel.k8s.io"), ["error", "stdin", "stdout", "resize"]);
  t.same(expectedStreams(options, ""), ["error", "stdin", "stdout"]);
  t.throws(() => streamOptions(new URLSearchParams("tty=1")), /at least 1 of/);
  t.match(exitStatus(3), { reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: "3" }] } });
  const netDev =
    "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n";
  t.same(interfaceFigures(netDev), [
    {
      name: "eth0",
      rxBytes: 10,
      rxPackets: 2,
      rxErrors: 3,
      rxDropped: 4,
      txBytes: 50,
      txPackets: 6,
      txErrors: 7,
      txDropped: 8,
    },
  ]);
  t.equal(busyNanos("cpu  100 0 50 1000 9 0 0 0 0 0\n"), 1.5e9);
  t.end();
});
