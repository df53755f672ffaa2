// Tokens that know nothing of audiences are good for this apiserver alone: who reviews one for another audience is told
// that it is nobody's (upstream: authenticator.WrapAudienceAgnosticToken).

import type { UserInfo } from "./authenticator.js";
import type { TokenAuthenticator } from "./token.js";

/** What authenticates tokens without audiences. */
export interface AgnosticAuthenticator {
  readonly name: string;
  /** undefined: not a token of this kind. Throws when it is one and is bad. */
  userOf(token: string): Promise<UserInfo | undefined> | UserInfo | undefined;
}

/** Its tokens have the apiserver's audiences. */
export function audienceAgnostic(
  { name, userOf }: AgnosticAuthenticator,
  apiAudiences: readonly string[],
): TokenAuthenticator {
  return {
    name,
    async authenticateToken(token, audiences) {
      const shared = apiAudiences.filter((audience) => audiences.includes(audience));
      if (shared.length === 0 && apiAudiences.length > 0) return undefined;
      const user = await userOf(token);
      return user && { user, audiences: shared };
    },
  };
}
