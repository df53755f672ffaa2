import type { PodStatus } from "@picokube/api/core/v1";
import { test } from "tap";
import { carryOver, statusPatch } from "./status-patch.js";
import { logTail } from "./termination-message.js";

const ready = (status: "True" | "False", extra: object = {}) => ({ type: "Ready", status, ...extra });

test("only what differs is patched, and only what is the kubelet's", (t) => {
  const table: [string, PodStatus, PodStatus, unknown][] = [
    ["equal", { phase: "Running" }, { phase: "Running" }, undefined],
    ["a scalar", { phase: "Pending" }, { phase: "Running" }, { phase: "Running" }],
    ["a field gone", { phase: "Running", message: "x" }, { phase: "Running" }, { message: null }],
    [
      "others' conditions stay",
      { conditions: [{ type: "DisruptionTarget", status: "True" }, ready("False")] },
      { conditions: [ready("True")] },
      { conditions: [ready("True")] },
    ],
    [
      "reasons that went are nulled",
      { conditions: [ready("False", { reason: "ContainersNotReady" })] },
      { conditions: [ready("True")] },
      { conditions: [{ ...ready("True"), reason: null }] },
    ],
    [
      "own conditions go",
      { conditions: [ready("True")] },
      { conditions: [] },
      { conditions: [{ type: "Ready", $patch: "delete" }] },
    ],
    [
      "addresses are merged by ip",
      { podIPs: [{ ip: "10.0.0.1" }] },
      { podIPs: [{ ip: "10.0.0.2" }] },
      { podIPs: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1", $patch: "delete" }] },
    ],
    ["nominatedNodeName is the scheduler's", { nominatedNodeName: "n" }, {}, undefined],
  ];
  for (const [name, before, after, patch] of table) t.same(statusPatch(before, after), patch, name);
  t.end();
});

test("transition times change with the status only", (t) => {
  const before: PodStatus = { startTime: "s0", conditions: [ready("False", { lastTransitionTime: "t0" })] };
  t.match(carryOver(before, { conditions: [ready("False")] }, "t1"), {
    startTime: "s0",
    conditions: [{ lastTransitionTime: "t0" }],
  });
  t.match(carryOver(before, { conditions: [ready("True")] }, "t1"), { conditions: [{ lastTransitionTime: "t1" }] });
  t.match(carryOver(undefined, { conditions: [ready("True")] }, "t1"), { startTime: "t1" });
  t.end();
});

test("the log's tail is 80 lines and 2 KiB", (t) => {
  const many = Array.from({ length: 100 }, (_, index) => `${index}\n`).join("");
  t.equal(logTail(many).split("\n").length, 81);
  t.ok(logTail(many).startsWith("20\n"));
  t.equal(Buffer.byteLength(logTail("x".repeat(5000))), 2048);
  t.equal(logTail(""), "");
  t.end();
});
