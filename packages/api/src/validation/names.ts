// What names and small strings may look like, with upstream's messages (apimachinery pkg/util/validation). Each check
// answers with the list of its objections, empty when there is none; it never knows which field it looks at.

/** Objections in upstream's words; empty means valid. */
export type Objections = string[];

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_WITH_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_WITH_UNDERSCORE = `${LABEL_WITH_UNDERSCORE}(\\.${LABEL_WITH_UNDERSCORE})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const CONFIG_MAP_KEY = "[-._a-zA-Z0-9]+";
const ENV_VAR = "[-._a-zA-Z][-._a-zA-Z0-9]*";
const HTTP_HEADER = "[-A-Za-z0-9]+";
const PERCENT = "[0-9]+%";

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const labelRegexp = whole(LABEL);
const subdomainRegexp = whole(SUBDOMAIN);
const subdomainWithUnderscoreRegexp = whole(SUBDOMAIN_WITH_UNDERSCORE);
const label1035Regexp = whole(LABEL_1035);
const qualifiedNameRegexp = whole(QUALIFIED_NAME);
const labelValueRegexp = whole(LABEL_VALUE);
const wildcardRegexp = whole(WILDCARD);
const configMapKeyRegexp = whole(CONFIG_MAP_KEY);
const envVarRegexp = whole(ENV_VAR);
const httpHeaderRegexp = whole(HTTP_HEADER);
const percentRegexp = whole(PERCENT);

const QUALIFIED_WORDS =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** Upstream's MaxLenError. */
export function maxLenError(length: number): string {
  return `must be no more than ${length} characters`;
}

/** Upstream's RegexError. */
export function regexError(words: string, pattern: string, examples: readonly string[] = []): string {
  if (examples.length === 0) return `${words} (regex used for validation is '${pattern}')`;
  const list = examples.map((example) => `'${example}', `).join(" or ");
  return `${words} (e.g. ${list}regex used for validation is '${pattern}')`;
}

/** Upstream's InclusiveRangeError. */
export function inclusiveRangeError(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** Upstream's EmptyError. */
export const EMPTY_ERROR = "must be non-empty";

const tooLong = (value: string, maxLength: number): Objections =>
  Buffer.byteLength(value) > maxLength ? [maxLenError(maxLength)] : [];

/** A label of DNS (RFC 1123): most names that end up in DNS, at most 63 characters. */
export function isDNS1123Label(value: string): Objections {
  const objections = tooLong(value, 63);
  if (!labelRegexp.test(value)) {
    objections.push(
      subdomainRegexp.test(value)
        ? "must not contain dots"
        : regexError(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            LABEL,
            ["my-name", "123-abc"],
          ),
    );
  }
  return objections;
}

/** A subdomain of DNS (RFC 1123): most objects' names, at most 253 characters. */
export function isDNS1123Subdomain(value: string): Objections {
  const objections = tooLong(value, 253);
  if (!subdomainRegexp.test(value)) {
    objections.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        ["example.com"],
      ),
    );
  }
  return objections;
}

/** A subdomain of DNS in which underscores are let pass: search domains. */
export function isDNS1123SubdomainWithUnderscore(value: string): Objections {
  const objections = tooLong(value, 253);
  if (!subdomainWithUnderscoreRegexp.test(value)) {
    objections.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN_WITH_UNDERSCORE,
        ["example.com"],
      ),
    );
  }
  return objections;
}

/** A label of DNS (RFC 1035): names of Services. */
export function isDNS1035Label(value: string): Objections {
  const objections = tooLong(value, 63);
  if (!label1035Regexp.test(value)) {
    objections.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        LABEL_1035,
        ["my-name", "abc-123"],
      ),
    );
  }
  return objections;
}

/** "*.example.com": hosts of an Ingress. */
export function isWildcardDNS1123Subdomain(value: string): Objections {
  const objections = tooLong(value, 253);
  if (!wildcardRegexp.test(value)) {
    objections.push(
      regexError(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD,
        ["*.example.com"],
      ),
    );
  }
  return objections;
}

/** A key of labels, annotations, taints and extended resources: [prefix/]name. */
export function isQualifiedName(value: string): Objections {
  const objections: Objections = [];
  const parts = value.split("/");
  let name = parts[0]!;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    name = parts[1]!;
    if (prefix === "") objections.push(`prefix part ${EMPTY_ERROR}`);
    else objections.push(...isDNS1123Subdomain(prefix).map((objection) => `prefix part ${objection}`));
  } else if (parts.length > 2) {
    const words = regexError(QUALIFIED_WORDS, QUALIFIED_NAME, ["MyName", "my.name", "123-abc"]);
    return [`a qualified name ${words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === "") objections.push(`name part ${EMPTY_ERROR}`);
  else objections.push(...tooLong(name, 63).map((objection) => `name part ${objection}`));
  if (!qualifiedNameRegexp.test(name)) {
    objections.push(`name part ${regexError(QUALIFIED_WORDS, QUALIFIED_NAME, ["MyName", "my.name", "123-abc"])}`);
  }
  return objections;
}

/** A label's value; the empty string is one. */
export function isValidLabelValue(value: string): Objections {
  const objections = tooLong(value, 63);
  if (!labelValueRegexp.test(value)) {
    objections.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        ["MyValue", "my_value", "12345"],
      ),
    );
  }
  return objections;
}

/** A name that only has to fit into a URL's path: RBAC's objects. */
export function isPathSegmentName(value: string): Objections {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((illegal) => value.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

/** A named port of a container or probe. */
export function isValidPortName(value: string): Objections {
  const objections = tooLong(value, 15);
  if (!/^[-a-z0-9]+$/.test(value)) {
    objections.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) objections.push("must contain at least one letter (a-z)");
  if (value.includes("--")) objections.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) objections.push("must not begin or end with a hyphen");
  return objections;
}

/** 1 to 65535. */
export function isValidPortNum(port: number): Objections {
  return isInRange(port, { min: 1, max: 65535 });
}

/** Both ends belong to the range. */
export function isInRange(value: number, { min, max }: { min: number; max: number }): Objections {
  return value >= min && value <= max ? [] : [inclusiveRangeError(min, max)];
}

/** "25%". */
export function isValidPercent(value: string): Objections {
  return percentRegexp.test(value)
    ? []
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, ["1%", "93%"])];
}

/** The name of an HTTP header in a probe. */
export function isHTTPHeaderName(value: string): Objections {
  return httpHeaderRegexp.test(value)
    ? []
    : [
        regexError("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER, [
          "X-Header-Name",
        ]),
      ];
}

function dotObjections(value: string): Objections {
  if (value === "." || value === "..") return [`must not be '${value}'`];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

/** An environment variable's name by the strict rule of older releases. */
export function isEnvVarName(value: string): Objections {
  const objections = envVarRegexp.test(value)
    ? []
    : [
        regexError(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          ENV_VAR,
          ["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        ),
      ];
  return [...objections, ...dotObjections(value)];
}

/** An environment variable's name by 1.33's rule: printable ASCII without "=". */
export function isRelaxedEnvVarName(value: string): Objections {
  if (value === "") return [`environment variable name ${EMPTY_ERROR}`];
  return /^[ -<>-~]*$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): Objections {
  const objections = tooLong(value, 253);
  if (!configMapKeyRegexp.test(value)) {
    objections.push(
      regexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", CONFIG_MAP_KEY, [
        "key.name",
        "KEY_NAME",
        "key-name",
      ]),
    );
  }
  return [...objections, ...dotObjections(value)];
}
