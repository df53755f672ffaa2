// A kubelet that starts anew on a slow machine: its network comes up while it looks at a pod that runs.

import { Readable } from "node:stream";
import { test } from "tap";
import { annotationNames } from "./container-spec.js";
import { observePod } from "./observe-pod.js";
import { testContainer, testPod, testSandbox } from "./observed.js";
import { computePodActions, isIdle } from "./pod-actions.js";
import type { PodContext } from "./pod-context.js";
import { TerminationMessages } from "./termination-messages.js";

const verdicts = { liveness: () => undefined, startup: () => undefined };

/** A pod that was started anew once; its first container's last words are in its log, and reading them takes a while. */
function surroundings({ comesUp }: { comesUp: boolean }) {
  const running = testContainer({ state: "running", attempt: 1 });
  const ended = testContainer({ state: "exited", exitCode: 1, attempt: 0 });
  const annotations = { ...ended.annotations, [annotationNames.terminationMessagePolicy]: "FallbackToLogsOnError" };
  let isUp = false;
  const runtime = {
    listSandboxes: async () => [testSandbox()],
    listContainers: async () => [running, { ...ended, annotations }],
    async logs() {
      await new Promise((done) => setImmediate(done));
      isUp = comesUp;
      return Readable.from([]);
    },
  };
  const network = {
    problems: () => (isUp ? [] : ["pod network: waiting for the node's pod CIDR"]),
    addressOf: () => (isUp ? "10.244.1.7" : undefined),
  };
  const context = { runtime, network, settings: { nodeIps: [] }, states: new Map(), logs: { observe() {} } };
  return {
    context: context as unknown as PodContext,
    messages: new TerminationMessages(runtime as unknown as PodContext["runtime"]),
  };
}

test("a pod that was looked at before the network came up is looked at again", async (t) => {
  const { context, messages } = surroundings({ comesUp: true });
  const state = await observePod(context, testPod(), messages);
  t.strictSame(state.podIps, ["10.244.1.7"]);
  t.ok(isIdle(computePodActions(testPod(), state, verdicts)), "it is left alone");
});

test("while the network is not up a pod is shown without an address", async (t) => {
  const { context, messages } = surroundings({ comesUp: false });
  t.strictSame((await observePod(context, testPod(), messages)).podIps, []);
});
