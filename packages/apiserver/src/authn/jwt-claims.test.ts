// Tables of claims and the users they make, and of configurations and what is wrong with them.

import { test } from "tap";
import { type Claims, checkClaims, userOfClaims } from "./jwt-claims.js";
import { type JwtConfiguration, jwtConfigurationOf, jwtFaults, type OidcOptions } from "./jwt-configuration.js";

const options: OidcOptions = {
  oidcIssuerUrl: "https://issuer.example.com",
  oidcClientId: "kubectl",
  oidcCaFile: "",
  oidcUsernameClaim: "sub",
  oidcUsernamePrefix: "",
  oidcGroupsClaim: "",
  oidcGroupsPrefix: "",
  oidcRequiredClaim: {},
  oidcSigningAlgs: ["RS256"],
};
const configured = (more: Partial<OidcOptions> = {}): JwtConfiguration => jwtConfigurationOf({ ...options, ...more })!;

const users: [more: Partial<OidcOptions>, claims: Claims, user: object | string][] = [
  [{}, { sub: "jane" }, { name: "https://issuer.example.com#jane", groups: [] }],
  [{ oidcUsernamePrefix: "-" }, { sub: "jane" }, { name: "jane" }],
  [{ oidcUsernamePrefix: "oidc:" }, { sub: "jane" }, { name: "oidc:jane" }],
  [{ oidcUsernameClaim: "email" }, { email: "j@x.org" }, { name: "j@x.org" }],
  [{ oidcUsernameClaim: "email" }, { email: "j@x.org", email_verified: true }, { name: "j@x.org" }],
  [{ oidcUsernameClaim: "email" }, { email: "j@x.org", email_verified: false }, "oidc: email not verified"],
  [
    { oidcUsernameClaim: "email" },
    { email: "j@x.org", email_verified: "true" },
    "oidc: parse 'email_verified' claim: json: cannot unmarshal string into Go value of type bool",
  ],
  [{ oidcUsernameClaim: "name" }, { sub: "jane" }, 'oidc: parse username claims "name": claim not present'],
  [
    { oidcUsernameClaim: "name" },
    { name: 7 },
    'oidc: parse username claims "name": json: cannot unmarshal number into Go value of type string',
  ],
  [{ oidcGroupsClaim: "roles" }, { sub: "j", roles: ["a", "b"] }, { groups: ["a", "b"] }],
  [{ oidcGroupsClaim: "roles", oidcGroupsPrefix: "o:" }, { sub: "j", roles: "a" }, { groups: ["o:a"] }],
  [{ oidcGroupsClaim: "roles" }, { sub: "j" }, { groups: [] }],
  [
    { oidcGroupsClaim: "roles" },
    { sub: "j", roles: { a: 1 } },
    'oidc: parse groups claim "roles": json: cannot unmarshal object into Go value of type string',
  ],
  [{ oidcRequiredClaim: { hd: "x.org" } }, { sub: "j", hd: "x.org" }, { groups: [] }],
  [{ oidcRequiredClaim: { hd: "x.org" } }, { sub: "j" }, "oidc: required claim hd not present in ID token"],
  [
    { oidcRequiredClaim: { hd: "x.org" } },
    { sub: "j", hd: "y.org" },
    "oidc: required claim hd value does not match. Got = y.org, want = x.org",
  ],
];

test("claims and the user they make", (t) => {
  for (const [more, claims, expected] of users) {
    if (typeof expected === "string") t.throws(() => userOfClaims(claims, configured(more)), { message: expected });
    else t.match(userOfClaims(claims, configured(more)), expected);
  }
  t.end();
});

test("times and audience", (t) => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const seconds = now / 1000;
  const check = (claims: Claims) => () =>
    checkClaims({ exp: seconds + 60, aud: "kubectl", ...claims }, configured(), now);
  t.doesNotThrow(check({}));
  t.doesNotThrow(check({ aud: ["other", "kubectl"], nbf: seconds + 299 }));
  t.throws(check({ exp: seconds - 1 }), {
    message: "oidc: verify token: oidc: token is expired (Token Expiry: 2025-12-31T23:59:59.000Z)",
  });
  t.throws(check({ exp: undefined }), { message: /token is expired/ });
  t.throws(check({ nbf: seconds + 301 }), { message: /before the nbf \(not before\) time: 2026-01-01T00:05:01/ });
  t.throws(check({ aud: ["moon"] }), { message: 'oidc: expected audience in ["kubectl"] got ["moon"]' });
  t.throws(check({ aud: undefined }), { message: 'oidc: expected audience in ["kubectl"] got []' });
  t.end();
});

test("flags that are refused", (t) => {
  const fails = (more: Partial<OidcOptions>, message: string) =>
    t.throws(() => jwtConfigurationOf({ ...options, ...more }), { message });
  const together = "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set";
  fails({ oidcClientId: "" }, together);
  fails({ oidcIssuerUrl: "" }, together);
  fails({ oidcIssuerUrl: "", oidcClientId: "", oidcGroupsClaim: "g" }, together);
  fails({ oidcSigningAlgs: ["RS256", "HS256"] }, 'oidc: unsupported signing alg: "HS256"');
  fails({ oidcCaFile: "/nowhere/ca.crt" }, "oidc-ca-file: ENOENT: no such file or directory, open '/nowhere/ca.crt'");
  t.equal(jwtConfigurationOf({ ...options, oidcIssuerUrl: "", oidcClientId: "" }), undefined, "no flag, no issuer");
  t.end();
});

test("issuers that are refused", (t) => {
  const faultsOf = (url: string) => jwtFaults([configured({ oidcIssuerUrl: url })], ["https://us.example.com"]);
  t.same(faultsOf("https://issuer.example.com"), []);
  const words: [url: string, words: string][] = [
    ["http://issuer.example.com", 'Invalid value: "http://issuer.example.com": URL scheme must be https'],
    ["https://a:b@x.org", 'Invalid value: "https://a:b@x.org": URL must not contain a username or password'],
    ["https://x.org?a=b", 'Invalid value: "https://x.org?a=b": URL must not contain a query'],
    ["https://x.org#a", 'Invalid value: "https://x.org#a": URL must not contain a fragment'],
    ["https://us.example.com", 'Invalid value: "https://us.example.com": URL must not overlap with disallowed issuers'],
  ];
  for (const [url, message] of words) t.match(faultsOf(url), [{ field: "jwt[0].issuer.url", message }]);
  t.match(jwtFaults([configured(), configured()], []), [{ field: "jwt[1].issuer.url", reason: "FieldValueDuplicate" }]);
  t.end();
});
