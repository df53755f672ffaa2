// What the reserve and pre-bind extension points share. A type alone.

/** What a plugin keeps for a pod on its way to a node. */
export interface Reservation {
  /** Takes it back: the pod does not come after all. Upstream's Unreserve. */
  release(): void;
  /** Does what must be done before the pod is bound; a rejection sends it back to the queue. Upstream's PreBind. */
  complete(signal: AbortSignal): Promise<void>;
}
