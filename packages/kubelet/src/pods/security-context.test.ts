// Security settings and the words of runAsNonRoot.

import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";
import { test } from "tap";
import { testPod } from "./observed.js";
import { containerSecurity, verifyRunAsNonRoot } from "./security-context.js";

const image = (user: string) => ({
  id: "sha256:1",
  tags: [],
  digests: [],
  sizeBytes: 1,
  user,
  origin: "host" as const,
});
const container = (securityContext: Container["securityContext"]): Container => ({
  name: "c",
  image: "i",
  ...(securityContext ? { securityContext } : {}),
});
const security = (
  pod: Pod,
  own: Container["securityContext"],
  { user = "", seccompDefault = false }: { user?: string; seccompDefault?: boolean } = {},
) =>
  containerSecurity({
    pod,
    container: container(own),
    image: image(user),
    seccompDefault,
    seccompRoot: "/profiles",
    targetContainerId: undefined,
  });
const spec = (fields: Partial<PodSpec>) => testPod(fields);

test("settings of container and pod", async (t) => {
  t.match(security(testPod(), undefined), {
    user: undefined,
    groups: [],
    seccomp: undefined,
    pidMode: "container",
    privileged: false,
  });
  t.match(
    security(spec({ securityContext: { runAsUser: 1, fsGroup: 5, supplementalGroups: [5, 6] } }), { runAsUser: 2 }),
    {
      user: "2",
      groups: [5, 6],
    },
  );
  t.match(security(spec({ securityContext: { runAsGroup: 7 } }), undefined, { user: "www:www" }), { user: "www:7" });
  const byDefault = { seccompDefault: true };
  t.match(security(testPod(), undefined, byDefault), { seccomp: "runtime/default" });
  const unconfined = { seccompProfile: { type: "Unconfined" as const } };
  t.match(security(spec({ securityContext: unconfined }), undefined, byDefault), { seccomp: "unconfined" });
  t.match(security(testPod(), { seccompProfile: { type: "Localhost", localhostProfile: "a.json" } }), {
    seccomp: "/profiles/a.json",
  });
  t.match(
    security(testPod(), {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    }),
    {
      noNewPrivileges: true,
      dropCapabilities: ["ALL"],
      addCapabilities: ["NET_BIND_SERVICE"],
    },
  );
  t.match(security(spec({ shareProcessNamespace: true }), undefined), { pidMode: "pod" });
  t.match(security(spec({ hostPID: true }), undefined), { pidMode: "host" });
});

test("runAsNonRoot", async (t) => {
  const verify = (own: Container["securityContext"], user: string) => () =>
    verifyRunAsNonRoot(testPod(), container({ runAsNonRoot: true, ...own }), image(user));
  const place = '\\(pod: "web_default\\(uid-1\\)", container: c\\)';
  t.throws(
    verify({}, ""),
    new RegExp(
      `^ContainerConfigError: container has runAsNonRoot and image will run as root ${place}$|image will run as root ${place}$`,
    ),
  );
  t.throws(verify({}, "nginx"), /non-numeric user \(nginx\), cannot verify user is non-root/);
  t.throws(verify({ runAsUser: 0 }, "1"), /container's runAsUser breaks non-root policy/);
  t.doesNotThrow(verify({}, "65535:65535"));
  t.doesNotThrow(verify({ runAsUser: 1000 }, "root"));
});
