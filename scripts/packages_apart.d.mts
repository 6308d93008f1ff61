/** Loads a package of a folder that has a package.json and a lock, and installs what they say first. */
export function requireFrom<T>(folder: string, name: string): T;
/** The same for a module of the folder, which may import its packages. */
export function importFrom<T>(folder: string, file: string): Promise<T>;
