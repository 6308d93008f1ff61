/** The time that maps are told: that of the system, moved on by {@link moveOn}. */
export const clock = { now: () => performance.now() + moved };

let moved = 0;

export function moveOn(ms) {
  moved += ms;
}
