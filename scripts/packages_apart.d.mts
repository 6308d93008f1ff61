/** Loads a package of a folder that has a package.json and a lock, and installs what they say first. */
export function requireFrom<T>(folder: string, name: string): T;
