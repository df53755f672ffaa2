// The kubelet killed at every outward action of a pod's start (of changes of files at one in four), and at every second of its
// end; with PICOKUBE_EVERY_KILL at all of them: the next one brings the pod up, or away, as if nothing had been, and nothing
// leaks.

import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { makeWhatItMounts } from "./everything-pod.testing.js";
import { killQueue } from "./kill-queue.testing.js";
import { createKilledKubelet } from "./killed-pod.testing.js";

const kubelets = 3;

test("SIGKILL at every action", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  await makeWhatItMounts(server);
  const made = await Promise.all(
    Array.from({ length: kubelets }, (_, index) => createKilledKubelet(t, server, { number: 60 + index })),
  );
  // What there is to do is learnt from pods that live undisturbed.
  const [actions] = await Promise.all(made.map((kubelet) => kubelet.record(t)));
  t.comment(`${actions!.starting.length} actions of a start, ${actions!.ending.length} of an end`);
  const starting = killQueue(actions!.starting, { actionsPerKill: 1, fileActionsPerKill: 4 });
  const ending = killQueue(actions!.ending, { actionsPerKill: 2, fileActionsPerKill: 8 });
  await Promise.all(
    made.map(async (kubelet) => {
      while (starting.length + ending.length > 0) await kubelet.disturb(t, { starting, ending });
    }),
  );
  for (const { kubelet } of made) t.equal(await kubelet.stop(), 0);
});
