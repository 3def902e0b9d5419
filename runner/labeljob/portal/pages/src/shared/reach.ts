/** What could not be had, since the portal was just stopped, and can be had again. */

const SHORTEST_PAUSE = 1_500; // milliseconds between two tries
const LONGEST_PAUSE = 30_000;

/** Wait until anything answers at an address; gives whether what was asked for can be had there.
 * It is false also if nobody wants it any more. */
export async function comesBack(address: string, isWanted: () => boolean): Promise<boolean> {
  for (let pause = SHORTEST_PAUSE; isWanted(); pause = Math.min(1.2 * pause, LONGEST_PAUSE)) {
    const response = await fetch(address).catch(() => null);
    if (response) return response.ok && isWanted();
    await new Promise((resolve) => window.setTimeout(resolve, pause));
  }
  return false;
}
