/**
 * Seed of a test that damages memory at random and looks for harm that is rare: `TEST_SEED` when it is set, otherwise always the same.
 * So what passed before a change landed passes in CI, too. New seeds are hunted by hand (test/README.md, "Hunting for harm").
 */
export function huntingSeed(file: string): number {
  return process.env.TEST_SEED === undefined ? 1 : testSeed(file);
}

/**
 * Seed of the random tests of a file: `TEST_SEED` when it is set, otherwise `TEST_RUN_SEED`, which .ci/run takes from the
 * code, otherwise a new one. It is printed, so that a failure can be run again: `TEST_SEED=... npm test`.
 */
export function testSeed(file: string): number {
  const given = process.env.TEST_SEED ?? process.env.TEST_RUN_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
    throw new RangeError(`TEST_SEED is ${JSON.stringify(given)}, expected a u32`);
  }
  console.log(`TEST_SEED=${seed} (${file})`);
  return seed;
}
