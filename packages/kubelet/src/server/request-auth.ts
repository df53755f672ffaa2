// Who may talk to the kubelet: 401 for nobody known, 403 for somebody who may not. Asks DelegatedAuth for both.

import type { IncomingMessage } from "node:http";
import type { DelegatedAuth } from "@picokube/client/delegated-auth";
import type { KubeletSettings } from "../parts.js";
import { ServerError } from "./container-lookup.js";
import { requestSubresources, requestVerb } from "./request-attributes.js";

/** Resolves when the request may go on, else rejects with a ServerError. */
export async function authorizeRequest(
  request: IncomingMessage,
  {
    auth,
    settings,
  }: {
    auth: Pick<DelegatedAuth, "authenticate" | "authorize">;
    settings: Pick<KubeletSettings, "nodeName" | "authorizationMode">;
  },
): Promise<void> {
  const user = await auth.authenticate(request).catch((error: unknown) => {
    throw new ServerError(401, "Unauthorized", { cause: error });
  });
  if (!user) throw new ServerError(401, "Unauthorized");
  if (settings.authorizationMode === "AlwaysAllow") return;
  const path = new URL(request.url ?? "/", "http://kubelet").pathname;
  const verb = requestVerb(request.method);
  const subresources = requestSubresources(path);
  for (const subresource of subresources) {
    const resource = { verb, group: "", version: "v1", resource: "nodes", subresource, name: settings.nodeName };
    const { allowed } = await auth.authorize(user, { resource }).catch((error: unknown) => {
      const words = `Authorization error (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`;
      throw new ServerError(500, words, { cause: error });
    });
    if (allowed) return;
  }
  throw new ServerError(
    403,
    `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`,
  );
}
