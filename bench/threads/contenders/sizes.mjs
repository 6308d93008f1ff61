/** Operations between two looks at the clock. */
export const CHUNK = 1024;

/** Operations that go together where a contender can take several at once: keys of a batch call, requests in one message. */
export const GROUP = 128;
