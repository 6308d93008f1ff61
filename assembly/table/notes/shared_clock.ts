// The clock of a shared host, which all threads raise: ms since the origin, the time at which the first map with a ttl was made. It is 0 or
// more, and the bits of such numbers are in the order of the numbers: so it is raised by comparing bits.
//
//   HOST_CLOCK  u64 bits of the clock      HOST_ORIGIN  u64 bits of the origin, inverted: 0 none yet
import { HOST_CLOCK, HOST_ORIGIN } from "../../regions";

/** Sets the origin, unless there is one. */
export function openClock(now: f64): void {
  atomic.cmpxchg<u64>(HOST_ORIGIN, 0, ~reinterpret<u64>(now));
}

/** Moves the clock on to a time, unless that is past. Before there is an origin nothing expires, and the clock stands. */
export function raiseClock(now: f64): void {
  const origin = atomic.load<u64>(HOST_ORIGIN);
  if (!origin) return;
  const time = now - reinterpret<f64>(~origin);
  if (!(time > 0)) return;
  const bits = reinterpret<u64>(time);
  let seen = atomic.load<u64>(HOST_CLOCK);
  while (seen < bits) {
    const before = atomic.cmpxchg<u64>(HOST_CLOCK, seen, bits);
    if (before == seen) return;
    seen = before; // another thread has raised it
  }
}
