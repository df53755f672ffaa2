// The user of requests without credentials. What it may see is RBAC's (system:public-info-viewer).

import type { UserInfo } from "./authenticator.js";

/** system:anonymous of group system:unauthenticated. */
export const anonymousUser: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };
