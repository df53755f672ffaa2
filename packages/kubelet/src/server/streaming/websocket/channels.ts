// The channel protocols of Kubernetes over WebSocket: each message is one channel's bytes behind the channel's number.
// Upstream's apimachinery util/remotecommand and apiserver wsstream. Pure.

export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The subprotocols we speak, the best first. */
export const channelProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

/** The first subprotocol the client names that we know; "" when it names none. */
export function chooseProtocol(offered: readonly string[], known: readonly string[]): string | undefined {
  if (offered.length === 0) return "";
  return offered.find((protocol) => known.includes(protocol));
}

/** One message of a channel. */
export function encodeMessage(channel: number, data: Buffer, { base64 }: { base64: boolean }): Buffer | string {
  return base64 ? `${channel}${data.toString("base64")}` : Buffer.concat([Buffer.from([channel]), data]);
}

/** The reverse; undefined for a message without a channel. */
export function decodeMessage(
  message: Buffer,
  { base64 }: { base64: boolean },
): { channel: number; data: Buffer } | undefined {
  if (message.length === 0) return undefined;
  if (!base64) return { channel: message[0]!, data: message.subarray(1) };
  const channel = message[0]! - 0x30;
  if (channel < 0 || channel > 9) return undefined;
  return { channel, data: Buffer.from(message.toString("latin1", 1), "base64") };
}
