// AuthenticationConfiguration documents: what they become, and what is wrong with others.

import { test } from "tap";
import { parseAuthenticationConfiguration } from "./authentication-configuration.js";

const issuer = { url: "https://issuer.example.com", audiences: ["kubectl"] };
const username = { claim: "sub", prefix: "" };
const jwt = { issuer, claimMappings: { username } };
const parse = (document: object) => parseAuthenticationConfiguration(document as never, ["https://us.example.com"]);
const words = (document: object) => parse(document).faults.map(({ field, message }) => `${field}: ${message}`);

test("what a document becomes", (t) => {
  const { configuration, faults } = parse({
    jwt: [
      {
        issuer: { ...issuer, discoveryURL: "https://inside.example.com/openid", certificateAuthority: "PEM" },
        claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
        claimMappings: {
          username: { claim: "email", prefix: "o:" },
          groups: { claim: "roles", prefix: "" },
          uid: { claim: "id" },
        },
      },
    ],
    anonymous: { enabled: true, conditions: [{ path: "/livez" }, { path: "/readyz" }] },
  });
  t.same(faults, []);
  t.same(configuration, {
    jwt: [
      {
        issuer: { ...issuer, discoveryURL: "https://inside.example.com/openid", certificateAuthority: "PEM" },
        claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
        claimMappings: {
          username: { claim: "email", prefix: "o:" },
          groups: { claim: "roles", prefix: "" },
          uid: { claim: "id" },
        },
      },
    ],
    anonymous: { enabled: true, paths: ["/livez", "/readyz"] },
  });
  t.same(parse({}).configuration, { jwt: [], anonymous: undefined }, "what is left out is left to the flags");
  t.same(parse({ anonymous: { enabled: true } }).configuration.anonymous, { enabled: true, paths: undefined });
  t.end();
});

const noCel = "Forbidden: CEL expressions are not part of this build: name a claim instead";
const wrong: [document: object, words: string[]][] = [
  [
    { jwt: [{ ...jwt, claimMappings: { username: { expression: "claims.sub" } } }] },
    [`jwt[0].claimMappings.username.expression: ${noCel}`],
  ],
  [{ jwt: [{ ...jwt, claimMappings: { username, extra: [{}] } }] }, [`jwt[0].claimMappings.extra: ${noCel}`]],
  [{ jwt: [{ ...jwt, userValidationRules: [{}] }] }, [`jwt[0].userValidationRules: ${noCel}`]],
  [
    { jwt: [{ ...jwt, claimValidationRules: [{ expression: "true" }] }] },
    [`jwt[0].claimValidationRules[0].expression: ${noCel}`],
  ],
  [
    { jwt: [{ issuer, claimMappings: { username: { claim: "sub" } } }] },
    [
      "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing",
    ],
  ],
  [{ jwt: [{ issuer }] }, ["jwt[0].claimMappings.username: Required value: claim or expression is required"]],
  [
    { jwt: [{ ...jwt, issuer: { ...issuer, audiences: ["a", "b"] } }] },
    [
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
  ],
  [
    { jwt: [{ ...jwt, issuer: { ...issuer, audiences: [] } }] },
    ["jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required"],
  ],
  [{ jwt: [jwt, jwt] }, ['jwt[1].issuer.url: Duplicate value: "https://issuer.example.com"']],
  [
    { jwt: [{ ...jwt, issuer: { ...issuer, discoveryURL: `${issuer.url}/` } }] },
    [
      'jwt[0].issuer.discoveryURL: Invalid value: "https://issuer.example.com/": discoveryURL must be different from URL',
    ],
  ],
  [
    { jwt: [{ ...jwt, claimValidationRules: [{ claim: "a" }, { claim: "a" }] }] },
    ['jwt[0].claimValidationRules[1].claim: Duplicate value: "a"'],
  ],
  [
    { anonymous: { enabled: false, conditions: [{ path: "/livez" }] } },
    [
      'anonymous.conditions: Invalid value: []apiserver.AnonymousAuthCondition{apiserver.AnonymousAuthCondition{Path:"/livez"}}: enabled should be set to true when conditions are defined',
    ],
  ],
];

test("documents that are refused", (t) => {
  for (const [document, expected] of wrong) t.same(words(document), expected);
  t.match(words({ jwt: Array.from({ length: 65 }, () => jwt) })[0], /jwt: Too many: 65: must have at most 64 items/);
  t.end();
});
