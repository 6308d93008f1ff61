/** The rooms of a tree by floor, the highest first. */
export type Floors = readonly (readonly string[])[];
export const TREES: readonly { root: string; floors: Floors }[];
/** What is wrong in a tree, a sentence each. */
export function problemsIn(root: string, floors: Floors): string[];
