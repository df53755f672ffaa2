// The query parameters of the API and which operation takes which, in upstream's words. Knows neither paths nor kinds.

export type Action = "list" | "get" | "post" | "put" | "patch" | "delete" | "deletecollection" | "connect";

export interface QueryParameter {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

const parameter = (name: string, type: QueryParameter["type"], description: string): QueryParameter => ({
  name,
  type,
  description,
});

/** Stands at every path. */
export const pretty = parameter(
  "pretty",
  "string",
  "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
);

const dryRun = parameter(
  "dryRun",
  "string",
  "When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed",
);
const fieldManager = parameter(
  "fieldManager",
  "string",
  "fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than or 128 characters long, and only contain printable characters, as defined by https://golang.org/pkg/unicode/#IsPrint.",
);
const fieldValidation = parameter(
  "fieldValidation",
  "string",
  "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown or duplicate fields. Valid values are: Ignore, Warn, Strict.",
);
const force = parameter(
  "force",
  "boolean",
  'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.',
);
const selectors = [
  parameter(
    "fieldSelector",
    "string",
    "A selector to restrict the list of returned objects by their fields. Defaults to everything.",
  ),
  parameter(
    "labelSelector",
    "string",
    "A selector to restrict the list of returned objects by their labels. Defaults to everything.",
  ),
  parameter("limit", "integer", "limit is a maximum number of responses to return for a list call."),
  parameter(
    "continue",
    "string",
    "The continue option should be set when retrieving more results from the server. Since this value is server defined, clients may only use the continue value from a previous query result with identical query parameters.",
  ),
  parameter(
    "resourceVersion",
    "string",
    "resourceVersion sets a constraint on what resource versions a request may be served from. Defaults to unset",
  ),
  parameter(
    "resourceVersionMatch",
    "string",
    "resourceVersionMatch determines how resourceVersion is applied to list calls. Defaults to unset",
  ),
  parameter(
    "sendInitialEvents",
    "boolean",
    "`sendInitialEvents=true` may be set together with `watch=true`. In that case, the watch stream will begin with synthetic events to produce the current state of objects in the collection.",
  ),
  parameter(
    "timeoutSeconds",
    "integer",
    "Timeout for the list/watch call. This limits the duration of the call, regardless of any activity or inactivity.",
  ),
];
const watching = [
  parameter(
    "allowWatchBookmarks",
    "boolean",
    'allowWatchBookmarks requests watch events with type "BOOKMARK". Servers that do not implement bookmarks may ignore this flag and bookmarks are sent at the server\'s discretion.',
  ),
  parameter(
    "watch",
    "boolean",
    "Watch for changes to the described resources and return them as a stream of add, update, and remove notifications. Specify resourceVersion.",
  ),
];
const deleting = [
  dryRun,
  parameter(
    "gracePeriodSeconds",
    "integer",
    "The duration in seconds before the object should be deleted. Value must be non-negative integer. The value zero indicates delete immediately.",
  ),
  parameter(
    "orphanDependents",
    "boolean",
    "Deprecated: please use the PropagationPolicy, this field will be deprecated in 1.7. Should the dependent objects be orphaned.",
  ),
  parameter(
    "propagationPolicy",
    "string",
    "Whether and how garbage collection will be performed. Either this field or OrphanDependents may be set, but not both.",
  ),
];

const byAction: { readonly [action in Action]: readonly QueryParameter[] } = {
  get: [],
  connect: [],
  list: [...selectors, ...watching],
  post: [dryRun, fieldManager, fieldValidation],
  put: [dryRun, fieldManager, fieldValidation],
  patch: [dryRun, fieldManager, fieldValidation, force],
  delete: deleting,
  deletecollection: [...deleting, ...selectors],
};

const container = parameter(
  "container",
  "string",
  "The container for which to stream. Defaults to the only container.",
);
const terminal = [
  container,
  parameter("stderr", "boolean", "Redirect the standard error stream of the pod for this call."),
  parameter("stdin", "boolean", "Redirect the standard input stream of the pod for this call. Defaults to false."),
  parameter("stdout", "boolean", "Redirect the standard output stream of the pod for this call."),
  parameter("tty", "boolean", "TTY if true indicates that a tty will be allocated for the call. Defaults to false."),
];
const byStream: { readonly [subresource: string]: readonly QueryParameter[] } = {
  attach: terminal,
  exec: [parameter("command", "string", "Command is the remote command to execute. argv array."), ...terminal],
  log: [
    container,
    parameter("follow", "boolean", "Follow the log stream of the pod. Defaults to false."),
    parameter(
      "limitBytes",
      "integer",
      "If set, the number of bytes to read from the server before terminating the log.",
    ),
    parameter("previous", "boolean", "Return previous terminated container logs. Defaults to false."),
    parameter("sinceSeconds", "integer", "A relative time in seconds before the current time from which to show logs."),
    parameter("tailLines", "integer", "If set, the number of lines from the end of the logs to show."),
    parameter(
      "timestamps",
      "boolean",
      "If true, add an RFC3339 timestamp at the beginning of every line of log output.",
    ),
  ],
  portforward: [parameter("ports", "integer", "List of ports to forward. Required when using WebSockets")],
  proxy: [parameter("path", "string", "Path is the URL path to use for the current proxy request.")],
};

/** What an operation may carry in its query; of a streaming subresource its own. */
export function queryParameters(action: Action, stream = ""): readonly QueryParameter[] {
  return stream === "" ? byAction[action] : (byStream[stream] ?? []);
}
