// Story: a VM loses its power and is booted: its pods run again, and an address that it announced was another's meanwhile.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, podsOf } from "../harness/pod-rows.js";
import { announcedAddress } from "./announced-address.js";
import { addressIn, netAddresses } from "./net-pods.js";

const execute = promisify(execFile);

export async function powerCut(t: Test, vms: LocalVms): Promise<void> {
  const { kubectl, picokube } = vms;
  const before = await netAddresses(vms);
  const asked = (address: string | undefined) =>
    execute("curl", ["-sS", "--max-time", "2", `http://${address}/cgi-bin/who`]);
  const outsider = await announcedAddress(t, vms);
  await eventually(
    "somebody on the link reaches the load balancer",
    async () => addressIn((await outsider.ask()) ?? "") !== undefined,
  );
  t.equal(await outsider.announcer(), "node-2");
  const cutAt = Date.now();
  await picokube("fault", "kill", "node-2");
  t.match(await picokube("fault", "list"), /node-2 +it is off/);
  await t.rejects(asked(before["net-b"]), "nothing runs there");
  await eventually("node-3 says that it has the address", async () => (await outsider.announcer()) === "node-3");
  await eventually("and it answers", async () => addressIn((await outsider.ask()) ?? "") !== undefined);
  t.comment(`a load balancer's address without its node: it answered again ${Date.now() - cutAt} ms after the cut`);
  t.match(await picokube("node", "start", "node-2"), "node-2 is on and Ready.");
  const pod = await eventually(
    "its pod runs again",
    async () => {
      const now = (await podsOf(kubectl, "net")).find(({ metadata }) => metadata.name === "net-b");
      return now !== undefined && isReady(now) && now.status.containerStatuses![0]!.restartCount >= 2 && now;
    },
    120_000,
  );
  await eventually("and answers", async () => addressIn((await asked(pod.status.podIP)).stdout) !== undefined);
  t.comment(`node-2 without power: its pod answered again ${Date.now() - cutAt} ms after the cut`);
}
