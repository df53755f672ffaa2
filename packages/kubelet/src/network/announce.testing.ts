// node announce.testing.js BRIDGE [ADDRESS...]: announces these addresses, and no others, in the network namespace in which it
// runs, as its kubelet does there.

import { addAddress, planAnnouncements, readAddresses, removeAddress, tellNeighbours } from "./announced-addresses.js";

const [bridge, ...addresses] = process.argv.slice(2) as [string, ...string[]];
const { add, remove } = planAnnouncements(new Set(addresses), await readAddresses(bridge));
for (const address of remove) await removeAddress(address, bridge);
for (const address of add) await addAddress(address, bridge);
await Promise.all(addresses.map(tellNeighbours));
